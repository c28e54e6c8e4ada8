"""JSON fields. A text that looks like JSON is read as JSON.

What a database row of PocketBase keeps as text, a record here keeps as values; numbers are
float64 and objects come back with their keys in any order.
"""

import json
import math
import re
from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON, "maxSize": 0}
DEFAULT_MAX_BYTES = 1024 * 1024
MAX_DEPTH = 200
"""Deeper values could not be written as JSON again; PocketBase itself takes any depth."""

_LITERALS = {"true": True, "false": False, "null": None}
_START = re.compile(r'[0-9"\[{-]', re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# PocketBase puts a text in quotes the way Go does, and Go's escapes of these are not JSON's.
_UNQUOTABLE = re.compile(r"[\x00-\x07\x0b\x0e-\x1f\x7f]")


class Unquotable(str):
    """A text that is refused, although any text is JSON; `check` reports it."""

    __slots__ = ()


class _RefusedError(Exception):
    """JSON with a name twice in one object, or with a number beyond float64."""


def cast(field: Field, raw: Any) -> Any:
    if isinstance(raw, str):
        return _from_text(raw)
    return raw


def _from_text(text: str) -> Any:
    if text in _LITERALS:
        return _LITERALS[text]
    if _START.match(text):
        try:
            return _load(text)
        except _RefusedError:
            return Unquotable(text)
        except (ValueError, RecursionError):
            pass
    return Unquotable(text) if _is_unquotable(text) else text


def _is_unquotable(text: str) -> bool:
    if text.isprintable():
        return False
    return _UNQUOTABLE.search(text) is not None or any(
        char > "\uffff" and not char.isprintable() for char in text
    )


def _load(text: str) -> Any:
    """Return the value of a JSON text. Raises `_RefusedError` for JSON that is refused."""
    value = json.loads(
        text,
        object_pairs_hook=_object,
        parse_int=_number,
        parse_float=_number,
        parse_constant=_not_json,
    )
    if _SURROGATE.search(text):
        whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
        value = json.loads(whole.decode("utf-16", "replace"))
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _RefusedError
    return value


def _number(text: str) -> int | float:
    value = casting.normal_number(float(text))
    if not math.isfinite(value):
        raise _RefusedError
    return value


def _not_json(text: str) -> None:
    raise ValueError(text)


def check(field: Field, value: Any, context: Context) -> ErrorData | None:
    most = field.options.get("maxSize") or DEFAULT_MAX_BYTES
    if isinstance(value, Unquotable) or is_deeper(value, MAX_DEPTH):
        return field_error("validation_invalid_json", "Must be a valid json value.")
    if _size_bytes(value) > most:
        message = f"The maximum allowed JSON size is {most} bytes."
        return field_error("validation_json_size_limit", message, {"maxSize": most})
    if field.required and (value is None or value in ("", [], {})):
        return common.required()
    return None


def is_deeper(value: Any, depth: int) -> bool:
    """Return whether arrays and objects nest in each other more than `depth` times."""
    if not isinstance(value, list | dict):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth <= 0 or any(is_deeper(item, depth - 1) for item in items)


def _size_bytes(value: Any) -> int:
    return len(
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    )


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    return common.present({"maxSize": common.range_error(entry["maxSize"])})
