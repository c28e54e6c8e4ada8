"""The keys of each type of trigger: readers that return the value as it is kept.

A reader raises `WrongError`. What it may look at beside its value is in `Context`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.functions import names, record_rule, schedules
from chalicelib.domain.functions.function import Trigger
from chalicelib.domain.functions.specification_checks import required_text, whole, wrong

ACTIONS = ("create", "update", "delete")


class World(NamedTuple):
    """What a list of triggers is checked against."""

    before: tuple[Trigger, ...]
    """The function's triggers as they are stored."""
    now: datetime
    schema: Schema | None = None
    """If given, collections and fields must be in it."""


class Context(NamedTuple):
    """What one trigger is checked against."""

    given: dict[str, Any]
    world: World
    before: Trigger | None

    @property
    def collection(self) -> Collection | None:
        """The collection that it names, None if that is not known."""
        name, schema = self.given.get("collection"), self.world.schema
        return schema.find(name) if schema and isinstance(name, str) else None


def _expression(value: Any, context: Context) -> str:
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


def _timezone(value: Any, context: Context) -> str:
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


def _collection(value: Any, context: Context) -> str:
    text = required_text(value)
    if context.world.schema and context.collection is None:
        raise wrong("missing_collection", f"There is no collection {text}")
    return text


def _actions(value: Any, context: Context) -> list[str]:
    if not isinstance(value, list) or not value:
        raise wrong("required", f"Must be a list with some of {', '.join(ACTIONS)}")
    if any(each not in ACTIONS for each in value):
        raise wrong("in_invalid", f"Must have {', '.join(ACTIONS)} only")
    return [action for action in ACTIONS if action in value]


def _rule(value: Any, context: Context) -> str | None:
    if value is None or value == "":
        return None
    text = required_text(value).strip()
    collection, schema = context.collection, context.world.schema
    if collection and schema:
        record_rule.check(text, collection, schema)
    else:
        record_rule.check_syntax(text)
    return text


def _field(value: Any, context: Context) -> str:
    text = required_text(value)
    collection = context.collection
    field = collection.field.get(text) if collection else None
    if collection and (field is None or field.type != "file"):
        raise wrong("missing_field", f"{collection.name} has no file field {text}")
    return text


def _queue(value: Any, context: Context) -> str:
    text = required_text(value)
    if not names.QUEUE_NAME.fullmatch(text):
        message = "Must begin with a lower-case letter and go on with such letters, digits and -"
        raise wrong("match_invalid", message)
    if text.endswith(names.DEAD):
        message = f"Must not end with {names.DEAD}, as the queues do that hold dead letters"
        raise wrong("match_invalid", message)
    return text


def _number(least: int, most: int) -> "Reader":
    read = whole(least, most)
    return lambda value, context: read(value)


Reader = Callable[[Any, Context], Any]
TYPES: dict[str, tuple[dict[str, Reader], dict[str, Any]]] = {
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
