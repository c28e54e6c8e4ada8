"""EventBridge's cron expressions: six fields, and days that only a calendar can tell.

    minute 0-59   hour 0-23   day 1-31   month 1-12 JAN-DEC   weekday 1-7 SUN-SAT   year 1970-2199

A field is `*`, or several with commas between of `a`, `a-b`, `a/n`, `a-b/n` and `*/n`; a weekday
has no steps. A day may also be `L` (the month's last), `LW` (its last weekday) or `15W` (that
nearest to the 15th), a weekday `6L` (the last Friday) or `6#3` (the third). One of the two is `?`.
Source: "Schedule types in EventBridge Scheduler" in its user guide.
"""

import calendar
import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

FIRST_YEAR, LAST_YEAR = 1970, 2199
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

Days = Callable[[int, int], Collection[int]]
"""The days of a year's month on which it fires."""


class ScheduleError(ValueError):
    """An expression that cannot be read, or never fires; the message says why."""


class Cron(NamedTuple):
    """When it fires, as local times."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: frozenset[int]
    years: frozenset[int]


class _Field(NamedTuple):
    what: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, tuple(MONTHS))
_WEEKDAY = _Field("weekday", 1, 7, tuple(WEEKDAYS))
_YEAR = _Field("year", FIRST_YEAR, LAST_YEAR)


def parse(text: str) -> Cron:
    """Return the meaning of what stands between `cron(` and `)`. Raises `ScheduleError`."""
    fields = text.upper().split()
    if len(fields) != 6:
        raise ScheduleError(
            f"cron(...) has six fields (minute hour day month weekday year), not {len(fields)}"
        )
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ScheduleError("one of day and weekday must be ?, and the other must not")
    return Cron(
        tuple(sorted(_values(minute, _MINUTE))),
        tuple(sorted(_values(hour, _HOUR))),
        _weekdays(weekday) if day == "?" else _days(day),
        frozenset(_values(month, _MONTH)),
        frozenset(_values(year, _YEAR)),
    )


def on_days(days: Collection[int]) -> Days:
    """Return the days with these numbers that a month has."""
    return lambda year, month: [day for day in days if day <= _length(year, month)]


def on_weekdays(weekdays: Collection[int]) -> Days:
    """Return the days of a month that are such weekdays; Sunday is 1."""
    return lambda year, month: [
        day for day in range(1, _length(year, month) + 1) if _weekday(year, month, day) in weekdays
    ]


def _values(text: str, field: _Field) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, last = _span(span, field, to_the_end=bool(slash))
        found.update(range(first, last + 1, _step(step, field) if slash else 1))
    return found


def _span(text: str, field: _Field, to_the_end: bool) -> tuple[int, int]:
    if text == "*":
        return field.first, field.last
    start, dash, end = text.partition("-")
    first = _value(start, field)
    if not dash:
        return first, field.last if to_the_end else first
    last = _value(end, field)
    if last < first:
        raise ScheduleError(f"the {field.what} range {text} ends before it begins")
    return first, last


def _step(text: str, field: _Field) -> int:
    if not text.isdecimal() or not 0 < int(text) <= field.last:
        raise ScheduleError(f"{text or 'nothing'} is no step of the {field.what}")
    return int(text)


def _value(text: str, field: _Field) -> int:
    if text in field.names:
        return field.first + field.names.index(text)
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise ScheduleError(f"{text or 'nothing'} is no {field.what}")
    if not field.first <= int(text) <= field.last:
        raise ScheduleError(
            f"{text} is no {field.what}: those go from {field.first} to {field.last}"
        )
    return int(text)


def _days(text: str) -> Days:
    if text == "L":
        return lambda year, month: [_length(year, month)]
    if text == "LW":
        return lambda year, month: [_nearest_weekday(year, month, _length(year, month))]
    near = re.fullmatch(r"(\d{1,2})W", text, re.ASCII)
    if near:
        number = _value(near[1], _DAY)
        return lambda year, month: (
            [_nearest_weekday(year, month, number)] if number <= _length(year, month) else []
        )
    return on_days(sorted(_values(text, _DAY)))


def _weekdays(text: str) -> Days:
    if "/" in text:
        raise ScheduleError("a weekday takes no steps: list the days, as MON,WED,FRI")
    if text == "L":
        raise ScheduleError("L alone is no weekday: 7L is the month's last Saturday")
    last = re.fullmatch(r"(\w+)L", text, re.ASCII)
    if last:
        number = _value(last[1], _WEEKDAY)
        return lambda year, month: [max(on_weekdays([number])(year, month))]
    name, hash_sign, nth = text.partition("#")
    if hash_sign:
        return _nth(_value(name, _WEEKDAY), nth)
    return on_weekdays(_values(text, _WEEKDAY))


def _nth(weekday: int, nth: str) -> Days:
    if nth not in ("1", "2", "3", "4", "5"):
        raise ScheduleError(f"a month has no weekday #{nth}: they go from #1 to #5")
    position = int(nth) - 1
    return lambda year, month: list(on_weekdays([weekday])(year, month))[position : position + 1]


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Return the day from Monday to Friday nearest to a day, in the same month."""
    weekday = _weekday(year, month, day)
    if weekday == 7:
        return day - 1 if day > 1 else day + 2
    if weekday == 1:
        return day + 1 if day < _length(year, month) else day - 2
    return day


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    """Return the weekday as EventBridge counts: Sunday is 1."""
    return (calendar.weekday(year, month, day) + 1) % 7 + 1


def listed(values: Iterable[int]) -> str:
    """Return numbers as a field has them: `0,15,30-33`."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs
    )
