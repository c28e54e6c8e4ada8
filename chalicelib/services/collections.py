"""Collections: what superusers see of the schema and how they change it.

A change is decided by `domain.definition_changes` on the schema as it is, written on
condition that it still is so, and decided again if somebody was faster. Then come the slow
parts: filling new indexes and emptying what was dropped.
"""

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.aws.s3 import S3Error
from chalicelib.domain import dates, definition, definition_changes, indexes, oauth2_providers
from chalicelib.domain.collection import FUNCTIONS, Collection, Definition, Schema
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, NotFoundError, UnavailableError, field_error
from chalicelib.store.dropped import Dropped

Answer = dict[str, Any]

TIDY_SECONDS = 3.0
"""How long a change of the collections works on what earlier ones left unfinished."""

_MAX_ATTEMPTS = 10
_MAX_QUERY_CHARACTERS = 5000


class Change(NamedTuple):
    """What to write: definitions, ids of collections to delete, storages to empty."""

    puts: Sequence[Definition]
    deletes: Sequence[str] = ()
    emptied: Sequence[Dropped] = ()


def search(call: Call) -> Answer:
    """Return one page of the collections. Raises `BadRequestError`, 401, 403."""
    session = services.session.open(call)
    session.require_superuser()
    found: Answer = services.collection_search.page(session)
    return found


def view(call: Call, ref: str) -> Answer:
    """Return one collection by id or name. Raises `NotFoundError`, 401, 403."""
    session = services.session.open(call)
    session.require_superuser()
    return definition.export(found(session.schema, ref).definition)


def create(call: Call) -> Answer:
    """Make a collection and return it. Raises `BadRequestError`, 401, 403."""
    services.session.open(call).require_superuser()
    body = _body(call, definition_changes.BAD_TYPE)

    def decide(schema: Schema) -> Change:
        return Change([definition_changes.created(body, _definitions(schema), _now())])

    made = _write(decide).puts[0]
    _tidy()
    return definition.export(made)


def update(call: Call, ref: str) -> Answer:
    """Merge the body into a collection and return it. Raises as `create`, and 404."""
    session = services.session.open(call)
    session.require_superuser()
    found(session.schema, ref)
    body = _body(call, definition_changes.BAD_FORMAT)
    until = services.index_building.deadline()

    def decide(schema: Schema) -> Change:
        before = found(schema, ref).definition
        made = definition_changes.updated(body, before, _definitions(schema), _now())
        services.index_building.check(made, before, _halfway(until))
        return Change([made])

    made = _write(decide).puts[0]
    services.index_building.work([made["id"]], until)
    _tidy()
    return definition.export(made)


def delete(call: Call, ref: str) -> None:
    """Delete a collection with its records. Raises `BadRequestError`, 404, 401, 403."""
    services.session.open(call).require_superuser()

    def decide(schema: Schema) -> Change:
        gone = found(schema, ref)
        definition_changes.refuse_delete(gone.definition, _definitions(schema))
        return Change([], [gone.id], [store.dropped.of_collection(gone, schema)])

    _write(decide)
    _tidy()


def replace_storage(collection_id: str) -> None:
    """Give a collection that no other points to a new, empty storage: its records are gone at once.

    Raises `UnavailableError` if another has begun to point to it.
    """

    def decide(schema: Schema) -> Change:
        emptied = found(schema, collection_id)
        if any(other.id != collection_id for other, _ in schema.relations_to(emptied)):
            raise UnavailableError("Another collection has begun to refer to it. Please try again.")
        made = emptied.definition | {"storage": definition.new_storage()}
        return Change([made], [], [store.dropped.of_collection(emptied, schema)])

    _write(decide)
    _tidy()


def import_(call: Call) -> None:
    """Create and update many collections at once, all or none. Raises as `create`."""
    services.session.open(call).require_superuser()
    import_definitions(_body(call, definition_changes.BAD_IMPORT_BODY))


def import_definitions(body: dict[str, Any]) -> None:
    """As `import_`, for whoever operates the deployment: no caller is asked for."""
    until = services.index_building.deadline()

    def decide(schema: Schema) -> Change:
        definitions = _definitions(schema)
        done = definition_changes.imported(body, definitions, _now())
        for made in done.puts:
            if made["id"] in definitions:
                before = definitions[made["id"]]
                services.index_building.check(made, before, _halfway(until))
        gone = [found(schema, collection_id) for collection_id in done.deletes]
        notes = [store.dropped.of_collection(each, schema) for each in gone]
        return Change(done.puts, done.deletes, notes)

    done = _write(decide)
    services.index_building.work((made["id"] for made in done.puts), until)
    _tidy()


def scaffolds(call: Call) -> Answer:
    """Return what a new collection of each type starts from. Raises 401, 403."""
    services.session.open(call).require_superuser()
    return definition.scaffolds()


def providers(call: Call) -> list[dict[str, str]]:
    """Return the OAuth2 providers there are. Raises 401, 403."""
    services.session.open(call).require_superuser()
    return oauth2_providers.listed()


def dry_run_view(call: Call) -> Answer:
    """Raises `BadRequestError`: there are no view collections yet."""
    services.session.open(call).require_superuser()
    query = call.body.data.get("query") or ""
    invalid = "An error occurred while validating the submitted data."
    if not query:
        raise BadRequestError(
            invalid, {"query": field_error("validation_required", "Cannot be blank")}
        )
    if len(str(query)) > _MAX_QUERY_CHARACTERS:
        message = f"The length must be no more than {_MAX_QUERY_CHARACTERS}"
        params = {"max": _MAX_QUERY_CHARACTERS, "min": 0}
        error = field_error("validation_length_too_long", message, params)
        raise BadRequestError(invalid, {"query": error})
    reason = "View collections are not supported yet."
    raise BadRequestError(f"Invalid view query. Raw error: \n{reason}")


def initialise() -> None:
    """Write the system collections and `users` into a table that has none. Idempotent."""
    from chalicelib.domain import system_collections  # noqa: PLC0415 (lazy: once per table)

    # Moved: somebody else has just done it.
    with contextlib.suppress(store.collections.VersionMovedError):
        store.collections.write(system_collections.all_of(datetime.now(UTC)), [], 0)
    store.schema.forget()


def add_functions() -> None:
    """Make the system collection of functions' accounts unless it is there.

    Raises `BadRequestError` if another collection has its name.
    """
    from chalicelib.domain import system_collections  # noqa: PLC0415 (lazy: once per table)

    def decide(schema: Schema) -> Change:
        present = schema.find(FUNCTIONS)
        if present is None:
            return Change([system_collections.functions(datetime.now(UTC), _definitions(schema))])
        if not present.is_functions:
            raise BadRequestError(f"Functions need the name {FUNCTIONS}: rename your collection.")
        return Change([])

    _write(decide)


def change(collection_id: str, edit: Callable[[Definition], Definition | None]) -> None:
    """Edit one stored definition, whatever else changes it meanwhile; None leaves it alone."""

    def decide(schema: Schema) -> Change:
        collection = schema.by_id(collection_id)
        edited = edit(collection.definition) if collection is not None else None
        return Change([edited] if edited is not None else [])

    _write(decide)


def collection_of(made: Definition) -> Collection:
    """Return the collection of a definition that is right."""
    return Collection(made, indexes.read(made))


def _write(decide: Callable[[Schema], Change]) -> Change:
    """Write what `decide` makes of the schema as it is, and return it."""
    for _ in range(_MAX_ATTEMPTS):
        schema = store.schema.load()
        decided = decide(schema)
        if not any(decided):
            return decided
        try:
            store.collections.write(*decided[:2], schema.version, decided.emptied)
        except store.collections.VersionMovedError:
            time.sleep(random.uniform(0, 0.1))  # noqa: S311 (not a secret)
            continue
        store.schema.forget()
        return decided
    raise UnavailableError("The collections are being changed by others. Please try again.")


def found(schema: Schema, ref: str) -> Collection:
    """Return a collection by id or name. Raises `NotFoundError`."""
    collection = schema.find(ref)
    if collection is None:
        raise NotFoundError
    return collection


def _definitions(schema: Schema) -> dict[str, Definition]:
    return {collection.id: collection.definition for collection in schema.all()}


def _body(call: Call, message: str) -> dict[str, Any]:
    try:
        return call.body.data
    except BadRequestError:
        raise BadRequestError(message) from None


def _halfway(until: float) -> float:
    """Return when looking ends and writing begins."""
    return (time.monotonic() + until) / 2


def _tidy() -> None:
    """Sweep files, go on with unfinished indexes and empty dropped storages for a while.

    What is left is left to the next change; trouble here is none of the caller's.
    """
    until = time.monotonic() + TIDY_SECONDS
    services.file_sweep.now_and_then()
    with contextlib.suppress(UnavailableError, S3Error):
        services.index_building.work_on_rest(until)
        for note in store.dropped.all_of():
            services.truncation.drop_rows(note)
            if not store.dropped.empty(note, until):
                return


def _now() -> str:
    return dates.now_text(datetime.now(UTC))
