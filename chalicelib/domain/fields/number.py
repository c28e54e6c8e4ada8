"""Number fields: float64, whole ones kept as integers."""

import math
from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON, "max": None, "min": None, "onlyInt": False}

Number = int | float


def cast(field: Field, raw: Any) -> Number:
    return casting.to_number(raw)


def modify(field: Field, modifier: str, current: Number, raw: Any) -> Number:
    """`f+` adds and `f-` subtracts, in float64."""
    change = float(casting.to_number(raw))
    return casting.normal_number(current + change if modifier == "f+" else current - change)


def check(field: Field, value: Number, context: Context) -> ErrorData | None:
    if math.isinf(value) or math.isnan(value):
        message = "The submitted number is not properly formatted."
        return field_error("validation_not_a_number", message)
    if value == 0:
        return common.required() if field.required else None
    if field.options.get("onlyInt") and not _is_whole(value):
        return _only_whole()
    return _bounds_error(field, value)


def _bounds_error(field: Field, value: Number) -> ErrorData | None:
    least, most = field.options.get("min"), field.options.get("max")
    if least is not None and value < least:
        return _below(least)
    if most is not None and value > most:
        message = f"Must be less or equal than {casting.short_number_text(most)}."
        return field_error("validation_max_number_constraint", message, {"max": most})
    return None


def _below(least: Number) -> ErrorData:
    message = f"Must be greater or equal than {casting.short_number_text(least)}."
    return field_error("validation_min_number_constraint", message, {"min": least})


def _is_whole(value: Number) -> bool:
    return isinstance(value, int) or (value.is_integer() and abs(value) < 2**63)


def _only_whole() -> ErrorData:
    return field_error("validation_only_int_constraint", "Decimal numbers are not allowed.")


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    least, most = entry["min"], entry["max"]
    errors = {
        name: _only_whole()
        for name in ("min", "max")
        if entry["onlyInt"] and entry[name] is not None and not _is_whole(entry[name])
    }
    if "max" not in errors and least is not None and most is not None and most < least:
        errors["max"] = _below(least)
    return errors
