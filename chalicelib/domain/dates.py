"""Dates: the one text form they are kept in, and the many forms PocketBase reads.

Kept: `2022-03-04 03:06:07.000Z`, UTC, "" for no date. The forms were found by asking
PocketBase 0.40.6; what it cannot read becomes "" without an error.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

ZONE_NAME = r"GMT[+-]\d{1,2}|[A-Z]{3,4}T|[A-Z]{3}|WITA|ChST|MeST|[+-]\d\d"

# `datetime` starts at year 1, but a time without a date is in year 0. The calendar repeats
# after 400 years, so early dates are reckoned there.
_CYCLE_YEARS = 400

ZERO = "0001-01-01 00:00:00.000Z"


def now_text(now: datetime) -> str:
    """Return an aware time in the form dates are kept in, cut to milliseconds."""
    utc = now.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d}Z".rjust(24, "0")


def text_of_ms(milliseconds: int) -> str:
    """Return a time since 1970 in the form dates are kept in; "" for 0, a time unknown."""
    if not milliseconds:
        return ""
    seconds, rest = divmod(milliseconds, 1000)
    return now_text(datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=rest))


def to_datetime(text: str) -> datetime | None:
    """Return the aware UTC time of a kept date; None for "" and years before 1."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def parse(value: Any) -> str:
    """Return a date in the form dates are kept in; "" for what cannot be read."""
    if not isinstance(value, str) or not value:
        return ""
    found = _iso().match(value)
    if found is None:
        from chalicelib.domain import date_forms  # noqa: PLC0415  lazy: ISO is the usual form

        return date_forms.parse(value)
    return _from_iso(found)


@cache
def _iso() -> "re.Pattern[str]":
    """Compiled when first used: most requests read no date."""
    return re.compile(
        r"(\d{4})-(\d\d)-(\d\d)"
        r"(?:([T ])(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?( ?)(Z|[+-]\d\d:?\d\d)?"
        rf"( (?:{ZONE_NAME}))?)?\Z",
        re.ASCII,
    )


def _from_iso(found: "re.Match[str]") -> str:
    year, month, day, separator, hour, minute, second, fraction, gap, zone, name = found.groups()
    if not _is_form(separator, gap, zone, name):
        return ""
    parts = (int(part or 0) for part in (year, month, day, hour, minute, second))
    return text_of(*parts, fraction=fraction or "", offset_minutes=offset_minutes(zone or "Z"))


def _is_form(separator: str, gap: str, zone: str | None, name: str | None) -> bool:
    """Return whether the parts of an ISO-like text were put together as one of the forms."""
    if name:
        return separator == " " and gap == " " and zone is not None and len(zone) == 5
    if gap:
        return separator == " " and zone is not None and zone != "Z"
    return True


def offset_minutes(zone: str) -> int | None:
    """Return a zone's minutes east of Greenwich: "Z", "+0130" or "-01:30"."""
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 24 or minutes > 60:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def text_of(
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    *,
    fraction: str = "",
    offset_minutes: int | None = 0,
) -> str:
    """Return the kept form of a local time; "" if there is no such time."""
    if offset_minutes is None:
        return ""
    shift = _CYCLE_YEARS if year < _CYCLE_YEARS else 0
    try:
        local = datetime(year + shift, month, day, hour, minute, second, tzinfo=UTC)
        utc = local - timedelta(minutes=offset_minutes)
    except (ValueError, OverflowError):
        return ""
    if utc.year < shift:
        return ""
    milliseconds = fraction[:3].ljust(3, "0")
    text = f"{utc.year - shift:04d}-{utc:%m-%d %H:%M:%S}.{milliseconds}Z"
    return "" if text == ZERO else text
