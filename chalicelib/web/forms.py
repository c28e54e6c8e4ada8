"""Multipart and urlencoded bodies. Measured on PocketBase 0.40.6.

* A text value that reads like a bool or a plain number becomes one (`infer`).
* A name given twice makes a list; values of the URL's query come after the body's.
* Each part called `@jsonPayload` is a JSON object laid over the rest, the later the stronger:
  objects are merged, any other value must be of the kind it replaces, null clears.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from chalicelib.domain.request import Body, UploadedFile
from chalicelib.errors import BadRequestError
from chalicelib.web import body
from chalicelib.web.gateway import Edge

JSON_PAYLOAD = "@jsonPayload"
MAX_PARTS = 1000
_METHODS_WITH_FORM = ("POST", "PUT", "PATCH")
_NUMBER_START = re.compile(r"-?[0-9][0-9.\-]*\Z")
_EXTENDED_FILENAME = re.compile(r";\s*filename\*=utf-8'[^']*'([^\s;]+)", re.IGNORECASE)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

Fields = list[tuple[str, str]]
Files = dict[str, list[UploadedFile]]


def read(raw: bytes, content_type: str, edge: Edge) -> Body:
    """Return the body of a form. Raises `BadRequestError` for a malformed one."""
    files: Files = {}
    if content_type.startswith("multipart/"):
        fields = _multipart(raw, content_type, files)
    else:
        fields = _urlencoded(raw) if edge.method in _METHODS_WITH_FORM else []
    fields += [(name, value) for name, values in edge.query.items() for value in values]
    return Body(_data(fields), files)


def infer(text: str) -> Any:
    """Return a bool or a number where `text` is exactly how one is written, else `text`."""
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER_START.match(text):
        try:
            value = float(text)
        except ValueError:
            return text
        if _written(value) == text:
            return int(value) if value.is_integer() and abs(value) <= 2**53 else value
    return text


def _written(value: float) -> str:
    """Return the shortest decimal of a float, without exponent."""
    if value - value != 0:
        return ""
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _data(fields: Fields) -> dict[str, Any]:
    payloads = [value for name, value in fields if name == JSON_PAYLOAD]
    several: dict[str, list[Any]] = {}
    for name, value in fields:
        if name != JSON_PAYLOAD:
            several.setdefault(name, []).append(infer(value))
    data: dict[str, Any] = {
        name: values[0] if len(values) == 1 else values for name, values in several.items()
    }
    for payload in payloads:
        given = body.value_of(payload.encode("utf-8", "surrogatepass"), may_trail=False)
        data = {} if given is None else _merged(data, given)
    return data


def _merged(old: Any, new: Any) -> Any:
    """Return `new` laid over `old`. Raises `BadRequestError` for two kinds of value."""
    if old is None or new is None:
        return new
    if _kind(old) is not _kind(new):
        raise BadRequestError
    if not isinstance(new, dict):
        return new
    return old | {name: _merged(old.get(name), value) for name, value in new.items()}


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)


def _urlencoded(raw: bytes) -> Fields:
    text = raw.decode("utf-8", "replace")
    if ";" in text or _BROKEN_ESCAPE.search(text):
        raise BadRequestError
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return [(_decoded(name), _decoded(value)) for name, _, value in pairs]


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")


def _multipart(raw: bytes, content_type: str, files: Files) -> Fields:
    import multipart  # type: ignore[import-untyped]  # noqa: PLC0415  (lazy: only forms with files need it)

    _, options = multipart.parse_options_header(content_type)
    fields: Fields = []
    try:
        parser = multipart.PushMultipartParser(
            options.get("boundary", ""),
            max_header_count=32,
            max_segment_count=MAX_PARTS,
        )
        with parser:
            for segment, content in _segments(parser, raw):
                filename = segment.filename or _extended_filename(segment)
                if not segment.name:
                    continue
                if filename:
                    upload = _upload(segment, filename, content)
                    files.setdefault(segment.name, []).append(upload)
                else:
                    fields.append((segment.name, content.decode("utf-8", "replace")))
    except multipart.MultipartError:
        raise BadRequestError from None
    return fields


def _segments(parser: Any, raw: bytes) -> Iterator[tuple[Any, bytes]]:
    """Yield each part and its bytes."""
    segment: Any = None
    chunks: list[bytes] = []
    for event in parser.parse(raw):
        if event is None:
            yield segment, b"".join(chunks)
        elif isinstance(event, (bytes, bytearray)):
            chunks.append(bytes(event))
        else:
            segment, chunks = event, []


def _extended_filename(segment: Any) -> str:
    """Return a name that is written as `filename*=UTF-8''...` (RFC 5987), or nothing."""
    found = _EXTENDED_FILENAME.search(segment.header("Content-Disposition") or "")
    return unquote(found[1], errors="replace") if found else ""


def _upload(segment: Any, filename: str, content: bytes) -> UploadedFile:
    name = filename.rpartition("/")[2]
    return UploadedFile(name, segment.content_type or "application/octet-stream", content)
