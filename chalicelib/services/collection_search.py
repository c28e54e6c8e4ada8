"""Lists of collections: filtered and sorted over the few columns that PocketBase allows."""

import random
import re
from functools import cache, partial
from typing import Any

from chalicelib.domain import definition, filters, paging
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.request import Record
from chalicelib.errors import BadRequestError
from chalicelib.services.session import Session

_COLUMNS = {
    "id": "text",
    "created": "date",
    "updated": "date",
    "name": "text",
    "system": "bool",
    "type": "text",
}
_NO_SCHEMA = Schema(-1, {})
_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_BEYOND = re.compile(r"@request\b|@collection\b|\w:\w")
"""Paths and modifiers: they belong to records."""


def page(session: Session) -> dict[str, Any]:
    """Return PocketBase's list object of the collections. Raises `BadRequestError`."""
    options = paging.read(session.call.query)
    if _BEYOND.search(_TEXTS.sub("''", f"{options.filter},{options.sort}")):
        raise BadRequestError
    try:
        found = _sorted(session, options.sort, _matching(session, options.filter))
    except filters.FilterError as error:
        raise BadRequestError from error
    total = -1 if options.skip_total else len(found)
    start = (options.page - 1) * options.per_page
    return {
        "items": [definition.export(each) for each in found[start : start + options.per_page]],
        "page": options.page,
        "perPage": options.per_page,
        "totalItems": total,
        "totalPages": -(-total // options.per_page) if total >= 0 else -1,
    }


@cache
def _columns() -> Collection:
    """Return the collections as a collection, which filters can be compiled for."""
    fields = [{"name": name, "type": type_, "id": name} for name, type_ in _COLUMNS.items()]
    return Collection(
        {
            "id": "collections",
            "name": "collections",
            "type": "base",
            "storage": "",
            "fields": fields,
        }
    )


def _matching(session: Session, text: str) -> list[Record]:
    """Return the definitions that a filter keeps, oldest first."""
    found = [collection.definition for collection in session.schema.all()]
    found.sort(key=lambda each: (each["created"], each["name"]))
    if not text:
        return found
    predicate = filters.compile_filter(((text, False),), _columns(), _NO_SCHEMA)
    scope = filters.Scope(session.info(), session.related, session.now)
    return [each for each in found if predicate.matches(each, scope)]


def _sorted(session: Session, text: str, found: list[Record]) -> list[Record]:
    scope = filters.Scope(session.info(), session.related, session.now)
    for key in reversed(filters.compile_sort(text, _columns(), _NO_SCHEMA, False)):
        if key.special == "@random":
            random.shuffle(found)
        elif key.special == "@rowid":
            found.sort(key=lambda each: (each["created"], each["name"]), reverse=key.descending)
        else:
            found.sort(key=partial(key.key, scope=scope), reverse=key.descending)
    return found
