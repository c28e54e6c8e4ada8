"""Reading a zip that nobody vouches for: its directory, and how much it really inflates to.

`zipfile` alone is not enough. It reads the whole directory before it can be asked how long that
is, believes the size that an entry claims, and takes what lies around the archive. Here a zip must
be nothing but a zip, and every entry is inflated in pieces that are counted and thrown away.
Layout: APPNOTE.TXT, the .ZIP file format specification, 4.3.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_EXTRA = struct.Struct("<2H")
_UNICODE_PATH, _BEFORE_NAME = 0x7075, 5
_MAX_COMMENT_BYTES = 65_535
_DIRECTORY_BYTES_PER_ENTRY = 400
_PIECE_BYTES = 256 * 1024


class ArchiveError(ValueError):
    """Why an archive is refused; the message is for people and names the entry."""


def directory(file: BinaryIO, size_bytes: int, max_entries: int) -> list[zipfile.ZipInfo]:
    """Return the entries of a zip. Raises `ArchiveError` if it is none, or has too many."""
    count, directory_bytes = _end(file, size_bytes)
    if count > max_entries or directory_bytes > max_entries * _DIRECTORY_BYTES_PER_ENTRY:
        raise ArchiveError(f"the zip has more than {max_entries} entries")
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise ArchiveError(f"the zip cannot be read: {error}") from None
    if len(infos) != count:
        raise ArchiveError("the zip cannot be read: it has another number of entries than it says")
    return infos


def unzipped_bytes(file: BinaryIO, info: zipfile.ZipInfo, limit_bytes: int) -> int:
    """Return how much an entry inflates to, at most `limit_bytes`. Raises `ArchiveError`."""
    if info.file_size > limit_bytes:
        raise ArchiveError("the zip unpacks to more than a function may have")
    size_bytes, checksum = 0, 0
    for piece in _pieces(file, info):
        size_bytes += len(piece)
        checksum = zlib.crc32(piece, checksum)
        if size_bytes > info.file_size:
            break
    if size_bytes != info.file_size or checksum != info.CRC:
        raise ArchiveError(f"{info.filename!r} is damaged: it is not what the zip says of it")
    return size_bytes


def _end(file: BinaryIO, size_bytes: int) -> tuple[int, int]:
    """Return how many entries the directory has, and how many bytes."""
    start = max(0, size_bytes - _END.size - _MAX_COMMENT_BYTES)
    file.seek(start)
    tail = file.read(size_bytes - start)
    found = tail.rfind(_END_SIGNATURE)
    if found < 0 or len(tail) - found < _END.size:
        raise ArchiveError("this is no zip file")
    _, disk, first_disk, on_disk, count, length, offset, comment = _END.unpack_from(tail, found)
    is_all = found + _END.size + comment == len(tail) and offset + length == start + found
    if not is_all or disk or first_disk or on_disk != count:
        raise ArchiveError("this is no plain zip file: something stands before, in or behind it")
    return count, length


def _pieces(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what an entry inflates to."""
    raw = _raw(file, info)
    if info.compress_type == zipfile.ZIP_STORED:
        yield from raw
        return
    if info.compress_type != zipfile.ZIP_DEFLATED:
        raise ArchiveError(f"{info.filename!r} is compressed in a way that Lambda does not read")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        yield from _inflated(inflate, raw)
    except zlib.error as error:
        raise ArchiveError(f"{info.filename!r} is damaged: {error}") from None
    if not inflate.eof or inflate.unused_data or any(raw):
        raise ArchiveError(f"{info.filename!r} is damaged: it does not end where the zip says")


def _inflated(inflate: "zlib._Decompress", raw: Iterator[bytes]) -> Iterator[bytes]:
    for piece in raw:
        left, is_full = piece, True
        while (left or is_full) and not inflate.eof:
            made = inflate.decompress(left, _PIECE_BYTES)
            left, is_full = inflate.unconsumed_tail, len(made) == _PIECE_BYTES
            yield made
        if inflate.eof:
            return


def _raw(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the compressed bytes of an entry, whose own header must agree on its name."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != _LOCAL_SIGNATURE:
        raise ArchiveError(f"{info.filename!r} is damaged: it does not begin where the zip says")
    *_, name_bytes, extra_bytes = _LOCAL.unpack(header)
    name = file.read(name_bytes)
    if name not in (info.orig_filename.encode(), _old_name(info)):
        raise ArchiveError(f"{info.filename!r} has two names")
    _require_one_name(info, file.read(extra_bytes))
    left = info.compress_size
    while left > 0:
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            raise ArchiveError(f"{info.filename!r} is cut short")
        left -= len(piece)
        yield piece


def _require_one_name(info: zipfile.ZipInfo, own_extra: bytes) -> None:
    """Raise `ArchiveError` if an extra field has another name: some programs unpack to that."""
    for extra in (info.extra, own_extra):
        at = 0
        while at + _EXTRA.size <= len(extra):
            kind, length = _EXTRA.unpack_from(extra, at)
            at += _EXTRA.size + length
            name = extra[at - length + _BEFORE_NAME : at]
            if kind == _UNICODE_PATH and name != info.orig_filename.encode():
                raise ArchiveError(f"{info.orig_filename!r} has two names")


def _old_name(info: zipfile.ZipInfo) -> bytes:
    """Return a name in the code page of old zips, in which names without a flag are."""
    return info.orig_filename.encode("cp437", "replace")
