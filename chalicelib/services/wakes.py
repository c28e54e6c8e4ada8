"""Wakes: the one queue through which all background calls go, in order where order matters.

A message names a call (`store.invocations`), which says all else, or a schedule's time that has
come. Messages of one group are worked on one after the other: those of one record and function
are one group. When a call fails, its message comes back after a while, and the later messages of
its group wait for it; after its last attempt it becomes a dead letter, and they go on.

What if the process dies between two steps? The message comes back, and the call says how far it
is: a finished one is not run again, only what follows from its end is done.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, TypeVar

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.light_orjson import orjson

log = logging.getLogger("dormouse")

Message = dict[str, Any]
"""One record of an SQS event, as Lambda hands it over."""

T = TypeVar("T")
R = TypeVar("R")

SecondsLeft = Callable[[], float]
"""How long this process may still work."""

GROUPS_AT_ONCE = 10
MARGIN_SECONDS = 15.0
"""Beside a function's timeout: for its coming up and for what is written after it."""
FRESH_SECONDS = 840.0
"""With so much time left a call begins in any case: Lambda gives nobody more than 900."""
TROUBLE_SECONDS = 5
MOST_TROUBLE_SECONDS = 300
"""Before a message that met trouble of our own comes back; doubled each time up to this."""
RECEIVED_SECONDS = 20
"""How long a message is hidden that `tools.pump` received; an event source's are for longer."""


def send(function: Function, invocation: Invocation) -> None:
    """Let a queued call be run soon. Sending it twice runs it once."""
    wake = {
        "function": function.name,
        "functionId": function.id,
        "invocation": invocation.id,
    }
    attempt = _hash(f"{invocation.id}#{invocation.attempt}")
    message = aws.sqs.Message(
        orjson.dumps(wake).decode(), group_of(invocation), deduplication=attempt
    )
    aws.sqs.send(queue_name(), message)


def queue_name() -> str:
    """Return the name of the queue of wakes."""
    return names.wakes(settings().resource_prefix)


def group_of(invocation: Invocation) -> str:
    """Return the group in whose order a call is run: its function's and record's, or its own."""
    source = invocation.source
    if invocation.trigger in (calls.RECORD, calls.FILE) and "recordId" in source:
        collection = source.get("collectionId", "")
        return _hash(f"{invocation.function_id}#{collection}#{source['recordId']}")
    return invocation.id


def handle(messages: list[Message], seconds_left: SecondsLeft) -> list[str]:
    """Work on messages, groups side by side; return the ids of those that have to come back."""
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(message["attributes"].get("MessageGroupId", ""), []).append(message)
    failed = side_by_side(lambda group: _in_order(group, seconds_left), list(groups.values()))
    return [message_id for ids in failed for message_id in ids]


def side_by_side(work: Callable[[T], R], groups: Sequence[T]) -> list[R]:
    """Return what `work` returns for each group, worked on in threads, in this one's context."""
    if len(groups) < 2:
        return [work(group) for group in groups]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (lazy: batches only)

    with ThreadPoolExecutor(min(len(groups), GROUPS_AT_ONCE)) as pool:
        # A thread has its own context, and in it no deadline.
        running = [pool.submit(copy_context().run, work, group) for group in groups]
        return [each.result() for each in running]


def _in_order(messages: list[Message], seconds_left: SecondsLeft) -> list[str]:
    """Work on one group's messages up to the first that has to come back."""
    began = time.monotonic()
    for at, message in enumerate(messages):
        again_seconds = _work_on(message, seconds_left, began)
        if again_seconds is not None:
            give_back(queue_name(), message, again_seconds)
            for later in messages[at + 1 :]:
                give_back(queue_name(), later, 0)  # SQS holds them behind the first
            return [each["messageId"] for each in messages[at:]]
    return []


def give_back(queue: str, message: Message, seconds: float) -> None:
    """Let a message come back after a while. Trouble is none: it comes back by itself, later."""
    try:
        aws.sqs.change_visibility(queue, message["receiptHandle"], round(seconds))
    except Exception:
        log.warning("A message comes back later than it should", exc_info=True)


def _work_on(message: Message, seconds_left: SecondsLeft, began: float) -> float | None:
    """Return None if the message is done with, else after how many seconds it comes back."""
    try:
        wake = orjson.loads(message["body"])
        if "schedule" in wake:
            services.schedules.fire(wake)
            return None
        return _run(message, wake, seconds_left, began)
    except Exception:
        log.exception("A wake met trouble: %s", message["body"][:500])
        return trouble_seconds(message)


def trouble_seconds(message: Message) -> float:
    """Return how long a message waits that met trouble which is not the function's."""
    received = int(message["attributes"].get("ApproximateReceiveCount", 1))
    return float(min(MOST_TROUBLE_SECONDS, TROUBLE_SECONDS * 2 ** min(received - 1, 10)))


def _run(
    message: Message, wake: dict[str, Any], seconds_left: SecondsLeft, began: float
) -> float | None:
    function = store.functions.load(wake["function"])
    if function is None or function.id != wake["functionId"]:
        log.info("The function %s is gone, and its calls with it", wake["function"])
        return None
    if not fits(function, seconds_left):
        return 0
    _stay_hidden(message, function, began)
    try:
        invocation = services.background_calls.run_queued(function, wake["invocation"])
    except services.background_calls.BusyError as busy:
        return float(busy.retry_after_seconds)
    except services.background_calls.GoneError:
        return None
    if invocation.status == calls.QUEUED:
        return retry_seconds(function, invocation.attempt - 1)
    if invocation.status != calls.SUCCEEDED and not (invocation.once or is_stopped(invocation)):
        services.dead_letters.keep(function, invocation)
    return None


def fits(function: Function, seconds_left: SecondsLeft) -> bool:
    """Return whether a function can end before this process has to."""
    left = seconds_left()
    return left >= function.timeout_seconds + MARGIN_SECONDS or left >= FRESH_SECONDS


def _stay_hidden(message: Message, function: Function, began: float) -> None:
    """Keep a message that was received at about `began` from others while the function runs.

    A queue that wakes the event edge hides its messages for longer than that anyway.
    """
    seconds = function.timeout_seconds + MARGIN_SECONDS
    if not settings().waker and time.monotonic() - began + seconds > RECEIVED_SECONDS:
        aws.sqs.change_visibility(queue_name(), message["receiptHandle"], round(seconds))


def is_stopped(invocation: Invocation) -> bool:
    """Return whether a chain of functions was stopped here: nobody wants it to go on later."""
    return (invocation.error or {}).get("type") == services.invoking_outcome.LOOP_STOPPED


def retry_seconds(function: Function, attempt: int) -> float:
    """Return the pause after a failed attempt (the first is 1)."""
    return float(function.retry_delay_seconds * 2 ** min(attempt - 1, 16))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
