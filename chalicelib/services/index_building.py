"""Filling a new index while everybody goes on reading and writing.

1  The definition says "building": from its next request on every writer maintains the index,
   and no plan uses it.
2  First pass: every existing record gets its place in the index.
3  Second pass, begun when no writer can still act on the older schema: it catches the records
   that such writers wrote behind the first pass, and the guards that they left behind.
4  "ready".

A pass notes how far it came, so filling goes on in a later request: the next change of the
collections, or POST /api/collections/{collection}/indexes.
"""

import contextlib
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.config import settings
from chalicelib.domain import definition_indexes, index_values
from chalicelib.domain.collection import Collection, Definition, Index
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, field_error
from chalicelib.services.session import WRITE_WINDOW_SECONDS

GRACE_SECONDS = 0.5
"""Beyond the window of writers: a write that is on its way when the window closes."""

_SETTLE_SECONDS = WRITE_WINDOW_SECONDS + GRACE_SECONDS
_FAILED = "Failed to update collection."
_TOO_LONG = "a value is too long for it"

_NOTES = ("build", "pass", "after", "since")
"""What a state holds only while its index is filled."""

State = dict[str, Any]


def progress(call: Call, ref: str) -> dict[str, Any]:
    """Return the indexes of a collection and how far each is. An extension of Dormouse."""
    session = services.session.open(call)
    session.require_superuser()
    return _progress(services.collections.found(session.schema, ref))


def resume(call: Call, ref: str) -> dict[str, Any]:
    """Go on filling the unfinished indexes and return as `progress`. An extension."""
    session = services.session.open(call)
    session.require_superuser()
    collection = services.collections.found(session.schema, ref)
    work([collection.id], deadline())
    return _progress(services.collections.found(store.collections.newest(), collection.id))


def deadline() -> float:
    """Return when this request stops filling, in monotonic seconds, if it starts now."""
    return time.monotonic() + settings().backfill_seconds


def _progress(collection: Collection) -> dict[str, Any]:
    states = collection.definition["indexStates"]
    items = [
        {"name": index.name, "unique": index.unique, **_state(states.get(index.name, {}))}
        for index in collection.indexes
    ]
    return {"items": items, "ready": all(item["state"] == "ready" for item in items)}


def _state(state: dict[str, Any]) -> dict[str, Any]:
    shown = {"slot": state.get("slot"), "state": state.get("state", "ready")}
    if shown["state"] != "ready":
        shown |= {"pass": state.get("pass", 1), "filledTo": state.get("after", "")}
    return shown


def work(collection_ids: Iterable[str], until: float) -> None:
    """Fill the unfinished indexes of these collections until all are ready or the time is up.

    First passes come first, so that all indexes wait for older writers together. Raises
    `BadRequestError` when a unique index meets a duplicate: that index is dropped then.
    """
    wanted = tuple(collection_ids)
    while time.monotonic() < until:
        left = _unfinished(wanted)
        if not left or not _work_on(min(left, key=lambda each: each.state.get("pass", 1)), until):
            return


def work_on_rest(until: float) -> None:
    """Go on with whatever any collection has unfinished; a refusal drops its index silently."""
    every = [collection.id for collection in store.collections.newest().all()]
    left = _unfinished(every)
    while left and time.monotonic() < until:
        with contextlib.suppress(BadRequestError):
            if not _work_on(left[0], until):
                return
        left = _unfinished(every)


def _unfinished(collection_ids: Iterable[str]) -> list["Building"]:
    schema = store.collections.newest()
    found = [schema.by_id(collection_id) for collection_id in collection_ids]
    return [
        Building(collection.id, name, dict(collection.definition["indexStates"][name]))
        for collection in found
        if collection is not None
        for name in definition_indexes.building(collection.definition)
    ]


class Building(NamedTuple):
    """One index that is being filled, and its state, changed in place as the work goes on."""

    collection_id: str
    name: str
    state: State

    def now(self) -> tuple[Collection, Index] | None:
        """Return the collection and the index by the newest schema; None if it is gone."""
        collection = store.collections.newest().by_id(self.collection_id)
        if collection is None:
            return None
        state = collection.definition["indexStates"].get(self.name, {})
        if state.get("build") != self.state["build"]:
            return None
        return collection, next(each for each in collection.indexes if each.name == self.name)


def _work_on(building: Building, until: float) -> bool:
    """Do one pass, or what time allows of it, and note it; return whether it was finished."""
    state = building.state
    state.setdefault("since", time.time())
    is_first = state.get("pass", 1) == 1
    is_done = (
        (is_first or _wait_for_writers(state, until))
        and _drop_stale_guards(building, until)
        and _fill(building, until)
    )
    if is_done:
        state |= {"pass": 2, "after": ""} if is_first else {"state": definition_indexes.READY}
    _note(building)
    return is_done


def _drop_stale_guards(building: Building, until: float) -> bool:
    """Delete the guards that hold no record's value; return whether all of them are gone.

    Before the first pass they are of an earlier index of that name; before the second, of
    records that an older writer has changed or deleted behind the first.
    """
    current = building.now()
    if current is None or building.state.get("after") or not current[1].unique:
        return current is not None
    return bool(store.index_filling.drop_stale_guards(*current, until))


def _wait_for_writers(state: State, until: float) -> bool:
    """Wait until no writer acts on the schema before this index; return whether it came to it."""
    missing = state["since"] + _SETTLE_SECONDS - time.time()
    if missing > until - time.monotonic():
        return False
    time.sleep(max(missing, 0))
    return True


def _fill(building: Building, until: float) -> bool:
    """Fill pages from where the pass stopped; return whether it reached the end."""
    state = building.state
    while time.monotonic() < until:
        current = building.now()
        if current is None:
            return False
        try:
            filled = store.index_filling.fill_page(*current, state.get("after", ""))
        except index_values.IndexValueTooLongError:
            raise _undo(building, *current, _TOO_LONG) from None
        if filled.duplicate is not None:
            raise _undo(building, *current, _duplicate(*current))
        if not filled.last_id:
            return True
        state["after"] = filled.last_id
    return False


def _duplicate(collection: Collection, index: Index) -> str:
    columns = ", ".join(f"{collection.name}.{column.name}" for column in index.columns)
    return f"UNIQUE constraint failed: {columns}"


def _note(building: Building) -> None:
    """Store how far an index is, if it is still the same one."""
    is_ready = building.state["state"] == definition_indexes.READY
    noted = {name: building.state[name] for name in _NOTES if name in building.state}

    def edit(definition: Definition) -> Definition | None:
        states = definition["indexStates"]
        stored = states.get(building.name, {})
        if stored.get("build") != building.state["build"]:
            return None
        kept = {name: value for name, value in stored.items() if name not in _NOTES}
        changed = {"state": definition_indexes.READY} if is_ready else noted
        return definition | {"indexStates": states | {building.name: kept | changed}}

    services.collections.change(building.collection_id, edit)


def _undo(building: Building, collection: Collection, index: Index, reason: str) -> BadRequestError:
    """Drop an index that the records do not allow and return the error that says so."""

    def edit(definition: Definition) -> Definition | None:
        state = definition["indexStates"].get(index.name, {})
        is_same = state.get("build") == building.state["build"]
        return definition_indexes.without(definition, [index.name]) if is_same else None

    services.collections.change(building.collection_id, edit)
    position = [each.name for each in collection.indexes].index(index.name)
    return refusal(position, index.name, reason)


def refusal(position: int, name: str, reason: str) -> BadRequestError:
    """Return the error of an index that cannot be made, as PocketBase words it."""
    message = f"Failed to create index {name} - {reason}"
    error = field_error("validation_invalid_index_expression", message)
    return BadRequestError(_FAILED, {"indexes": {str(position): error}})


def check(made: Definition, before: Definition, until: float) -> None:
    """Look for what would make a new index fail, before anything is written.

    It makes the usual refusal atomic; only a duplicate written at the same moment, or one not
    read before `until`, is found later. Raises `BadRequestError`.
    """
    unfinished = definition_indexes.building(made)
    old = definition_indexes.building(before)
    collection = services.collections.collection_of(made)
    wanted = [index for index in collection.indexes if index.name in unfinished]
    wanted = [index for index in wanted if index.name not in old]
    if wanted:
        _check_records(collection, wanted, until)


def _check_records(collection: Collection, wanted: list[Index], until: float) -> None:
    names = [index.name for index in collection.indexes]
    seen: dict[str, set[str]] = {index.name: set() for index in wanted}
    for stored in store.records.all_of(collection):
        for index in wanted:
            reason = _objection(collection, index, stored.record, seen[index.name])
            if reason:
                raise refusal(names.index(index.name), index.name, reason)
        if time.monotonic() > until:
            return


def _objection(collection: Collection, index: Index, record: dict[str, Any], seen: set[str]) -> str:
    if index.unique:
        value = index_values.unique_value(index, collection, record)
        if value is None:
            return ""
        if value in seen:
            return _duplicate(collection, index)
        seen.add(value)
        return ""
    try:
        index_values.slot_value(index, collection, record)
    except index_values.IndexValueTooLongError:
        return _TOO_LONG
    return ""
