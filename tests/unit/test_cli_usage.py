"""What `usage` of the command line shows of the API's answer."""

from decimal import Decimal
from typing import Any

from chalicelib.domain.functions import usage as sums
from chalicelib.domain.functions.usage import Amount, Row
from tools.cli.commands import usage

ROWS = [
    Row(
        day,
        "mailer",
        {"calls": 2, "billedMs": 40},
        {"requests": Amount(Decimal(2), Decimal("0.0000004"))},
    )
    for day in ("2026-11-01", "2026-11-02")
]


def shown(rows: list[Row], *groups: str, note: str = "") -> list[str]:
    sheet: dict[str, Any] = {"note": note} if note else {}
    return usage._text({**sums.answer(rows, groups), "sheet": sheet}).splitlines()


def test_days_stand_in_rows_above_the_total() -> None:
    lines = shown(ROWS, "day")
    assert lines[0].split()[:2] == ["day", "calls"]
    assert lines[1].split()[:2] == ["2026-11-01", "2"]
    assert lines[-1] == "Total $0.0000008"
    assert len(lines) == 4


def test_without_a_group_the_lines_of_the_total_are_shown() -> None:
    assert [line.split() for line in shown(ROWS)] == [
        ["what", "quantity", "unit", "usd"],
        ["requests", "4", "request", "$0.0000008"],
        ["Total", "$0.0000008"],
    ]


def test_prices_of_another_region_are_said_to_be() -> None:
    assert shown(ROWS, "line", note="No sheet for x.")[-1] == "No sheet for x."


def test_calls_that_cost_nothing_are_used_too() -> None:
    refused = [Row("2026-11-01", "mailer", {"capped": 1}, {})]
    assert shown(refused) == ["Total $0"]
    assert usage._was_used(sums.answer(refused, ())["total"])
    assert not usage._was_used(sums.answer([], ())["total"])
