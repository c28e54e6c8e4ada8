"""The forms of dates; tables measured on PocketBase 0.40.6."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import dates


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("2022-01-02", "2022-01-02 00:00:00.000Z"),
        ("2022-01-02T03:04:05Z", "2022-01-02 03:04:05.000Z"),
        ("2022-01-02T03:04:05+02:00", "2022-01-02 01:04:05.000Z"),
        ("2022-01-02T03:04:05-0230", "2022-01-02 05:34:05.000Z"),
        ("2022-01-02T03:04:05", "2022-01-02 03:04:05.000Z"),
        ("2022-01-02 03:04:05", "2022-01-02 03:04:05.000Z"),
        ("2022-01-02 3:04:05", "2022-01-02 03:04:05.000Z"),  # one digit will do for the hour
        ("2022-01-02 03:04:05.1", "2022-01-02 03:04:05.100Z"),
        ("2022-01-02 03:04:05,5Z", "2022-01-02 03:04:05.500Z"),
        ("2022-01-02 03:04:05.123999Z", "2022-01-02 03:04:05.123Z"),  # cut, not rounded
        ("2022-01-02 03:04:05 +0200", "2022-01-02 01:04:05.000Z"),
        ("2022-01-02 03:04:05 +02:00", "2022-01-02 01:04:05.000Z"),
        ("2022-01-02 03:04:05 +0200 EET", "2022-01-02 01:04:05.000Z"),
        ("2022-01-02T03:04:05+02:60", "2022-01-02 00:04:05.000Z"),
        ("2020-02-29", "2020-02-29 00:00:00.000Z"),
        ("Mon, 02 Jan 2006 15:04:05 -0700", "2006-01-02 22:04:05.000Z"),
        ("Mon, 02 Jan 2006 15:04:05 EST", "2006-01-02 15:04:05.000Z"),  # a zone's name is UTC
        ("Mon, 02 Jan 2006 15:04:05 GMT+3", "2006-01-02 18:04:05.000Z"),  # sic
        ("02 Jan 06 15:04 MST", "2006-01-02 15:04:00.000Z"),
        ("02 Jan 70 15:04 -0100", "1970-01-02 16:04:00.000Z"),
        ("Monday, 02-Jan-06 15:04:05 MST", "2006-01-02 15:04:05.000Z"),
        ("Mon Jan  2 15:04:05 2006", "2006-01-02 15:04:05.000Z"),
        ("Mon Jan 02 15:04:05 -0700 2006", "2006-01-02 22:04:05.000Z"),
        ("02 Jan 2006", "2006-01-02 00:00:00.000Z"),
        ("3:04PM", "0000-01-01 15:04:00.000Z"),  # no date: the year 0
        ("12:04AM", "0000-01-01 00:04:00.000Z"),
        ("Jan  2 15:04:05", "0000-01-02 15:04:05.000Z"),
        ("0000-02-29", "0000-02-29 00:00:00.000Z"),
    ],
)
def test_forms_that_are_read(raw: str, kept: str) -> None:
    assert dates.parse(raw) == kept


@pytest.mark.parametrize(
    "raw",
    [
        "",
        None,
        5,
        1641092645000,  # a JSON number is no date
        True,
        ["2022-01-02"],
        "1641092645",
        "garbage",
        "2022-1-2",
        "2022-01-02 03:04",
        "2022-01-02 10:00Z",
        "2022-02-30",
        "2021-02-29",
        "2022-13-01",
        "2022-01-02 24:00:00",
        "2022-01-02 03:04:60",
        "2022-01-02T03:04:05+25:00",
        "2022-01-02 03:04:05 Z",
        "2022-01-02T03:04:05 +02:00",
        " 2022-01-02",
        "2022-01-02\n",
        "20220102",
        "2022/01/02",
        "0001-01-01",  # the zero time
        "Foo, 02 Jan 2006 15:04:05 GMT",
        "Mon Jan  2 15:04:05 ABCD 2006",
        "3:04pm",
        "13:04PM",
    ],
)
def test_what_is_no_date_is_empty(raw: Any) -> None:
    assert dates.parse(raw) == ""


@given(st.datetimes(min_value=datetime(1, 1, 3), timezones=st.just(UTC)))  # noqa: DTZ001  hypothesis wants it naive
def test_a_kept_date_reads_back_as_itself(moment: datetime) -> None:
    kept = dates.now_text(moment)
    assert dates.parse(kept) == kept
    found = dates.to_datetime(kept)
    assert found is not None
    assert timedelta() <= moment - found < timedelta(milliseconds=1)


def test_now_is_written_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2024, 1, 1, 8, 0, 0, 999_999, tzinfo=tokyo)
    assert dates.now_text(moment) == "2023-12-31 23:00:00.999Z"


def test_an_empty_date_is_no_time() -> None:
    assert dates.to_datetime("") is None
