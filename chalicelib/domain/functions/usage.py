"""Usage: what functions did and cost, summed over days, functions and lines. Pure.

Sums are exact: each receipt's amounts are added as the decimals they are. They are rounded once,
when they are shown, all of an answer to the same place: so its parts add up to its total.
"""

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.domain.functions.receipt import CURRENCY, OF_LAMBDA, UNITS, Receipt, number, places

COUNTS = ("calls", "coldCalls", "errors", "throttled", "capped", "billedMs")

_ZERO = Decimal(0)
_ERRORS = (invocations.FAILED, invocations.TIMED_OUT, invocations.OUT_OF_MEMORY)
_REFUSED = (invocations.THROTTLED, invocations.CAPPED)


class Amount(NamedTuple):
    quantity: Decimal = _ZERO
    usd: Decimal = _ZERO

    def plus(self, other: "Amount") -> "Amount":
        return Amount(self.quantity + other.quantity, self.usd + other.usd)


class Row(NamedTuple):
    """A part of the usage of one function on one day (UTC)."""

    day: str
    function: str
    counts: dict[str, int]
    """By the names of `COUNTS`; what is 0 may be missing."""
    amounts: dict[str, Amount]
    """By the `what` of a receipt's lines."""


def counts_of(call: Invocation) -> dict[str, int]:
    """Return what a finished call counts as; calls that were refused are counted apart."""
    counts = {
        "calls": int(call.status not in _REFUSED),
        "coldCalls": int(call.init_ms > 0),
        "errors": int(call.status in _ERRORS),
        "throttled": int(call.status == invocations.THROTTLED),
        "capped": int(call.status == invocations.CAPPED),
        "billedMs": call.billed_ms,
    }
    return {name: count for name, count in counts.items() if count}


def amounts_of(receipt: Receipt) -> dict[str, Amount]:
    """Return a receipt's lines as amounts."""
    amounts: dict[str, Amount] = {}
    for line in receipt.lines:
        amount = Amount(line.quantity, line.usd)
        amounts[line.what] = amounts.get(line.what, Amount()).plus(amount)
    return amounts


def total(rows: Iterable[Row]) -> Row:
    """Return the sum of rows; it has neither day nor function."""
    counts: dict[str, int] = {}
    amounts: dict[str, Amount] = {}
    for row in rows:
        for name, count in row.counts.items():
            counts[name] = counts.get(name, 0) + count
        for what, amount in row.amounts.items():
            amounts[what] = amounts.get(what, Amount()).plus(amount)
    return Row("", "", counts, amounts)


def usd(row: Row) -> Decimal:
    """Return what everything in a row cost."""
    return sum((amount.usd for amount in row.amounts.values()), _ZERO)


def after_free_tier(rows: Iterable[Row], free_requests: int, free_gb_seconds: int) -> list[Row]:
    """Return the rows at what is paid after Lambda's free amounts of each month.

    `rows` are all of the months that they are from, up to a day: the free amounts are used up in
    the order of the days, and of names within a day. Quantities stay what they were.
    """
    left: dict[str, dict[str, Decimal]] = {}
    paid = []
    for row in sorted(rows, key=lambda row: (row.day, row.function)):
        month = left.setdefault(
            row.day[:7], {"request": Decimal(free_requests), "GB-second": Decimal(free_gb_seconds)}
        )
        paid.append(row._replace(amounts=_paid(row.amounts, month)))
    return paid


def answer(rows: list[Row], groups: tuple[str, ...]) -> dict[str, Any]:
    """Return what the API answers: `items` by day, function and line, and their `total`."""
    rounded = _rounded(rows)
    items = list(_items(rounded, groups)) if groups else []
    return {"currency": CURRENCY, "items": items, "total": to_json(total(rounded))}


def to_json(row: Row) -> dict[str, Any]:
    """Return a row as the API has it."""
    compute = (row.amounts.get(what, Amount()).quantity for what in ("compute", "init"))
    return {
        **{name: row.counts.get(name, 0) for name in COUNTS},
        "gbSeconds": number(sum(compute, _ZERO)),
        "totalUsd": number(usd(row)),
        "lines": _lines(row),
    }


def _items(rows: list[Row], groups: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    names = [group for group in groups if group != "line"]
    parts: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        parts.setdefault(tuple(getattr(row, name) for name in names), []).append(row)
    for key in sorted(parts):
        head, whole = dict(zip(names, key, strict=True)), total(parts[key])
        if "line" not in groups:
            yield {**head, **to_json(whole)}
            continue
        for line in _lines(whole):
            yield {**head, "line": line.pop("what"), **line}


def _lines(row: Row) -> list[dict[str, Any]]:
    return [
        {
            "what": what,
            "quantity": number(row.amounts[what].quantity),
            "unit": UNITS[what],
            "usd": number(row.amounts[what].usd),
        }
        for what in UNITS
        if what in row.amounts
    ]


def _paid(amounts: dict[str, Amount], left: dict[str, Decimal]) -> dict[str, Amount]:
    paid = dict(amounts)
    for what in OF_LAMBDA:
        amount = amounts.get(what)
        if amount is None or amount.quantity <= 0:
            continue
        free = min(left[UNITS[what]], amount.quantity)
        left[UNITS[what]] -= free
        share = (amount.quantity - free) / amount.quantity
        paid[what] = Amount(amount.quantity, amount.usd * share)
    return paid


def _rounded(rows: list[Row]) -> list[Row]:
    """Return the rows with money rounded to what a JSON number keeps of their total."""
    last = places(sum((usd(row) for row in rows), _ZERO))
    return [
        row._replace(
            amounts={
                what: Amount(amount.quantity, amount.usd.quantize(last, ROUND_HALF_UP))
                for what, amount in row.amounts.items()
            }
        )
        for row in rows
    ]
