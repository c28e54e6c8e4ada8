"""When a schedule fires: its expression, its time zone, and the moments that follow.

    0 3 * * MON-FRI            cron as crontab has it (five fields), or @hourly, @daily, ...
    cron(0 3 * * ? *)          cron as EventBridge has it (`eventbridge_cron`)
    rate(5 minutes)            minutes, hours or days apart, counted from when it was made
    at(2026-12-01T10:00:00)    once

Where clocks change, it is as EventBridge Scheduler does: a local time that is left out fires
nothing, one that comes twice fires the first time only. Rates do not care for clocks.
Source: "Schedule types in EventBridge Scheduler" in its user guide.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import product
from typing import NamedTuple

from chalicelib.domain import cron as crontab
from chalicelib.domain.functions import eventbridge_cron
from chalicelib.domain.functions.eventbridge_cron import Cron, ScheduleError

__all__ = ["Schedule", "ScheduleError", "next_times", "parse", "to_eventbridge"]

MAX_CHARACTERS = 256
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MAX_RATE_SECONDS = 366 * 86400
_CALL = re.compile(r"(cron|rate|at)\((.*)\)", re.DOTALL)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_NOT_ZONES = ("localtime", "posixrules", "Factory")


class Schedule(NamedTuple):
    """What an expression means in a time zone."""

    eventbridge: str
    """The expression as EventBridge Scheduler takes it."""
    is_once: bool
    next_after: Callable[[datetime], datetime | None]
    """Returns the first moment after an aware one at which it fires, in UTC; None: never."""


def parse(expression: str, timezone: str = "UTC", anchor: datetime | None = None) -> Schedule:
    """Return a schedule; a rate is counted from `anchor` (default: from whenever it is asked).

    Raises `ScheduleError` with a message for people.
    """
    zone = _zone(timezone)
    text = expression.strip()
    if len(text) > MAX_CHARACTERS:
        raise ScheduleError(f"a schedule has at most {MAX_CHARACTERS} characters")
    call = _CALL.fullmatch(text)
    if call is None:
        cron, eventbridge = _crontab(text)
        return _of_cron(cron, eventbridge, zone)
    kind, inside = call.groups()
    if kind == "rate":
        return _rate(inside, anchor)
    if kind == "at":
        return _once(inside.strip(), zone)
    eventbridge = f"cron({' '.join(inside.upper().split())})"
    return _of_cron(eventbridge_cron.parse(inside), eventbridge, zone)


def to_eventbridge(expression: str) -> str:
    """Return an expression as EventBridge Scheduler takes it. Raises `ScheduleError`."""
    return parse(expression).eventbridge


def next_times(schedule: Schedule, now: datetime, count: int = 5) -> list[datetime]:
    """Return the next moments at which it fires: `count` of them, or fewer if it ends."""
    found: list[datetime] = []
    moment: datetime | None = now
    while len(found) < count and moment is not None:
        moment = schedule.next_after(moment)
        if moment is not None:
            found.append(moment)
    return found


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    import zoneinfo  # noqa: PLC0415  (lazy: most schedules are in UTC)

    try:
        if name in _NOT_ZONES or name.startswith(("posix/", "right/")):
            raise ValueError
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ScheduleError(f"there is no time zone {name!r}; one is Europe/Berlin") from None


def _crontab(text: str) -> tuple[Cron, str]:
    """Return what five fields mean, and the six that mean the same to EventBridge."""
    try:
        minutes, hours, days, months, weekdays = crontab.parse(_without_names(text))
    except ValueError as error:
        raise ScheduleError(str(error)) from None
    if len(days) < 31 and len(weekdays) < 7:
        raise ScheduleError(
            "day and weekday cannot both be set, since it is not clear whether both or either"
            " must hold: set one to *, and make two schedules if you mean either"
        )
    numbered = {day + 1 for day in weekdays}  # Sunday is 0 in a crontab
    by_weekday = len(weekdays) < 7
    parts = (
        _field(minutes, 60),
        _field(hours, 24),
        "?" if by_weekday else _field(days, 31),
        _field(months, 12),
        eventbridge_cron.listed(numbered) if by_weekday else "?",
        "*",
    )
    calendar_days = (
        eventbridge_cron.on_weekdays(numbered)
        if by_weekday
        else eventbridge_cron.on_days(sorted(days))
    )
    years = frozenset(range(eventbridge_cron.FIRST_YEAR, eventbridge_cron.LAST_YEAR + 1))
    cron = Cron(tuple(sorted(minutes)), tuple(sorted(hours)), calendar_days, months, years)
    return cron, f"cron({' '.join(parts)})"


def _without_names(text: str) -> str:
    """Return a crontab in numbers as PocketBase wants them: no `MON-FRI`, and 0 for a Sunday."""
    fields = text.split()
    if len(fields) != 5:
        return " ".join(fields)
    *rest, month, weekday = fields
    month = _numbered(month, eventbridge_cron.MONTHS, 1)
    weekday = _numbered(weekday, eventbridge_cron.WEEKDAYS, 0)
    weekday = re.sub(r"(?<![^,])7(?![^,])", "0", weekday)
    weekday = re.sub(r"(?<![^,])([1-6])-7(?![^,])", r"\1-6,0", weekday)
    return " ".join((*rest, month, weekday))


def _numbered(field: str, names: list[str], first: int) -> str:
    def number(found: "re.Match[str]") -> str:
        name = found[0].upper()
        return str(first + names.index(name)) if name in names else found[0]

    return re.sub(r"[A-Za-z]+", number, field)


def _field(values: frozenset[int], full: int) -> str:
    return "*" if len(values) == full else eventbridge_cron.listed(values)


def _of_cron(cron: Cron, eventbridge: str, zone: tzinfo) -> Schedule:
    def next_after(moment: datetime) -> datetime | None:
        start = moment.astimezone(zone).replace(tzinfo=None)
        for local in _local_times(cron, start):
            utc = _utc(local, zone)
            if utc is not None and utc > moment:
                return utc
        return None

    return Schedule(eventbridge, False, next_after)


def _local_times(cron: Cron, after: datetime) -> Iterator[datetime]:
    """Yield the local times behind another at which it fires.

    None before `after` can be a later moment: of two equal local times only the first counts.
    """
    for year, month in _months(cron, after):
        for day in cron.days(year, month):
            if (year, month, day) < (after.year, after.month, after.day):
                continue
            for hour, minute in product(cron.hours, cron.minutes):
                local = datetime(year, month, day, hour, minute)  # noqa: DTZ001  (local)
                if local > after:
                    yield local


def _months(cron: Cron, after: datetime) -> Iterator[tuple[int, int]]:
    for year in range(after.year, eventbridge_cron.LAST_YEAR + 1):
        for month in range(1, 13) if year in cron.years else ():
            if month in cron.months and (year, month) >= (after.year, after.month):
                yield year, month


def _utc(local: datetime, zone: tzinfo) -> datetime | None:
    """Return the first moment with this local time; None where clocks leave it out."""
    utc = local.replace(tzinfo=zone).astimezone(UTC)
    return utc if utc.astimezone(zone).replace(tzinfo=None) == local else None


def _rate(inside: str, anchor: datetime | None) -> Schedule:
    found = re.fullmatch(r"\s*(\d{1,9})\s+(minute|hour|day)s?\s*", inside, re.ASCII)
    count = int(found[1]) if found else 0
    if found is None or count == 0:
        raise ScheduleError("a rate is a number above 0 and minutes, hours or days")
    unit = found[2]
    step = timedelta(seconds=min(count * _SECONDS[unit], _MAX_RATE_SECONDS + 1))
    if step.total_seconds() > _MAX_RATE_SECONDS:
        raise ScheduleError("a rate is at most 366 days")

    def next_after(moment: datetime) -> datetime:
        start = (anchor or moment).astimezone(UTC)
        passed = max(0, (moment - start) // step)
        return start + (passed + 1) * step

    return Schedule(f"rate({count} {unit}{'s' if count > 1 else ''})", False, next_after)


def _once(text: str, zone: tzinfo) -> Schedule:
    if not _AT.fullmatch(text):
        raise ScheduleError("at(...) takes a local time as 2026-12-01T10:00:00")
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise ScheduleError(f"there is no {text}") from None
    if not eventbridge_cron.FIRST_YEAR <= local.year <= eventbridge_cron.LAST_YEAR:
        raise ScheduleError(f"{local.year} is no year of a schedule")
    moment = _utc(local, zone)
    if moment is None:
        raise ScheduleError(f"clocks leave out {text} in that time zone")
    return Schedule(f"at({text})", True, lambda after: moment if moment > after else None)
