"""SQLite's strftime(), which Python's cannot stand in for.

A moment is a number of milliseconds since noon of 24 November 4714 BC (Julian day 0), as in
SQLite. A time value is a date, a date and time, a time alone (of 2000-01-01), `now`, or a
Julian day number. What is not understood gives NULL. Measured on SQLite 3.53, which took
`ceiling`, `floor` and `%e %k %I ...` only lately.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import floor
from typing import Any

from chalicelib.domain.filters import strftime_calendar as calendar
from chalicelib.domain.filters.strftime_calendar import DAY_MS, Moment

_FORMAT = re.compile(r"%(.?)", re.DOTALL)
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
_ZONE = r"[ \t\n\v\f\r]*(?:[zZ]|(?P<zone>[+-])(?P<zone_hour>\d\d):(?P<zone_minute>\d\d))?"
_SPACE = r"[ \t\n\v\f\r]*"
_DATE = r"(?P<year>-?\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_VALUE = re.compile(
    rf"(?:{_DATE}(?:[ \t\n\v\f\rT]*{_TIME}{_ZONE}{_SPACE})?{_SPACE}|{_TIME.replace('P<', 'P<t_')}"
    rf"{_ZONE.replace('P<', 'P<t_')}{_SPACE})",
    re.ASCII,
)
_REAL = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_SHIFT_TIME = re.compile(rf"(?P<sign>[+-])?{_TIME}", re.ASCII)
_SHIFT_DATE = re.compile(
    rf"(?P<sign>[+-])(?P<year>\d{{4,5}})-(?P<month>\d\d)-(?P<day>\d\d)(?:[ \t]+{_TIME})?", re.ASCII
)
_SHIFT_UNIT = re.compile(
    r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)\s+(second|minute|hour|day|month|year)s?",
    re.ASCII | re.IGNORECASE,
)
_UNITS = {
    "second": (1000, 464_269_060_800.0),
    "minute": (60_000, 7_737_817_680.0),
    "hour": (3_600_000, 128_963_628.0),
    "day": (DAY_MS, 5_373_485.0),
    "month": (30 * DAY_MS, 176_546.0),
    "year": (365 * DAY_MS, 14_713.0),
}
"""Milliseconds (of the fraction, for months and years), and the limit of the number."""


def strftime(now: datetime, template: Any, value: Any = "now", *modifiers: Any) -> str | None:
    """Return the formatted time, None where SQLite gives NULL."""
    if template is None:
        return None
    moment = _moment(value, now)
    for index, modifier in enumerate(modifiers):
        if moment is None or not isinstance(modifier, str):
            return None
        moment = _modify(moment, modifier, index)
    if moment is None or not moment.is_settled():
        return None
    return _formatted(str(template), moment)


def _moment(value: Any, now: datetime) -> Moment | None:
    """Return the moment that a time value names."""
    if value is None:
        return None
    if not isinstance(value, str):
        return Moment.of_number(float(value))
    if value.lower() == "now":
        return _now(now)
    if value.lower() in ("subsec", "subsecond"):
        moment = _now(now)
        moment.has_fraction = True
        return moment
    match = _VALUE.fullmatch(value)
    if match:
        return _written(match)
    return Moment.of_number(float(value)) if _REAL.fullmatch(value) else None


def _now(now: datetime) -> Moment:
    since = now - datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
    return Moment(calendar.UNIX_EPOCH_MS + milliseconds)


def _written(match: re.Match[str]) -> Moment | None:
    """Return the moment of a date, a date and time, or a time."""
    parts = match.groupdict()
    prefix = "" if parts["year"] else "t_"
    shift_ms = _clock_ms({name: parts[prefix + name] for name in _CLOCK})
    if shift_ms is None:
        return None
    year, month, day = 2000, 1, 1
    if parts["year"]:
        year, month, day = int(parts["year"]), int(parts["month"]), int(parts["day"])
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return None
    zone = _zone_ms(*(parts[f"{prefix}zone{part}"] for part in ("", "_hour", "_minute")))
    if zone is None:
        return None
    moment = Moment(calendar.midnight_ms(year, month, day) + shift_ms - zone)
    moment.days_over = calendar.days_over(year, month, day)
    return moment


_CLOCK = ("hour", "minute", "second", "fraction")


def _clock_ms(parts: dict[str, Any], last_hour: int = 24) -> int | None:
    """Return a time of day in milliseconds, None if it is none."""
    hour, minute = int(parts["hour"] or 0), int(parts["minute"] or 0)
    second = int(parts["second"] or 0)
    if hour > last_hour or minute > 59 or second > 59:
        return None
    fraction = float(parts["fraction"] or 0)
    return (hour * 3600 + minute * 60) * 1000 + floor((second + fraction) * 1000 + 0.5)


def _zone_ms(sign: str | None, hour: str | None, minute: str | None) -> int | None:
    if sign is None or hour is None or minute is None:
        return 0
    if int(hour) > 14 or int(minute) > 59:
        return None
    return (int(hour) * 60 + int(minute)) * 60_000 * (-1 if sign == "-" else 1)


def _modify(moment: Moment, modifier: str, index: int) -> Moment | None:
    """Return the moment after one modifier, None if it is not understood."""
    name = modifier.lower()
    if name in ("auto", "unixepoch", "julianday"):
        return moment if index == 0 and moment.read_number_as(name) else None
    if not moment.is_settled():
        return None
    change = _NAMED.get(name)
    if change is not None:
        change(moment)
        return moment
    weekday = re.fullmatch(r"weekday\s+([0-6])(?:\.0*)?\s*", name, re.ASCII)
    if weekday:
        moment.advance_to_weekday(int(weekday.group(1)))
        return moment
    return _shifted(moment, modifier)


def _subsecond(moment: Moment) -> None:
    moment.has_fraction = True


def _drop_floor(moment: Moment) -> None:
    moment.days_over = 0


def _utc(moment: Moment) -> None:
    """The server's time zone is UTC."""


_NAMED: dict[str, Callable[[Moment], None]] = {
    "subsec": _subsecond,
    "subsecond": _subsecond,
    "utc": _utc,
    "localtime": _utc,
    "floor": Moment.to_month_end,
    "ceiling": _drop_floor,
    "start of day": Moment.to_day_start,
    "start of month": Moment.to_month_start,
    "start of year": Moment.to_year_start,
}


def _shifted(moment: Moment, modifier: str) -> Moment | None:
    match = _SHIFT_UNIT.fullmatch(modifier)
    if match:
        return _shifted_by_unit(moment, float(match.group(1)), match.group(2).lower())
    match = _SHIFT_DATE.fullmatch(modifier) or _SHIFT_TIME.fullmatch(modifier)
    if match is None:
        return None
    parts = match.groupdict()
    sign = -1 if parts["sign"] == "-" else 1
    clock_ms = _clock_ms(parts)
    if clock_ms is None:
        return None
    if "year" in parts:
        months, days = int(parts["month"]), int(parts["day"])
        if months > 11 or days > 30:
            return None
        moment.add_months(sign * (int(parts["year"]) * 12 + months))
        moment.add_ms(sign * days * DAY_MS)
    moment.add_ms(sign * (clock_ms % DAY_MS))
    return moment


def _shifted_by_unit(moment: Moment, amount: float, unit: str) -> Moment | None:
    unit_ms, limit = _UNITS[unit]
    if abs(amount) >= limit:
        return None
    if unit in ("month", "year"):
        whole = int(amount)
        moment.add_months(whole * (12 if unit == "year" else 1))
        amount -= whole
    if amount:
        moment.add_ms(int(amount * unit_ms + (0.5 if amount > 0 else -0.5)))
    return moment


def _formatted(template: str, moment: Moment) -> str | None:
    fields = calendar.Fields(moment)
    pieces: list[str] = []
    at = 0
    for match in _FORMAT.finditer(template):
        write = calendar.FORMATS.get(match.group(1))
        if write is None:
            return None
        pieces += (template[at : match.start()], write(fields))
        at = match.end()
    return "".join((*pieces, template[at:]))
