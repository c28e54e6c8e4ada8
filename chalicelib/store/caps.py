"""Money caps: how much of its cap a function has spent in a day or month (UTC), to the picodollar.

`spent` holds what finished calls cost and what running ones may still cost at most. A call
reserves its worst case in the transaction that starts it, and gives back what it did not use in
the one that finishes it. So `spent` is never less than what is paid for, the condition keeps it
at the cap or below however many call at once, and a process that dies in between leaves too
much reserved, never too little.

A call that runs past midnight settles the period in which it began: both actions take the time
of its start. A cap counts from when it is set; calls before that are not in it.
"""

import calendar
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.aws import dynamodb
from chalicelib.domain.functions.function import PICODOLLARS, Cap, Function
from chalicelib.store import keys

Action = dict[str, Any]

MONTH = "month"
KEPT_AFTER = timedelta(days=35)
"""How long a period's item outlives the period; calls end long before."""


def period_of(cap: Cap, now: datetime) -> str:
    """Return the period that a time falls into: `2026-11-23`, or `2026-11` of a monthly cap."""
    return now.astimezone(UTC).strftime("%Y-%m" if cap.per == MONTH else "%Y-%m-%d")


def picodollars_of(cap: Cap) -> int:
    """Return a cap's amount, rounded down."""
    return int(Decimal(cap.amount) * PICODOLLARS)


def reserve(function: Function, picodollars: int, now: datetime) -> Action:
    """Return the action that reserves a call's worst case, or fails: then nothing is left of
    the cap for it. The function has a cap.
    """
    cap = _cap(function)
    room = picodollars_of(cap) - picodollars
    values = {
        ":worst": _number(picodollars),
        ":room": _number(room),
        ":ttl": _number(_ttl(cap, now)),
    }
    # Without an item nothing is spent, which leaves room for any call but one dearer than the cap.
    first = "attribute_not_exists(spent) OR " if room >= 0 else ""
    return {
        "Update": {
            "Key": keys.cap(function.id, period_of(cap, now)),
            "UpdateExpression": "ADD spent :worst SET #ttl = :ttl",
            "ConditionExpression": first + "spent <= :room",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": values,
        }
    }


def settle(function: Function, reserved: int, spent: int, began: datetime) -> Action:
    """Return the action that puts what a call cost in the place of what it had reserved.

    All in picodollars; `began` is the time that `reserve` was given. It belongs into the
    transaction that finishes the call, and so is carried out once.
    """
    cap = _cap(function)
    return {
        "Update": {
            "Key": keys.cap(function.id, period_of(cap, began)),
            "UpdateExpression": "ADD spent :difference SET #ttl = :ttl",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {
                ":difference": _number(spent - reserved),
                ":ttl": _number(_ttl(cap, began)),
            },
        }
    }


def spent(function: Function, now: datetime) -> int:
    """Return the picodollars spent and reserved in the period of a time; 0 without a cap."""
    if function.cap is None:
        return 0
    item = dynamodb.get(keys.cap(function.id, period_of(function.cap, now)))
    return int(item["spent"]["N"]) if item else 0


def check(function: Function, worst_case_picodollars: int) -> str:
    """Return why a function could never run under its cap, "" if it can."""
    if function.cap is None or worst_case_picodollars <= picodollars_of(function.cap):
        return ""
    worst = dollars(worst_case_picodollars)
    return (
        f"One call may cost up to ${worst}, and the cap is ${function.cap.amount} a"
        f" {function.cap.per}: lower the timeout or the memory, or raise the cap."
    )


def dollars(picodollars: int) -> str:
    """Return money as people read it: US dollars, without an exponent."""
    text = f"{Decimal(picodollars) / PICODOLLARS:.12f}"
    return text.rstrip("0").rstrip(".")


def _cap(function: Function) -> Cap:
    if function.cap is None:
        raise ValueError(f"the function {function.name} has no cap")
    return function.cap


def _ttl(cap: Cap, now: datetime) -> int:
    """Return when an item may go, in seconds since 1970."""
    utc = now.astimezone(UTC)
    last_day = calendar.monthrange(utc.year, utc.month)[1] if cap.per == MONTH else utc.day
    return int((utc.replace(day=last_day) + KEPT_AFTER).timestamp())


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}
