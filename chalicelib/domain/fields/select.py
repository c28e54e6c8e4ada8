"""Select fields: one or several of given values."""

from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import common, listed
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON, "maxSelect": 0, "values": []}

cast = listed.cast
modify = listed.modify


def check(field: Field, value: listed.Value, context: Context) -> ErrorData | None:
    chosen = listed.items(value)
    if not chosen:
        return common.required() if field.required else None
    most = max(field.options.get("maxSelect") or 0, 1)
    if len(chosen) > most:
        return common.too_many_values(most)
    for item in chosen:
        if item not in field.options.get("values", ()):
            return field_error("validation_invalid_value", f"Invalid value {item}", {"value": item})
    return None


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    values = entry["values"]
    return common.present(
        {
            "values": None if values else common.required(),
            "maxSelect": common.range_error(entry["maxSelect"], most=max(len(values), 1)),
        }
    )
