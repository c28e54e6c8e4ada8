"""Calls of functions by hand, and the list of all calls: superusers only.

    ?mode=sync      calls, waits and answers with the finished call (the default)
    ?mode=async     answers 202 at once; the call is made in the background
    ?mode=dry-run   runs nothing: says whether it would run, and what it can cost at most

A function that may take longer than this request can wait is called in the background, once,
and waited for; if it is not over in time the answer is 202 with the call so far.

An `Idempotency-Key` stands for one call of one caller and function for 24 hours. It is bound in
the transaction that begins the call, so of many at once one runs, and the others wait for it.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.aws.retries import deadline
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import CAPPED, FINISHED, INVOKE, THROTTLED, Invocation
from chalicelib.domain.functions.invocation_export import export
from chalicelib.domain.request import Call
from chalicelib.errors import (
    ApiError,
    BadRequestError,
    NotFoundError,
    TooManyRequestsError,
    field_error,
)
from chalicelib.services.invoking_attempt import IdempotencyKey, KeyTakenError, now_ms
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session
from chalicelib.store.invocations import Key, MovedError

SYNC, ASYNC, DRY_RUN = "sync", "async", "dry-run"

MOST_KEY_CHARACTERS = 255
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


class _Asked(NamedTuple):
    """What a request to invoke asks for."""

    event: Any
    version: int | None
    mode: str
    key: IdempotencyKey | None


def invoke(call: Call, name: str) -> Answer:
    """Call a function as the request asks. Raises 400, 401, 403, 404, 413."""
    session = open_session(call)
    session.require_superuser()
    function: Function = services.functions.require(session, name)
    asked = _asked(session, function)
    at_version = services.invoking.at_version(function, asked.version)
    if asked.mode == DRY_RUN:
        return _dry_run(at_version, asked)
    taken = store.invocations.key(function.id, asked.key.digest) if asked.key else None
    if taken is None:
        try:
            return _made(session, function, at_version, asked)
        except KeyTakenError as error:
            taken = error.taken
    return _first(function, asked, taken)


def page(call: Call, name: str) -> dict[str, Any]:
    """Return a page of a function's calls, newest first: `{"items", "nextCursor"}`.

    With `?status=` a page may have fewer items than asked for, and still a next one. Large
    events and results are left out. Raises 400, 401, 403, 404.
    """
    session = open_session(call)
    session.require_superuser()
    function: Function = services.functions.require(session, name)
    per_page, wanted = _per_page(call), _status(call)
    found: list[Invocation] = []
    last = _before(call)
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
    session = open_session(call)
    session.require_superuser()
    function: Function = services.functions.require(session, name)
    return export(require(function, invocation_id))


def require(function: Function, invocation_id: str) -> Invocation:
    """Return a function's call as it is to be shown. Raises `NotFoundError`."""
    try:
        invocations.born_ms(invocation_id)
    except ValueError:
        raise NotFoundError from None
    found = store.invocations.load(function.id, invocation_id)
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
        found = store.invocations.load(function.id, invocation.id)
        if found is None:
            break
        invocation = shown(function, found)
    return invocation


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


def _asked(session: Session, function: Function) -> _Asked:
    body, query = session.call.body.data, session.call.query
    mode = query.get("mode", "") or SYNC
    if mode not in (SYNC, ASYNC, DRY_RUN):
        raise BadRequestError(f"mode has to be {SYNC}, {ASYNC} or {DRY_RUN}.")
    unknown = sorted(set(body) - {"event", "version"})
    if unknown:
        error = field_error("validation_unknown", "Only event and version are known here")
        raise BadRequestError("Failed to call the function.", {unknown[0]: error})
    event, version = body.get("event", {}), version_of(body)
    key = session.call.headers.get("idempotency-key", "")
    return _Asked(event, version, mode, _key(session, function, key, event, version))


def version_of(body: dict[str, Any]) -> int | None:
    """Return the version that a body asks for, None if it leaves that open."""
    version = body.get("version")
    if version is None:
        return None
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        error = field_error("validation_invalid_value", "The number of one of the versions")
        raise BadRequestError("Failed to call the function.", {"version": error})
    return version


def _key(
    session: Session, function: Function, key: str, event: Any, version: int | None
) -> IdempotencyKey | None:
    if not key:
        return None
    if len(key) > MOST_KEY_CHARACTERS:
        raise BadRequestError(f"Idempotency-Key may have {MOST_KEY_CHARACTERS} characters.")
    digest = store.invocations.digest
    content = store.invocations.canonical(event)
    return IdempotencyKey(
        digest(caller(session), function.id, key), digest(content, str(version or ""))
    )


def caller(session: Session) -> str:
    """Return who calls, as a call's source names it."""
    collection, auth = session.auth_collection, session.auth
    return f"{collection.name}/{auth['id']}" if collection and auth else ""


def _made(session: Session, function: Function, at_version: Function, asked: _Asked) -> Answer:
    """Make the call. Raises `KeyTakenError`."""
    options: dict[str, Any] = {
        "trigger": INVOKE,
        "source": {"caller": caller(session)},
        "version": asked.version,
        "depth": session.depth + 1,
        "key": asked.key,
    }
    if asked.mode == SYNC and not is_long(at_version):
        return answer_of(function, services.invoking.run(function, asked.event, **options))
    waits = asked.mode == SYNC
    queued = services.invoking.queue(function, asked.event, once=waits, **options)
    return answer_of(function, awaited(function, queued) if waits else queued)


def _first(function: Function, asked: _Asked, taken: Key) -> Answer:
    """Return the answer of the first call under a key."""
    if asked.key is None or taken.request != asked.key.request:
        raise BadRequestError(
            "This Idempotency-Key stands for a call with another event or version."
        )
    found = store.invocations.load(function.id, taken.invocation_id)
    if found is None:
        raise BadRequestError("The call of this Idempotency-Key has expired.")
    services.invoking.send(function, found)
    found = shown(function, found)
    if asked.mode == SYNC:
        found = awaited(function, found)
    return answer_of(function, found, replayed=True)


def _dry_run(function: Function, asked: _Asked) -> Answer:
    limit = services.invoking.MOST_EVENT_BYTES
    background = asked.mode == ASYNC or is_long(function)
    if background:
        limit = services.invoking.MOST_BACKGROUND_BYTES
    size_bytes = len(services.invoking.payload_of(asked.event, limit))
    money = services.invoking_money.forecast(function, now_ms())
    return Answer(
        200,
        {
            "dryRun": True,
            "function": function.name,
            "version": function.live_version,
            "background": background,
            "eventBytes": size_bytes,
            **money,
        },
    )


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


def _before(call: Call) -> str:
    cursor = call.query.get("cursor", "")
    try:
        if cursor:
            invocations.born_ms(cursor)
    except ValueError:
        raise BadRequestError("The cursor is not one that a list has returned.") from None
    return cursor


def _status(call: Call) -> str:
    status = call.query.get("status", "")
    if status and status not in invocations.STATUSES:
        raise BadRequestError(f"status has to be one of {', '.join(invocations.STATUSES)}.")
    return status


def _per_page(call: Call) -> int:
    text = call.query.get("perPage", "") or str(DEFAULT_PER_PAGE)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST_PER_PAGE):
        raise BadRequestError(f"perPage has to be 1 to {MOST_PER_PAGE}.")
    return int(text)


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
