"""Records: the five actions on a collection's records, each by its rule.

Reading top to bottom: open the session, ask the rule, read or stage, commit, answer. A write
that met another one (`ConflictError`) starts again from its reading, rule and all.
"""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib import services
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, NotFoundError, UnavailableError
from chalicelib.services import rules
from chalicelib.services.session import Session, Wants, sent
from chalicelib.services.session import open as open_session
from chalicelib.store.changes import ConflictError, UniqueError
from chalicelib.store.records import Stored

Answer = dict[str, Any]
_T = TypeVar("_T")

_NO_COLLECTION = "Missing or invalid collection context."
_RETRY_SECONDS = 20.0
_MAX_PAUSE_SECONDS = 0.25


def search(call: Call, collection_ref: str) -> Answer:
    """Return one page of the records that the list rule shows and the filter keeps.

    Raises `NotFoundError`, `ForbiddenError` or `BadRequestError` (filter, sort, paging, budget).
    """
    session = open_session(call)
    collection = session.collection(collection_ref)
    rule = rules.require_open(session, collection, "listRule")
    return services.record_search.page(session, collection, rule)


def view(call: Call, collection_ref: str, record_id: str) -> Answer:
    """Return one record. Raises `NotFoundError` or `ForbiddenError`."""
    session = open_session(call, _record(collection_ref, record_id))
    collection = session.collection(collection_ref)
    stored = access(session, collection, record_id, "viewRule")
    return services.expand.enrich_one(session, collection, stored.record)


def create(call: Call, collection_ref: str) -> Answer:
    """Write a new record and return it.

    Raises `BadRequestError`, `ForbiddenError`, `NotFoundError` or `UnavailableError`.
    """

    def attempt() -> Answer:
        session = open_session(call, _targets(call, collection_ref))
        collection = session.collection(collection_ref, _NO_COLLECTION)
        stored = services.record_writes.stage_create(session, collection, call.body, "default")
        commit(session, "Failed to create record.")
        return services.expand.enrich_one(session, collection, stored.record)

    return retried(attempt)


def update(call: Call, collection_ref: str, record_id: str) -> Answer:
    """Change a record and return it. Raises as `create` does."""

    def attempt() -> Answer:
        session = open_session(call, _record(collection_ref, record_id))
        collection = session.collection(collection_ref, _NO_COLLECTION)
        stored = services.record_writes.stage_update(
            session, collection, record_id, call.body, "default"
        )
        commit(session, "Failed to update record.")
        return services.expand.enrich_one(session, collection, stored.record)

    return retried(attempt)


def delete(call: Call, collection_ref: str, record_id: str) -> None:
    """Delete a record and what cascades from it. Raises as `create` does."""

    def attempt() -> None:
        session = open_session(call, _record(collection_ref, record_id))
        collection = session.collection(collection_ref)
        services.record_writes.stage_delete(session, collection, record_id, "default")
        commit(session, "Failed to delete record.")

    retried(attempt)


def access(
    session: Session, collection: Collection, record_id: str, rule: str, context: str = "default"
) -> Stored:
    """Return a record on the caller's behalf: the only way to reach one by its id.

    A record that the rule hides is reported as absent, so that its id stays secret.
    """
    text = rules.require_open(session, collection, rule)
    stored = session.related.find(collection, record_id)
    if stored is None:
        raise NotFoundError
    if not rules.holds(session, collection, text, stored.record, session.info(context)):
        raise NotFoundError
    return stored


def commit(session: Session, message: str) -> None:
    """Write what the session staged. Raises `BadRequestError` for a value that is taken."""
    try:
        write(session)
    except UniqueError as error:
        raise BadRequestError(message, services.record_writes.unique_errors(error)) from error


def write(session: Session) -> None:
    """Write what the session staged, and its files. Raises `ConflictError`, `UniqueError`."""
    checks = services.record_writes.standing_checks(session)
    session.changes.spill()
    if session.changes.touches_files():
        services.file_writes.commit(session, checks)
    else:
        session.commit(checks)


def retried(attempt: Callable[[], _T]) -> _T:
    """Return what `attempt` returns, again and again while it meets other writers.

    Pauses grow and are random, so that writers of one record fall out of step. Raises
    `UnavailableError` when it does not get through in 20 seconds.
    """
    give_up_at = time.monotonic() + _RETRY_SECONDS
    pause_seconds = 0.005
    while True:
        try:
            return attempt()
        except ConflictError as conflict:
            if time.monotonic() > give_up_at:
                if isinstance(conflict.__cause__, UnavailableError):
                    raise conflict.__cause__ from None
                message = "The record is being changed by too many others. Please try again."
                raise UnavailableError(message) from None
            time.sleep(random.uniform(0, pause_seconds))  # noqa: S311 (not a secret)
            pause_seconds = min(pause_seconds * 2, _MAX_PAUSE_SECONDS)


def _record(collection_ref: str, record_id: str) -> Wants:
    def wants(schema: Schema) -> list[tuple[Collection, str]]:
        collection = schema.find(collection_ref)
        return [(collection, record_id)] if collection is not None else []

    return wants


def _targets(call: Call, collection_ref: str) -> Wants:
    """Name the records that the body's relations point to: their check then costs no trip."""

    def wants(schema: Schema) -> list[tuple[Collection, str]]:
        collection = schema.find(collection_ref)
        relations = [f for f in collection.fields if f.type == "relation"] if collection else []
        found = []
        for field in relations:
            target = schema.target(field)
            value = sent(call).get(field.name)
            for record_id in value if isinstance(value, list) else [value]:
                if target is not None and isinstance(record_id, str):
                    found.append((target, record_id))
        return found[:_MAX_TARGETS]

    return wants


_MAX_TARGETS = 90
"""So that they, the version and the caller fit one BatchGet."""
