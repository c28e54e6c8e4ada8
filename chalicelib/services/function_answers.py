"""What the API tells of functions: their settings, what they do now, and figures of this month."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from chalicelib import services, store
from chalicelib.domain import dates
from chalicelib.domain.functions import receipt, schedules, specification, usage
from chalicelib.domain.functions.function import Function, Trigger
from chalicelib.domain.functions.usage import Row
from chalicelib.store.functions import Stored

NEXT_RUNS = 5
DEPLOYING = "deploying"


def of_stored(stored: Stored) -> dict[str, Any]:
    """Return a function as the API has it."""
    return of_many([stored])[0]


def of_many(functions: Iterable[Stored]) -> list[dict[str, Any]]:
    """Return functions as the API has them.

    While AWS does not have all of a change, the state is `deploying`.
    """
    month = store.usage.month(datetime.now(UTC))
    return [_answer(each, month.get(each.function.name, usage.total(()))) for each in functions]


def _answer(stored: Stored, month: Row) -> dict[str, Any]:
    function = stored.function
    answer = {
        **specification.export(function),
        "triggers": [_trigger(each) for each in function.triggers],
        **_doing(function),
        **_figures(month),
    }
    if not stored.is_done:
        answer["state"] = DEPLOYING
    if stored.problem:
        answer["problem"] = stored.problem
    return answer


def _doing(function: Function) -> dict[str, Any]:
    """Return `state` (asleep, waking or running), `running`, `waiting` and `lastWake`."""
    doing = dict(services.invoking.state(function))
    last_ms = doing.pop("lastWakeMs")
    last = dates.now_text(datetime.fromtimestamp(last_ms / 1000, UTC)) if last_ms else ""
    return {**doing, "lastWake": last}


def _figures(month: Row) -> dict[str, Any]:
    calls = month.counts.get("calls", 0)
    cost = usage.usd(month)
    return {
        "calls": calls,
        "coldShare": round(month.counts.get("coldCalls", 0) / calls, 4) if calls else 0,
        "costThisMonthUsd": receipt.number(cost.quantize(receipt.places(cost))),
    }


def _trigger(trigger: Trigger) -> Trigger:
    if trigger["type"] != "schedule":
        return trigger
    since = datetime.fromtimestamp(trigger["since"] / 1000, UTC)
    schedule = schedules.parse(trigger["expression"], trigger["timezone"], since)
    times = schedules.next_times(schedule, datetime.now(UTC), NEXT_RUNS)
    return {**trigger, "nextRuns": [dates.now_text(each) for each in times]}
