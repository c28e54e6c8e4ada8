"""Password fields. A record holds the hash; the plain text goes beside it, to be hashed."""

from typing import Any

from chalicelib.domain import patterns
from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON, "cost": 0, "max": 0, "min": 0, "pattern": ""}
MAX_LENGTH = 71
DEFAULT_COST = 10
MAX_BYTES = 72  # of bcrypt


def cast(field: Field, raw: Any) -> str:
    """Return the plain text. `record.apply` keeps it apart from the record."""
    return casting.to_text(raw)


def is_too_long(plain: str) -> bool:
    """Return whether bcrypt cannot hash the text."""
    return len(plain.encode("utf-8", "replace")) > MAX_BYTES


def check(field: Field, value: str, context: Context) -> ErrorData | None:
    """`value` is the hash, old or new; the plain text is in the context."""
    plain = context.plain_passwords.get(field.name, "")
    if not plain:
        return common.required() if field.required and not value else None
    return _plain_error(field.options, plain)


def _plain_error(options: dict[str, Any], plain: str) -> ErrorData | None:
    least, most = options.get("min") or 0, options.get("max") or MAX_LENGTH
    if is_too_long(plain):
        return field_error("validation_invalid_value", "Invalid value.")
    if len(plain) < least:
        message = f"Must be at least {least} character(s)."
        return field_error("validation_min_text_constraint", message)
    if len(plain) > most:
        message = f"Must be less than {most} character(s)."
        return field_error("validation_max_text_constraint", message)
    pattern = options.get("pattern")
    return common.wrong_format() if pattern and not patterns.search(pattern, plain) else None


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    return common.present(
        {
            "min": common.range_error(entry["min"], 1, MAX_LENGTH),
            "max": common.range_error(entry["max"], entry["min"], MAX_LENGTH),
            "cost": common.range_error(entry["cost"], 4, 31),
            "pattern": common.pattern_error(entry["pattern"]),
        }
    )
