"""Background calls: written down, carried by a message, made by whoever gets that.

    queue        mode=async, schedules, changes: write down and send the message
    run_queued   what the message's consumer does
    bury         write down what cannot be made, beside its dead letter

Each is made at least once, and again after a failure, `retry_attempts` times. The call itself
passes the same gate as any other (`invoking_attempt`).
"""

from typing import Any

from chalicelib import services, store
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import FAILED, FINISHED, QUEUED, RUNNING, Invocation
from chalicelib.errors import BadRequestError
from chalicelib.services import invoking, invoking_money, invoking_outcome
from chalicelib.services.invoking_attempt import (
    IdempotencyKey,
    Wanted,
    attempt,
    held_back,
    key_taken,
    now_ms,
    over,
    take,
)
from chalicelib.store.invocations import MovedError, RefusedError

MOST_BACKGROUND_BYTES = 1_048_576
"""As Lambda's own asynchronous calls."""

_LONGEST_PAUSE_SECONDS = 300
"""Of a throttled background call, as Lambda's own: each look at it costs money too."""


class BusyError(Exception):
    """The call cannot go on now: another process has it, or Lambda is at its limit."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"come again in {retry_after_seconds} seconds")
        self.retry_after_seconds = retry_after_seconds


class GoneError(Exception):
    """There is no such call: it expired, or its function is gone."""


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
) -> Invocation:
    """Write down a background call and have it made; return it as it is then.

    With the `invocation_id` of an occurrence (a change, a fire time) it is made once, however
    often it is queued; `once` is for a call that is not tried again after a failure. One that
    chains too deep is written down as failed instead. Raises as `run`.
    """
    payload = invoking.payload_of(event, MOST_BACKGROUND_BYTES)
    made = invoking.new(function, event, trigger, source, depth, invocation_id)
    made = made._replace(
        status=QUEUED,
        version=version or 0,
        replay_of=replay_of,
        background=True,
        once=once,
        input=payload.decode() if made.redacted else "",
    )
    actions = [take(function, made, key)] if key else []
    if depth > settings().chain_limit:
        made, actions = invoking.loop_stopped(made), []
    elif _is_flood(function, trigger, replay_of):
        made = held_back(function, made._replace(background=False))
        actions = [store.usage.added(made)]
    try:
        made = store.invocations.put_new(made, function.retention_days, actions)
    except MovedError as moved:
        made = moved.invocation or made
    except RefusedError as refused:
        raise key_taken(refused) from None
    send(function, made)
    return made


def bury(
    function: Function,
    event: Any,
    error: dict[str, str],
    *,
    trigger: str,
    source: dict[str, Any] | None = None,
    depth: int = 1,
    invocation_id: str | None = None,
) -> None:
    """Write down a background call that cannot be made, and its dead letter: it may be made later.

    Raises `TooLargeError`.
    """
    payload = invoking.payload_of(event, MOST_BACKGROUND_BYTES)
    made = invoking.new(function, event, trigger, source, depth, invocation_id)._replace(
        status=FAILED,
        background=True,
        finished_ms=now_ms(),
        error=error,
    )
    if made.redacted:
        made = made._replace(input=payload.decode())
    try:
        made = store.invocations.put_new(made, function.retention_days)
    except MovedError as moved:
        made = moved.invocation or made
    if made.error == error:  # else it was made, when the same occurrence came before
        services.dead_letters.keep(function, made)


def send(function: Function, invocation: Invocation) -> None:
    """Send the message of a call that waits; a second one for the same attempt does no harm."""
    if invocation.status == QUEUED:
        services.wakes.send(function, invocation)


def run_queued(function: Function, invocation_id: str) -> Invocation:
    """Make one attempt of a background call that waits; return it as it is then.

    It is finished, or queued again with the next `attempt` after a failure. One that has
    finished before is returned as it is. After its last failure it keeps its event as it came
    (`input`), for its dead letter. Raises `BusyError` while somebody else has it or Lambda is
    at its limit, `GoneError` if there is no such call.
    """
    found = store.invocations.load(function.id, invocation_id)
    if found is None:
        raise GoneError(invocation_id)
    if found.status == RUNNING:
        found = _after_crash(function, found)
    if found.status in FINISHED:
        return found
    try:
        function = invoking.at_version(function, found.version or None)
    except BadRequestError as error:
        return _given_up(function, found, invoking_outcome.NO_CODE, str(error))
    payload = found.input.encode() if found.input else invoking.payload_of(found.event)
    started = found._replace(version=function.live_version, error=None, receipt=None)
    try:
        done = attempt(Wanted(function, payload), started, store.invocations.change)
    except MovedError:
        raise BusyError(1) from None
    if done.status == QUEUED and done.attempt == found.attempt:
        raise BusyError(_pause_seconds(done))
    return done


def _is_flood(function: Function, trigger: str, replay_of: str) -> bool:
    """Return whether anybody at all may be asking for a call that the cap has no room for.

    A dead letter that is sent again waits instead: else it would be gone, and nothing run.
    """
    is_anybodys = trigger == invocations.HTTP and not replay_of
    return is_anybodys and invoking_money.is_used_up(function, now_ms())


def _after_crash(function: Function, found: Invocation) -> Invocation:
    """Return a call whose runner is gone, as waiting again, or as failed after the last attempt."""
    at_ms = now_ms()
    if at_ms <= found.lease_ms:
        raise BusyError((found.lease_ms - at_ms) // 1000 + 1)
    if found.attempt <= function.retry_attempts and not found.once:
        return found._replace(status=QUEUED, attempt=found.attempt + 1)
    return _given_up(function, invoking_outcome.lost(found, at_ms))


def _given_up(
    function: Function, found: Invocation, kind: str = "", message: str = ""
) -> Invocation:
    error = {"type": kind, "message": message} if kind else found.error
    try:
        return store.invocations.change(
            over(found, FAILED)._replace(error=error), function.retention_days
        )
    except MovedError:
        raise BusyError(1) from None


def _pause_seconds(invocation: Invocation) -> int:
    """Return how long a throttled call waits: the longer, the older it is."""
    age_seconds = (now_ms() - invocation.created_ms) // 1000
    return min(_LONGEST_PAUSE_SECONDS, 1 + age_seconds // 4)
