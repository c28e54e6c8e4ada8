"""Relation fields: ids of records of another collection."""

from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import common, listed
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {
    **common.COMMON,
    "cascadeDelete": False,
    "collectionId": "",
    "maxSelect": 0,
    "minSelect": 0,
}
MISSING_RECORDS = "records"
MISSING_COLLECTION = "collection"

cast = listed.cast
modify = listed.modify


def check(field: Field, value: listed.Value, context: Context) -> ErrorData | None:
    ids = listed.items(value)
    if not ids:
        return common.required() if field.required else None
    least = field.options.get("minSelect") or 0
    if len(ids) < least:
        message = f"Select at least {least}."
        return field_error("validation_not_enough_values", message, {"minSelect": least})
    most = max(field.options.get("maxSelect") or 0, 1)
    if len(ids) > most:
        return common.too_many_values(most)
    return _missing_error(context.missing_relations.get(field.name, ""))


def _missing_error(missing: str) -> ErrorData | None:
    if missing == MISSING_COLLECTION:
        message = "Relation connection is missing or cannot be accessed."
        return field_error("validation_missing_rel_collection", message)
    if missing == MISSING_RECORDS:
        message = "Failed to find all relation records with the provided ids."
        return field_error("validation_missing_rel_records", message)
    return None


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    """Whether `collectionId` may be what it is, is a matter of the whole schema."""
    least, most = entry["minSelect"], entry["maxSelect"]
    errors = {
        "collectionId": None if entry["collectionId"] else common.required(),
        "minSelect": common.range_error(least),
        "maxSelect": common.range_error(most, least),
    }
    if least > 0 and most == 0:
        errors["maxSelect"] = common.required()
    return common.present(errors)
