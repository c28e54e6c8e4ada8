"""The receipt of a call: what it used, line by line, at the prices of a dated sheet. Pure.

    receipt.of(Figures(memory_mb=128, billed_ms=20, gateway="rest"), prices.sheet(region, day))

Every amount is an exact `Decimal`. A line is rounded once, to so many places that it survives
JSON, whose readers know binary floats only: each printed number is the line's own, and the
printed lines add up to the printed total.
"""

import math
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from chalicelib.domain.functions.function import PICODOLLARS, Function
from chalicelib.domain.prices.sheet import GB, Sheet

ARM = "arm64"
CURRENCY = "USD"

MAX_INIT_MS = 10_000
"""Lambda stops an init that takes longer; what goes on then counts against the timeout."""
OVERRUN_MS = 1_000
"""How much longer than its timeout a call may be billed, at most: a kill takes its time."""


class Figures(NamedTuple):
    """What one call used, as far as we know it; 0 or "" is what it did not use."""

    memory_mb: int
    billed_ms: int
    """Init included: Lambda bills it since 2025-08-01."""
    init_ms: float = 0.0
    duration_ms: float = 0.0
    """The handler alone; with it the bill is split between the two to the millisecond."""
    architecture: str = "x86_64"
    requests: int = 1
    """0 for a call that Lambda refused: it bills none of those."""
    gateway: str = ""
    """rest, http, url, or "" for a call that came by none."""
    dynamodb_read_units: float = 0
    dynamodb_write_units: float = 0
    s3_puts: int = 0
    s3_gets: int = 0
    sqs_requests: int = 0
    sqs_fifo_requests: int = 0
    schedules: int = 0
    log_bytes: int = 0
    egress_bytes: int = 0
    """Sent to the internet. Not among `MOST_FEES`: who counts it passes fees that have it."""
    waiting_ms: float = 0
    """How long the app's own Lambda function waited for the call: it is billed meanwhile."""
    waiting_memory_mb: int = 0


MOST_FEES = Figures(
    memory_mb=0,
    billed_ms=0,
    gateway="rest",
    dynamodb_read_units=16,
    dynamodb_write_units=96,
    s3_puts=2,
    s3_gets=2,
    sqs_requests=2,
    sqs_fifo_requests=2,
    schedules=1,
    log_bytes=16 * 1024,
)
"""The most that one call may have on its receipt beside what its own run costs.

Two transactions with 24 KB of event, result and logs, their counters, a retry of each; a
payload of either kind in S3; a message in and out; the tail of the log, each of its 4,096 bytes
perhaps a replacement character of three.
"""


UNITS = {
    "requests": "request",
    "compute": "GB-second",
    "init": "GB-second",
    "waiting": "GB-second",
    "gateway": "request",
    "dynamodbReads": "read unit",
    "dynamodbWrites": "write unit",
    "s3Puts": "request",
    "s3Gets": "request",
    "sqs": "request",
    "sqsFifo": "request",
    "scheduler": "fire",
    "logs": "byte",
    "egress": "byte",
}
"""Every `what` that a line may have, in the order of a receipt, and what it is counted in."""
OF_LAMBDA = ("requests", "compute", "init", "waiting")
"""The lines that Lambda's free tier covers."""


class FreeTier(NamedTuple):
    """How much of Lambda's free amounts is left in the month."""

    requests: int
    gb_seconds: Decimal


class Line(NamedTuple):
    what: str
    """One of `UNITS`."""
    quantity: Decimal
    unit: str
    usd: Decimal
    free: Decimal = Decimal(0)
    """How much of the quantity the free tier covers."""


class Receipt(NamedTuple):
    lines: tuple[Line, ...]
    total: Decimal
    """Exactly the sum of the lines, in US dollars."""
    sheet: Sheet


def of(figures: Figures, sheet: Sheet, free_tier: FreeTier | None = None) -> Receipt:
    """Return the receipt, with a line for everything that the call used and nothing else.

    With `free_tier`, what is left of it is taken off first.
    """
    exact = list(_with_prices(figures, sheet, free_tier))
    last = places(sum((price * (line.quantity - line.free) for line, price in exact), _ZERO))
    lines = tuple(
        line._replace(usd=(price * (line.quantity - line.free)).quantize(last, ROUND_HALF_UP))
        for line, price in exact
    )
    return Receipt(lines, sum((line.usd for line in lines), _ZERO), sheet)


def to_json(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt as the API has it; written as JSON, every number is exact."""
    return {
        "totalUsd": number(receipt.total),
        "currency": CURRENCY,
        "lines": [_line_json(line) for line in receipt.lines],
        "sheet": sheet_json(receipt.sheet),
    }


def sheet_json(sheet: Sheet) -> dict[str, str]:
    """Return where prices are from; `note` only if they are not quite those asked for."""
    told = {"region": sheet.region, "date": sheet.date.isoformat(), "source": sheet.source}
    return {**told, "note": sheet.note} if sheet.note else told


def number(value: Decimal) -> int | float:
    """Return a number that JSON prints as this decimal, if it has no more than 15 digits."""
    return int(value) if value == value.to_integral_value() else float(value)


def picodollars(usd: Decimal) -> int:
    """Return money as whole picodollars, rounded up: a cap rather counts too much."""
    return math.ceil(usd * PICODOLLARS)


def worst_case_picodollars(
    function: Function,
    sheet: Sheet,
    fees: Figures = MOST_FEES,
    waiting_memory_mb: int = 0,
    architecture: str = "x86_64",
) -> int:
    """Return what one call of a function can cost at most: no receipt of it has a larger total.

    It runs until it is killed, after the longest init; `fees` is the most of all else.
    """
    longest_ms = function.timeout_seconds * 1000 + MAX_INIT_MS + OVERRUN_MS
    waiting_ms = longest_ms if waiting_memory_mb else 0
    worst = fees._replace(
        memory_mb=function.memory_mb,
        billed_ms=longest_ms,
        architecture=architecture,
        waiting_ms=waiting_ms,
        waiting_memory_mb=waiting_memory_mb,
    )
    return picodollars(of(worst, sheet).total) + _ROUNDING_PICODOLLARS


def places(total: Decimal) -> Decimal:
    """Return the last decimal place of amounts that add up to `total`, so that each of them is a
    binary float of its own.

    Below 0.5 neighbouring floats are less than 1e-16 apart, so no two amounts share one; and
    amounts below 9,999 US dollars with 11 places have 15 digits, which every float keeps.
    """
    return next(place for below, place in _PLACES if total < below)


_ZERO = Decimal(0)
_ROUNDING_PICODOLLARS = 20
"""More than the rounding of a receipt's lines can add up to."""
_PLACES = tuple(
    (Decimal(below), Decimal(1).scaleb(-count))
    for below, count in (("0.4", 16), ("9000", 11), ("Infinity", 6))
)

_Priced = tuple[Line, Decimal]
_Used = tuple[str, Decimal | float, Decimal]
"""What was used, how much of it, and the price of one."""


def _with_prices(figures: Figures, sheet: Sheet, free: FreeTier | None) -> Iterator[_Priced]:
    """Yield each line with the price of one unit."""
    left = {"request": Decimal(free.requests), "GB-second": free.gb_seconds} if free else {}
    for what, used, price in (*_of_lambda(figures, sheet), *_of_others(figures, sheet)):
        if used <= 0:
            continue
        quantity, unit = Decimal(used), UNITS[what]
        covered = min(left.get(unit, _ZERO), quantity) if what in OF_LAMBDA else _ZERO
        if covered:
            left[unit] -= covered
        yield Line(what, quantity, unit, _ZERO, covered), price


def _of_lambda(figures: Figures, sheet: Sheet) -> tuple[_Used, ...]:
    second = sheet.gb_second_arm if figures.architecture == ARM else sheet.gb_second_x86
    init_ms = billed_init_ms(figures)
    waiting = gb_seconds(figures.waiting_memory_mb, math.ceil(figures.waiting_ms))
    return (
        ("requests", figures.requests, sheet.lambda_request),
        ("compute", gb_seconds(figures.memory_mb, figures.billed_ms - init_ms), second),
        ("init", gb_seconds(figures.memory_mb, init_ms), second),
        # Whatever the app runs on, it is never dearer than this.
        ("waiting", waiting, sheet.gb_second_x86),
    )


def _of_others(figures: Figures, sheet: Sheet) -> tuple[_Used, ...]:
    gateway = {"rest": sheet.rest_request, "http": sheet.http_request}.get(figures.gateway)
    return (
        ("gateway", gateway is not None, gateway or _ZERO),
        ("dynamodbReads", figures.dynamodb_read_units, sheet.dynamodb_read_unit),
        ("dynamodbWrites", figures.dynamodb_write_units, sheet.dynamodb_write_unit),
        ("s3Puts", figures.s3_puts, sheet.s3_put),
        ("s3Gets", figures.s3_gets, sheet.s3_get),
        ("sqs", figures.sqs_requests, sheet.sqs_request),
        ("sqsFifo", figures.sqs_fifo_requests, sheet.sqs_fifo_request),
        ("scheduler", figures.schedules, sheet.schedule),
        ("logs", figures.log_bytes, sheet.log_gb / GB),
        ("egress", figures.egress_bytes, sheet.egress_gb / GB),
    )


def gb_seconds(memory_mb: int, billed_ms: int) -> Decimal:
    """Return the exact GB-seconds of so many billed milliseconds."""
    return Decimal(memory_mb * billed_ms) / (1024 * 1000)


def billed_init_ms(figures: Figures) -> int:
    """Return how much of the billed time was init: AWS rounds their sum up, not each."""
    if figures.init_ms <= 0:
        return 0
    init_ms = math.ceil(figures.init_ms)
    if figures.duration_ms:
        init_ms = min(init_ms, figures.billed_ms - math.ceil(figures.duration_ms))
    return max(0, min(init_ms, figures.billed_ms))


def _line_json(line: Line) -> dict[str, Any]:
    told = {
        "what": line.what,
        "quantity": number(line.quantity),
        "unit": line.unit,
        "usd": number(line.usd),
    }
    return {**told, "free": number(line.free)} if line.free else told
