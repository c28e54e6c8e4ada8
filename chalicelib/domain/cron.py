"""Cron expressions: the five-field kind that PocketBase accepts, and what it says of others.

    minute 0-59   hour 0-23   day 1-31   month 1-12   weekday 0-6 (0 is Sunday)

A field is `*`, `*/n`, `a`, `a-b`, `a-b/n`, or several with commas between. There are macros
(`@daily`, ...), but no names of months or days and no seconds (measured on 0.40.6).
"""

import json

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def parse(expression: str) -> tuple[frozenset[int], ...]:
    """Return the minutes, hours, days, months and weekdays at which it fires.

    Raises `ValueError` with PocketBase's message.
    """
    fields = MACROS.get(expression, expression).split(" ")
    if len(fields) != len(_BOUNDS):
        raise ValueError(
            "invalid cron expression - must be a valid macro or to have exactly 5 space"
            " separated segments"
        )
    return tuple(_field(text, *bounds) for text, bounds in zip(fields, _BOUNDS, strict=True))


def _field(text: str, lowest: int, highest: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        step = _step(part, step_text, lowest, highest)
        first, last = _span(span, step, lowest, highest)
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _step(part: str, text: str, lowest: int, highest: int) -> int:
    if "/" not in part:
        return 1
    if "/" in text:
        raise ValueError("invalid segment step format - must be in the format */n or 1-30/n")
    step = _integer(text)
    if not 1 <= step <= highest:
        raise ValueError(
            f"invalid segment step boundary - the step must be between 1 and the {highest}"
        )
    return step


def _span(text: str, step: int, lowest: int, highest: int) -> tuple[int, int]:
    if text == "*":
        return lowest, highest
    ends = text.split("-")
    if len(ends) > 2:
        raise ValueError("invalid segment range format - the range must have 1 or 2 parts")
    if len(ends) == 1 and step > 1:
        raise ValueError(
            "invalid segment step - step > 1 could be used only with the wildcard or range format"
        )
    first = _integer(ends[0])
    if not lowest <= first <= highest:
        raise ValueError(_OUTSIDE[len(ends)].format(lowest, highest))
    last = _integer(ends[-1])
    if not first <= last <= highest:
        raise ValueError(f"invalid segment range maximum - must be between {first} and {highest}")
    return first, last


_OUTSIDE = {
    1: "invalid segment value - must be between the min and max of the segment",
    2: "invalid segment range minimum - must be between {} and {}",
}


def _integer(text: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"strconv.Atoi: parsing {_quoted(text)}: invalid syntax")
    if len(digits.lstrip("0")) > _MAX_DIGITS:
        raise ValueError(f"strconv.Atoi: parsing {_quoted(text)}: value out of range")
    return -int(digits) if text[0] == "-" else int(digits)


_MAX_DIGITS = 18  # what surely fits in 64 bits; every bound has two


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
