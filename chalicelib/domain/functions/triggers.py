"""What wakes a function, checked as a whole (`trigger_keys` checks their parts).

    {"type": "http"}
    {"type": "schedule", "expression": "0 3 * * *", "timezone": "Europe/Berlin"}
    {"type": "record", "collection": "posts", "actions": ["create", "update"], "rule": null}
    {"type": "file", "collection": "posts", "field": "picture"}
    {"type": "queue", "queue": "emails", "batchSize": 10, "windowSeconds": 0}

Each gets an `id` of eight characters: schedules and what is already under way are named after it.
It stays while it is sent back; a trigger that is sent without one is taken for the stored one that
watches the same. `since` (ms) says from when on a trigger counts; it moves when the trigger is made
to watch something else, and nobody can set it.
"""

from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.functions.function import Trigger
from chalicelib.domain.functions.specification_checks import WrongError, unknown_key, wrong
from chalicelib.domain.functions.trigger_keys import TYPES, Context, World
from chalicelib.errors import ErrorData

__all__ = ["MAX_TRIGGERS", "World", "check", "of_type"]

MAX_TRIGGERS = 20
_ID_CHARACTERS = 8
_READ_ONLY = ("id", "type", "since", "collectionId", "nextRuns")


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
    stored = _stored(given, world.before)
    for position, each in enumerate(given):
        try:
            found.append(_checked(each, world, stored[position]))
        except WrongError as error:
            errors[str(position)] = error.error
    if errors:
        raise WrongError(errors)
    _require_one_each(found)
    return tuple(found)


def of_type(triggers: tuple[Trigger, ...], kind: str) -> list[Trigger]:
    """Return the triggers of one type."""
    return [trigger for trigger in triggers if trigger["type"] == kind]


def _stored(given: list[Any], before: tuple[Trigger, ...]) -> list[Trigger | None]:
    """Return for each trigger the stored one that it is, None if it is new."""
    left = list(before)
    found: list[Trigger | None] = [None] * len(given)
    for is_it in (_has_its_id, _says_the_same, _watches_the_same):
        for position, each in enumerate(given):
            if found[position] is None and isinstance(each, dict):
                found[position] = next((one for one in left if is_it(each, one)), None)
                left = [one for one in left if one is not found[position]]
    return found


def _has_its_id(given: dict[str, Any], stored: Trigger) -> bool:
    return bool(given.get("id") == stored["id"])


def _says_the_same(given: dict[str, Any], stored: Trigger) -> bool:
    return "id" not in given and all(stored.get(key) == value for key, value in given.items())


def _watches_the_same(given: dict[str, Any], stored: Trigger) -> bool:
    kind = stored["type"]
    if "id" in given or given.get("type") != kind:
        return False
    said = {**TYPES[kind][1], **given}
    return all(stored[key] == said.get(key) for key in _WATCHED[kind])


def _checked(given: Any, world: World, before: Trigger | None) -> Trigger:
    if not isinstance(given, dict):
        raise wrong("invalid_value", "Must be an object with a type")
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise WrongError({"type": wrong("in_invalid", f"Must be one of {', '.join(TYPES)}").error})
    readers, defaults = TYPES[kind]
    errors: ErrorData = {
        key: unknown_key(key, list(readers))
        for key in given
        if key not in readers and key not in _READ_ONLY
    }
    trigger_id = before["id"] if before else ids.random_text(_ID_CHARACTERS, ids.LOWERCASE)
    trigger: Trigger = {"id": trigger_id, "type": kind}
    context = Context({**defaults, **given}, world, before)
    for key, read in readers.items():
        try:
            trigger[key] = read(context.given.get(key), context)
        except WrongError as error:
            errors[key] = error.error
    if errors:
        raise WrongError(errors)
    return _dated(trigger, context)


_WATCHED = {
    "schedule": ("expression", "timezone"),
    "record": ("collection",),
    "file": ("collection", "field"),
    "queue": ("queue",),
    "http": (),
}
"""What makes a trigger another one: it counts from the moment when this changed."""


def _dated(trigger: Trigger, context: Context) -> Trigger:
    """Return a trigger with what we note on it: since when, and which collection."""
    if trigger["type"] in ("http", "queue"):
        return trigger
    watched = _WATCHED[trigger["type"]]
    before = context.before
    if before and before["type"] != trigger["type"]:
        before = None
    if "collection" in watched:
        found = context.collection
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
