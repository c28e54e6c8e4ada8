"""Price sheets: which one holds where and when, and what is said if none does."""

from datetime import date
from decimal import Decimal

import pytest

from chalicelib.domain import prices

THEN = date(2026, 11, 23)


def test_a_sheet_says_where_and_when_it_is_from() -> None:
    sheet = prices.sheet("us-east-1", THEN)
    assert (sheet.provider, sheet.region, sheet.date) == ("aws", "us-east-1", THEN)
    assert sheet.source
    assert sheet.note == ""


def test_a_later_day_has_the_latest_sheet() -> None:
    assert prices.sheet("us-east-1", date(2030, 1, 1)) == prices.sheet("us-east-1", THEN)


def test_an_earlier_day_has_the_oldest_sheet_and_says_so() -> None:
    sheet = prices.sheet("us-east-1", date(2020, 1, 1))
    assert sheet.date == THEN
    assert "2020-01-01" in sheet.note


def test_another_region_has_the_default_ones_and_says_so() -> None:
    sheet = prices.sheet("eu-central-1", THEN)
    assert sheet.region == "us-east-1"
    assert "eu-central-1" in sheet.note
    assert "us-east-1" in sheet.note


PER_MILLION = {
    "lambda_request": "0.20",
    "rest_request": "3.50",
    "http_request": "1.00",
    "dynamodb_write_unit": "0.625",
    "dynamodb_read_unit": "0.125",
    "s3_put": "5",
    "s3_get": "0.4",
    "sqs_request": "0.4",
    "schedule": "1",
    "gb_second_x86": "16.6667",
    "gb_second_arm": "13.3334",
}


@pytest.mark.parametrize("name", PER_MILLION)
def test_prices_of_a_million(name: str) -> None:
    assert getattr(prices.sheet("us-east-1", THEN), name) * 1_000_000 == Decimal(PER_MILLION[name])


def test_sheets_are_in_the_order_of_their_days_and_exact() -> None:
    for sheets in prices._REGIONS.values():
        days = [sheet.date for sheet in sheets]
        assert days == sorted(set(days))
        for sheet in sheets:
            assert not any(isinstance(value, float) for value in sheet)
