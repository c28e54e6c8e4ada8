"""What the API tells of a function: its settings, how it is, and what it cost this month."""

from datetime import UTC, datetime
from typing import Any

from chalicelib import services
from chalicelib.domain import dates
from chalicelib.domain.functions import schedules, specification
from chalicelib.domain.functions.function import Function, Trigger
from chalicelib.store.functions import Stored

NEXT_RUNS = 5
DEPLOYING = "deploying"


def of_stored(stored: Stored) -> dict[str, Any]:
    """Return a function; while AWS does not have all of a change its state is `deploying`."""
    answer = of_function(stored.function)
    if not stored.is_done:
        answer["state"] = DEPLOYING
    if stored.problem:
        answer["problem"] = stored.problem
    return answer


def of_function(function: Function) -> dict[str, Any]:
    """Return a function that nothing is on its way for."""
    answer = specification.export(function)
    answer["triggers"] = [_trigger(each) for each in function.triggers]
    return {**answer, **services.invoking.state(function)}


def _trigger(trigger: Trigger) -> Trigger:
    if trigger["type"] != "schedule":
        return trigger
    since = datetime.fromtimestamp(trigger["since"] / 1000, UTC)
    schedule = schedules.parse(trigger["expression"], trigger["timezone"], since)
    times = schedules.next_times(schedule, datetime.now(UTC), NEXT_RUNS)
    return {**trigger, "nextRuns": [dates.now_text(each) for each in times]}
