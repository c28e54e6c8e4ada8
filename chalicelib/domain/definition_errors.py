"""The errors that the checks of a definition share (codes: pocketbase-api.md 0.3)."""

from typing import Any

from chalicelib.errors import ErrorData, field_error

Errors = dict[str, Any]
"""Field name -> field error, or a nested `Errors`."""

BLANK = field_error("validation_required", "Cannot be blank")
WRONG_FORMAT = field_error("validation_match_invalid", "Must be in a valid format")
NOT_IN = field_error("validation_in_invalid", "Must be a valid value")
IN_LIST = field_error("validation_not_in_invalid", "Must not be in list")
VIA = field_error("validation_found_via", 'The value cannot contain "_via_"')


def at_least(threshold: int) -> ErrorData:
    return field_error(
        "validation_min_greater_equal_than_required",
        f"Must be no less than {threshold}",
        {"threshold": threshold},
    )


def at_most(threshold: int) -> ErrorData:
    return field_error(
        "validation_max_less_equal_than_required",
        f"Must be no greater than {threshold}",
        {"threshold": threshold},
    )


def within(value: int, least: int, most: int) -> ErrorData | None:
    """Return the error of a required number that must lie between two others."""
    if not value:
        return BLANK
    if value < least:
        return at_least(least)
    return at_most(most) if value > most else None


def length_between(text: str, least: int, most: int) -> ErrorData | None:
    """Return the error of a required text by its length in characters."""
    if not text:
        return BLANK
    if least <= len(text) <= most:
        return None
    return length_error(least, most)


def length_error(least: int, most: int) -> ErrorData:
    message = f"The length must be between {least} and {most}"
    return field_error("validation_length_out_of_range", message, {"max": most, "min": least})
