"""Receipts: the lines of a call, to the last decimal."""

from datetime import date
from decimal import Decimal

import pytest

from chalicelib.domain import prices
from chalicelib.domain.functions import receipt
from chalicelib.domain.functions.receipt import Figures, FreeTier

SHEET = prices.sheet("us-east-1", date(2026, 11, 23))


def lines(figures: Figures, free: FreeTier | None = None) -> dict[str, str]:
    return {
        line.what: f"{line.quantity.normalize():f} {line.usd.normalize():f}"
        for line in receipt.of(figures, SHEET, free).lines
    }


def test_a_small_warm_call_behind_a_rest_api() -> None:
    figures = Figures(memory_mb=128, billed_ms=20, gateway="rest")
    assert lines(figures) == {
        "requests": "1 0.0000002",
        "compute": "0.0025 0.00000004166675",
        "gateway": "1 0.0000035",
    }
    assert receipt.of(figures, SHEET).total == Decimal("0.00000374166675")


def test_one_billed_millisecond_is_exact() -> None:
    assert lines(Figures(128, 1, requests=0)) == {"compute": "0.000125 0.0000000020833375"}


def test_init_has_its_own_line_out_of_what_is_billed() -> None:
    cold = Figures(128, billed_ms=133, init_ms=120.12, duration_ms=12.34)
    assert lines(cold) == {
        "requests": "1 0.0000002",
        "compute": "0.001625 0.0000000270833875",
        "init": "0.015 0.0000002500005",
    }


@pytest.mark.parametrize(
    ("figures", "init_ms"),
    [
        (Figures(128, 20), 0),
        (Figures(128, 133, init_ms=120.12, duration_ms=12.34), 120),
        (Figures(128, 134, init_ms=120.12, duration_ms=12.34), 121),
        (Figures(128, 13, init_ms=120.12, duration_ms=12.34), 0),  # a platform that bills no init
        (Figures(128, 133, init_ms=120.12), 121),
        (Figures(128, 100, init_ms=120.12), 100),
        (Figures(128, 10, init_ms=5.0, duration_ms=12.0), 0),
    ],
)
def test_how_much_of_the_bill_is_init(figures: Figures, init_ms: int) -> None:
    assert receipt.billed_init_ms(figures) == init_ms


def test_everything_a_call_may_use_is_a_line() -> None:
    figures = Figures(
        memory_mb=1024,
        billed_ms=1000,
        architecture="arm64",
        gateway="http",
        dynamodb_read_units=2.5,
        dynamodb_write_units=12,
        s3_puts=1,
        s3_gets=2,
        sqs_requests=3,
        sqs_fifo_requests=2,
        schedules=1,
        log_bytes=2**20,
        egress_bytes=2**30,
        waiting_ms=1500.2,
        waiting_memory_mb=512,
    )
    assert lines(figures) == {
        "requests": "1 0.0000002",
        "compute": "1 0.0000133334",
        "waiting": "0.7505 0.00001250835835",
        "gateway": "1 0.000001",
        "dynamodbReads": "2.5 0.0000003125",
        "dynamodbWrites": "12 0.0000075",
        "s3Puts": "1 0.000005",
        "s3Gets": "2 0.0000008",
        "sqs": "3 0.0000012",
        "sqsFifo": "2 0.000001",
        "scheduler": "1 0.000001",
        "logs": "1048576 0.00048828125",
        "egress": "1073741824 0.09",
    }


def test_a_call_that_lambda_refused_costs_no_request() -> None:
    assert lines(Figures(128, 0, requests=0, dynamodb_write_units=1)) == {
        "dynamodbWrites": "1 0.000000625"
    }
    nothing = receipt.of(Figures(128, 0, requests=0), SHEET)
    assert not nothing.lines
    assert nothing.total == 0


def test_a_function_url_is_free() -> None:
    assert set(lines(Figures(128, 1, gateway="url"))) == {"requests", "compute"}


def test_the_free_tier_is_taken_off_first() -> None:
    figures = Figures(1024, billed_ms=3000, init_ms=1000, gateway="rest", duration_ms=2000)
    free = FreeTier(requests=5, gb_seconds=Decimal("2.5"))
    assert lines(figures, free) == {
        "requests": "1 0",
        "compute": "2 0",
        "init": "1 0.00000833335",
        "gateway": "1 0.0000035",
    }
    shown = receipt.to_json(receipt.of(figures, SHEET, free))["lines"]
    assert [line.get("free") for line in shown] == [1, 2, 0.5, None]


def test_a_free_tier_that_is_used_up_changes_nothing() -> None:
    figures = Figures(1024, billed_ms=3000)
    assert lines(figures, FreeTier(0, Decimal(0))) == lines(figures)


def test_json_has_the_sheet_and_its_note() -> None:
    sheet = prices.sheet("eu-west-1", date(2026, 11, 23))
    shown = receipt.to_json(receipt.of(Figures(128, 20), sheet))
    assert shown["currency"] == "USD"
    assert shown["sheet"] == {
        "region": "us-east-1",
        "date": "2026-11-23",
        "source": SHEET.source,
        "note": sheet.note,
    }
    assert "note" not in receipt.sheet_json(SHEET)


def test_picodollars_round_up() -> None:
    assert receipt.picodollars(Decimal("0.000000000001")) == 1
    assert receipt.picodollars(Decimal("0.0000000000011")) == 2
    assert receipt.picodollars(Decimal(0)) == 0
