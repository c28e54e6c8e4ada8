"""The gate: every wake of a function passes here, whatever woke it.

A call is written down as running, its worst case is reserved under the function's money cap,
Lambda is called, and outcome, receipt, usage and what it really cost are written in one
transaction. Wherever the process dies, money was reserved before it was spent, and the call is
known: it is shown as failed (`Dormouse.Lost`) once its lease has passed.

`run` calls now and waits: /fn, `POST invoke`, replay; such a call is never made twice. Calls that
nobody waits for are made by `background_calls`.
"""

import os
from typing import Any

from chalicelib import store
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import FAILED, QUEUED, RUNNING, Invocation
from chalicelib.errors import BadRequestError, TooLargeError
from chalicelib.services import invoking_outcome
from chalicelib.services.invoking_attempt import (
    IdempotencyKey,
    Wanted,
    attempt,
    now_ms,
)

MOST_EVENT_BYTES = 6_291_456
"""Lambda takes no larger one. Source: Lambda's quotas."""


def run(
    function: Function,
    event: Any,
    *,
    trigger: str,
    source: dict[str, Any] | None = None,
    version: int | None = None,
    depth: int = 1,
    invocation_id: str | None = None,
    replay_of: str = "",
    key: IdempotencyKey | None = None,
    gateway: str = "",
) -> Invocation:
    """Call a function, wait, and return the finished invocation, whatever became of it.

    Its result is as the function returned it; its event, and all that is kept, is redacted.
    `gateway` (rest, http, url) is what the caller came by, for the receipt. Raises
    `BadRequestError` without code or version, `TooLargeError`, `KeyTakenError`, and
    `UnavailableError` if nothing was run.
    """
    function = at_version(function, version)
    payload = payload_of(event)
    made = new(function, event, trigger, source, depth, invocation_id)
    made = made._replace(version=function.live_version, replay_of=replay_of)
    if depth > settings().chain_limit:
        return store.invocations.put_new(loop_stopped(made), function.retention_days)
    return attempt(Wanted(function, payload, key, gateway), made, store.invocations.put_new)


def at_version(function: Function, version: int | None) -> Function:
    """Return the function as it is in one of its versions; None is the live one.

    Raises `BadRequestError` if it has no code or not that version.
    """
    if not function.live_version and version is None:
        raise BadRequestError(
            f"The function {function.name} has no code yet:"
            f" PUT /api/functions/{function.name}/code uploads it."
        )
    if version is None or version == function.live_version:
        return function
    found = store.functions.version(function.id, version) if 0 < version < 10**8 else None
    if found is None:
        raise BadRequestError(f"The function {function.name} has no version {version}.")
    from chalicelib.domain.functions import version as versions  # noqa: PLC0415  (lazy: few ask)

    return versions.settings_of(found, function)


def payload_of(event: Any, most_bytes: int = MOST_EVENT_BYTES) -> bytes:
    """Return an event's JSON. Raises `TooLargeError`."""
    payload = store.invocations.dumps(event)
    if len(payload) > most_bytes:
        raise TooLargeError(
            f"The event has {len(payload)} bytes, and Lambda takes {most_bytes}"
            f"{' of a background call' if most_bytes < MOST_EVENT_BYTES else ''}."
            " Put large data into a file and send its name."
        )
    return payload


def new_id() -> str:
    return invocations.new_id(now_ms(), os.urandom(invocations.ID_CHARACTERS))


def state(function: Function) -> dict[str, Any]:
    """Return what a function is doing: `{"state", "running", "waiting", "lastWake"}`.

    `state` is asleep, waking (a call waits, none runs) or running. Only recent calls are looked
    at (`_LOOK_BACK_CALLS`), so of a busy function `running` is the least there are.
    """
    page = store.invocations.page(function.id, _LOOK_BACK_CALLS)
    at_ms = now_ms()
    shown = [invoking_outcome.seen(each, at_ms) for each in page.invocations]
    running = sum(each.status == RUNNING for each in shown)
    waiting = sum(each.status == QUEUED for each in shown)
    wakes_ms = [each.started_ms for each in shown if each.started_ms]
    return {
        "state": "running" if running else "waking" if waiting else "asleep",
        "running": running,
        "waiting": waiting,
        "lastWakeMs": max(wakes_ms, default=0),
    }


_LOOK_BACK_CALLS = 200


def new(
    function: Function,
    event: Any,
    trigger: str,
    source: dict[str, Any] | None,
    depth: int,
    invocation_id: str | None,
) -> Invocation:
    """Return a call that is about to run, with its event as it is kept."""
    kept, is_redacted = invoking_outcome.redacted(event, function)
    invocation_id = invocation_id or new_id()
    return Invocation(
        id=invocation_id,
        function_id=function.id,
        function=function.name,
        status=RUNNING,
        trigger=trigger,
        source=source or {},
        created_ms=now_ms(),
        depth=depth,
        event=kept,
        redacted=is_redacted,
    )


def loop_stopped(made: Invocation) -> Invocation:
    """Return a call as failed because its chain is too long."""
    message = (
        f"This would be call {made.depth} of a chain in which functions wake one another by what"
        f" they write or call; a chain ends after {settings().chain_limit}. Nothing was run."
    )
    error = {"type": invoking_outcome.LOOP_STOPPED, "message": message}
    return made._replace(status=FAILED, finished_ms=now_ms(), error=error, input="")
