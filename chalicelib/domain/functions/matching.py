"""Which changes of records wake which trigger, and the events that functions get for them.

    record   {"type": "record", "trigger": id, "action": "create" | "update" | "delete",
              "collection": name, "collectionId", "record": {...} | null, "original": {...} | null,
              "changeId", "time": "2026-11-23T07:00:00.000Z"}
    file     the same with "file": {"field", "name", "url"}: one for each new file of the field

Records are as superusers see them: hidden fields, but no passwords and token keys.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib.domain import record as records
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.functions import record_rule
from chalicelib.domain.functions.function import Trigger
from chalicelib.domain.record import Viewer
from chalicelib.domain.request import Record

CREATE, UPDATE, DELETE = "create", "update", "delete"


class Change(NamedTuple):
    """One change of a record, as the table's stream tells it."""

    id: str
    """The same for each delivery of the change, and no other's."""
    collection: Collection
    record: Record | None
    """After it; None when it was deleted."""
    original: Record | None
    """Before it; None when it is new."""
    time_ms: int
    """When it happened; the stream gives whole seconds."""

    @property
    def action(self) -> str:
        if self.record is None:
            return DELETE
        return UPDATE if self.original is not None else CREATE


def matches(trigger: Trigger, change: Change, schema: Schema, related: Any = None) -> bool:
    """Return whether a change wakes a trigger; one of another type than record or file: never.

    `related` reads what the rule joins (`filters.Related`).
    """
    if trigger["type"] not in ("record", "file") or not _is_watched(trigger, change):
        return False
    if trigger["type"] == "file":
        return bool(_new_files(trigger, change))
    if change.action not in trigger["actions"]:
        return False
    shown = change.record if change.record is not None else change.original
    if shown is None or not trigger["rule"]:
        return shown is not None
    return record_rule.holds(
        trigger["rule"],
        change.collection,
        schema,
        shown,
        change.original,
        _moment(change),
        related,
    )


def events(trigger: Trigger, change: Change) -> list[dict[str, Any]]:
    """Return the events of a change that wakes a trigger: each is one call."""
    event = _event(trigger, change)
    if trigger["type"] == "record":
        return [event]
    return [{**event, "file": each} for each in _files(trigger, change)]


def _is_watched(trigger: Trigger, change: Change) -> bool:
    """Return whether a trigger is about this collection, and was there when it changed.

    The stream cuts times to seconds, so a change in the second in which the trigger was made
    counts: better one too many than one lost.
    """
    wanted = trigger.get("collectionId") or trigger["collection"]
    is_named = wanted in (change.collection.id, change.collection.name)
    return is_named and change.time_ms // 1000 >= trigger["since"] // 1000


def _event(trigger: Trigger, change: Change) -> dict[str, Any]:
    return {
        "type": trigger["type"],
        "trigger": trigger["id"],
        "action": change.action,
        "collection": change.collection.name,
        "collectionId": change.collection.id,
        "record": _shown(change.collection, change.record),
        "original": _shown(change.collection, change.original),
        "changeId": change.id,
        "time": _moment(change).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _shown(collection: Collection, record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return records.export(collection, record, Viewer(is_superuser=True))


def _files(trigger: Trigger, change: Change) -> list[dict[str, str]]:
    where = f"/api/files/{change.collection.id}/{(change.record or {}).get('id', '')}"
    return [
        {"field": trigger["field"], "name": name, "url": f"{where}/{name}"}
        for name in _new_files(trigger, change)
    ]


def _new_files(trigger: Trigger, change: Change) -> list[str]:
    """Return the names that a file field has now and had not before."""
    before = set(_names(trigger, change.original))
    return [name for name in _names(trigger, change.record) if name not in before]


def _names(trigger: Trigger, record: Record | None) -> list[str]:
    value = (record or {}).get(trigger["field"]) or []
    return [value] if isinstance(value, str) else list(value)


def _moment(change: Change) -> datetime:
    return datetime.fromtimestamp(change.time_ms / 1000, UTC)
