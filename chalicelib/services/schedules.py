"""Schedule triggers: the schedules that AWS has for them, and what happens when one is due.

A schedule's message may come twice, and after the trigger is gone. The call it asks for has an id
made of function, trigger and time, so it is queued once, whoever gets the message how often; and a
schedule that nobody wants any more is removed when it fires.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from chalicelib import aws, services, store
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import names, schedules, triggers
from chalicelib.domain.functions.function import Function, Trigger
from chalicelib.light_orjson import orjson

log = logging.getLogger("dormouse")


def apply(before: Function | None, after: Function | None) -> None:
    """Make the schedules of `after` (None: it is gone), change and remove others of its name.

    What there is is asked of AWS, so it may be repeated after a crash. Raises `ControlError`.
    """
    function = after or before
    if function is None:
        return
    wanted = {each.name: each for each in _wanted(after)} if after else {}
    for name in aws.scheduler.of_function(function.name):
        if name not in wanted:
            aws.scheduler.delete(name)
    for each in wanted.values():
        aws.scheduler.ensure(each)


def fire(message: dict[str, Any]) -> None:
    """Queue the call for which a schedule's message asks, once.

    One that no trigger asks for any more is not made, and its schedule is removed.
    """
    due = message["schedule"]
    function = store.functions.load(due["function"])
    trigger = _trigger(function, due)
    if function is None or trigger is None:
        log.info("The schedule %s is due, but its trigger is gone: removed", due)
        aws.scheduler.delete(names.schedule(due["function"], due["trigger"]))
        return
    if not function.live_version:
        log.info("The schedule %s is due, but the function has no code yet", due)
        return
    time = _moment(due["time"])
    services.background_calls.queue(
        function,
        _event(trigger, time),
        trigger=calls.SCHEDULE,
        source={"trigger": trigger["id"], "expression": trigger["expression"], "time": _text(time)},
        invocation_id=_call_id(function, trigger, time),
    )


def _wanted(function: Function) -> list["aws.scheduler.Schedule"]:
    """Return the schedules of a function's triggers; none for a time that has passed."""
    found = []
    for trigger in triggers.of_type(function.triggers, "schedule"):
        schedule = schedules.parse(trigger["expression"], trigger["timezone"])
        if schedule.next_after(datetime.now(UTC)) is None:
            continue
        found.append(
            aws.scheduler.Schedule(
                names.schedule(function.name, trigger["id"]),
                schedule.eventbridge,
                trigger["timezone"],
                schedule.is_once,
                _input(function, trigger),
            )
        )
    return found


def _input(function: Function, trigger: Trigger) -> str:
    due = {
        "function": function.name,
        "functionId": function.id,
        "trigger": trigger["id"],
        "time": aws.scheduler.SCHEDULED_TIME,
    }
    return orjson.dumps({"schedule": due}).decode()


def _trigger(function: Function | None, due: dict[str, Any]) -> Trigger | None:
    if function is None or function.id != due["functionId"]:
        return None
    found = triggers.of_type(function.triggers, "schedule")
    return next((each for each in found if each["id"] == due["trigger"]), None)


def _event(trigger: Trigger, time: datetime) -> dict[str, Any]:
    return {
        "type": "schedule",
        "trigger": trigger["id"],
        "expression": trigger["expression"],
        "timezone": trigger["timezone"],
        "time": _text(time),
    }


def _call_id(function: Function, trigger: Trigger, time: datetime) -> str:
    at_ms = int(time.timestamp() * 1000)
    return calls.derived_id(at_ms, f"{function.id}#{trigger['id']}#{_text(time)}")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(microsecond=0)


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
