"""What wakes a function, checked: one reader for each type of trigger.

    {"type": "http"}
    {"type": "schedule", "expression": "0 3 * * *", "timezone": "Europe/Berlin"}
    {"type": "record", "collection": "posts", "actions": ["create", "update"], "rule": null}
    {"type": "file", "collection": "posts", "field": "picture"}
    {"type": "queue", "queue": "emails", "batchSize": 10, "windowSeconds": 0}

Each gets an `id` of eight characters, which stays while it is sent back: schedules and what is
already under way are named after it. `since` (ms) says from when on a trigger counts; it moves
when the trigger is made to watch something else, and nobody can set it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.functions import names, record_rule, schedules
from chalicelib.domain.functions.function import Trigger
from chalicelib.domain.functions.specification_checks import (
    WrongError,
    required_text,
    unknown_key,
    whole,
    wrong,
)
from chalicelib.errors import ErrorData

MAX_TRIGGERS = 20
ACTIONS = ("create", "update", "delete")
_ID_CHARACTERS = 8
_READ_ONLY = ("id", "type", "since", "collectionId", "nextRuns")


class World(NamedTuple):
    """What a list of triggers is checked against."""

    before: tuple[Trigger, ...]
    """The function's triggers as they are stored."""
    now: datetime
    schema: Schema | None = None
    """If given, collections and fields must be in it."""

    def stored(self, trigger_id: Any) -> Trigger | None:
        return next((each for each in self.before if each["id"] == trigger_id), None)

    def collection(self, name: str) -> Collection | None:
        """Return a collection, None if nothing is known of any. Raises `WrongError`."""
        found = self.schema.find(name) if self.schema else None
        if self.schema and found is None:
            raise wrong("missing_collection", f"There is no collection {name}")
        return found


def check(given: Any, world: World) -> tuple[Trigger, ...]:
    """Return the triggers as they are kept.

    Raises `WrongError` with the errors of each wrong trigger under its position.
    """
    if not isinstance(given, list):
        raise wrong("invalid_value", "Must be a list")
    if len(given) > MAX_TRIGGERS:
        raise wrong("too_many_values", f"There may be at most {MAX_TRIGGERS} triggers")
    found: list[Trigger] = []
    errors: ErrorData = {}
    for position, each in enumerate(given):
        try:
            found.append(_checked(each, world, {trigger["id"] for trigger in found}))
        except WrongError as error:
            errors[str(position)] = error.error
    if errors:
        raise WrongError(errors)
    _require_one_each(found)
    return tuple(found)


def of_type(triggers: tuple[Trigger, ...], kind: str) -> list[Trigger]:
    """Return the triggers of one type."""
    return [trigger for trigger in triggers if trigger["type"] == kind]


def _checked(given: Any, world: World, taken: set[str]) -> Trigger:
    if not isinstance(given, dict):
        raise wrong("invalid_value", "Must be an object with a type")
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise WrongError({"type": wrong("in_invalid", f"Must be one of {', '.join(_TYPES)}").error})
    readers, defaults = _TYPES[kind]
    errors: ErrorData = {
        key: unknown_key(key, list(readers))
        for key in given
        if key not in readers and key not in _READ_ONLY
    }
    before = world.stored(given.get("id"))
    trigger: Trigger = {"id": _id(before, taken), "type": kind}
    context = _Context({**defaults, **given}, world, before)
    for key, read in readers.items():
        try:
            trigger[key] = read(context.given.get(key), context)
        except WrongError as error:
            errors[key] = error.error
    if errors:
        raise WrongError(errors)
    return _dated(trigger, context)


class _Context(NamedTuple):
    given: dict[str, Any]
    world: World
    before: Trigger | None


def _id(before: Trigger | None, taken: set[str]) -> str:
    if before and before["id"] not in taken:
        return str(before["id"])
    return ids.random_text(_ID_CHARACTERS, ids.LOWERCASE)


_WATCHED = {
    "schedule": ("expression", "timezone"),
    "record": ("collection",),
    "file": ("collection", "field"),
}
"""What makes a trigger another one: it counts from the moment when this changed."""


def _dated(trigger: Trigger, context: _Context) -> Trigger:
    """Return a trigger with what we note on it: since when, and which collection."""
    watched = _WATCHED.get(trigger["type"])
    if watched is None:
        return trigger
    before = context.before if context.before and context.before["id"] == trigger["id"] else None
    if "collection" in watched:
        found = context.world.schema and context.world.schema.find(trigger["collection"])
        trigger["collectionId"] = found.id if found else (before or {}).get("collectionId", "")
        watched = ("collectionId", *watched[1:]) if trigger["collectionId"] else watched
    is_same = before is not None and all(before.get(key) == trigger[key] for key in watched)
    now_ms = int(context.world.now.timestamp() * 1000)
    trigger["since"] = before["since"] if before and is_same else now_ms
    return trigger


def _require_one_each(triggers: list[Trigger]) -> None:
    queues = [trigger["queue"] for trigger in triggers if trigger["type"] == "queue"]
    if len(queues) > len(set(queues)):
        raise wrong("not_unique", "A queue can wake a function through one trigger only")
    if len(of_type(tuple(triggers), "http")) > 1:
        raise wrong("not_unique", "One http trigger is enough")


def _expression(value: Any, context: _Context) -> str:
    text = required_text(value).strip()
    timezone = context.given.get("timezone")
    try:
        schedule = schedules.parse(text, str(timezone) if _is_zone(timezone) else "UTC")
    except schedules.ScheduleError as error:
        raise wrong("invalid_schedule", f"Invalid schedule: {error}") from None
    before = context.before or {}
    is_kept = (before.get("expression"), before.get("timezone")) == (text, timezone)
    if not is_kept and schedule.next_after(context.world.now) is None:
        raise wrong("invalid_schedule", _why_never(schedule))
    return text


def _why_never(schedule: schedules.Schedule) -> str:
    if schedule.is_once:
        return "Invalid schedule: this time has passed"
    return "Invalid schedule: it never fires, since no month that it names has such a day"


def _timezone(value: Any, context: _Context) -> str:
    text = required_text(value)
    if not _is_zone(text):
        raise wrong("invalid_timezone", f"There is no time zone {text}. One is Europe/Berlin")
    return text


def _is_zone(value: Any) -> bool:
    try:
        schedules.parse("rate(1 day)", str(value))
    except schedules.ScheduleError:
        return False
    return isinstance(value, str)


def _collection(value: Any, context: _Context) -> str:
    text = required_text(value)
    context.world.collection(text)
    return text


def _actions(value: Any, context: _Context) -> list[str]:
    if not isinstance(value, list) or not value:
        raise wrong("required", f"Must be a list with some of {', '.join(ACTIONS)}")
    if any(each not in ACTIONS for each in value):
        raise wrong("in_invalid", f"Must have {', '.join(ACTIONS)} only")
    return [action for action in ACTIONS if action in value]


def _rule(value: Any, context: _Context) -> str | None:
    if value is None or value == "":
        return None
    text = required_text(value).strip()
    schema, name = context.world.schema, context.given.get("collection")
    collection = schema.find(name) if schema and isinstance(name, str) else None
    if collection and schema:
        record_rule.check(text, collection, schema)
    else:
        record_rule.check_syntax(text)
    return text


def _field(value: Any, context: _Context) -> str:
    text = required_text(value)
    schema, name = context.world.schema, context.given.get("collection")
    collection = schema.find(name) if schema and isinstance(name, str) else None
    field = collection.field.get(text) if collection else None
    if collection and (field is None or field.type != "file"):
        raise wrong("missing_field", f"{collection.name} has no file field {text}")
    return text


def _queue(value: Any, context: _Context) -> str:
    text = required_text(value)
    if not names.QUEUE_NAME.fullmatch(text):
        message = "Must begin with a lower-case letter and go on with such letters, digits and -"
        raise wrong("match_invalid", message)
    return text


def _number(least: int, most: int) -> "_Reader":
    read = whole(least, most)
    return lambda value, context: read(value)


_Reader = Callable[[Any, _Context], Any]
_TYPES: dict[str, tuple[dict[str, _Reader], dict[str, Any]]] = {
    "http": ({}, {}),
    "schedule": ({"expression": _expression, "timezone": _timezone}, {"timezone": "UTC"}),
    "record": (
        {"collection": _collection, "actions": _actions, "rule": _rule},
        {"actions": list(ACTIONS), "rule": None},
    ),
    "file": ({"collection": _collection, "field": _field}, {}),
    "queue": (
        {"queue": _queue, "batchSize": _number(1, 10), "windowSeconds": _number(0, 300)},
        {"batchSize": 10, "windowSeconds": 0},
    ),
}
"""For each type the readers of its keys, and the defaults of those that may be left out."""
