"""Receipts of any figures: what is printed adds up, and no call costs more than its worst case."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import prices
from chalicelib.domain.functions import receipt
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.receipt import MOST_FEES, Figures, FreeTier
from chalicelib.light_orjson import orjson

SHEET = prices.sheet("us-east-1", date(2026, 11, 23))

memories = st.integers(128, 10_240)
architectures = st.sampled_from(["x86_64", "arm64"])
gateways = st.sampled_from(["", "url", "http", "rest"])


@st.composite
def figures(draw: st.DrawFn, most_ms: int = 911_000, times: int = 1) -> Figures:
    """Any call that stays within `MOST_FEES` beside its run, or `times` as much."""
    duration_ms = draw(st.floats(0, 900_000))
    fees: dict[str, Any] = {
        name: draw(st.integers(0, getattr(MOST_FEES, name) * times))
        for name in Figures._fields
        if isinstance(getattr(MOST_FEES, name), int)
        and name not in ("memory_mb", "billed_ms", "requests", "egress_bytes")
        and not name.startswith("waiting")
    }
    fees["dynamodb_read_units"] = draw(st.integers(0, 2 * fees["dynamodb_read_units"])) / 2
    return Figures(
        memory_mb=draw(memories),
        billed_ms=draw(st.integers(0, most_ms)),
        init_ms=draw(st.floats(0, 11_000)),
        duration_ms=duration_ms,
        architecture=draw(architectures),
        requests=draw(st.integers(0, 1)),
        gateway=draw(gateways),
        waiting_ms=draw(st.floats(0, most_ms)),
        waiting_memory_mb=draw(st.sampled_from([0, 128, 512, 1769])),
        **fees,
    )


def printed(value: Any, parse: Any = Decimal) -> Any:
    """Return a value as somebody reads it who keeps the digits that were printed."""
    return json.loads(orjson.dumps(value), parse_float=parse, parse_int=parse)


@given(figures(), st.none() | st.integers(0, 2))
def test_printed_lines_add_up_to_the_printed_total(used: Figures, free: int | None) -> None:
    left = None if free is None else FreeTier(free, Decimal(free) / 3)
    result = receipt.of(used, SHEET, left)
    shown = printed(receipt.to_json(result))
    assert sum(line["usd"] for line in shown["lines"]) == shown["totalUsd"] == result.total
    assert [line["usd"] for line in shown["lines"]] == [line.usd for line in result.lines]


@given(figures(times=100_000))
def test_dear_receipts_add_up_as_well(used: Figures) -> None:
    result = receipt.of(used, SHEET)
    shown = printed(receipt.to_json(result))
    assert sum(line["usd"] for line in shown["lines"]) == shown["totalUsd"] == result.total


@given(figures())
def test_json_read_and_written_again_is_the_same(used: Figures) -> None:
    once = orjson.dumps(receipt.to_json(receipt.of(used, SHEET)))
    assert orjson.dumps(orjson.loads(once)) == once


@given(figures())
def test_rounding_is_below_what_anybody_bills(used: Figures) -> None:
    result = receipt.of(used, SHEET)
    second = SHEET.gb_second_arm if used.architecture == "arm64" else SHEET.gb_second_x86
    compute = sum(line.usd for line in result.lines if line.what in ("compute", "init"))
    exact = Decimal(used.memory_mb * used.billed_ms) / 1024000 * second
    assert abs(compute - exact) <= Decimal("1e-11")


@given(figures())
def test_lines_are_those_that_were_used(used: Figures) -> None:
    for line in receipt.of(used, SHEET).lines:
        assert line.quantity > 0
        assert line.usd >= 0


@given(figures(), st.integers(1, 900), st.data())
def test_no_receipt_is_dearer_than_the_worst_case(
    used: Figures, timeout_seconds: int, data: st.DataObject
) -> None:
    longest_ms = timeout_seconds * 1000 + receipt.MAX_INIT_MS + receipt.OVERRUN_MS
    used = used._replace(
        billed_ms=data.draw(st.integers(0, longest_ms) | st.just(longest_ms)),
        waiting_ms=min(used.waiting_ms, longest_ms),
    )
    function = Function("f" * 15, "f", "python3.13", "app.handler", used.memory_mb, timeout_seconds)
    worst = receipt.worst_case_picodollars(
        function, SHEET, waiting_memory_mb=used.waiting_memory_mb
    )
    assert receipt.picodollars(receipt.of(used, SHEET).total) <= worst


def test_the_worst_case_of_a_small_function() -> None:
    function = Function("f" * 15, "f", "python3.13", "app.handler", 128, 3)
    run = Decimal("1.75") * SHEET.gb_second_x86  # 128 MB for 3 + 10 + 1 seconds
    worst = receipt.worst_case_picodollars(function, SHEET)
    assert run * 10**12 < worst < (run + Decimal("0.0001")) * 10**12
