"""Request bodies as PocketBase reads them. Every rule here was measured on 0.40.6.

* The type decides, by exact lower-case prefix; an empty body is empty whatever its type.
* JSON: strict UTF-8, no duplicate name, no NaN, no number beyond a float; what follows the
  first value is ignored; the value is an object or null.
* Forms: see `web.forms`.

PocketBase takes JSON 10,000 levels deep; we stop at `MAX_DEPTH`, so that orjson can write it.
"""

import binascii
import json
from typing import Any

from chalicelib.domain.request import Body
from chalicelib.errors import BadRequestError
from chalicelib.web import limits
from chalicelib.web.gateway import Edge

MAX_DEPTH = 230
"""orjson writes 254 levels; a record lies some levels deep in a list or an expand."""
MAX_EXACT_INTEGER = 2**53
_WHITESPACE = " \t\r\n"


def read(edge: Edge) -> Body:
    """Return the parsed body. Raises `BadRequestError` or `TooLargeError`."""
    raw = raw_bytes(edge.event)
    content_type = edge.headers.get("content-type", "").strip()
    if not raw:
        return Body({}, {})
    if content_type.startswith("application/json"):
        return Body(value_of(raw) or {}, {})
    if content_type.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        from chalicelib.web import forms  # noqa: PLC0415  (lazy: most bodies are JSON)

        return forms.read(raw, content_type, edge)
    if content_type.startswith(("application/xml", "text/xml")):
        raise BadRequestError  # a record cannot be read from XML in PocketBase either
    raise BadRequestError("Unsupported Content-Type.")


def value_of(raw: bytes, *, may_trail: bool = True) -> dict[str, Any] | None:
    """Return the JSON object (or null) that `raw` begins with. Raises `BadRequestError`."""
    try:
        text = raw.decode()
        start = len(text) - len(text.lstrip(_WHITESPACE))
        value, end = _DECODER.raw_decode(text, start)
        if not may_trail and text[end:].strip(_WHITESPACE):
            raise ValueError("text after the value")
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # refuses half a surrogate pair
    except (ValueError, OverflowError, RecursionError):
        raise BadRequestError from None
    if value is not None and not isinstance(value, dict):
        raise BadRequestError
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_depth(value)
    return value


def raw_bytes(event: dict[str, Any]) -> bytes:
    """Return the body as it came, without a copy where that can be. Raises `TooLargeError`."""
    body = event.get("body") or b""
    if event.get("isBase64Encoded"):
        body = binascii.a2b_base64(body)  # b64decode would copy the text first
    elif isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    limits.check(len(body))
    return bytes(body)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate name")
    return value


def _integer(text: str) -> int | float:
    """Return an integer as it is while a float64 can hold it exactly, else as that float."""
    value = int(text)
    if -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
        return value
    return float(value)


def _float(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise ValueError("beyond a float64")
    return value


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_distinct, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise BadRequestError(f"The submitted data is nested more than {MAX_DEPTH} levels deep.")


def _children(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, (dict, list))]
