"""The rule that says who may call a function: `@request.*` alone, since there is no record.

The rule language judges a record of a collection. Here that is `NO_COLLECTION`, which has no
fields, so that a name without `@request.` is an unknown field, and the record is `{}`.
"""

from typing import Any

from chalicelib.domain.collection import Collection, Schema

NO_COLLECTION = Collection(
    {"id": ".function", "name": ".function", "type": "base", "storage": "", "fields": []}
)
NO_SCHEMA = Schema(0, {})


def read(value: Any) -> str | None:
    """Return a rule as it is kept: null, "" or an expression. Raises `WrongError`."""
    if value is None:
        return None
    # Lazy: calls are judged by this module too, and need nothing of the checks.
    from chalicelib.domain.functions.specification_checks import any_text  # noqa: PLC0415

    text = any_text(value).strip()
    if text:
        _check(text)
    return text


def _check(text: str) -> None:
    from chalicelib.domain import filters  # noqa: PLC0415 (lazy, as above)
    from chalicelib.domain.functions.specification_checks import wrong  # noqa: PLC0415

    try:
        filters.check_rule(text, NO_COLLECTION, NO_SCHEMA)
    except filters.FilterError as error:
        message = f"Invalid rule. Raw error: {error}. A function has no record: use @request.*"
        raise wrong("invalid_rule", message) from None
