"""Editor fields: HTML kept as it comes, limited by its bytes."""

from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON, "convertURLs": False, "maxSize": 0}
DEFAULT_MAX_BYTES = 5 * 1024 * 1024


def cast(field: Field, raw: Any) -> str:
    return casting.to_text(raw)


def check(field: Field, value: str, context: Context) -> ErrorData | None:
    if not value:
        return common.required() if field.required else None
    most = field.options.get("maxSize") or DEFAULT_MAX_BYTES
    if len(value) * 4 > most and len(value.encode("utf-8", "replace")) > most:
        message = f"The maximum allowed content size is {most} bytes."
        return field_error("validation_content_size_limit", message, {"maxSize": most})
    return None


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    return common.present({"maxSize": common.range_error(entry["maxSize"])})
