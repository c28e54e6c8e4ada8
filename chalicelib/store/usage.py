"""Usage: what the calls of a function did and cost on a day, in items that calls add to.

Attributes: `c_<count>` (domain/functions/usage.py, COUNTS), and for each line of receipts
`q_<what>`, its quantity, and `u_<what>`, its US dollars. DynamoDB adds decimals of 38 digits
exactly, so a day's money is the sum of its receipts to the last place.

A day of a function has up to `SHARDS` items, because each call adds to one in the transaction
that finishes it, and DynamoDB refuses one of two transactions that meet on an item.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.aws import dynamodb
from chalicelib.domain.functions import usage
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.domain.functions.receipt import Receipt
from chalicelib.domain.functions.usage import Amount, Row
from chalicelib.store import keys

Action = dict[str, Any]
Item = dict[str, dict[str, Any]]

SHARDS = 8


def added(call: Invocation, receipt: Receipt | None = None) -> Action:
    """Return the action that adds a finished call to its day's usage.

    The day (UTC) is that on which it began. It belongs into the transaction that finishes the
    call, and so is carried out once. A call without a receipt is only counted.
    """
    numbers = {f"c_{name}": Decimal(count) for name, count in usage.counts_of(call).items()}
    for what, amount in usage.amounts_of(receipt).items() if receipt else ():
        numbers |= {f"q_{what}": amount.quantity, f"u_{what}": amount.usd}
    return {
        "Update": {
            "Key": keys.usage(_day(call), f"{call.function}#{ord(call.id[-1]) % SHARDS}"),
            "UpdateExpression": "ADD " + ", ".join(f"{name} :{name}" for name in numbers),
            "ExpressionAttributeValues": {
                f":{name}": {"N": f"{number:f}"} for name, number in numbers.items()
            },
        }
    }


def rows(first: date, last: date) -> Iterator[Row]:
    """Yield the usage of the days from `first` to `last`, day by day (access pattern 16)."""
    start = first
    while start <= last:
        next_month = (start.replace(day=1) + timedelta(days=31)).replace(day=1)
        yield from _rows_of_month(start, min(last, next_month - timedelta(days=1)))
        start = next_month


def month(now: datetime) -> dict[str, Row]:
    """Return what each function did and cost since the month began, by name."""
    today = now.astimezone(UTC).date()
    found: dict[str, list[Row]] = {}
    for row in rows(today.replace(day=1), today):
        found.setdefault(row.function, []).append(row)
    return {name: usage.total(parts) for name, parts in found.items()}


def _rows_of_month(first: date, last: date) -> Iterator[Row]:
    values = {
        ":month": {"S": keys.usage_partition(first.isoformat()[:7])},
        ":first": {"S": f"{first.isoformat()}#"},
        ":behind": {"S": f"{last.isoformat()}$"},  # the character after #
    }
    page = dynamodb.query("PK = :month AND SK BETWEEN :first AND :behind", values)
    yield from map(_row, page.items)
    while page.next_key:
        page = dynamodb.query(
            "PK = :month AND SK BETWEEN :first AND :behind", values, start=page.next_key
        )
        yield from map(_row, page.items)


def _row(item: Item) -> Row:
    day, function, _ = item["SK"]["S"].split("#")
    numbers = {name: value["N"] for name, value in item.items() if "N" in value}
    return Row(
        day,
        function,
        {name[2:]: int(text) for name, text in numbers.items() if name.startswith("c_")},
        {
            name[2:]: Amount(Decimal(text), Decimal(numbers[f"u_{name[2:]}"]))
            for name, text in numbers.items()
            if name.startswith("q_")
        },
    )


def _day(call: Invocation) -> str:
    began_ms = call.started_ms or call.finished_ms or call.created_ms
    return datetime.fromtimestamp(began_ms / 1000, UTC).date().isoformat()
