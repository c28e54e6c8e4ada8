"""Reading JSON into the typed shape of a definition, as PocketBase reads it.

A reader takes (what was sent, what is there) and returns what is there afterwards: a null
makes the type's zero value, an object is merged key by key, unknown keys are ignored, and a
value of another JSON type is an error (measured on PocketBase 0.40.6).
"""

from collections.abc import Callable, Mapping
from typing import Any

Reader = Callable[[Any, Any], Any]


_EXACT = 2.0**53


class FormatError(ValueError):
    """The body has a value of the wrong JSON type."""


def text(value: Any, _present: Any) -> str:
    found: str = _typed(value, str, "")
    return found


def boolean(value: Any, _present: Any) -> bool:
    found: bool = _typed(value, bool, False)
    return found


def nullable_boolean(value: Any, _present: Any) -> bool | None:
    return None if value is None else boolean(value, None)


def nullable_text(value: Any, _present: Any) -> str | None:
    return None if value is None else text(value, None)


def integer(value: Any, _present: Any) -> int:
    """A whole number too large for float64 to be exact may arrive as a float."""
    if isinstance(value, bool):
        raise FormatError
    if isinstance(value, float) and abs(value) >= _EXACT and value.is_integer():
        return int(value)
    found: int = _typed(value, int, 0)
    return found


def nullable_number(value: Any, _present: Any) -> float | None:
    if isinstance(value, bool):
        raise FormatError
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value is None else _typed(value, (int, float), 0)


def texts(value: Any, _present: Any) -> list[str]:
    return [text(each, None) for each in _typed(value, list, [])]


def free_object(value: Any, _present: Any) -> dict[str, Any]:
    return dict(_typed(value, dict, {}))


def struct(readers: Mapping[str, Reader]) -> Reader:
    """Return the reader of an object with these keys."""

    def read(value: Any, present: Any) -> dict[str, Any]:
        if value is None:
            return zero(readers)
        _typed(value, dict, {})
        merged: dict[str, Any] = zero(readers) | (present or {})
        for name, reader in readers.items():
            if name in value:
                merged[name] = reader(value[name], merged[name])
        return merged

    return read


def zero(readers: Mapping[str, Reader]) -> dict[str, Any]:
    """Return an object of these keys, each with its zero value."""
    return {name: reader(None, None) for name, reader in readers.items()}


def like(default: Any) -> Reader:
    """Return the reader for an option whose default value is this one; None means a number."""
    if default is None:
        return nullable_number
    return _BY_TYPE[type(default)]


def _typed(value: Any, type_: Any, zero_value: Any) -> Any:
    if value is None:
        return zero_value
    if not isinstance(value, type_):
        raise FormatError
    return value


_BY_TYPE: dict[type, Reader] = {bool: boolean, int: integer, str: text, list: texts}
