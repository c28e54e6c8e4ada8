"""Messages going to a queue's function, and what becomes of those that it fails on.

A function is given an SQS event and may answer `{"batchItemFailures": [{"itemIdentifier":
message id}]}`, as behind a queue of AWS. What failed comes back after a while, and after its
last attempt becomes a dead letter.
"""

import logging
from typing import Any

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.errors import ApiError
from chalicelib.services.invoking_attempt import now_ms
from chalicelib.services.queues import DEPTH, sqs_name
from chalicelib.services.wakes import Message, SecondsLeft
from chalicelib.store.dead_letters import DeadLetter
from chalicelib.store.queues import Queue

log = logging.getLogger("dormouse")

KEPT_DAYS = 14
UNATTENDED_SECONDS = 60
"""Before a message is offered again that no function works on."""


def deliver(source: str, messages: list[Message], seconds_left: SecondsLeft) -> list[str]:
    """Hand messages to the queue's function; return the ids of those that have to come back."""
    ours, is_ours, name = source.partition(names.queue(settings().resource_prefix, ""))
    queue = store.queues.load(name) if is_ours and not ours else None
    function = store.functions.load(queue.function) if queue and queue.function else None
    if queue is None or function is None or function.id != queue.function_id:
        return _later(source, messages, UNATTENDED_SECONDS)
    if not services.wakes.fits(function, seconds_left):
        return _later(source, messages, 0)
    limit = settings().chain_limit
    deep = [each for each in messages if _depth(each) >= limit]
    if deep:  # they get their entry, and are done with
        _run(function, queue, deep)
    fine = [each for each in messages if _depth(each) < limit]
    try:
        return _settled(function, queue, fine, _run(function, queue, fine)) if fine else []
    except ApiError as error:
        log.warning("The queue %s has to wait: %s", name, error)
        return _later(source, fine, services.wakes.trouble_seconds(fine[0]))


def _run(function: Function, queue: Queue, messages: list[Message]) -> Invocation:
    invocation: Invocation = services.invoking.run(
        function,
        {"Records": messages},
        trigger=calls.QUEUE,
        source={"queue": queue.name, "messages": [each["messageId"] for each in messages]},
        depth=max(map(_depth, messages)) + 1,
    )
    return invocation


def _settled(
    function: Function, queue: Queue, messages: list[Message], invocation: Invocation
) -> list[str]:
    """Return the ids of the messages that come back; those at their end become dead letters."""
    failed = failed_of(invocation, messages)
    again = []
    for message in messages:
        if message["messageId"] not in failed:
            continue
        received = int(message["attributes"]["ApproximateReceiveCount"])
        if received >= queue.max_receives and invocation.status != calls.THROTTLED:
            store.dead_letters.put(_dead_letter(queue.name, message, _error(invocation)))
            continue
        seconds = services.wakes.retry_seconds(function, received)
        services.wakes.give_back(sqs_name(queue.name), message, seconds)
        again.append(message["messageId"])
    return again


def failed_of(invocation: Invocation, messages: list[Message]) -> set[str]:
    """Return the ids of the messages that failed.

    All of them if the call did, or if its answer names one that is none of them. Source:
    "Handling errors for an SQS event source in Lambda".
    """
    ids = {each["messageId"] for each in messages}
    if invocation.status != calls.SUCCEEDED:
        return ids
    result = invocation.result if isinstance(invocation.result, dict) else {}
    failures = result.get("batchItemFailures")
    if not failures:
        return set()
    if not isinstance(failures, list):
        return ids
    named = {each.get("itemIdentifier") if isinstance(each, dict) else None for each in failures}
    return {str(each) for each in named} if named <= ids else ids


def _error(invocation: Invocation) -> dict[str, str]:
    reported = {"type": "Dormouse.Reported", "message": "The function reported it as failed."}
    return {**(invocation.error or reported), "invocation": invocation.id}


def _dead_letter(name: str, message: Message, error: dict[str, str]) -> DeadLetter:
    at_ms = now_ms()
    sent_ms = int(message["attributes"].get("SentTimestamp") or at_ms)
    return DeadLetter(
        owner=store.dead_letters.of_queue(name),
        id=calls.derived_id(sent_ms, message["messageId"]),
        name=name,
        error=error,
        attempts=int(message["attributes"].get("ApproximateReceiveCount", 1)),
        created_ms=at_ms,
        expires=at_ms // 1000 + KEPT_DAYS * services.dead_letters.DAY_SECONDS,
        event=message["body"],
        trigger=calls.QUEUE,
        source={"messageId": message["messageId"]},
        depth=_depth(message),
    )


def _depth(message: Message) -> int:
    """Return the depth of the call that sent a message, 0 for people."""
    text = message.get("messageAttributes", {}).get(DEPTH, {}).get("stringValue", "")
    return int(text[:4]) if text.isascii() and text.isdecimal() else 0


def _later(source: str, messages: list[Message], seconds: float) -> list[str]:
    for message in messages:
        services.wakes.give_back(source, message, seconds)
    return [each["messageId"] for each in messages]


def collect_all_dead() -> None:
    """Make dead letters of what SQS put aside by itself, in all queues."""
    for queue in store.queues.all_of():
        collect_dead(queue)


def collect_dead(queue: Queue) -> None:
    """Make dead letters of what SQS put aside: a message that none of its attempts got through.

    Dying in between repeats a letter, which changes nothing.
    """
    dead = names.dead_queue(settings().resource_prefix, queue.name)
    unknown = {"type": "Dormouse.Lost", "message": "No attempt came to an end."}
    try:
        while messages := aws.sqs.receive(dead, visibility_seconds=30):
            for message in map(as_event, messages):
                store.dead_letters.put(_dead_letter(queue.name, message, unknown))
            aws.sqs.delete_batch(dead, [each["ReceiptHandle"] for each in messages])
    except aws.sqs.MissingQueueError:
        return  # its making was cut short


def as_event(message: dict[str, Any], source_arn: str = "") -> Message:
    """Return a message as Lambda hands it to a function, from the form of SQS's own API."""
    attributes = {
        name: {
            "stringValue": value.get("StringValue"),
            "binaryValue": value.get("BinaryValue"),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value["DataType"],
        }
        for name, value in (message.get("MessageAttributes") or {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes") or {},
        "messageAttributes": attributes,
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": source_arn,
        "awsRegion": settings().region,
    }
