"""The gate: every wake of a function passes here, whatever woke it.

A call is written down as running, its worst case is reserved under the function's money cap,
Lambda is called, and outcome, receipt, usage and what it really cost are written in one
transaction. Wherever the process dies, money was reserved before it was spent, and the call is
known: it is shown as failed (`Dormouse.Lost`) once its lease has passed.

    run          call now and wait: /fn, `POST invoke`, replay
    queue        write down and send a message: mode=async, schedules, changes, queues
    run_queued   what the message's consumer does

A call from outside is never made twice. A background call is made at least once, and again
after a failure, `retry_attempts` times.
"""

import contextlib
import os
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib import aws, log, services, store
from chalicelib.aws import lambda_invoke
from chalicelib.aws.retries import deadline
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import (
    CAPPED,
    FAILED,
    FINISHED,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    THROTTLED,
    Invocation,
)
from chalicelib.errors import BadRequestError, TooLargeError, UnavailableError
from chalicelib.services import invoking_money, invoking_outcome
from chalicelib.services.invoking_outcome import Outcome
from chalicelib.store.invocations import Key, MovedError, RefusedError

MOST_EVENT_BYTES = 6_291_456
"""Lambda takes no larger one. Source: Lambda's quotas."""
MOST_BACKGROUND_BYTES = 1_048_576
"""As Lambda's own asynchronous calls."""

SETTLE_SECONDS = 1.5
"""Kept back from the request's deadline to write down what became of a call."""
GRACE_SECONDS = 30
"""So much longer than the longest wait a lease lasts: the writes take their time too."""


class BusyError(Exception):
    """The call cannot go on now: another process has it."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"come again in {retry_after_seconds} seconds")
        self.retry_after_seconds = retry_after_seconds


class GoneError(Exception):
    """There is no such call: it expired, or its function is gone."""


class KeyTakenError(Exception):
    """The idempotency key stands for a call already."""

    def __init__(self, taken: Key) -> None:
        self.taken = taken


class IdempotencyKey(NamedTuple):
    """A key of a caller's, and what is asked under it."""

    digest: str
    request: str


class _Wanted(NamedTuple):
    """A call about to be made."""

    function: Function
    """With the settings of the version that is called."""
    payload: bytes
    key: IdempotencyKey | None = None
    gateway: str = ""


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
    made = _new(function, event, trigger, source, depth, invocation_id)
    made = made._replace(version=function.live_version, replay_of=replay_of, input="")
    if depth > invocations.MAX_DEPTH:
        return store.invocations.put_new(_loop_stopped(made), function.retention_days)
    return _made(_Wanted(function, payload, key, gateway), made, store.invocations.put_new)


def queue(
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
    once: bool = False,
    group: str | None = None,
    delay_seconds: int = 0,
) -> Invocation:
    """Write down a background call and have it made; return it as it is then.

    With the `invocation_id` of an occurrence (a change, a fire time) it is made once, however
    often it is queued; `once` is for a call that is not tried again after a failure. One that
    chains too deep is written down as failed instead. Raises as `run`.
    """
    payload_of(event, MOST_BACKGROUND_BYTES)
    made = _new(function, event, trigger, source, depth, invocation_id)
    made = made._replace(
        status=QUEUED, version=version or 0, replay_of=replay_of, background=True, once=once
    )
    actions = [_take(function, made, key)] if key else []
    if depth > invocations.MAX_DEPTH:
        made, actions = _loop_stopped(made), []
    try:
        made = store.invocations.put_new(made, function.retention_days, actions)
    except MovedError as moved:
        made = moved.invocation or made
    except RefusedError as refused:
        raise _key_taken(refused) from None
    send(function, made, group, delay_seconds)
    return made


def send(
    function: Function, invocation: Invocation, group: str | None = None, delay_seconds: int = 0
) -> None:
    """Send the message of a call that waits; a second one for the same attempt does no harm."""
    if invocation.status == QUEUED:
        services.wakes.send(function, invocation, group=group, delay_seconds=delay_seconds)


def run_queued(function: Function, invocation_id: str) -> Invocation:
    """Make one attempt of a background call that waits; return it as it is then.

    One that has finished is returned as it is, and the consumer does what follows: `requeue`
    after a failure that may be tried again, a dead letter after the last. Raises `BusyError`
    while somebody else has it, `GoneError` if there is no such call.
    """
    found = store.invocations.load(function.id, invocation_id)
    if found is None:
        raise GoneError(invocation_id)
    if found.status == RUNNING:
        found = _after_crash(function, found)
    if found.status in FINISHED:
        return found
    try:
        function = at_version(function, found.version or None)
    except BadRequestError as error:
        return _given_up(function, found, invoking_outcome.NO_CODE, str(error))
    payload = found.input.encode() if found.input else payload_of(found.event)
    started = found._replace(version=function.live_version, error=None, receipt=None)
    try:
        return _made(_Wanted(function, payload), started, store.invocations.change)
    except MovedError:
        raise BusyError(1) from None


def requeue(function: Function, invocation: Invocation, counts: bool = True) -> Invocation:
    """Make a background call wait again that has failed; without `counts` for the same attempt.

    Who finds it waiting, or worked on, leaves it so.
    """
    if invocation.status not in FINISHED:
        return invocation
    waiting = invocation._replace(status=QUEUED, attempt=invocation.attempt + counts)
    try:
        return store.invocations.change(waiting, function.retention_days)
    except MovedError as moved:
        return moved.invocation or waiting


def event_of(invocation: Invocation) -> Any:
    """Return a background call's event as it came, as long as it is kept: until it succeeds,
    or its dead letter has it (`forget_input`)."""
    return store.invocations.loads(invocation.input) if invocation.input else invocation.event


def forget_input(function: Function, invocation: Invocation) -> None:
    """Keep a call's event without its secrets only, once nobody makes that call again."""
    if invocation.input or "input" in invocation.spilled:
        with contextlib.suppress(MovedError):
            store.invocations.change(_without_input(invocation), function.retention_days)
        _remove_input(invocation)


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
    return invocations.new_id(_now_ms(), os.urandom(invocations.ID_CHARACTERS))


def state(function: Function) -> dict[str, Any]:
    """Return what a function is doing: `{"state", "running", "waiting", "lastWake"}`.

    `state` is asleep, waking (a call waits, none runs) or running. Only recent calls are looked
    at (`_LOOK_BACK_CALLS`), so of a busy function `running` is the least there are.
    """
    page = store.invocations.page(function.id, _LOOK_BACK_CALLS)
    now_ms = _now_ms()
    shown = [invoking_outcome.seen(each, now_ms) for each in page.invocations]
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


def _new(
    function: Function,
    event: Any,
    trigger: str,
    source: dict[str, Any] | None,
    depth: int,
    invocation_id: str | None,
) -> Invocation:
    kept, is_redacted = invoking_outcome.redacted(event, function)
    invocation_id = invocation_id or new_id()
    return Invocation(
        id=invocation_id,
        function_id=function.id,
        function=function.name,
        status=RUNNING,
        trigger=trigger,
        source=source or {},
        created_ms=_now_ms(),
        depth=depth,
        event=kept,
        redacted=is_redacted,
        input=store.invocations.dumps(event).decode() if is_redacted else "",
    )


def _loop_stopped(made: Invocation) -> Invocation:
    message = (
        f"This would be call {made.depth} of a chain in which functions wake one another by what"
        f" they write or call; a chain ends after {invocations.MAX_DEPTH}. Nothing was run."
    )
    error = {"type": invoking_outcome.LOOP_STOPPED, "message": message}
    return made._replace(status=FAILED, finished_ms=_now_ms(), error=error, input="")


def _made(wanted: _Wanted, made: Invocation, write: Any) -> Invocation:
    """Carry out one attempt: `write` is what puts the running call into the table."""
    with aws.dynamodb.meter() as meter:
        started = _started(wanted, made, write)
    if started.status in FINISHED:
        return started
    outcome = _called(wanted, started)
    return _finished(wanted, started, outcome, meter)


def _started(wanted: _Wanted, made: Invocation, write: Any) -> Invocation:
    function, now_ms = wanted.function, _now_ms()
    lease_seconds = lambda_invoke.longest_wait_seconds(function.timeout_seconds) + GRACE_SECONDS
    money = invoking_money.reserve(function, now_ms)
    made = made._replace(
        status=RUNNING,
        started_ms=now_ms,
        finished_ms=0,
        lease_ms=now_ms + int(lease_seconds * 1000),
        reserved_picodollars=money.picodollars,
    )
    keys = [_take(function, made, wanted.key)] if wanted.key else []
    try:
        started = write(made, function.retention_days, [*money.actions, *keys])
    except RefusedError as refused:
        if refused.at >= len(money.actions):
            raise _key_taken(refused) from None
        return _capped(function, made, write)
    return started._replace(event=made.event, input=made.input)  # type: ignore[no-any-return]


def _capped(function: Function, made: Invocation, write: Any) -> Invocation:
    error = {"type": invoking_outcome.CAP_REACHED, "message": invoking_money.refusal(function)}
    capped = _over(made, CAPPED)._replace(error=error, reserved_picodollars=0, started_ms=0)
    return write(capped, function.retention_days, [])  # type: ignore[no-any-return]


def _take(function: Function, made: Invocation, key: IdempotencyKey) -> dict[str, Any]:
    return store.invocations.take_key(function.id, key.digest, Key(made.id, key.request))


def _key_taken(refused: RefusedError) -> Exception:
    if refused.item is None:  # it was freed in this very moment
        return UnavailableError("Another call under the same key just ended. Please try again.")
    return KeyTakenError(store.invocations.read_key(refused.item))


def _called(wanted: _Wanted, started: Invocation) -> Outcome:
    function = wanted.function
    name = names.lambda_function(settings().resource_prefix, function.name)
    context = _client_context(function, started)
    began = time.monotonic()
    try:
        answer = lambda_invoke.invoke(
            name, str(started.version), wanted.payload, _wait_seconds(function), context
        )
    except lambda_invoke.InvokeError as error:
        return invoking_outcome.of_trouble(error)
    except UnavailableError as error:
        return invoking_outcome.unreachable(str(error))
    return invoking_outcome.of_answer(function, answer, (time.monotonic() - began) * 1000)


def _client_context(function: Function, started: Invocation) -> dict[str, Any]:
    """Return what the function finds in its context: where the API is, and who it is there."""
    token = services.service_accounts.token(function, started.depth, datetime.now(UTC))
    url = settings().public_url or function.url
    custom = {"dormouse_url": url, "dormouse_token": token, "dormouse_invocation": started.id}
    return {"custom": custom}


def _wait_seconds(function: Function) -> float:
    """Return how long to wait for the answer: as long as it can take, within our own deadline."""
    longest = lambda_invoke.longest_wait_seconds(function.timeout_seconds)
    until = deadline.get()
    if until is None:
        return longest
    return max(min(longest, until - time.monotonic() - SETTLE_SECONDS), 0.1)


def _finished(
    wanted: _Wanted, started: Invocation, outcome: Outcome, meter: "aws.dynamodb.Meter"
) -> Invocation:
    """Write down what became of a call, what it cost, and give back what was reserved."""
    function = wanted.function
    done = _over(started, outcome.status)._replace(**outcome.values)
    bill = invoking_money.bill(function, done, outcome, meter, wanted.gateway)
    done = done._replace(receipt=bill.receipt)
    kept = invoking_outcome.kept(done, function)
    if outcome.status == SUCCEEDED:
        kept = _without_input(kept)
    actions = [*bill.actions]
    if wanted.key and outcome.status == THROTTLED:
        actions.append(store.invocations.free_key(function.id, wanted.key.digest))
    try:
        written = store.invocations.change(kept, function.retention_days, actions)
    except (MovedError, UnavailableError) as error:
        # The caller shall have the answer; the table shows the call as lost.
        log.error("call not written down", function=function.name, call=done.id, why=str(error))
        return done
    if outcome.status == SUCCEEDED:
        _remove_input(started)
    return written._replace(event=done.event, result=done.result)


def _after_crash(function: Function, found: Invocation) -> Invocation:
    """Return a call whose runner is gone, as waiting again, or as failed after the last attempt."""
    now_ms = _now_ms()
    if now_ms <= found.lease_ms:
        raise BusyError((found.lease_ms - now_ms) // 1000 + 1)
    if found.attempt <= function.retry_attempts and not found.once:
        return found._replace(status=QUEUED, attempt=found.attempt + 1)
    return _given_up(function, invoking_outcome.lost(found, now_ms))


def _given_up(
    function: Function, found: Invocation, kind: str = "", message: str = ""
) -> Invocation:
    error = {"type": kind, "message": message} if kind else found.error
    try:
        return store.invocations.change(
            _over(found, FAILED)._replace(error=error), function.retention_days
        )
    except MovedError:
        raise BusyError(1) from None


def _over(invocation: Invocation, status: str) -> Invocation:
    return invocation._replace(status=status, finished_ms=_now_ms(), lease_ms=0)


def _without_input(done: Invocation) -> Invocation:
    spilled = tuple(what for what in done.spilled if what != "input")
    return done._replace(input="", spilled=spilled)


def _remove_input(invocation: Invocation) -> None:
    if "input" in invocation.spilled:
        store.invocations.remove_input(invocation)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
