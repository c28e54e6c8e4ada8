"""The field types, one module each; a type's module is imported when it is first needed.

Every module has

    DEFAULT_OPTIONS            the options of a new field, as PocketBase's JSON names them
    cast(field, raw)           what a body says -> the value a record holds
    check(field, value, ctx)   a `field_error`, or None for a value that may be stored
    option_errors(entry)       the errors of a field's definition, by option

and, where a body's keys may be `f+`, `+f`, `f-` or `f:autogenerate` (`MODIFIERS`),

    modify(field, modifier, current, raw)

`autodate` has no `cast`: nobody sets it. All rules measured on PocketBase 0.40.6.
"""

import importlib
from functools import cache
from typing import Any

from chalicelib.domain.collection import Field

_MODULES = {
    "text": "text",
    "number": "number",
    "bool": "bool",
    "email": "email",
    "url": "url",
    "editor": "editor",
    "date": "date",
    "autodate": "autodate",
    "select": "select",
    "relation": "relation",
    "file": "file",
    "json": "json",
    "geoPoint": "geo_point",
    "password": "password",
}
TYPES = tuple(_MODULES)

_LISTED = ("+f", "f+", "f-")
MODIFIERS: dict[str, tuple[str, ...]] = {
    "text": ("f:autogenerate",),
    "number": ("f+", "f-"),
    "select": _LISTED,
    "relation": _LISTED,
    "file": _LISTED,
}


@cache
def of(field_type: str) -> Any:
    """Return the module of a field type. Raises `KeyError` for a type there is not."""
    return importlib.import_module(f"{__name__}.{_MODULES[field_type]}")


def zero(field: Field) -> Any:
    """Return what a record without a value has: there is no null but in `json`."""
    if field.is_multiple:
        return []
    if field.type == "geoPoint":
        return {"lon": 0, "lat": 0}
    return {"number": 0, "bool": False, "json": None}.get(field.type, "")
