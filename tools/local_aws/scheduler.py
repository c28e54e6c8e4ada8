"""EventBridge Scheduler as AWS has it: time zones, to the second, and the time in the input.

ministack looks every ten seconds, takes all times for UTC, cannot read every expression and leaves
`<aws.scheduler.scheduled-time>` as it is. After a start, what was due before it is skipped, as if
nothing had been there; a one-time schedule whose time has passed fires late, as by a retry of
Scheduler's.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from ministack.core.responses import (
    get_account_id,
    get_region,
    new_uuid,
    set_request_account_id,
    set_request_region,
)
from ministack.services import eventbridge, scheduler

from chalicelib.domain.functions import schedules
from chalicelib.domain.functions.schedules import Schedule, ScheduleError

LOOK_SECONDS = 0.2
MOST_LATE = timedelta(days=1)
LONGEST_PAUSE = timedelta(minutes=1)
_STARTED = datetime.now(UTC)

_create_plain = scheduler._create_schedule
_update_plain = scheduler._update_schedule


class _Due(NamedTuple):
    """When a schedule fires next; None: never again."""

    of: tuple[Any, ...]
    time: datetime | None


_due: dict[Any, _Due] = {}


def install() -> None:
    scheduler._SCHEDULE_TICK_INTERVAL = LOOK_SECONDS
    scheduler._tick_schedules = _look
    scheduler._create_schedule = _create
    scheduler._update_schedule = _update


def _create(name: str, body: dict[str, Any]) -> Any:
    return _refusal(body) or _create_plain(name, body)


def _update(name: str, body: dict[str, Any]) -> Any:
    return _refusal(body) or _update_plain(name, body)


def _refusal(body: dict[str, Any]) -> Any:
    try:
        _meaning(body)
    except ScheduleError as error:
        message = f"Invalid Schedule Expression {body.get('ScheduleExpression')}: {error}"
        return scheduler._error(400, "ValidationException", message)
    return None


def _look() -> None:
    """Fire what is due."""
    now = datetime.now(UTC)
    account, region = get_account_id(), get_region()
    known = dict(scheduler._schedules._data)
    for gone in _due.keys() - known.keys():
        del _due[gone]
    try:
        for key, schedule in known.items():
            _look_at(key, schedule, now)
    finally:
        set_request_account_id(account)
        set_request_region(region)


def _look_at(key: Any, schedule: dict[str, Any], now: datetime) -> None:
    due = _due_of(key, schedule)
    if due.time is None or due.time > now or schedule.get("State") != "ENABLED":
        return
    set_request_account_id(key[0])
    set_request_region(key[1])
    _send(schedule, due.time)
    following = _next(schedule, due.time, now)
    _due[key] = due._replace(time=following)
    if following is None and schedule.get("ActionAfterCompletion") == "DELETE":
        scheduler._schedules._data.pop(key, None)


def _next(schedule: dict[str, Any], fired: datetime, now: datetime) -> datetime | None:
    """Return when it fires again; after a sleep of the machine not for every time missed."""
    meaning = _meaning(schedule)
    if meaning.is_once:
        return None
    return _before_end(schedule, meaning.next_after(max(fired, now - LONGEST_PAUSE)))


def _before_end(schedule: dict[str, Any], moment: datetime | None) -> datetime | None:
    end = scheduler._to_epoch(schedule.get("EndDate"))
    is_over = end is not None and moment is not None and moment.timestamp() > end
    return None if is_over else moment


def _due_of(key: Any, schedule: dict[str, Any]) -> _Due:
    of = tuple(
        schedule[name]
        for name in ("ScheduleExpression", "ScheduleExpressionTimezone", "LastModificationDate")
    )
    found = _due.get(key)
    if found is None or found.of != of:
        found = _due[key] = _Due(of, _first(schedule))
    return found


def _first(schedule: dict[str, Any]) -> datetime | None:
    try:
        meaning = _meaning(schedule)
    except ScheduleError:
        return None
    if meaning.is_once:
        return meaning.next_after(datetime.now(UTC) - MOST_LATE)
    start = scheduler._to_epoch(schedule.get("StartDate")) or 0.0
    since = max(schedule["LastModificationDate"], _STARTED.timestamp(), start - 1)
    return _before_end(schedule, meaning.next_after(datetime.fromtimestamp(since, UTC)))


def _meaning(schedule: dict[str, Any]) -> Schedule:
    """Raises `ScheduleError`, also for what only Dormouse reads."""
    expression = schedule.get("ScheduleExpression") or ""
    if not expression.startswith(("cron(", "rate(", "at(")):
        raise ScheduleError("it is none of cron(...), rate(...) and at(...)")
    timezone = schedule.get("ScheduleExpressionTimezone") or "UTC"
    return _parsed(expression, timezone, schedule.get("CreationDate") or 0)


@lru_cache(maxsize=1000)
def _parsed(expression: str, timezone: str, created: float) -> Schedule:
    anchor = datetime.fromtimestamp(created, UTC) if created else None
    return schedules.parse(expression, timezone, anchor)


def _send(schedule: dict[str, Any], due: datetime) -> None:
    arn = schedule.get("Arn", "")
    event = {
        "EventId": new_uuid(),
        "Source": "aws.scheduler",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Time": due.timestamp(),
        "Resources": [arn],
        "Account": get_account_id(),
        "Region": get_region(),
    }
    target = dict(schedule["Target"])
    if target.get("Input"):
        target["Input"] = _filled(target["Input"], arn, due)
    eventbridge._invoke_target(target, event, schedule)


def _filled(text: str, arn: str, due: datetime) -> str:
    """Return an input with Scheduler's own words in it replaced."""
    words = {
        "scheduled-time": f"{due:%Y-%m-%dT%H:%M:%SZ}",
        "schedule-arn": json.dumps(arn)[1:-1],
        "execution-id": f"{time.time_ns():x}",
        "attempt-number": "1",
    }
    for word, value in words.items():
        text = text.replace(f"<aws.scheduler.{word}>", value)
    return text
