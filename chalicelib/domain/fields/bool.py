"""Boolean fields."""

from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON}


def cast(field: Field, raw: Any) -> bool:
    return casting.to_bool(raw)


def check(field: Field, value: bool, context: Context) -> ErrorData | None:
    return common.required() if field.required and not value else None


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    return {}
