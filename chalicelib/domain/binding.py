"""Binding: what a body says about the names a route expects, bound as PocketBase binds them.

JSON keys match in any case, but none twice; a value has the type of its name or the whole
body is refused; null is the same as absent; what is not expected is ignored. A form's names
match exactly. Its text arrives with numbers and booleans already inferred (`web.body`), so
they are turned back into text and read as the name's type. Measured on
PocketBase 0.40.6 (auth-with-password, impersonate, settings).
"""

from collections.abc import Iterable, Mapping
from typing import Any

_INTEGERS = range(-(2**63), 2**63)


def is_form(headers: Mapping[str, str]) -> bool:
    """Return whether a body is multipart or urlencoded, by its (lower-case) headers."""
    kind = headers.get("content-type", "").lower()
    return kind.startswith(("multipart/", "application/x-www-form-urlencoded"))


def read(data: dict[str, Any], shape: Mapping[str, type], as_form: bool) -> dict[str, Any]:
    """Return a value for each name of `shape`: the body's, or its type's empty one.

    `as_form` says that the body is a form, not JSON. Raises `ValueError`.
    """
    if as_form:
        given = {name: from_text(kind, data.get(name)) for name, kind in shape.items()}
    else:
        given = by_name(shape, data)
    return {
        name: kind() if given.get(name) is None else typed(name, kind, given[name])
        for name, kind in shape.items()
    }


def nested(shape: dict[str, Any], data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return what a form says in the shape of an object: `smtp.port=25` is `smtp`'s `port`.

    `shape` holds a value of each type. An object that came as JSON (`@jsonPayload`) is taken
    too. Raises `ValueError`.
    """
    found: dict[str, Any] = {}
    for name, example in shape.items():
        sent = data.get(prefix + name)
        if isinstance(example, dict):
            below = nested(example, data, f"{prefix}{name}.")
            if isinstance(sent, dict) or below:
                found[name] = {**(sent if isinstance(sent, dict) else {}), **below}
        elif isinstance(example, list) and prefix + name in data:
            found[name] = sent if isinstance(sent, list) else [_text(sent)]
        elif prefix + name in data:
            found[name] = from_text(type(example), sent)
    return found


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


def from_text(kind: type, value: Any) -> Any:
    """Return what a form's text means as text, integer or boolean. Raises `ValueError`."""
    text = _text(value)
    if kind is int and text:
        return int(text)
    if kind is bool and text:
        if text not in _TRUE + _FALSE:
            raise ValueError(f"{text} is no boolean")
        return text in _TRUE
    return text if kind is str else kind()


_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


def _text(value: Any) -> str:
    """Return the text that a form's value was inferred from; the first of several."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
