"""`@now`, `@todayStart`, `@month` ... for one moment, in UTC.

`@yesterday` and `@tomorrow` keep the time of day. `@weekday` is 0 on Sunday.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

_DAY = timedelta(days=1)


def _start(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _end(now: datetime) -> datetime:
    return now.replace(hour=23, minute=59, second=59, microsecond=999_000)


def _month_end(now: datetime) -> datetime:
    next_month = now.replace(day=28) + timedelta(days=4)
    return _end(next_month - timedelta(days=next_month.day))


_MOMENTS: dict[str, Callable[[datetime], datetime]] = {
    "@now": lambda now: now,
    "@yesterday": lambda now: now - _DAY,
    "@tomorrow": lambda now: now + _DAY,
    "@todayStart": _start,
    "@todayEnd": _end,
    "@monthStart": lambda now: _start(now.replace(day=1)),
    "@monthEnd": _month_end,
    "@yearStart": lambda now: _start(now.replace(month=1, day=1)),
    "@yearEnd": lambda now: _end(now.replace(month=12, day=31)),
}
_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "@second": lambda now: now.second,
    "@minute": lambda now: now.minute,
    "@hour": lambda now: now.hour,
    "@day": lambda now: now.day,
    "@month": lambda now: now.month,
    "@year": lambda now: now.year,
    "@weekday": lambda now: now.isoweekday() % 7,
}
NAMES = frozenset((*_MOMENTS, *_NUMBERS))


def value(name: str, now: datetime) -> str | int:
    """Return a macro's value: date text as records store it, or a number."""
    if name in _NUMBERS:
        return _NUMBERS[name](now)
    return date_text(_MOMENTS[name](now))


def date_text(moment: datetime) -> str:
    """Return a UTC moment as `YYYY-MM-DD HH:MM:SS.mmmZ`."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}Z"
