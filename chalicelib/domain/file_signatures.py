"""The marks by which binary formats are known: bytes at an offset, type, usual extension.

Types and extensions are those that PocketBase 0.40.6 gives the same content; the signatures
are the formats' own. The first that fits counts. Formats that take more than fixed bytes to
tell apart are in `file_types`.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """A type of content and the extension that a file without one gets."""

    mime: str
    extension: str


_M4 = b"\x00\x00\x00\x0c"

SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = tuple(
    (offset, mark, Kind(mime, extension))
    for offset, mark, mime, extension in (
        (0, b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
        (0, b"\xff\xd8\xff", "image/jpeg", ".jpg"),
        (0, b"GIF87a", "image/gif", ".gif"),
        (0, b"GIF89a", "image/gif", ".gif"),
        (0, b"%PDF-", "application/pdf", ".pdf"),
        (0, b"BM", "image/bmp", ".bmp"),
        (0, b"II*\0", "image/tiff", ".tiff"),
        (0, b"MM\0*", "image/tiff", ".tiff"),
        (0, b"\0\0\1\0", "image/x-icon", ".ico"),
        (0, b"\0\0\2\0", "image/x-icon", ".ico"),
        (0, b"8BPS", "image/vnd.adobe.photoshop", ".psd"),
        (0, _M4 + b"JXL \r\n\x87\n", "image/jxl", ".jxl"),
        (0, b"\xff\x0a", "image/jxl", ".jxl"),
        (0, b"gimp xcf", "image/x-xcf", ".xcf"),
        (0, b"BPG\xfb", "image/bpg", ".bpg"),
        (0, b"#?RADIANCE\n", "image/vnd.radiance", ".hdr"),
        (0, b"icns", "image/x-icns", ".icns"),
        (0, b"AT&TFORM", "image/vnd.djvu", ".djvu"),
        (0, b"ID3", "audio/mpeg", ".mp3"),
        (0, b"\xff\xfb", "audio/mpeg", ".mp3"),
        (0, b"\xff\xf3", "audio/mpeg", ".mp3"),
        (0, b"\xff\xf2", "audio/mpeg", ".mp3"),
        (0, b"\xff\xfa", "audio/mpeg", ".mp3"),
        (0, b"\xff\xf1", "audio/aac", ".aac"),
        (0, b"\xff\xf9", "audio/aac", ".aac"),
        (0, b"fLaC\0\0\0\x22", "audio/flac", ".flac"),
        (0, b"MThd", "audio/midi", ".midi"),
        (0, b".snd", "audio/basic", ".au"),
        (0, b"#!AMR", "audio/amr", ".amr"),
        (0, b"FLV\1", "video/x-flv", ".flv"),
        (0, b"\0\0\1\xba", "video/mpeg", ".mpeg"),
        (0, b"\0\0\1\xb3", "video/mpeg", ".mpeg"),
        (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "video/x-ms-asf", ".asf"),
        (0, b"wOFF", "font/woff", ".woff"),
        (0, b"wOF2", "font/woff2", ".woff2"),
        (0, b"ttcf", "font/collection", ".ttc"),
        (0, b"\x1f\x8b", "application/gzip", ".gz"),
        (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", ".7z"),
        (0, b"\xfd7zXZ\0", "application/x-xz", ".xz"),
        (0, b"BZh", "application/x-bzip2", ".bz2"),
        (0, b"\x28\xb5\x2f\xfd", "application/zstd", ".zst"),
        (0, b"Rar!\x1a\x07", "application/vnd.rar", ".rar"),
        (0, b"LZIP", "application/lzip", ".lz"),
        (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed", ".cab"),
        (0, b"!<arch>\ndebian-binary", "application/vnd.debian.binary-package", ".deb"),
        (0, b"!<arch>", "application/x-archive", ".a"),
        (0, b"\xed\xab\xee\xdb", "application/x-rpm", ".rpm"),
        (0, b"070701", "application/x-cpio", ".cpio"),
        (0, b"070702", "application/x-cpio", ".cpio"),
        (0, b"070707", "application/x-cpio", ".cpio"),
        (257, b"ustar", "application/x-tar", ".tar"),
        (0, b"MZ", "application/vnd.microsoft.portable-executable", ".exe"),
        (0, b"\x7fELF", "application/x-elf", ""),
        (0, b"\xca\xfe\xba\xbe", "application/x-java-applet", ".class"),
        (0, b"\xfe\xed\xfa\xce", "application/x-mach-binary", ".macho"),
        (0, b"\xfe\xed\xfa\xcf", "application/x-mach-binary", ".macho"),
        (0, b"\xce\xfa\xed\xfe", "application/x-mach-binary", ".macho"),
        (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary", ".macho"),
        (0, b"\0asm", "application/wasm", ".wasm"),
        (0, b"CWS", "application/x-shockwave-flash", ".swf"),
        (0, b"FWS", "application/x-shockwave-flash", ".swf"),
        (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", ""),
        (0, b"SQLite format 3\0", "application/vnd.sqlite3", ".sqlite"),
        (4, b"Standard Jet DB", "application/x-msaccess", ".mdb"),
        (4, b"Standard ACE DB", "application/x-msaccess", ".mdb"),
        (0, b"PAR1", "application/vnd.apache.parquet", ".parquet"),
        (0, b"d8:announce", "application/x-bittorrent", ".torrent"),
        (0, b"\x4c\0\0\0\1\x14\2\0", "application/x-ms-shortcut", ".lnk"),
        (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap", ".pcap"),
        (0, b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap", ".pcap"),
        (0, b"glTF\2\0\0\0", "model/gltf-binary", ".glb"),
        (0, b"glTF\1\0\0\0", "model/gltf-binary", ".glb"),
        (0, b"%!PS-Adobe-", "application/postscript", ".ps"),
        (0, b"-----BEGIN PKCS7", "application/pkcs7-signature", ".p7s"),
        (8, b"WEBP", "image/webp", ".webp"),
        (8, b"WAVE", "audio/wav", ".wav"),
        (8, b"AVI LIST", "video/x-msvideo", ".avi"),
        (20, b"jP2 ", "image/jp2", ".jp2"),
        (20, b"ftypjp2 ", "image/jp2", ".jp2"),
        (20, b"jp2 ", "image/jp2", ".jp2"),
    )
)
