"""The log of a function, to be read page by page or followed."""

import re
import time
from typing import Any

from chalicelib import aws, services
from chalicelib.aws.control import ControlError
from chalicelib.config import settings
from chalicelib.domain import dates
from chalicelib.domain.functions import listing, log_cursor, names, redaction
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.log_cursor import Cursor, Line, Reader, WrongCursorError
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, UnavailableError
from chalicelib.services.session import open as open_session

DEFAULT_LINES, MOST_LINES = 500, 2000
MOST_CHARACTERS = 2_000_000
"""Of one page, whatever the limit: an answer ends at 6 MB."""
HOUR_MS = 3600 * 1000

_REQUEST_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_START, _END = "START RequestId: ", "END RequestId: "


def page(call: Call, name: str) -> dict[str, Any]:
    """Return lines, oldest first, and where to go on: `{"items", "after"}`.

    `?after=` is the one of the page before, or a date; without it a page begins an hour ago, or
    where the function's last lines are. Raises `BadRequestError`, 401, 403, 404, 503.
    """
    open_session(call).require_superuser()
    function: Function = services.functions.require(name)
    limit = listing.count(call.query, "limit", DEFAULT_LINES, MOST_LINES)
    try:
        if call.query.get("after"):
            items, after = _page(function, _cursor(call.query["after"]), limit)
        else:
            items, after = _last(function, limit)
    except ControlError as error:
        raise UnavailableError("The log could not be read. Please try again.") from error
    return {"items": _with_calls(items, function), "after": log_cursor.text_of(after)}


def _last(function: Function, limit: int) -> tuple[list[Line], Cursor]:
    """Return the lines of the last hour, or day, or of all that is kept."""
    now_ms = int(time.time() * 1000)
    for hours in (1, 24, 24 * function.retention_days):
        cursor = Cursor(now_ms - hours * HOUR_MS, {})
        items, after = _page(function, cursor, limit)
        if items:
            return items, after
    return [], Cursor(now_ms - log_cursor.LATE_MS, {})


def _page(function: Function, cursor: Cursor, limit: int) -> tuple[list[Line], Cursor]:
    group = names.log_group(settings().resource_prefix, function.name)
    reader = Reader(cursor)
    found: list[Line] = []
    characters = 0
    for line in aws.logs.lines(group, cursor.since_ms):
        if reader.is_new(line):
            found.append(line)
            characters += len(line.message)
        if len(found) >= limit or characters > MOST_CHARACTERS:
            break
    return found, reader.cursor()


def _with_calls(lines: list[Line], function: Function) -> list[dict[str, str]]:
    """Return lines as the API shows them, with Lambda's id of their call as far as it is told."""
    running: dict[str, str] = {}
    shown = []
    for line in lines:
        told = _REQUEST_ID.search(line.message)
        if told and line.message.startswith(_START):
            running[line.stream] = told[0]
        request_id = running.get(line.stream) or (told[0] if told else "")
        if line.message.startswith(_END):
            running.pop(line.stream, None)
        shown.append(
            {
                "time": dates.text_of_ms(line.time_ms),
                "message": redaction.redact_text(line.message, function.redact)[0],
                "stream": line.stream,
                "requestId": request_id,
            }
        )
    return shown


def _cursor(after: str) -> Cursor:
    since = dates.to_datetime(dates.parse(after))
    if since is not None:
        return Cursor(int(since.timestamp() * 1000), {})
    try:
        return log_cursor.read(after)
    except WrongCursorError:
        raise BadRequestError("after has to be a date or what a page has returned.") from None
