"""Service accounts: the record by which a function calls the API, and its tokens.

Each function has a record of its own id in the system collection `_functions`, with its name
and its rights; rules let it in by `@request.auth.collectionName`, `.name` and `.rights`. There is
no other way to such a token than a call of the function: no password, no authRule, no
impersonation. A token ends with the call, and at once when the function is deleted.

The collection is made with the first function, never before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from chalicelib import services, store
from chalicelib.domain import dates, ids, tokens
from chalicelib.domain import record as records
from chalicelib.domain.collection import FUNCTIONS, Collection, Schema
from chalicelib.domain.functions.function import Function
from chalicelib.domain.request import Body, Call, Record
from chalicelib.errors import BadRequestError
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session
from chalicelib.store import keys
from chalicelib.store.changes import ConflictError, UniqueError
from chalicelib.store.records import Stored

AFTER_SECONDS = 60
"""How long a token outlives the function's timeout: a start may take its time."""

Account = tuple[Collection, Record]

_prepared: ContextVar[Account | None] = ContextVar("service account", default=None)


def ensure(function: Function) -> None:
    """Make sure that a function has its account, as its settings are in the table by now.

    Any number may do so at once, and a function that is being deleted gets none. Raises
    `BadRequestError` if a collection of another kind has the name `_functions`.
    """
    services.records.retried(lambda: _ensured(function))


def remove(function: Function) -> None:
    """Delete a function's account, and with it every token it was given. Idempotent.

    What refers to it is changed as for any record. If it refuses (a required relation, too many
    records) the account goes all the same: a token must not outlive its function.
    """
    try:
        services.records.retried(lambda: _removed(function, cascades=True))
    except BadRequestError:
        services.records.retried(lambda: _removed(function, cascades=False))


def token(function: Function, depth: int, now: float) -> str:
    """Return a token for one call of a function, the `depth`-th of its chain.

    `now` is in seconds since 1970. Costs one read unless `prepared` has just done it. Empty if
    the function is gone by now: it runs to its end as a guest.
    """
    account = _prepared.get()
    if account is None or account[1]["id"] != function.id:
        account = _account(_open(function), function.id)
    if account is None:  # died between saving the function and its account
        ensure(function)
        account = _account(_open(function), function.id)
    if account is None:
        return ""
    seconds = function.timeout_seconds + AFTER_SECONDS
    at = datetime.fromtimestamp(now, UTC)
    return tokens.issue(tokens.AUTH, *account, at, seconds, refreshable=False, depth=depth)


def wanted(schema: Schema, function_id: str) -> Sequence[tuple[Collection, str]]:
    """Name the account for a session that is about to be opened (`services.session.Wants`)."""
    collection = schema.find(FUNCTIONS)
    return [(collection, function_id)] if collection is not None and function_id else []


@contextmanager
def prepared(session: Session, function_id: str) -> Iterator[None]:
    """Let `token` make do, for as long as this lasts, with what a session has just read."""
    before = _prepared.set(_account(session, function_id))
    try:
        yield
    finally:
        _prepared.reset(before)


def _account(session: Session, function_id: str) -> Account | None:
    stored = _find(session, function_id)
    collection = session.schema.find(FUNCTIONS)
    return (collection, stored.record) if stored is not None and collection is not None else None


def _open(function: Function, also: Sequence[keys.Key] = ()) -> Session:
    return open_session(_call(), lambda schema: wanted(schema, function.id), also)


def _call() -> Call:
    """Return a guest's request: no caller is asked for here."""
    return Call("GET", "", {}, {}, lambda: Body({}, {}))


def _find(session: Session, function_id: str) -> Stored | None:
    collection = session.schema.find(FUNCTIONS)
    if collection is None or not collection.is_functions:
        return None
    return session.related.find(collection, function_id)


def _ensured(function: Function) -> None:
    key = keys.function(function.name)
    session = _open(function, [key])
    collection = session.schema.find(FUNCTIONS)
    if collection is None or not collection.is_functions:
        services.collections.add_functions()
        session = _open(function, [key])
        collection = session.collection(FUNCTIONS)
    newest = store.functions.of_item(session.items.get((key["PK"]["S"], key["SK"]["S"])))
    if newest is None or newest.id != function.id:
        return
    stored = _find(session, function.id)
    record = _record(collection, stored, newest)
    if stored is None or record != stored.record:
        stamp = {"updated": dates.now_text(datetime.now(UTC))}
        session.changes.put(collection, stored, record | stamp)
        try:
            session.commit([_unchanged(newest)])
        except UniqueError as error:  # made by somebody else at this moment
            raise ConflictError from error


def _removed(function: Function, *, cascades: bool) -> None:
    session = _open(function)
    stored = _find(session, function.id)
    collection = session.schema.find(FUNCTIONS)
    if stored is None or collection is None:
        return
    if not cascades:
        session.changes.delete(collection, stored)
        session.commit([])
        return
    try:
        services.record_writes.stage_cascade(session, collection, stored)
    except BadRequestError:
        session.changes.withdraw()
        raise
    services.records.commit(session, "Failed to delete the function's account.")


def _record(collection: Collection, stored: Stored | None, function: Function) -> Record:
    record = stored.record if stored else _blank(collection, function.id)
    return record | {"name": function.name, "rights": list(function.rights)}


def _blank(collection: Collection, function_id: str) -> Record:
    """Return an account without a password: there is nothing that could match."""
    now = dates.now_text(datetime.now(UTC))
    own = {"id": function_id, "tokenKey": ids.token_key(), "created": now, "updated": now}
    return records.blank(collection) | own


def _unchanged(function: Function) -> dict[str, Any]:
    """Return the check that a function is as it was read: neither changed nor being deleted."""
    check = {
        "Key": keys.function(function.name),
        "ConditionExpression": "rev = :rev",
        "ExpressionAttributeValues": {":rev": {"S": function.rev}},
    }
    return {"ConditionCheck": check}
