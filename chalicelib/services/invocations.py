"""Calls of functions as they are kept: listed, viewed, waited for, shown. Superusers only."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.aws.retries import deadline
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions import listing
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import CAPPED, FINISHED, THROTTLED, Invocation
from chalicelib.domain.functions.invocation_export import export
from chalicelib.domain.request import Call
from chalicelib.errors import (
    ApiError,
    BadRequestError,
    NotFoundError,
    TooManyRequestsError,
)
from chalicelib.services.invoking_attempt import now_ms
from chalicelib.services.session import open as open_session
from chalicelib.store.invocations import MovedError

DEFAULT_PER_PAGE, MOST_PER_PAGE = 30, 100
READ_CALLS = 1000
"""How many calls one list reads at most to find those of a status."""
_READ_AT_ONCE = 100

START_SECONDS = 2.0
"""How much longer than its timeout a call may take and still be waited for in this request."""
ANSWER_SECONDS = 1.0
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.05, 0.5

MOST_SHOWN_BYTES = 4_500_000
"""Of event and result in the answer to a call where the platform limits answers (to 6 MB)."""


class Answer(NamedTuple):
    """What a route answers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)


def page(call: Call, name: str) -> dict[str, Any]:
    """Return a page of a function's calls, newest first: `{"items", "nextCursor"}`.

    With `?status=` a page may have fewer items than asked for, and still a next one. Large
    events and results are left out. Raises 400, 401, 403, 404.
    """
    open_session(call).require_superuser()
    function: Function = services.functions.require(name)
    per_page = listing.count(call.query, "perPage", DEFAULT_PER_PAGE, MOST_PER_PAGE)
    wanted = _status(call)
    found: list[Invocation] = []
    last = listing.before(call.query)
    at_once = per_page + 1 if not wanted else _READ_AT_ONCE
    for reached, invocation in _read(function, last, at_once):
        if invocation is not None and (not wanted or invocation.status == wanted):
            if len(found) == per_page:
                break
            found.append(invocation)
        last = reached
    return {"items": [export(each, _elsewhere(each)) for each in found], "nextCursor": last}


def view(call: Call, name: str, invocation_id: str) -> dict[str, Any]:
    """Return one call with all its values. Raises 401, 403, 404."""
    open_session(call).require_superuser()
    function: Function = services.functions.require(name)
    return export(require(function, invocation_id))


def require(function: Function, invocation_id: str) -> Invocation:
    """Return a function's call as it is to be shown. Raises `NotFoundError`."""
    is_id = invocations.is_id(invocation_id)
    found = store.invocations.load(function.id, invocation_id) if is_id else None
    if found is None:
        raise NotFoundError
    return shown(function, found)


def shown(function: Function, found: Invocation) -> Invocation:
    """Return a call as it is to be shown. One whose runner is gone is written down as failed."""
    seen: Invocation = services.invoking_outcome.seen(found, now_ms())
    if seen.status != found.status and seen.status in FINISHED:
        with suppress(MovedError, ApiError):
            store.invocations.change(seen, function.retention_days)
    return seen


def is_long(function: Function) -> bool:
    """Return whether a call may take longer than this request can wait for it."""
    return function.timeout_seconds + START_SECONDS > _seconds_left()


def awaited(function: Function, invocation: Invocation) -> Invocation:
    """Return a call when it has finished, or as it is when this request has to be answered."""
    pause = _FIRST_POLL_SECONDS
    while invocation.status not in FINISHED and _seconds_left() > pause:
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        found = store.invocations.glance(function.id, invocation.id)
        if found is None:
            return invocation
        invocation = shown(function, found)
    return store.invocations.whole(invocation)


def answer_of(function: Function, invocation: Invocation, replayed: bool = False) -> Answer:
    """Return the answer that shows a call: 200, 202 while it is not over, 429 if held back."""
    headers = {"x-dormouse-invocation": invocation.id}
    if replayed:
        headers["idempotent-replayed"] = "true"
    if invocation.status in (CAPPED, THROTTLED):
        return _held_back(function, invocation, headers)
    body = export(invocation, _too_large(invocation))
    if invocation.status in FINISHED:
        return Answer(200, body, headers)
    where = f"/api/functions/{invocation.function}/invocations/{invocation.id}"
    return Answer(202, body, {**headers, "location": where})


def _held_back(function: Function, invocation: Invocation, headers: dict[str, str]) -> Answer:
    """Return the answer for a call that was not made: why, and when to come again."""
    told = invocation.error or {"type": "", "message": ""}
    data = {"code": invocation.status, "reason": told["type"], "invocation": invocation.id}
    error = TooManyRequestsError(told["message"], data)
    seconds = 1
    if invocation.status == CAPPED:
        seconds = services.invoking_money.seconds_to_next_period(function, now_ms())
    return Answer(error.status, error.body(), {**headers, "retry-after": str(seconds)})


def _read(function: Function, before: str, at_once: int) -> Iterator[tuple[str, Invocation | None]]:
    """Yield calls, newest first, but not without end, each with how far the reading is then.

    Behind each chunk that is read comes None, since none of it may be left; "" is the end.
    """
    left = READ_CALLS
    while left > 0:
        read = store.invocations.page(function.id, min(at_once, left), before)
        yield from ((each.id, shown(function, each)) for each in read.invocations)
        yield read.before, None
        if not read.before:
            return
        left -= at_once
        before = read.before


def _status(call: Call) -> str:
    status = call.query.get("status", "")
    if status and status not in invocations.STATUSES:
        raise BadRequestError(f"status has to be one of {', '.join(invocations.STATUSES)}.")
    return status


def _elsewhere(invocation: Invocation) -> tuple[str, ...]:
    return tuple(what for what in invocation.spilled if what in ("event", "result"))


def _too_large(invocation: Invocation) -> tuple[str, ...]:
    """Return which values to leave out, so that a call that was made can be answered."""
    if not settings().payload_limit_bytes:
        return ()
    left_out: tuple[str, ...] = ()
    sizes = {
        what: len(store.invocations.dumps(getattr(invocation, what)))
        for what in _elsewhere(invocation)
    }
    for what in ("event", "result"):
        if sum(sizes.values()) > MOST_SHOWN_BYTES and what in sizes:
            left_out, _ = (*left_out, what), sizes.pop(what)
    return left_out


def _seconds_left() -> float:
    until = deadline.get()
    left = settings().request_seconds if until is None else until - time.monotonic()
    return left - ANSWER_SECONDS
