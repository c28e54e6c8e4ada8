"""The calendar behind `strftime`: moments by Julian day, and how each `%x` prints one.

The calendar is the Gregorian one for all times, with a year 0.
"""

from collections.abc import Callable
from math import floor, fmod

DAY_MS = 86_400_000
UNIX_EPOCH_MS = 210_866_760_000_000
_UNIX_EPOCH_DAY = 719_468
"""Days from 1 March of year 0 to 1970-01-01."""
_LAST_MS = 464_269_060_799_999
"""The end of the year 9999."""
_LAST_JULIAN_DAY = 5_373_484.5
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def midnight_ms(year: int, month: int, day: int) -> int:
    """Return when a day starts; a day past the month's end is one of the next month."""
    if month <= 2:
        year -= 1
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5
    days = era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return UNIX_EPOCH_MS + (days + day - 1 - _UNIX_EPOCH_DAY) * DAY_MS


def civil(moment_ms: int) -> tuple[int, int, int]:
    """Return year, month and day of a moment."""
    days = (moment_ms - UNIX_EPOCH_MS) // DAY_MS + _UNIX_EPOCH_DAY
    era, day_of_era = divmod(days, 146_097)
    leaps = day_of_era // 1460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leaps) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return era * 400 + year_of_era + (month <= 2), month, day


def days_over(year: int, month: int, day: int) -> int:
    """Return by how many days a day is past its month's end."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return max(0, day - _MONTH_DAYS[month - 1] - (is_leap and month == 2))


class Moment:
    """A moment that modifiers change in place."""

    __slots__ = ("days_over", "has_fraction", "ms", "number")

    def __init__(self, ms: int) -> None:
        self.ms = ms
        self.number: float | None = None
        """What was given, if it was a number: `unixepoch` reads it anew."""
        self.days_over = 0
        """By how many days the last step ran over a month's end; `floor` takes them back."""
        self.has_fraction = False

    @classmethod
    def of_number(cls, number: float) -> "Moment":
        """Return the moment of a Julian day; outside the calendar it waits for a modifier."""
        is_day = 0 <= number < _LAST_JULIAN_DAY
        moment = cls(int(number * DAY_MS + 0.5) if is_day else -1)
        moment.number = number
        return moment

    def is_settled(self) -> bool:
        return 0 <= self.ms <= _LAST_MS

    def read_number_as(self, unit: str) -> bool:
        """Read the given number as Julian days or Unix seconds; return whether that fits."""
        if self.number is None:
            return unit == "auto"
        if unit == "julianday":
            return self.is_settled()
        if unit == "auto" and self.is_settled():
            return True
        ms = self.number * 1000 + UNIX_EPOCH_MS
        if not 0 <= ms <= _LAST_MS:
            return False
        self.ms = floor(ms + 0.5)
        return True

    def add_ms(self, milliseconds: int) -> None:
        self.ms += milliseconds

    def add_months(self, months: int) -> None:
        year, month, day = civil(self.ms)
        years, month = divmod(month - 1 + months, 12)
        year, month = year + years, month + 1
        self.ms = midnight_ms(year, month, day) + self.day_ms()
        self.days_over = days_over(year, month, day)

    def day_ms(self) -> int:
        """Return the time since midnight."""
        return (self.ms - UNIX_EPOCH_MS) % DAY_MS

    def to_day_start(self) -> None:
        self.ms -= self.day_ms()

    def to_month_start(self) -> None:
        year, month, _ = civil(self.ms)
        self.ms = midnight_ms(year, month, 1)

    def to_year_start(self) -> None:
        self.ms = midnight_ms(civil(self.ms)[0], 1, 1)

    def to_month_end(self) -> None:
        """`floor`: stay in the month that the last step aimed at."""
        self.ms -= self.days_over * DAY_MS
        self.days_over = 0

    def weekday(self) -> int:
        """Return 0 for Sunday to 6 for Saturday."""
        return (self.ms + DAY_MS * 3 // 2) // DAY_MS % 7

    def advance_to_weekday(self, weekday: int) -> None:
        self.ms += (weekday - self.weekday()) % 7 * DAY_MS


class Fields:
    """What the formats print of a moment."""

    def __init__(self, moment: Moment) -> None:
        self.ms = moment.ms
        self.has_fraction = moment.has_fraction
        self.year, self.month, self.day = civil(moment.ms)
        self.seconds, self.millisecond = divmod(moment.day_ms(), 1000)
        self.minutes, self.second = divmod(self.seconds, 60)
        self.hour, self.minute = divmod(self.minutes, 60)
        self.hour12 = self.hour % 12 or 12
        self.weekday = moment.weekday()
        self.year_day = (moment.ms - midnight_ms(self.year, 1, 1)) // DAY_MS
        monday = (self.weekday + 6) % 7
        thursday_ms = moment.ms + (3 - monday) * DAY_MS
        self.iso_year = civil(thursday_ms)[0]
        self.iso_week = (thursday_ms - midnight_ms(self.iso_year, 1, 1)) // DAY_MS // 7 + 1
        self.monday_week = (self.year_day + 7 - monday) // 7
        self.sunday_week = (self.year_day + 7 - self.weekday) // 7


def _julian(fields: Fields) -> str:
    return f"{fields.ms / DAY_MS:.16g}"


def _unix(fields: Fields) -> str:
    since_ms = fields.ms - UNIX_EPOCH_MS
    return f"{since_ms / 1000:.3f}" if fields.has_fraction else str(since_ms // 1000)


FORMATS: dict[str, Callable[[Fields], str]] = {
    "d": lambda f: f"{f.day:02}",
    "e": lambda f: f"{f.day:2}",
    "f": lambda f: f"{f.second:02}.{f.millisecond:03}",
    "F": lambda f: f"{f.year:04}-{f.month:02}-{f.day:02}",
    "g": lambda f: f"{int(fmod(f.iso_year, 100)):02}",
    "G": lambda f: f"{f.iso_year:04}",
    "H": lambda f: f"{f.hour:02}",
    "I": lambda f: f"{f.hour12:02}",
    "j": lambda f: f"{f.year_day + 1:03}",
    "J": _julian,
    "k": lambda f: f"{f.hour:2}",
    "l": lambda f: f"{f.hour12:2}",
    "m": lambda f: f"{f.month:02}",
    "M": lambda f: f"{f.minute:02}",
    "p": lambda f: "AM" if f.hour < 12 else "PM",
    "P": lambda f: "am" if f.hour < 12 else "pm",
    "R": lambda f: f"{f.hour:02}:{f.minute:02}",
    "s": _unix,
    "S": lambda f: f"{f.second:02}",
    "T": lambda f: f"{f.hour:02}:{f.minute:02}:{f.second:02}",
    "u": lambda f: str(f.weekday or 7),
    "U": lambda f: f"{f.sunday_week:02}",
    "V": lambda f: f"{f.iso_week:02}",
    "w": lambda f: str(f.weekday),
    "W": lambda f: f"{f.monday_week:02}",
    "Y": lambda f: f"{f.year:04}",
    "%": lambda f: "%",
}
