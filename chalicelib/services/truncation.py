"""Truncating a collection: all its records go, as if each had been deleted.

A collection that no other points to gets a new storage: everything is gone at once. Else each
record's references are followed; a reference that refuses is found before anything is
written, and what fits into one transaction is deleted in one.
"""

import contextlib
from datetime import UTC, datetime

from chalicelib import services, store
from chalicelib.domain import dates
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError
from chalicelib.services.session import Session
from chalicelib.store.changes import MAX_ACTIONS, Changes, ConflictError
from chalicelib.store.dropped import Dropped
from chalicelib.store.records import Stored

_REFUSED = (
    "Failed to truncate collection (most likely due to required cascade delete record references)."
)
_OF_FUNCTIONS = "The accounts of functions go with the functions."
_VIEW = "View collections cannot be truncated since they don't store their own records."


def truncate(call: Call, ref: str) -> None:
    """Delete every record of a collection. Raises `BadRequestError`, 404, 401, 403."""
    session = services.session.open(call)
    session.require_superuser()
    collection = services.collections.found(session.schema, ref)
    if collection.type == "view":
        raise BadRequestError(_VIEW)
    if collection.is_superusers:
        raise BadRequestError(_REFUSED)  # the caller is one of them, and one must remain
    if collection.is_functions:
        raise BadRequestError(_OF_FUNCTIONS)
    if not _is_referenced(session.schema, collection):
        services.collections.replace_storage(collection.id)
        return
    _delete_each(call, collection, _ids(session, collection))


def _is_referenced(schema: Schema, collection: Collection) -> bool:
    return any(other.id != collection.id for other, _ in schema.relations_to(collection))


def _ids(session: Session, collection: Collection) -> list[str]:
    """Return the ids of all records, once nothing refuses that all of them go."""
    ids = []
    try:
        for stored in store.records.all_of(collection):
            ids.append(stored.record["id"])
            services.record_writes.stage_cascade(session, collection, stored, announces=False)
    except BadRequestError:
        raise BadRequestError(_REFUSED) from None
    return ids


def _delete_each(call: Call, collection: Collection, ids: list[str]) -> None:
    """Delete the records in as few transactions as DynamoDB's limit allows."""
    at_once = MAX_ACTIONS // 4
    for start in range(0, len(ids), at_once):
        _delete_some(call, collection, ids[start : start + at_once])


def _delete_some(call: Call, collection: Collection, ids: list[str]) -> None:
    try:
        _delete(call, collection, ids)
    except BadRequestError:
        if len(ids) == 1:
            raise
        for record_id in ids:  # too many for one transaction, by what cascades
            _delete(call, collection, [record_id])


def _delete(call: Call, collection: Collection, ids: list[str]) -> None:
    def attempt() -> None:
        session = services.session.open(call, lambda _schema: [(collection, i) for i in ids])
        for record_id in ids:
            stored = session.related.find(collection, record_id)
            if stored is not None:
                services.record_writes.stage_cascade(session, collection, stored)
        services.records.commit(session, _REFUSED)

    services.records.retried(attempt)


def drop_rows(note: Dropped) -> None:
    """Delete what system collections keep about the records of a dropped auth collection.

    A collection made anew may have the same id: what came after the drop is its own.
    """
    if not note.owner:
        return
    schema = store.collections.newest()
    until = dates.now_text(datetime.fromtimestamp(note.since + 1, UTC))
    for name in services.auth_rows.ALL:
        rows = services.collections.found(schema, name)
        for stored in store.records.all_of(rows):
            record = stored.record
            if record["collectionRef"] == note.owner and record["created"] < until:
                _drop_row(schema, rows, stored)


def _drop_row(schema: Schema, rows: Collection, stored: Stored) -> None:
    changes = Changes(schema)
    changes.delete(rows, stored)
    with contextlib.suppress(ConflictError):  # somebody else has deleted it
        changes.commit()
