"""Geo points: `{"lon": 0, "lat": 0}`, in degrees."""

import json
from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {**common.COMMON}

Point = dict[str, int | float]


def cast(field: Field, raw: Any) -> Point:
    """Return a point from an object or JSON text, read up to its first part that is no number."""
    point: Point = {"lon": 0, "lat": 0}
    pairs = _parse(raw) if isinstance(raw, str) else raw.items() if isinstance(raw, dict) else ()
    seen = set()
    for name, value in pairs:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in seen or (name in point and value is not None and not is_number):
            break
        seen.add(name)
        if name in point:
            point[name] = casting.normal_number(value or 0)
    return point


def _parse(text: str) -> list[tuple[str, Any]]:
    """Return the pairs of a JSON object; whatever follows it counts for nothing."""
    if not text.lstrip().startswith("{"):
        return []
    try:
        pairs: list[tuple[str, Any]]
        pairs, _ = json.JSONDecoder(object_pairs_hook=list).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return []
    return pairs


def check(field: Field, value: Point, context: Context) -> ErrorData | None:
    if not value["lon"] and not value["lat"]:
        return common.required() if field.required else None
    if not abs(value["lat"]) <= 90:
        message = "Latitude must be between -90 and 90 degrees."
        return field_error("validation_invalid_latitude", message)
    if not abs(value["lon"]) <= 180:
        message = "Longitude must be between -180 and 180 degrees."
        return field_error("validation_invalid_longitude", message)
    return None


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    return {}
