"""The rarer forms of dates that PocketBase reads: of mail, of `date`, times without a date.

Measured on PocketBase 0.40.6, as everything in `domain.dates`.
"""

import re

from chalicelib.domain import dates

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".lower().split()
_SHORT_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_LONG_DAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_MONTH = r"(?P<name>" + "|".join(_MONTHS) + ")"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?"
_OFFSET = r"(?P<offset>[+-]\d{4})"
_ZONE = rf"(?-i:(?P<zone>{dates.ZONE_NAME}))"

_FORMS = [
    re.compile(form + r"\Z", re.ASCII | re.IGNORECASE)
    for form in (
        rf"{_SHORT_DAY}, (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_TIME} (?:{_OFFSET}|{_ZONE})",
        rf"(?P<day>\d\d) {_MONTH} (?P<short>\d\d) (?P<hour>\d{{1,2}}):(?P<minute>\d\d)"
        rf" (?:{_OFFSET}|{_ZONE})",
        rf"{_LONG_DAY}, (?P<day>\d\d)-{_MONTH}-(?P<short>\d\d) {_TIME} {_ZONE}",
        rf"{_SHORT_DAY} {_MONTH} +(?P<day>\d{{1,2}}) {_TIME} (?P<year>\d{{4}})",
        rf"{_SHORT_DAY} {_MONTH} +(?P<day>\d{{1,2}}) {_TIME} {_ZONE} (?P<year>\d{{4}})",
        rf"{_SHORT_DAY} {_MONTH} (?P<day>\d\d) {_TIME} {_OFFSET} (?P<year>\d{{4}})",
        rf"(?P<day>\d\d) {_MONTH} (?P<year>\d{{4}})",
        r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?-i:(?P<half>AM|PM))",
        rf"{_MONTH} +(?P<day>\d{{1,2}}) {_TIME}",
    )
]


def parse(value: str) -> str:
    """Return the kept form of a date; "" for what no form fits."""
    for form in _FORMS:
        found = form.match(value)
        if found is not None:
            return _text(found.groupdict())
    return ""


def _text(parts: dict[str, str | None]) -> str:
    month = _MONTHS.index((parts.get("name") or "jan").lower()) + 1
    return dates.text_of(
        _year(parts),
        month,
        int(parts.get("day") or 1),
        _hour(parts),
        int(parts.get("minute") or 0),
        int(parts.get("second") or 0),
        fraction=parts.get("fraction") or "",
        offset_minutes=_offset(parts),
    )


def _year(parts: dict[str, str | None]) -> int:
    """Two digits are 1969 to 2068; a form without a year is in year 0."""
    short = parts.get("short")
    if short:
        return int(short) + (1900 if int(short) >= 69 else 2000)
    return int(parts.get("year") or 0)


def _hour(parts: dict[str, str | None]) -> int:
    hour = int(parts.get("hour") or 0)
    half = parts.get("half")
    if half is None:
        return hour
    return 99 if hour > 12 else hour % 12 + (12 if half == "PM" else 0)


def _offset(parts: dict[str, str | None]) -> int | None:
    """Return minutes east. A zone's name counts as UTC, but GMT+3 adds three hours (sic)."""
    offset = parts.get("offset")
    if offset:
        return dates.offset_minutes(offset)
    zone = parts.get("zone") or ""
    hours = int(zone[3:]) if zone.startswith("GMT") and zone[3:] else 0
    return -hours * 60 if abs(hours) <= 23 else None
