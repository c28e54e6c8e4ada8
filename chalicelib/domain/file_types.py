"""What a file holds, told by its first bytes and never by its name or by what a client says.

`of_content` answers as PocketBase 0.40.6 does for the formats that people upload; one that is
not known here is text or `application/octet-stream`. tests/conformance compares the answers.
"""

import json
import re
from collections.abc import Iterable

from chalicelib.domain.file_signatures import SIGNATURES, Kind

HEAD_BYTES = 3072
"""What is looked at. A file's end may be missing from it."""

BINARY = Kind("application/octet-stream", "")
TEXT = Kind("text/plain; charset=utf-8", ".txt")
EMPTY = Kind("text/plain", ".txt")

_ALIASES = {
    "image/bmp": ("image/x-bmp", "image/x-ms-bmp"),
    "image/vnd.adobe.photoshop": ("image/x-psd", "application/photoshop"),
    "audio/mpeg": ("audio/x-mpeg", "audio/mp3"),
    "audio/wav": ("audio/x-wav", "audio/vnd.wave", "audio/wave"),
    "audio/midi": ("audio/mid", "audio/sp-midi", "audio/x-mid", "audio/x-midi"),
    "application/pdf": ("application/x-pdf",),
    "application/zip": ("application/x-zip", "application/x-zip-compressed"),
    "application/gzip": ("application/x-gzip", "application/x-gunzip", "application/gzipped",
                         "application/gzip-compressed", "application/x-gzip-compressed",
                         "gzip/document"),
    "application/vnd.rar": ("application/x-rar-compressed", "application/x-rar"),
    "application/java-archive": ("application/jar", "application/jar-archive",
                                 "application/x-java-archive"),
    "application/vnd.sqlite3": ("application/x-sqlite3",),
    "text/xml": ("application/xml",),
    "text/rtf": ("application/rtf",),
    "text/javascript": ("application/x-javascript", "application/javascript"),
    "text/x-python": ("text/x-script.python", "application/x-python"),
    "text/x-shellscript": ("text/x-sh", "application/x-shellscript", "application/x-sh"),
    "video/x-msvideo": ("video/avi", "video/msvideo"),
    "video/matroska": ("video/x-matroska",),
    "video/webm": ("audio/webm",),
    "video/3gpp": ("video/3gp", "audio/3gpp"),
    "video/3gpp2": ("video/3g2", "audio/3gpp2"),
    "audio/mp4": ("audio/x-mp4a",),
}  # fmt: skip


def of_content(content: bytes) -> Kind:
    """Return what the bytes are."""
    if not content:
        return EMPTY
    head = content[:HEAD_BYTES]
    return _container(head) or _signed(head) or _text(head, len(content) > HEAD_BYTES)


def is_one_of(mime: str, allowed: Iterable[str]) -> bool:
    """Return whether a type, or another name of it, is in a field's list."""
    name = _bare(mime)
    names = {name, *_ALIASES.get(name, ())}
    return any(_bare(each) in names for each in allowed)


def _bare(mime: str) -> str:
    return mime.partition(";")[0].strip().lower()


def _signed(head: bytes) -> Kind | None:
    if len(head) >= 2 and head[:2] == b"BM" and head[14:15] == b"\0":
        return None
    text = head.removeprefix(_UTF8_MARK).lstrip(_SPACE)
    if text.startswith(b"%PDF-"):
        return Kind("application/pdf", ".pdf")
    for offset, mark, kind in SIGNATURES:
        if head.startswith(mark, offset):
            return kind
    return None


def _container(head: bytes) -> Kind | None:
    """Return the type of what is several formats in one wrapping."""
    if head.startswith(b"PK"):
        return _zipped(head)
    if head.startswith(b"OggS"):
        return _ogg(head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        is_webm = b"webm" in head[:64]
        return Kind("video/webm", ".webm") if is_webm else Kind("video/matroska", ".mkv")
    if head[4:8] == b"ftyp":
        return _brand(head[8:12])
    return None


_OFFICE = {b"word/": "docx", b"xl/": "xlsx", b"ppt/": "pptx"}
OFFICE_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_NAMED_IN_ZIP = {
    b"application/epub+zip": ".epub",
    b"application/vnd.oasis.opendocument.text": ".odt",
    b"application/vnd.oasis.opendocument.spreadsheet": ".ods",
    b"application/vnd.oasis.opendocument.presentation": ".odp",
    b"application/vnd.oasis.opendocument.graphics": ".odg",
}


def _zipped(head: bytes) -> Kind | None:
    """Return the type of a zip archive by the names of its first files."""
    if head[2:4] not in (b"\3\4", b"\5\6", b"\7\x08"):
        return None
    return _named_in_zip(head) or _by_names(_names_in_zip(head))


def _named_in_zip(head: bytes) -> Kind | None:
    if head[30:38] == b"mimetype":
        for mime, extension in _NAMED_IN_ZIP.items():
            if head.startswith(mime, 38):
                return Kind(mime.decode(), extension)
    return None


def _by_names(names: list[bytes]) -> Kind:
    for start, extension in _OFFICE.items():
        if any(name.startswith(start) for name in names):
            return Kind(OFFICE_TYPES[extension], f".{extension}")
    if any(name in (b"AndroidManifest.xml", b"classes.dex") for name in names):
        return Kind("application/vnd.android.package-archive", ".apk")
    if any(name.startswith(b"META-INF/") for name in names):
        return Kind("application/java-archive", ".jar")
    return Kind("application/zip", ".zip")


def _names_in_zip(head: bytes) -> list[bytes]:
    starts = [match.start() for match in re.finditer(b"PK\3\4", head)]
    lengths = [int.from_bytes(head[at + 26 : at + 28], "little") for at in starts]
    return [head[at + 30 : at + 30 + n] for at, n in zip(starts, lengths, strict=True)]


def _ogg(head: bytes) -> Kind:
    for mark, kind in (
        (b"\1vorbis", Kind("audio/ogg", ".oga")),
        (b"OpusHead", Kind("audio/ogg", ".oga")),
        (b"\x7fFLAC", Kind("audio/ogg", ".oga")),
        (b"Speex   ", Kind("audio/ogg", ".oga")),
        (b"\x80theora", Kind("video/ogg", ".ogv")),
    ):
        if head.startswith(mark, 28):
            return kind
    return Kind("application/ogg", ".ogg")


_BRANDS = {
    b"avif": Kind("image/avif", ".avif"),
    b"avis": Kind("image/avif", ".avif"),
    b"heic": Kind("image/heic", ".heic"),
    b"heix": Kind("image/heic", ".heic"),
    b"hevc": Kind("image/heic-sequence", ".heic"),
    b"hevx": Kind("image/heic-sequence", ".heic"),
    b"mif1": Kind("image/heif", ".heif"),
    b"msf1": Kind("image/heif-sequence", ".heif"),
    b"M4A ": Kind("audio/x-m4a", ".m4a"),
    b"M4B ": Kind("audio/mp4", ".mp4"),
    b"M4P ": Kind("audio/mp4", ".mp4"),
    b"M4V ": Kind("video/x-m4v", ".m4v"),
    b"qt  ": Kind("video/quicktime", ".mov"),
    b"3gp": Kind("video/3gpp", ".3gp"),
    b"3g2": Kind("video/3gpp2", ".3g2"),
}


def _brand(brand: bytes) -> Kind:
    """Return the type of an ISO base media file."""
    return _BRANDS.get(brand) or _BRANDS.get(brand[:3]) or Kind("video/mp4", ".mp4")


_SPACE = b" \t\n\x0c\r"
_UTF8_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (
    (b"\xff\xfe\0\0", "utf-32le"),
    (b"\0\0\xfe\xff", "utf-32be"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xfe\xff", "utf-16be"),
)
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def _text(head: bytes, is_cut: bool) -> Kind:
    for mark, charset in _WIDE_MARKS:
        if head.startswith(mark):
            return Kind(f"text/plain; charset={charset}", ".txt")
    if _NOT_IN_TEXT.search(head):
        return BINARY
    body = head.removeprefix(_UTF8_MARK).lstrip(_SPACE)
    return (
        _markup(head, body)
        or _script(body)
        or _started(head)
        or _data(head, is_cut)
        or Kind(_plain(head), ".txt")
    )


_HTML = re.compile(
    rb"(?:<!DOCTYPE HTML|<(?:HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P))"
    rb"[ >]|<!--",
    re.IGNORECASE,
)
_XML_ROOTS = (
    (rb"<rss\b", Kind("application/rss+xml", ".rss")),
    (rb"http://www\.w3\.org/2005/Atom", Kind("application/atom+xml", ".atom")),
    (rb"http://www\.w3\.org/1999/xhtml", Kind("application/xhtml+xml", ".html")),
    (rb"http://www\.opengis\.net/kml/2\.2", Kind("application/vnd.google-earth.kml+xml", ".kml")),
    (rb"http://www\.topografix\.com/GPX/1/1", Kind("application/gpx+xml", ".gpx")),
    (rb"<svg\b", Kind("image/svg+xml", ".svg")),
)
_SVG = re.compile(rb"""<svg\s[^>]*xmlns=["']http://www\.w3\.org/2000/svg["']""")
_META_CHARSET = re.compile(rb"""<meta[^>]*charset=["']?([\w-]+)""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["']([\w-]+)""")


def _markup(head: bytes, body: bytes) -> Kind | None:
    if _HTML.match(body):
        charset = _META_CHARSET.search(body)
        name = charset[1].decode().lower() if charset else "utf-8"
        return Kind(f"text/html; charset={name}", ".html")
    if body.startswith(b"<?xml"):
        for mark, kind in _XML_ROOTS:
            if re.search(mark, body):
                return kind
        charset = _XML_ENCODING.match(body)
        name = charset[1].decode() if charset else "utf-8"
        return Kind(f"text/xml; charset={name}", ".xml")
    if _SVG.match(head.lstrip(_SPACE)):
        return Kind("image/svg+xml", ".svg")
    return None


_SHEBANG = re.compile(rb"#!\s*/(?:usr/)?(?:local/)?bin/(?:env\s+)?([a-z]+)")
_INTERPRETERS = {
    b"python": Kind("text/x-python", ".py"),
    b"node": Kind("text/javascript", ".js"),
    b"perl": Kind("text/x-perl", ".pl"),
    b"ruby": Kind("text/x-ruby", ".rb"),
    b"lua": Kind("text/x-lua", ".lua"),
    b"php": Kind("text/x-php", ".php"),
    b"tclsh": Kind("text/x-tcl", ".tcl"),
    **dict.fromkeys((b"sh", b"bash", b"dash", b"zsh", b"ksh"), Kind("text/x-shellscript", ".sh")),
}


def _script(body: bytes) -> Kind | None:
    if body[:5].lower() == b"<?php":
        return _INTERPRETERS[b"php"]
    found = _SHEBANG.match(body)
    return _INTERPRETERS.get(found[1]) if found else None


_STARTS = (
    (re.compile(rb"\{\\rtf"), Kind("text/rtf", ".rtf")),
    (re.compile(rb"(?:\xef\xbb\xbf)?WEBVTT(?:[ \t\r\n]|\Z)"), Kind("text/vtt", ".vtt")),
    (re.compile(rb"BEGIN:VCALENDAR\r?\n(?=.)"), Kind("text/calendar", ".ics")),
    (re.compile(rb"BEGIN:VCARD\r?\n(?=.)"), Kind("text/vcard", ".vcf")),
    (
        re.compile(rb"\d+\r?\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\r?\n"),
        Kind("application/x-subrip", ".srt"),
    ),
    (re.compile(rb"Return-Path: |Received: from |Delivered-To: "), Kind("message/rfc822", ".eml")),
)


def _started(head: bytes) -> Kind | None:
    return next((kind for mark, kind in _STARTS if mark.match(head)), None)


_GEO_TYPE = re.compile(
    rb'\{\s*"type"\s*:\s*"(?:Feature|FeatureCollection|Point|LineString|Polygon|MultiPoint'
    rb'|MultiLineString|MultiPolygon|GeometryCollection)"'
)


def _data(head: bytes, is_cut: bool) -> Kind | None:
    body = head.strip(_SPACE)
    if body[:1] in (b"{", b"["):
        if _is_json(body, is_cut):
            if _GEO_TYPE.match(body):
                return Kind("application/geo+json", ".geojson")
            return Kind("application/json", ".json")
        lines = [line for line in head.splitlines() if line.strip()]
        if len(lines) > 1 and all(
            _is_json(line, False) for line in lines[: -1 if is_cut else None]
        ):
            return Kind("application/x-ndjson", ".ndjson")
    if _is_table(head, b",", is_cut):
        return Kind("text/csv", ".csv")
    if _is_table(head, b"\t", is_cut):
        return Kind("text/tab-separated-values", ".tsv")
    return None


def _is_json(body: bytes, is_cut: bool) -> bool:
    """Return whether bytes are JSON, or may be the beginning of it."""
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        # Characters, not bytes: what breaks off at the end is no mistake if the rest is cut.
        is_at_end = error.pos >= len(body.decode("utf-8", "ignore")) - 64
        return is_cut and (is_at_end or "Unterminated string" in error.msg)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(head: bytes, separator: bytes, is_cut: bool) -> bool:
    """Return whether every line has as many columns as the first, two at least."""
    lines = [re.sub(rb'"[^"]*"', b"", line) for line in head.splitlines() if line.strip()]
    if is_cut:
        lines = lines[:-1]
    columns = {line.count(separator) for line in lines}
    return len(lines) > 1 and len(columns) == 1 and min(columns) > 0


def _plain(head: bytes) -> str:
    """Return the type of text; `charset` is what its bytes can be."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start <= len(head) - 4 or error.reason != "unexpected end of data":
            has_controls = any(0x80 <= byte <= 0x9F for byte in head)
            return "text/plain" if has_controls else "text/plain; charset=iso-8859-1"
    return TEXT.mime
