"""One attempt of a call, from the write that begins it to the one that ends it (`invoking`)."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chalicelib import aws, log, services, store
from chalicelib.aws import lambda_invoke
from chalicelib.aws.retries import deadline
from chalicelib.config import settings
from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import (
    CAPPED,
    FAILED,
    FINISHED,
    HTTP,
    OUT_OF_MEMORY,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    THROTTLED,
    TIMED_OUT,
    Invocation,
)
from chalicelib.errors import UnavailableError
from chalicelib.services import invoking_money, invoking_outcome
from chalicelib.services.invoking_outcome import Outcome
from chalicelib.store.invocations import Key, MovedError, RefusedError

SETTLE_SECONDS = 1.5
"""Kept back from the request's deadline to write down what became of a call."""
GRACE_SECONDS = 30
"""So much longer than the longest wait a lease lasts: the writes take their time too."""
BACKGROUND_GRACE_SECONDS = 5
"""Less where others wait behind the call, should its runner have died; it is only made again."""
THROTTLED_FOR_SECONDS = 6 * 3600
"""So long a background call is tried again that Lambda throttles; as Lambda's own."""

_TRIED_AGAIN = (FAILED, TIMED_OUT, OUT_OF_MEMORY)

Write = Callable[[Invocation, int, Sequence[dict[str, Any]]], Invocation]
"""How a running call is put into the table: `store.invocations.put_new` or `.change`."""


class KeyTakenError(Exception):
    """The idempotency key stands for a call already."""

    def __init__(self, taken: Key) -> None:
        self.taken = taken


class IdempotencyKey(NamedTuple):
    """A key of a caller's, and what is asked under it."""

    digest: str
    request: str


class Wanted(NamedTuple):
    """A call about to be made."""

    function: Function
    """With the settings of the version that is called."""
    payload: bytes
    key: IdempotencyKey | None = None
    gateway: str = ""


def attempt(wanted: Wanted, made: Invocation, write: Write) -> Invocation:
    """Carry out one attempt: `write` is what puts the running call into the table."""
    context = _client_context(wanted.function, made)
    with aws.dynamodb.meter() as meter:
        started = _started(wanted, made, write)
    if started.status in FINISHED:
        return started
    outcome = _called(wanted, started, context)
    return _finished(wanted, started, outcome, meter)


def _started(wanted: Wanted, made: Invocation, write: Write) -> Invocation:
    function, began_ms = wanted.function, now_ms()
    grace_seconds = BACKGROUND_GRACE_SECONDS if made.background else GRACE_SECONDS
    lease_seconds = lambda_invoke.longest_wait_seconds(function.timeout_seconds) + grace_seconds
    money = invoking_money.reserve(function, began_ms)
    made = made._replace(
        status=RUNNING,
        started_ms=began_ms,
        finished_ms=0,
        lease_ms=began_ms + int(lease_seconds * 1000),
        reserved_picodollars=money.picodollars,
    )
    keys = [take(function, made, wanted.key)] if wanted.key else []
    if not keys and invoking_money.is_used_up(function, began_ms):
        return _capped(function, made, write)
    try:
        started = write(made, function.retention_days, [*money.actions, *keys])
    except RefusedError as refused:
        if refused.at >= len(money.actions):
            raise key_taken(refused) from None
        invoking_money.note_used_up(function, began_ms)
        return _capped(function, made, write)
    return started._replace(event=made.event, input=made.input)


def _capped(function: Function, made: Invocation, write: Write) -> Invocation:
    capped = held_back(function, made)
    return write(capped, function.retention_days, [store.usage.added(capped)])


def held_back(function: Function, made: Invocation) -> Invocation:
    """Return a call as refused for its function's cap.

    One by HTTP loses its event, unless it waits in the background: anybody can send megabytes.
    """
    message = invoking_money.refusal(function, made.started_ms or now_ms())
    error = {"type": invoking_outcome.CAP_REACHED, "message": message}
    capped = over(made, CAPPED)._replace(error=error, reserved_picodollars=0, started_ms=0)
    is_short = made.trigger == HTTP and not made.background
    return capped._replace(event=None, input="") if is_short else capped


def take(function: Function, made: Invocation, key: IdempotencyKey) -> dict[str, Any]:
    """Return the action that binds a caller's key to a call."""
    return store.invocations.take_key(function.id, key.digest, Key(made.id, key.request))


def key_taken(refused: RefusedError) -> Exception:
    """Return the error to raise when the key was bound already."""
    if refused.item is None:  # it was freed in this very moment
        return UnavailableError("Another call under the same key just ended. Please try again.")
    return KeyTakenError(store.invocations.read_key(refused.item))


def _called(wanted: Wanted, started: Invocation, context: dict[str, Any]) -> Outcome:
    function = wanted.function
    name = names.lambda_function(settings().resource_prefix, function.name)
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


def _client_context(function: Function, made: Invocation) -> dict[str, Any]:
    """Return what the function finds in its context: where the API is, and who it is there."""
    token = services.service_accounts.token(function, made.depth, time.time())
    url = settings().public_url or function.url
    custom = {"dormouse_url": url, "dormouse_token": token, "dormouse_invocation": made.id}
    return {"custom": custom}


def _wait_seconds(function: Function) -> float:
    """Return how long to wait for the answer: as long as it can take, within our own deadline."""
    longest = lambda_invoke.longest_wait_seconds(function.timeout_seconds)
    until = deadline.get()
    if until is None:
        return longest
    return max(min(longest, until - time.monotonic() - SETTLE_SECONDS), 0.1)


def _finished(
    wanted: Wanted, started: Invocation, outcome: Outcome, meter: "aws.dynamodb.Meter"
) -> Invocation:
    """Write down what became of a call, what it cost, and give back what was reserved.

    If that cannot be done, a caller who waits shall have the answer all the same, and the table
    shows the call as lost. The message of a background call has to come back instead: then this
    raises `MovedError` or `UnavailableError`.
    """
    function = wanted.function
    done = over(started, outcome.status)._replace(**outcome.values)
    bill = invoking_money.bill(function, done, outcome, meter, wanted.gateway)
    done = done._replace(receipt=bill.receipt)
    kept = _next(function, invoking_outcome.kept(done, function))
    actions = [*bill.actions]
    if wanted.key and outcome.status == THROTTLED:
        actions.append(store.invocations.free_key(function.id, wanted.key.digest))
    try:
        written = store.invocations.change(kept, function.retention_days, actions)
    except (MovedError, UnavailableError) as error:
        log.error("call not written down", function=function.name, call=done.id, why=str(error))
        if started.background:
            raise
        return done
    if written.status == SUCCEEDED:
        _remove_input(started)
    return written._replace(event=done.event, result=done.result)


def _next(function: Function, done: Invocation) -> Invocation:
    """Return what is kept of an attempt: a background call waits again if it may."""
    if done.status == SUCCEEDED:
        return _without_input(done)
    if not done.background or done.once:
        return done
    if done.status == THROTTLED:
        young = now_ms() - done.created_ms < THROTTLED_FOR_SECONDS * 1000
        return done._replace(status=QUEUED) if young else done
    if done.status in _TRIED_AGAIN and done.attempt <= function.retry_attempts:
        return done._replace(status=QUEUED, attempt=done.attempt + 1)
    return done


def over(invocation: Invocation, status: str) -> Invocation:
    """Return a call as one that has ended now."""
    return invocation._replace(status=status, finished_ms=now_ms(), lease_ms=0)


def _without_input(done: Invocation) -> Invocation:
    spilled = tuple(what for what in done.spilled if what != "input")
    return done._replace(input="", spilled=spilled)


def _remove_input(invocation: Invocation) -> None:
    if "input" in invocation.spilled:
        store.invocations.remove_input(invocation)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
