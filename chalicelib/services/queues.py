"""Queues: messages that a function works on in batches, as SQS delivers them.

A queue comes with the first function that has a trigger for it, and works for one function at a
time. It stays, with its messages, when that function goes, until it is deleted.

    queue_posts       messages coming in
    queue_delivery    messages going to the function
"""

from collections.abc import Iterable
from typing import Any

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain import dates
from chalicelib.domain.functions import names, redaction
from chalicelib.domain.functions.function import Function, Trigger
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, NotFoundError, field_error
from chalicelib.store.dead_letters import DeadLetter
from chalicelib.store.queues import Queue, TakenError

DEPTH = "dormouse.depth"
"""The message attribute that says how long the chain of functions is which sent it."""
RESERVE_RECEIVES = 20
"""So often SQS hands a message over beyond its attempts (throttled, our own trouble) before it
puts the message aside itself."""
SENDING_SECONDS = 60
"""Longer than any request that sends a dead letter again."""
HIDDEN_SECONDS = 960
"""Longer than Lambda lets the event edge run, which its event source mappings insist on."""


def list_all(call: Call) -> dict[str, Any]:
    """Return all queues. Raises 401, 403."""
    services.session.open(call).require_superuser()
    return {"items": [_exported(each) for each in store.queues.all_of()]}


def view(call: Call, name: str) -> dict[str, Any]:
    """Return a queue with about how many messages it has. Raises 401, 403, 404."""
    queue = _require(call, name)
    services.queue_delivery.collect_dead(queue)
    counts = aws.sqs.counts(sqs_name(name))
    dead = store.dead_letters.count(store.dead_letters.of_queue(name))
    return {**_exported(queue), **counts, "deadLetters": dead}


def delete(call: Call, name: str) -> None:
    """Remove a queue that no function works on, with its messages and dead letters.

    Raises `BadRequestError` while one does, 401, 403, 404.
    """
    queue = _require(call, name)
    try:
        store.queues.delete(queue)
    except TakenError as taken:
        raise BadRequestError(
            f"The function {taken.queue.function} has a trigger for this queue: remove that first."
        ) from taken
    prefix = settings().resource_prefix
    aws.sqs_queues.delete(names.queue(prefix, name))
    aws.sqs_queues.delete(names.dead_queue(prefix, name))
    store.dead_letters.delete_all(store.dead_letters.of_queue(name))


def dead_letters(call: Call, name: str) -> dict[str, Any]:
    """Return a queue's dead letters, newest first, as `{"items", "nextCursor"}`.

    Raises 401, 403, 404.
    """
    queue = _require(call, name)
    services.queue_delivery.collect_dead(queue)
    function = store.functions.load(queue.function) if queue.function else None
    secret_keys = function.redact if function else ()
    return services.dead_letters.listed(
        call, store.dead_letters.of_queue(name), lambda letter: _letter(letter, secret_keys)
    )


def delete_dead_letter(call: Call, name: str, letter_id: str) -> None:
    """Remove a dead letter. Raises 401, 403, 404."""
    _require(call, name)
    letter = services.dead_letters.find(store.dead_letters.of_queue(name), letter_id)
    store.dead_letters.delete(letter.owner, letter.id)


def redrive(call: Call, name: str, letter_id: str) -> dict[str, Any]:
    """Put a dead letter's message into its queue again; return its new id. Raises as above."""
    _require(call, name)
    letter = services.dead_letters.find(store.dead_letters.of_queue(name), letter_id)
    return {"message": _send_again(letter)}


def redrive_all(call: Call, name: str) -> dict[str, Any]:
    """Put the messages of dead letters into their queue again. Raises as above."""
    services.queue_delivery.collect_dead(_require(call, name))
    return services.dead_letters.in_turn(store.dead_letters.of_queue(name), _send_again)


def apply(before: Function | None, after: Function | None) -> None:
    """Make the queues that a function works on, and leave those that it no longer does.

    Raises `BadRequestError` if another function works on one.
    """
    wanted = _triggers(after)
    for name, trigger in wanted.items():
        if after is not None:
            _attend(name, after, trigger)
    for name in _triggers(before).keys() - wanted.keys():
        if before is not None:
            _leave(name, before)


def require_free(function: Function) -> None:
    """Raises `BadRequestError` if another function works on a queue of this one's triggers."""
    for name in _triggers(function):
        queue = store.queues.load(name)
        if queue is not None and queue.function_id not in ("", function.id):
            raise _taken(queue)


def _triggers(function: Function | None) -> dict[str, Trigger]:
    triggers = function.triggers if function else ()
    return {each["queue"]: each for each in triggers if each["type"] == "queue"}


def _attend(name: str, function: Function, trigger: Trigger) -> None:
    queue = Queue(
        name,
        function.name,
        function.id,
        batch_size=trigger.get("batchSize") or aws.sqs.MAX_BATCH,
        window_seconds=trigger.get("windowSeconds") or 0,
        max_receives=function.retry_attempts + 1,
    )
    try:
        store.queues.save(queue)
    except TakenError as taken:
        raise _taken(taken.queue) from taken
    arn = aws.sqs_queues.ensure_with_dead_letters(
        sqs_name(name),
        names.dead_queue(settings().resource_prefix, name),
        {"VisibilityTimeout": str(HIDDEN_SECONDS)},
        queue.max_receives + RESERVE_RECEIVES,
    )
    if settings().waker:
        aws.event_sources.ensure(
            arn,
            BatchSize=queue.batch_size,
            MaximumBatchingWindowInSeconds=queue.window_seconds,
        )


def _leave(name: str, function: Function) -> None:
    store.queues.release(name, function.id)
    arn = aws.sqs_queues.arn(sqs_name(name)) if settings().waker else ""
    if arn:
        aws.event_sources.remove(arn)


def _taken(queue: Queue) -> BadRequestError:
    message = f"The function {queue.function} works on the queue {queue.name}."
    error = field_error("validation_queue_taken", message)
    return BadRequestError("The queue belongs to another function.", {"triggers": error})


def _send_again(letter: DeadLetter) -> str:
    """Send a letter's message, then remove the letter: dying in between lets it be sent twice.

    Raises `NotFoundError` for one that is gone, or that another request is sending now.
    """
    if not store.dead_letters.claim(letter, SENDING_SECONDS):
        raise NotFoundError
    attributes = {DEPTH: str(letter.depth)} if letter.depth else {}
    message = aws.sqs.Message(letter.event, attributes=attributes)
    message_id = aws.sqs.send(sqs_name(letter.name), message)
    store.dead_letters.delete(letter.owner, letter.id)
    return message_id


def _require(call: Call, name: str) -> Queue:
    services.session.open(call).require_superuser()
    return find(name)


def find(name: str) -> Queue:
    """Return a queue. Raises `NotFoundError`."""
    queue = store.queues.load(name) if names.QUEUE_NAME.fullmatch(name) else None
    if queue is None:
        raise NotFoundError
    return queue


def sqs_name(name: str) -> str:
    """Return how SQS calls a queue."""
    return names.queue(settings().resource_prefix, name)


def _exported(queue: Queue) -> dict[str, Any]:
    return {
        "name": queue.name,
        "function": queue.function or None,
        "batchSize": queue.batch_size,
        "windowSeconds": queue.window_seconds,
        "attempts": queue.max_receives,
    }


def _letter(letter: DeadLetter, secret_keys: Iterable[str]) -> dict[str, Any]:
    """Return a letter as the API shows it: without secrets, as all that is kept of events."""
    return {
        "id": letter.id,
        "queue": letter.name,
        "body": redaction.redact(letter.event, secret_keys)[0],
        "messageId": letter.source.get("messageId", ""),
        "error": letter.error,
        "attempts": letter.attempts,
        "created": dates.text_of_ms(letter.created_ms),
    }
