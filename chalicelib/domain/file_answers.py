"""How a file is answered: type, disposition, conditions and byte ranges (RFC 9110).

Measured on PocketBase 0.40.6, which serves through Go's `http.ServeContent`. Stricter here: a
file is shown in the browser only if the type it is served under may be, whatever its bytes
look like, so a picture named `x.js` is attached.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from chalicelib.domain.file_types import OFFICE_TYPES

SECURITY_POLICY = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
"""Nothing that a file holds may run in our origin."""

CACHE = "max-age=2592000, stale-while-revalidate=86400"

_INLINE = frozenset((
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/x-icon",
    "video/mp4", "video/webm", "video/3gpp", "video/quicktime",
    "audio/mpeg", "audio/wav", "audio/aac", "audio/x-m4a", "audio/midi", "audio/basic",
    "application/pdf",
))  # fmt: skip
_BY_EXTENSION = {
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    **{f".{extension}": mime for extension, mime in OFFICE_TYPES.items()},
}
_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))


def served_type(content_type: str, name: str) -> str:
    """Return the type a file is served under: a few extensions count more than the bytes."""
    return _BY_EXTENSION.get(name[name.rfind(".") :], content_type)


def disposition(content_type: str, name: str, download: str) -> str:
    """Return the `Content-Disposition`; `download` is the parameter as sent."""
    is_inline = content_type in _INLINE and download not in _TRUE
    return f'{"inline" if is_inline else "attachment"}; filename="{name}"'


def status_of(headers: Mapping[str, str], etag: str, last_modified: str) -> int:
    """Return what the request's conditions make of a file: 200, 304 or 412."""
    if "if-match" in headers:
        if not _lists(headers["if-match"], etag, weakly=False):
            return 412
    elif _is_after(last_modified, headers.get("if-unmodified-since")) is True:
        return 412
    if "if-none-match" in headers:
        return 304 if _lists(headers["if-none-match"], etag, weakly=True) else 200
    return 304 if _is_after(last_modified, headers.get("if-modified-since")) is False else 200


def _lists(value: str, etag: str, weakly: bool) -> bool:
    tags = {tag.strip() for tag in value.split(",")}
    if weakly:
        tags = {tag.removeprefix("W/") for tag in tags}
    return "*" in tags or etag in tags


def _is_after(last_modified: str, moment: str | None) -> bool | None:
    """Return whether a file changed after a moment; None if either is no date."""
    changed, than = _date(last_modified), _date(moment)
    return None if changed is None or than is None else changed > than


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Range(NamedTuple):
    start: int
    length: int

    def of(self, size: int) -> str:
        """Return the `Content-Range`."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


class RangeError(Exception):
    """A range that cannot be read, or (`is_outside`) one that holds nothing of the file."""

    def __init__(self, is_outside: bool) -> None:
        super().__init__("invalid range" + (": failed to overlap" if is_outside else ""))
        self.is_outside = is_outside


def ranges(headers: Mapping[str, str], etag: str, last_modified: str, size: int) -> list[Range]:
    """Return the parts that a request asks for, [] for the whole. Raises `RangeError`."""
    value = headers.get("range", "")
    known = headers.get("if-range")
    if not value or (known is not None and not _is_same(known, etag, last_modified)):
        return []
    if not value.startswith("bytes="):
        raise RangeError(False)
    specs = [spec.strip() for spec in value[6:].split(",") if spec.strip()]
    found = [each for spec in specs if (each := _range(spec, size)) is not None]
    if specs and not found and size:
        raise RangeError(True)
    # More than the whole in parts is an attack or a mistake; the whole is cheaper.
    return found if sum(each.length for each in found) <= size else []


def _is_same(known: str, etag: str, last_modified: str) -> bool:
    return known == etag if known.startswith('"') else _is_after(last_modified, known) is False


_SPEC = re.compile(r"(\d*)\s*-\s*(\d*)", re.ASCII)
_MOST_DIGITS = 18


def _range(spec: str, size: int) -> Range | None:
    """Return one range, None if it begins after the end. Raises `RangeError`."""
    found = _SPEC.fullmatch(spec)
    if found is None or not any(found.groups()) or max(map(len, found.groups())) > _MOST_DIGITS:
        raise RangeError(False)
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        return Range(size - length, length) if size else None
    start = int(first)
    if start >= size:
        return None
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        raise RangeError(False)
    return Range(start, end - start + 1)
