"""Sums of usage: exact, whatever they are grouped by, and after the free tier."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import prices
from chalicelib.domain.functions import receipt, usage
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.domain.functions.receipt import Figures
from chalicelib.domain.functions.usage import Amount, Row
from chalicelib.light_orjson import orjson

SHEET = prices.sheet("us-east-1", date(2026, 11, 23))


def call(status: str = "succeeded", **values: Any) -> Invocation:
    return Invocation("0" * 20, "f" * 15, "mailer", status, "invoke", **values)


def row(day: str, function: str, requests: int, gb_seconds: str = "0", **counts: int) -> Row:
    quantity = Decimal(gb_seconds)
    amounts = {
        "requests": Amount(Decimal(requests), requests * SHEET.lambda_request),
        "compute": Amount(quantity, quantity * SHEET.gb_second_x86),
        "gateway": Amount(Decimal(requests), requests * SHEET.rest_request),
    }
    return Row(day, function, {"calls": requests, **counts}, amounts)


COUNTED: list[tuple[Invocation, dict[str, int]]] = [
    (call(billed_ms=20), {"calls": 1, "billedMs": 20}),
    (call(billed_ms=133, init_ms=120.1), {"calls": 1, "coldCalls": 1, "billedMs": 133}),
    (call("failed"), {"calls": 1, "errors": 1}),
    (call("timedOut"), {"calls": 1, "errors": 1}),
    (call("outOfMemory"), {"calls": 1, "errors": 1}),
    (call("throttled"), {"throttled": 1}),
    (call("capped"), {"capped": 1}),
]


@pytest.mark.parametrize(("invocation", "counts"), COUNTED)
def test_what_a_call_counts_as(invocation: Invocation, counts: dict[str, int]) -> None:
    assert usage.counts_of(invocation) == counts


def test_lines_of_one_kind_are_one_amount() -> None:
    figures = Figures(128, billed_ms=20, gateway="rest")
    amounts = usage.amounts_of(receipt.of(figures, SHEET))
    assert amounts == {
        "requests": Amount(Decimal(1), Decimal("0.0000002")),
        "compute": Amount(Decimal("0.0025"), Decimal("0.00000004166675")),
        "gateway": Amount(Decimal(1), Decimal("0.0000035")),
    }


ROWS = [
    row("2026-11-02", "mailer", 3, "0.5", errors=1),
    row("2026-11-01", "resizer", 1, "0.25"),
    row("2026-11-01", "mailer", 2, "0.125"),
]


def test_usage_by_day() -> None:
    answer = usage.answer(ROWS, ("day",))
    assert [(item["day"], item["calls"], item["errors"]) for item in answer["items"]] == [
        ("2026-11-01", 3, 0),
        ("2026-11-02", 3, 1),
    ]
    assert answer["items"][0]["gbSeconds"] == 0.375
    assert answer["total"]["calls"] == 6
    assert answer["total"]["totalUsd"] == 3.67833625e-05


def test_usage_by_function() -> None:
    items = usage.answer(ROWS, ("function",))["items"]
    assert [(item["function"], item["calls"]) for item in items] == [("mailer", 5), ("resizer", 1)]


def test_usage_by_line() -> None:
    assert usage.answer(ROWS, ("line",))["items"] == [
        {"line": "requests", "quantity": 6, "unit": "request", "usd": 1.2e-06},
        {"line": "compute", "quantity": 0.875, "unit": "GB-second", "usd": 1.45833625e-05},
        {"line": "gateway", "quantity": 6, "unit": "request", "usd": 2.1e-05},
    ]


def test_usage_by_several() -> None:
    items = usage.answer(ROWS, ("day", "function"))["items"]
    assert [(item["day"], item["function"]) for item in items] == [
        ("2026-11-01", "mailer"),
        ("2026-11-01", "resizer"),
        ("2026-11-02", "mailer"),
    ]
    lines = usage.answer(ROWS, ("function", "line"))["items"]
    assert [(item["function"], item["line"]) for item in lines[:3]] == [
        ("mailer", "requests"),
        ("mailer", "compute"),
        ("mailer", "gateway"),
    ]


def test_without_usage_all_is_zero() -> None:
    answer = usage.answer([], ())
    assert answer["items"] == []
    assert answer["total"] == {
        "calls": 0, "coldCalls": 0, "errors": 0, "throttled": 0, "capped": 0, "billedMs": 0,
        "gbSeconds": 0, "totalUsd": 0, "lines": [],
    }  # fmt: skip


def test_the_free_tier_is_used_up_day_by_day_and_anew_each_month() -> None:
    rows = [
        row("2026-12-01", "mailer", 10, "1"),
        row("2026-11-02", "mailer", 6, "3"),
        row("2026-11-01", "mailer", 6, "2"),
    ]
    paid = {each.day: each.amounts for each in usage.after_free_tier(rows, 10, 4)}
    assert paid["2026-11-01"]["requests"] == Amount(Decimal(6), Decimal(0))
    assert paid["2026-11-02"]["requests"].usd == 2 * SHEET.lambda_request
    assert paid["2026-11-02"]["compute"].usd == SHEET.gb_second_x86
    assert paid["2026-12-01"]["requests"].usd == 0
    assert paid["2026-11-01"]["gateway"].usd == 6 * SHEET.rest_request  # never free


def test_all_of_a_calls_time_uses_up_the_free_tier() -> None:
    figures = Figures(1024, 3000, init_ms=1000, duration_ms=2000, waiting_ms=1000,
                      waiting_memory_mb=1024)  # fmt: skip
    amounts = usage.amounts_of(receipt.of(figures, SHEET))
    (paid,) = usage.after_free_tier([Row("2026-11-01", "f", {}, amounts)], 0, 3)
    costs = [paid.amounts[what].usd for what in ("compute", "init", "waiting")]
    assert costs == [0, 0, SHEET.gb_second_x86]


quantities = st.integers(0, 10**9)
any_rows = st.lists(
    st.builds(
        row,
        st.sampled_from(["2026-10-31", "2026-11-01", "2026-11-02"]),
        st.sampled_from(["a", "b", "c"]),
        quantities,
        st.decimals(0, 10**6, places=6).map(str),
    ),
    max_size=12,
)


def printed(value: Any) -> Any:
    return json.loads(orjson.dumps(value), parse_float=Decimal, parse_int=Decimal)


@given(any_rows, st.sampled_from([("day",), ("function",), ("line",), ("day", "line"), ()]))
def test_printed_parts_add_up_to_the_printed_total(
    rows: list[Row], groups: tuple[str, ...]
) -> None:
    answer = printed(usage.answer(rows, groups))
    total = answer["total"]["totalUsd"]
    assert sum(line["usd"] for line in answer["total"]["lines"]) == total
    if groups:
        parts = [item["usd" if "line" in groups else "totalUsd"] for item in answer["items"]]
        assert sum(parts) == total


@given(any_rows)
def test_the_free_tier_never_makes_anything_dearer(rows: list[Row]) -> None:
    for free in ((0, 0), (1_000_000, 400_000)):
        paid = usage.after_free_tier(rows, *free)
        before, after = usage.usd(usage.total(rows)), usage.usd(usage.total(paid))
        assert 0 <= after <= before
        if free == (0, 0):
            assert after == before
