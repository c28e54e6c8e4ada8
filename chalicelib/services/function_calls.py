"""Calling functions by hand, for superusers.

    ?mode=sync      calls, waits and answers with the finished call (the default)
    ?mode=async     answers 202 at once; the call is made in the background
    ?mode=dry-run   runs nothing: says whether it would run, and what it can cost at most

A function that may take longer than this request can wait is called in the background, once,
and waited for; if it is not over in time the answer is 202 with the call so far.

An `Idempotency-Key` stands for one call of one caller and function for 24 hours. It is bound in
the transaction that begins the call, so of many at once one runs, and the others wait for it.
"""

from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import INVOKE
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, field_error
from chalicelib.services.invocations import Answer, answer_of, awaited, is_long, shown
from chalicelib.services.invoking_attempt import IdempotencyKey, KeyTakenError, now_ms
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session
from chalicelib.store.invocations import Key

SYNC, ASYNC, DRY_RUN = "sync", "async", "dry-run"

MOST_KEY_CHARACTERS = 255


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
    function: Function = services.functions.require(name)
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
    queued = services.background_calls.queue(function, asked.event, once=waits, **options)
    return answer_of(function, awaited(function, queued) if waits else queued)


def _first(function: Function, asked: _Asked, taken: Key) -> Answer:
    """Return the answer of the first call under a key."""
    if asked.key is None or taken.request != asked.key.request:
        raise BadRequestError(
            "This Idempotency-Key stands for a call with another event or version."
        )
    found = store.invocations.glance(function.id, taken.invocation_id)
    if found is None:
        raise BadRequestError("The call of this Idempotency-Key has expired.")
    services.background_calls.send(function, found)
    found = shown(function, found)
    found = awaited(function, found) if asked.mode == SYNC else store.invocations.whole(found)
    return answer_of(function, found, replayed=True)


def _dry_run(function: Function, asked: _Asked) -> Answer:
    limit = services.invoking.MOST_EVENT_BYTES
    background = asked.mode == ASYNC or is_long(function)
    if background:
        limit = services.background_calls.MOST_BACKGROUND_BYTES
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
