"""What a call may cost and what it did: the money of the gate (`invoking`).

A function with a cap has the worst case of each call reserved before it begins, in the
transaction that writes the call down; the one that finishes it gives back what was not used. So
however many call at once, what is reserved and spent together never passes the cap.
"""

import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from chalicelib import aws, store
from chalicelib.config import settings
from chalicelib.domain import prices
from chalicelib.domain.functions import receipt
from chalicelib.domain.functions.function import ARCHITECTURE, PICODOLLARS, Function
from chalicelib.domain.functions.invocation import SCHEDULE, Invocation
from chalicelib.domain.functions.receipt import Figures, Receipt
from chalicelib.domain.prices.sheet import Sheet
from chalicelib.services.invoking_outcome import Outcome

Action = dict[str, Any]

_UNIT_BYTES = 1024
"""A write unit's; in a transaction it counts twice."""
_RECEIPT_BYTES = 1500
"""As much of a finished call's item is its receipt, its keys and the names of its values."""
_MESSAGES_OF_A_WAKE = 3
"""Sent, received, deleted."""
_MOST_UNITS = 80
_MOST_FEES = receipt.MOST_FEES._replace(
    dynamodb_write_units=2 * _MOST_UNITS, s3_puts=3, sqs_fifo_requests=_MESSAGES_OF_A_WAKE
)
"""Of a call with an event, a result, a log and an error as long as an item takes them."""


class Reserved(NamedTuple):
    """What is held back for a call; no actions if its function has no cap."""

    picodollars: int
    actions: tuple[Action, ...]


class Bill(NamedTuple):
    """What a call cost, as the invocation keeps it, and the actions that write it down."""

    receipt: dict[str, Any] | None
    actions: tuple[Action, ...]


def sheet(now_ms: int) -> Sheet:
    """Return the prices that hold for a call made now."""
    return prices.sheet(settings().region, _day(now_ms))


def worst_case_picodollars(function: Function, now_ms: int) -> int:
    """Return the most that one call can cost."""
    own_memory_mb = _own_memory_mb()
    depends_on = (function.memory_mb, function.timeout_seconds, own_memory_mb, sheet(now_ms))
    if depends_on not in _worst_cases:
        if len(_worst_cases) >= _MOST_WORST_CASES:
            _worst_cases.clear()
        _worst_cases[depends_on] = receipt.worst_case_picodollars(
            function, depends_on[-1], _MOST_FEES, own_memory_mb, ARCHITECTURE
        )
    return _worst_cases[depends_on]


_worst_cases: dict[tuple[int, int, int, Sheet], int] = {}
"""What was computed before: each call asks, and the answer takes as long as a whole receipt."""
_MOST_WORST_CASES = 1000


_used_up: dict[str, int] = {}
"""Until when (ms) the caps of functions count that this process has found used up."""


def is_used_up(function: Function, now_ms: int) -> bool:
    """Return whether a cap, found used up before in its period, still has no room for a call.

    That is one read, where a refused reservation would be two transactions and the event's object:
    whoever floods a function that has no money left must not cost more than its calls would have.
    """
    if now_ms >= _used_up.get(function.id, 0) or function.cap is None:
        return False
    most = worst_case_picodollars(function, now_ms)
    spent = store.caps.spent(function, _time(now_ms))
    return spent + most > store.caps.picodollars_of(function.cap)


def note_used_up(function: Function, now_ms: int) -> None:
    """Remember that a cap had no room for a call."""
    _used_up[function.id] = now_ms + 1000 * seconds_to_next_period(function, now_ms)


def reserve(function: Function, now_ms: int) -> Reserved:
    """Return what a call's first write has to reserve."""
    if function.cap is None:
        return Reserved(0, ())
    most = worst_case_picodollars(function, now_ms)
    return Reserved(most, (store.caps.reserve(function, most, _time(now_ms)),))


def bill(
    function: Function,
    done: Invocation,
    outcome: Outcome,
    meter: "aws.dynamodb.Meter",
    gateway: str,
) -> Bill:
    """Return what a call cost, and how it is written down.

    Of a call whose fate is unknown nothing is given back: it may have cost all of it.
    """
    is_unknown = outcome.is_charged and outcome.report is None
    cost = None if is_unknown else _receipt(function, done, outcome, meter, gateway)
    actions: list[Action] = [store.usage.added(done, cost)]
    if done.reserved_picodollars and not is_unknown:
        spent = receipt.picodollars(cost.total) if cost else 0
        began = _time(done.started_ms)
        actions.append(store.caps.settle(function, done.reserved_picodollars, spent, began))
    told = receipt.to_json(cost) if cost else None
    if told is not None and outcome.is_estimated:
        told["estimated"] = True
    return Bill(told, tuple(actions))


def forecast(function: Function, now_ms: int) -> dict[str, Any]:
    """Return what a call may cost at most, and whether the cap has room for it now."""
    worst = worst_case_picodollars(function, now_ms)
    told: dict[str, Any] = {"worstCaseUsd": dollars(worst), "cap": None, "wouldRun": True}
    if function.cap is None:
        return told
    spent = store.caps.spent(function, _time(now_ms))
    fits = spent + worst <= store.caps.picodollars_of(function.cap)
    told["cap"] = {
        "amountUsd": receipt.number(Decimal(function.cap.amount)),
        "per": function.cap.per,
        "spentUsd": dollars(spent),
    }
    return told if fits else {**told, "wouldRun": False, "problem": refusal(function, now_ms)}


def dollars(picodollars: int) -> float:
    """Return an amount in US dollars, as JSON has it."""
    return receipt.number(Decimal(picodollars) / PICODOLLARS)


def seconds_to_next_period(function: Function, now_ms: int) -> int:
    """Return the seconds until the cap begins anew, at midnight UTC."""
    midnight = _time(now_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    following = midnight + timedelta(days=1)
    if function.cap is not None and function.cap.per == store.caps.MONTH:
        following = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return int((following - _time(now_ms)).total_seconds()) + 1


def refusal(function: Function, now_ms: int) -> str:
    """Return the words in which a call is refused for its function's cap."""
    if hopeless := store.caps.check(function, worst_case_picodollars(function, now_ms)):
        return f"{hopeless} Nothing was run."
    cap = function.cap
    most = f"{cap.amount} US dollars a {cap.per}" if cap else "its cap"
    return (
        f"The function {function.name} has reached its money cap of {most}, or a call that takes"
        " as long as it may could pass it. Nothing was run."
    )


def _receipt(
    function: Function,
    done: Invocation,
    outcome: Outcome,
    meter: "aws.dynamodb.Meter",
    gateway: str,
) -> Receipt | None:
    known = outcome.report
    if known is None:
        return None
    figures = Figures(
        memory_mb=known.memory_mb or function.memory_mb,
        billed_ms=known.billed_ms,
        init_ms=known.init_ms or known.billed_restore_ms,
        duration_ms=known.duration_ms,
        architecture=ARCHITECTURE,
        gateway=gateway,
        dynamodb_read_units=meter.read_units,
        dynamodb_write_units=meter.write_units + _finishing_units(done),
        s3_puts=len(_objects(done)),
        sqs_fifo_requests=_MESSAGES_OF_A_WAKE if done.background else 0,
        schedules=int(done.trigger == SCHEDULE),
        log_bytes=len(done.logs.encode()),
        waiting_ms=known.billed_ms if _own_memory_mb() else 0,
        waiting_memory_mb=_own_memory_mb(),
    )
    return receipt.of(figures, sheet(done.started_ms))


def _finishing_units(done: Invocation) -> int:
    """Return the write units of the transaction that is still to come: call, usage, cap."""
    inline: dict[str, Any] = {what: None for what in ("event", "result") if what in _objects(done)}
    size_bytes = len(store.invocations.dumps(tuple(done._replace(**inline)))) + _RECEIPT_BYTES
    item = -(-size_bytes // _UNIT_BYTES)
    return min(2 * (item + 1 + bool(done.reserved_picodollars)), _MOST_UNITS)


def _objects(done: Invocation) -> set[str]:
    """Return which values of a call lie in the bucket, or are about to."""
    large = done.result is not None and store.invocations.is_large(done.result)
    return {*done.spilled, *(("result",) if large else ())}


def _own_memory_mb() -> int:
    """Return the memory of the app's own Lambda function, which is billed while it waits."""
    return int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 0)


def _time(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC)


def _day(now_ms: int) -> date:
    return _time(now_ms).date()
