"""Text fields, the primary key `id` among them."""

from typing import Any

from chalicelib.domain import patterns
from chalicelib.domain.collection import Field
from chalicelib.domain.fields import casting, common, primary_key
from chalicelib.domain.fields.common import Context
from chalicelib.errors import ErrorData, field_error

DEFAULT_OPTIONS: dict[str, Any] = {
    **common.COMMON,
    "autogeneratePattern": "",
    "max": 0,
    "min": 0,
    "pattern": "",
    "primaryKey": False,
}
DEFAULT_MAX_LENGTH = 5000
_TRIALS = 10


def cast(field: Field, raw: Any) -> str:
    return casting.to_text(raw)


def modify(field: Field, modifier: str, current: str, raw: Any) -> str:
    """`f:autogenerate`: the given text with a generated one after it."""
    from chalicelib.domain import autogenerate  # noqa: PLC0415  lazy: few bodies ask for it

    pattern = field.options.get("autogeneratePattern")
    return casting.to_text(raw) + (autogenerate.generate(pattern) if pattern else "")


def check(field: Field, value: str, context: Context) -> ErrorData | None:
    is_primary_key = field.options.get("primaryKey", False)
    if is_primary_key and context.original is not None:
        return primary_key.change_error(context.original["id"], value)
    error = value_error(field.options, value, is_required=field.required or is_primary_key)
    if error is None and is_primary_key:
        return primary_key.error(value, field.options.get("pattern", ""))
    return error


def value_error(options: dict[str, Any], value: str, *, is_required: bool) -> ErrorData | None:
    """Check a text against the options min, max and pattern; lengths are in characters."""
    if not value:
        return common.required() if is_required else None
    least, most = options.get("min") or 0, options.get("max") or DEFAULT_MAX_LENGTH
    if len(value) < least:
        return _length("validation_min_text_constraint", "Must be at least", {"min": least})
    if len(value) > most:
        return _length("validation_max_text_constraint", "Must be no more than", {"max": most})
    pattern = options.get("pattern")
    return common.wrong_format() if pattern and not patterns.search(pattern, value) else None


def _length(code: str, opening: str, params: dict[str, int]) -> ErrorData:
    (bound,) = params.values()
    return field_error(code, f"{opening} {bound} character(s).", params)


def option_errors(entry: dict[str, Any]) -> dict[str, ErrorData]:
    errors = {
        "min": common.range_error(entry["min"]),
        "max": common.range_error(entry["max"], entry["min"]),
        "pattern": common.pattern_error(entry["pattern"]),
        "autogeneratePattern": _autogenerate_error(entry),
    }
    if entry["primaryKey"]:
        errors |= primary_key.option_errors(entry)
    return common.present(errors)


def _autogenerate_error(entry: dict[str, Any]) -> ErrorData | None:
    """The pattern must make values that the field itself takes; ten trials decide."""
    from chalicelib.domain import autogenerate  # noqa: PLC0415  lazy: only for definitions

    pattern = entry["autogeneratePattern"]
    error = common.pattern_error(pattern)
    if not pattern or error is not None or common.pattern_error(entry["pattern"]) is not None:
        return error
    try:
        values = [autogenerate.generate(pattern) for _ in range(_TRIALS)]
    except autogenerate.AutogenerateError as unsupported:
        return field_error("validation_invalid_autogenerate_pattern", str(unsupported))
    for value in values:
        if value_error(entry, value, is_required=entry["required"]) is not None:
            return field_error(
                "validation_invalid_autogenerate_pattern_value",
                "The provided autogenerate pattern could produce invalid field values, "
                f'ex.: "{value}".',
            )
    return None
