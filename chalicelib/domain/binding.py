"""Binding: what a body says about the names a route expects, bound as PocketBase binds them.

JSON keys match in any case, but none twice; a value has the type of its name or the whole
body is refused; null is the same as absent; what is not expected is ignored. A form's text
parts arrive with numbers and booleans already inferred (`web.body`), so they are turned back
into text. Measured on PocketBase 0.40.6 (auth-with-password, impersonate, settings).
"""

from collections.abc import Iterable, Mapping
from typing import Any

_INTEGERS = range(-(2**63), 2**63)


def read(data: dict[str, Any], shape: Mapping[str, type], is_text: bool) -> dict[str, Any]:
    """Return a value for each name of `shape`: the body's, or its type's empty one.

    `is_text` says that the body is a multipart or urlencoded form. Raises `ValueError`.
    """
    given = {name: _text(data[name]) for name in shape if name in data} if is_text else None
    if given is None:
        given = by_name(shape, data)
    return {
        name: typed(name, kind, _parsed(kind, given[name]) if is_text else given[name])
        if given.get(name) is not None
        else kind()
        for name, kind in shape.items()
    }


def by_name(names: Iterable[str], data: dict[str, Any]) -> dict[str, Any]:
    """Return what JSON says about these names, whatever the case of its keys.

    Raises `ValueError` if it says it twice.
    """
    spelling = {name.lower(): name for name in names}
    given: dict[str, Any] = {}
    for key, value in data.items():
        name = spelling.get(key.lower())
        if name in given:
            raise ValueError(f"{name} is given twice")
        if name is not None:
            given[name] = value
    return given


def typed(name: str, kind: type, value: Any) -> Any:
    """Return `value` if it is exactly of this type. Raises `ValueError`.

    A boolean is no integer, 5.0 neither, and an integer has 64 bits.
    """
    if type(value) is not kind or (kind is int and value not in _INTEGERS):
        raise ValueError(f"{name} has the wrong type")
    return value


def _text(value: Any) -> str:
    """Return the text that a form's value was inferred from; the first of several."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _parsed(kind: type, text: str) -> Any:
    if kind is int and text:
        return int(text)
    return text if kind is str else kind()
