"""The rules that only the text field `id` has.

Reserved are the names that some file system cannot hold, as PocketBase names folders of
files by record id (measured on 0.40.6).
"""

from typing import Any

from chalicelib.domain.fields import common
from chalicelib.errors import ErrorData, field_error

DEFAULT_PATTERN = "^[a-z0-9]+$"

_FORBIDDEN = "./\\|\"'`<>:?*%$\0\t\n\r "
_PORTS = [f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)]
_RESERVED = ("CON", "PRN", "AUX", "NUL", *_PORTS)


def change_error(stored: str, value: str) -> ErrorData | None:
    """An id never changes; a stored one is not checked again."""
    if value == stored:
        return None
    return field_error("validation_pk_change", "The record primary key cannot be changed.")


def error(value: str, pattern: str) -> ErrorData | None:
    """Check a new id for what no id may be; one of the default pattern may be anything."""
    if pattern == DEFAULT_PATTERN:
        return None
    for char in _FORBIDDEN:
        if char in value:
            message = f"'{char}' is not a valid primary key character."
            return field_error("validation_forbidden_pk_character", message, {"ch": char})
    for name in _RESERVED:
        if value.upper() == name:
            message = f"The primary key '{name}' is reserved and cannot be used."
            return field_error("validation_reserved_pk", message, {"reserved": name})
    return None


def taken_error(pattern: str) -> ErrorData:
    """Return the error of an id that another record has."""
    if pattern == DEFAULT_PATTERN:
        return field_error("validation_not_unique", "Value must be unique.")
    message = "The record primary key is invalid or already exists."
    return field_error("validation_pk_invalid", message)


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData | None]:
    errors: dict[str, ErrorData | None] = {}
    if entry["name"] != "id":
        message = 'The primary key must be named "id".'
        errors["name"] = field_error("validation_in_invalid", message)
    if not entry["required"]:
        errors["required"] = common.required()
    if not entry["pattern"]:
        errors["pattern"] = common.required()
    return errors
