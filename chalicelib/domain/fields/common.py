"""What the field types share: options every field has, and the errors several types give."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.domain.fields.casting import MAX_SAFE_INTEGER
from chalicelib.domain.request import Record, UploadedFile
from chalicelib.errors import ErrorData, field_error

FLAGS = {"hidden": False, "presentable": False}
COMMON = {**FLAGS, "help": "", "required": False}


class NewFile(NamedTuple):
    """A file to be stored with the record. `name` is the name it will have there."""

    name: str
    upload: UploadedFile


class Context(NamedTuple):
    """What a field's check may look at besides its value."""

    original: Record | None = None
    """The stored record; None on create."""
    plain_passwords: Mapping[str, str] = {}
    missing_relations: Mapping[str, str] = {}
    """Relation fields whose `records` are not all there, or whose `collection` is gone."""
    new_files: Mapping[str, list[NewFile]] = {}


def required() -> ErrorData:
    return field_error("validation_required", "Cannot be blank.")


def below(threshold: Any, shown: str = "") -> ErrorData:
    """Return the error of an option or date under its least value."""
    return field_error(
        "validation_min_greater_equal_than_required",
        f"Must be no less than {shown or threshold}.",
        {"threshold": threshold},
    )


def above(threshold: Any, shown: str = "") -> ErrorData:
    """Return the error of an option or date over its greatest value."""
    return field_error(
        "validation_max_less_equal_than_required",
        f"Must be no greater than {shown or threshold}.",
        {"threshold": threshold},
    )


def wrong_format() -> ErrorData:
    """Return the error of a value that its field's pattern does not find."""
    return field_error("validation_invalid_format", "Invalid value format.")


def invalid_option() -> ErrorData:
    return field_error("validation_match_invalid", "Must be in a valid format.")


def range_error(
    value: int | None, least: int = 0, most: int = MAX_SAFE_INTEGER
) -> ErrorData | None:
    """Check a whole-number option. As in PocketBase, 0 is "not set" and passes any bound."""
    if not value:
        return None
    if value < least:
        return below(least)
    return above(most) if value > most else None


def length_error(text: str, least: int, most: int) -> ErrorData | None:
    """Check the length of a text that may be empty."""
    if not text or least <= len(text) <= most:
        return None
    message = f"The length must be between {least} and {most}."
    return field_error("validation_length_out_of_range", message, {"min": least, "max": most})


def pattern_error(pattern: str) -> ErrorData | None:
    """Check that a pattern can be used."""
    from chalicelib.domain import patterns  # noqa: PLC0415  lazy: only definitions are checked so

    try:
        patterns.matcher(pattern)
    except patterns.PatternError as error:
        return field_error("validation_invalid_regex", str(error))
    return None


def too_many_values(most: int) -> ErrorData:
    message = f"Select no more than {most}."
    return field_error("validation_too_many_values", message, {"maxSelect": most})


def present(errors: Mapping[str, ErrorData | None]) -> dict[str, ErrorData]:
    """Return the errors that are there."""
    return {name: error for name, error in errors.items() if error is not None}
