"""Usage: what functions did and cost between two days, for superusers.

The days are UTC's, and the money is at the prices of each call's own receipt.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from chalicelib import store
from chalicelib.config import settings
from chalicelib.domain import prices
from chalicelib.domain.functions import names, receipt, usage
from chalicelib.domain.functions.usage import Row
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, field_error
from chalicelib.services import session

MAX_DAYS = 366
GROUPS = ("day", "function", "line")
_LAST_YEAR = 9998
"""So that every month has a next one."""

_SWITCH = {"": False, "0": False, "false": False, "1": True, "true": True}


class Question(NamedTuple):
    first: date
    last: date
    groups: tuple[str, ...]
    """Of day, function and line; none for the total alone."""
    function: str
    """Only this one's; "" for all."""
    free_tier: bool


def view(call: Call) -> dict[str, Any]:
    """Return the usage that is asked for. Raises `BadRequestError`, 401, 403."""
    session.open(call).require_superuser()
    question = _question(call.query, datetime.now(UTC).date())
    sheet = prices.sheet(settings().region, question.last)
    return {
        "from": question.first.isoformat(),
        "to": question.last.isoformat(),
        "group": ",".join(question.groups),
        "function": question.function,
        "freeTier": question.free_tier,
        **usage.answer(_rows(question), question.groups),
        "sheet": receipt.sheet_json(sheet),
    }


def _rows(question: Question) -> list[Row]:
    first = question.first
    if question.free_tier:  # what the days before used of the month's free amounts is gone
        first = first.replace(day=1)
    rows = list(store.usage.rows(first, question.last))
    if question.free_tier:
        sheet = prices.sheet(settings().region, question.last)
        rows = usage.after_free_tier(rows, sheet.free_requests, sheet.free_gb_seconds)
    start = question.first.isoformat()
    return [row for row in rows if row.day >= start and question.function in ("", row.function)]


def _question(query: dict[str, str], today: date) -> Question:
    """Return what the parameters ask for. Raises `BadRequestError` with the error of each."""
    errors: dict[str, Any] = {}
    last = _date(query, "to", today, errors)
    first = _date(query, "from", last.replace(day=1), errors)
    if not errors and first > last:
        errors["from"] = _error("Must not be after the last day (to).")
    elif not errors and last - first >= timedelta(days=MAX_DAYS):
        errors["from"] = _error(f"Must be at most {MAX_DAYS} days before the last one (to).")
    groups = tuple(filter(None, query.get("group", "").split(",")))
    if not set(groups) <= set(GROUPS):
        errors["group"] = _error(f"Must be of {', '.join(GROUPS)}: several with commas, or none.")
    function = query.get("function", "")
    if function and not names.FUNCTION_NAME.fullmatch(function):
        errors["function"] = _error("Must be the name of a function.")
    free_tier = _SWITCH.get(query.get("freeTier", "").lower())
    if free_tier is None:
        errors["freeTier"] = _error("Must be 1 or 0.")
    if errors:
        raise BadRequestError("The usage cannot be told for these parameters.", errors)
    return Question(first, last, groups, function, bool(free_tier))


def _date(query: dict[str, str], name: str, default: date, errors: dict[str, Any]) -> date:
    text = query.get(name, "")
    if not text:
        return default
    try:
        return _day(text)
    except ValueError:
        errors[name] = _error("Must be a day such as 2026-11-23.")
        return default


def _day(text: str) -> date:
    """Return a day. Raises `ValueError` for one of ISO's other forms, and for one far away."""
    day = date.fromisoformat(text)
    if day.isoformat() != text or day.year > _LAST_YEAR:
        raise ValueError(text)
    return day


def _error(message: str) -> dict[str, Any]:
    return field_error("validation_invalid_value", message)
