"""Autodate fields: the server's time of creation or change; a client cannot set them."""

from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.FLAGS, "onCreate": False, "onUpdate": False}


def check(field: Field, value: str, context: Context) -> ErrorData | None:
    return None


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    if entry["onCreate"] or entry["onUpdate"]:
        return {}
    message = "Either onCreate or onUpdate must be enabled."
    return {name: field_error("validation_required", message) for name in ("onCreate", "onUpdate")}
