"""A session: what one request knows and may do. Every service opens one first.

Opening it takes one BatchGet, whatever it needs: the schema version, the caller's auth
record and the records the service names. If the version moved, the schema is read again and
so are the keys, so a changed rule holds from the next request on.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import services, store
from chalicelib.aws import dynamodb
from chalicelib.config import settings
from chalicelib.domain import tokens
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.request import Call, Record, RequestInfo
from chalicelib.errors import (
    ApiError,
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)
from chalicelib.store import keys
from chalicelib.store.changes import Changes, ConflictError, UniqueError
from chalicelib.store.related import Related

if TYPE_CHECKING:
    from chalicelib.domain.filters import Scope

WRITE_WINDOW_SECONDS = 2.0
"""No write relies on a schema read longer ago: the filling of a new index counts on it."""

Wants = Callable[[Schema], Sequence[tuple[Collection, str]]]
"""Names the records that a service will need, given the schema."""


def sent(call: Call) -> dict[str, Any]:
    """Return the body's values, {} if it cannot be read: that is said later, in its turn."""
    try:
        return call.body.data
    except ApiError:
        return {}


def _nothing(_schema: Schema) -> Sequence[tuple[Collection, str]]:
    return ()


class Session:
    """One request's caller, schema, staged changes and reads."""

    __slots__ = (
        "auth",
        "auth_collection",
        "call",
        "changes",
        "depth",
        "items",
        "now",
        "opened_at",
        "related",
        "schema",
        "scope",
    )

    def __init__(self, call: Call, schema: Schema) -> None:
        self.call = call
        self.schema = schema
        self.now = datetime.now(UTC)
        self.opened_at = time.monotonic()
        self.changes = Changes(schema)
        self.related = Related(self.changes, settings().scan_budget_items)
        self.auth: Record | None = None
        self.auth_collection: Collection | None = None
        self.depth = 0
        """How long the chain of functions is that calls; 0 for people."""
        self.items: _Items = {}
        """What else was read with it (`open`), by partition and sort key."""
        self.scope: Scope | None = None
        """What rules keep between the records of one request (`services.rules`)."""

    @property
    def is_superuser(self) -> bool:
        return self.auth_collection is not None and self.auth_collection.is_superusers

    def part(self, call: Call) -> "Session":
        """Return this session for one part of a batch: its own query and headers, the same
        caller, staged changes and reads."""
        part = Session(call, self.schema)
        part.now, part.opened_at = self.now, self.opened_at
        part.changes, part.related = self.changes, self.related
        part.auth, part.auth_collection = self.auth, self.auth_collection
        part.depth = self.depth
        return part

    def collection(
        self, name_or_id: str, message: str = "Missing collection context."
    ) -> Collection:
        """Return a collection by id or name. Raises `NotFoundError`."""
        found = self.schema.find(name_or_id)
        if found is None:
            raise NotFoundError(message)
        return found

    def info(self, context: str = "default", body: dict[str, Any] | None = None) -> RequestInfo:
        """Return what `@request.*` means now; `body` defaults to the one sent.

        Raises `BadRequestError` for a body that cannot be read, whatever the method.
        """
        headers = {
            name.replace("-", "_"): value
            for name, value in self.call.headers.items()
            if name != "host"
        }
        return RequestInfo(
            self.call.method,
            context,
            self.call.query,
            headers,
            self.call.body.data if body is None else body,
            self.auth,
            self.auth_collection,
        )

    def require_auth(self) -> Record:
        """Return the caller's record. Raises `UnauthorizedError` for a guest."""
        if self.auth is None:
            raise UnauthorizedError("The request requires valid record authorization token.")
        return self.auth

    def require_superuser(self) -> None:
        """Raises `UnauthorizedError` for a guest and `ForbiddenError` for anyone else."""
        self.require_auth()
        if not self.is_superuser:
            raise ForbiddenError("The authorized record is not allowed to perform this action.")

    def is_fresh(self) -> bool:
        """Whether a write may still rely on the schema of this session."""
        return time.monotonic() - self.opened_at < WRITE_WINDOW_SECONDS

    def renew(self) -> None:
        """Let a write rely on the schema although time has passed, if it is still the newest.

        Raises `ConflictError` if it is not.
        """
        if self.is_fresh():
            return
        read_at = time.monotonic()
        item = dynamodb.get(keys.schema_version())
        if store.schema.version_of(item) != self.schema.version:
            raise ConflictError
        self.opened_at = read_at

    def commit(self, checks: list[dict[str, Any]]) -> None:
        """Write what is staged, on the schema that it was staged for.

        No attempt begins when that is too old: who fills an index no longer expects it. Raises
        as `store.changes.Changes.commit`.
        """
        self.renew()
        token = dynamodb.last_start.set(self.opened_at + WRITE_WINDOW_SECONDS)
        try:
            self.changes.commit(checks)
        except dynamodb.OutcomeUnknownError:
            raise
        except UnavailableError as error:
            raise ConflictError from error  # certainly not written: once more from the start
        except (BadRequestError, ConflictError, UniqueError):
            self.changes.withdraw()
            raise
        finally:
            dynamodb.last_start.reset(token)


def open(  # noqa: A001 (a session is opened)
    call: Call, wants: Wants = _nothing, also: Sequence[keys.Key] = ()
) -> Session:
    """Return the session of a request. Raises nothing for a bad token: that is a guest.

    `also` are keys of items that are no records, to be read along into `session.items`.
    """
    claims = tokens.decode_unverified(call.token) if call.token else None
    started = time.monotonic()
    schema = store.schema.cached()
    if schema is None:
        schema = store.schema.load()
        read = _read(schema, claims, wants, also)
    else:
        read = _read(schema, claims, wants, (keys.schema_version(), *also))
        if store.schema.version_of(read.items.get(_VERSION)) != schema.version:
            started = time.monotonic()
            schema = store.schema.load()
            read = _read(schema, claims, wants, also)
    if schema.version == 0:
        services.collections.initialise()
        return open(call, wants, also)
    session = Session(call, schema)
    session.opened_at, session.items = started, read.items
    _remember(session, read)
    if claims is not None:
        _sign_in(session, claims)
    return session


_VERSION = (keys.COLLECTIONS, "VERSION")


_Items = dict[tuple[str, str], dict[str, Any]]


class _Read(NamedTuple):
    """What a session was opened with: the records asked for, and the items that exist."""

    records: list[tuple[Collection, str]]
    items: _Items


def _read(
    schema: Schema, claims: dict[str, Any] | None, wants: Wants, also: Sequence[keys.Key]
) -> _Read:
    records = _records(schema, claims, wants)
    wanted = [keys.record(where.storage, record_id) for where, record_id in records]
    wanted += also
    if len(wanted) == 1:
        found = dynamodb.get(wanted[0])
        items = [found] if found else []
    else:
        items = dynamodb.batch_get(wanted) if wanted else []
    return _Read(records, {(item["PK"]["S"], item["SK"]["S"]): item for item in items})


def _records(
    schema: Schema, claims: dict[str, Any] | None, wants: Wants
) -> list[tuple[Collection, str]]:
    found = [(where, i) for where, i in wants(schema) if keys.may_be_id(i)]
    if claims is not None:
        collection = schema.find(str(claims.get("collectionId", "")))
        record_id = str(claims.get("id", ""))
        if collection is not None and collection.is_auth and keys.may_be_id(record_id):
            found.append((collection, record_id))
    return found


def _remember(session: Session, read: _Read) -> None:
    for collection, record_id in read.records:
        item = read.items.get((keys.records_partition(collection.storage), record_id))
        stored = store.records.read(collection, item) if item else None
        session.related.remember(collection, record_id, stored)


def _sign_in(session: Session, claims: dict[str, Any]) -> None:
    """Make the token's record the caller, if the token is genuine and an auth token."""
    collection = session.schema.find(str(claims.get("collectionId", "")))
    if collection is None or not collection.is_auth:
        return
    stored = session.related.find(collection, str(claims.get("id", "")))
    if stored is None or claims.get("type") != "auth":
        return
    key = tokens.signing_key(tokens.AUTH, collection, stored.record)
    if tokens.verify(session.call.token, key, session.now) is None:
        return
    session.auth, session.auth_collection = stored.record, collection
    if "depth" in claims:
        session.depth = session.changes.depth = tokens.depth(claims)
    if collection.is_superusers:
        services.settings.require_superuser_address(session.call)
