"""The rule of a record trigger: which changes of a collection's records wake the function.

    status = 'published'                                    the record as it is now
    original.status = 'draft' && status = 'published'       and as it was before

A deleted record is judged as it last was. `original` reads like a JSON field of the record: it is
null for a new one. There is no request, so `@request.*` would always be null and is refused.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.functions.specification_checks import wrong
from chalicelib.domain.request import Record

ORIGINAL = "original"


def check(text: str, collection: Collection, schema: Schema) -> None:
    """Raise `WrongError` if `text` cannot be the rule of a trigger on the collection."""
    from chalicelib.domain import filters  # noqa: PLC0415 (lazy: only a change parses rules)

    check_syntax(text)
    try:
        filters.check_rule(text, _with_original(collection), schema)
    except filters.FilterError as error:
        raise wrong("invalid_rule", f"Invalid rule. Raw error: {error}") from None


def check_syntax(text: str) -> None:
    """Raise `WrongError` if `text` is no expression, or asks for the request."""
    from chalicelib.domain import filters  # noqa: PLC0415 (lazy, as above)

    try:
        tree = filters.parse(text)
    except filters.FilterError as error:
        raise wrong("invalid_rule", f"Invalid rule. Raw error: {error}") from None
    if "Identifier(name='@request." in repr(tree):
        raise wrong("invalid_rule", "Invalid rule. A change has no request: @request.* is null")


def holds(
    text: str | None,
    collection: Collection,
    schema: Schema,
    record: Record,
    original: Record | None,
    now: datetime,
    related: Any = None,
) -> bool:
    """Return whether a rule is true of a change; None is true of all.

    `related` reads the records that relations lead to (`filters.Related`). A rule that cannot be
    evaluated any more, since what it names is gone, is true of none.
    """
    if text is None:
        return True
    from chalicelib.domain import filters  # noqa: PLC0415 (lazy, as above)
    from chalicelib.domain.request import RequestInfo  # noqa: PLC0415

    shown = record if ORIGINAL in collection.field else {**record, ORIGINAL: original}
    parts = ((text, False),)
    try:
        predicate = filters.compile_filter(parts, _with_original(collection), schema)
        return predicate.matches(shown, filters.Scope(RequestInfo(), related, now))
    except filters.FilterError:
        return False


@lru_cache(maxsize=64)
def _with_original(collection: Collection) -> Collection:
    """Return the collection with a JSON field more; an own field of that name stays."""
    if ORIGINAL in collection.field:
        return collection
    field = {"name": ORIGINAL, "type": "json", "id": f".{ORIGINAL}", "key": ORIGINAL}
    fields = [*collection.definition["fields"], field]
    return Collection({**collection.definition, "fields": fields}, collection.indexes)
