"""Messages coming into a queue, from superusers and from functions that have the right to."""

import re
from typing import Any

from chalicelib import aws, services, store
from chalicelib.domain.request import Call
from chalicelib.errors import (
    BadRequestError,
    ForbiddenError,
    UnavailableError,
    field_error,
)
from chalicelib.services.queues import DEPTH, sqs_name
from chalicelib.services.session import Session

MOST_MESSAGES = 100
MOST_DELAY_SECONDS = 900
MOST_MESSAGE_BYTES = aws.sqs.MAX_BATCH_BYTES - 256
"""Of one message; the rest is for its attributes."""

_REFUSED_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""SQS takes what XML 1.0 does."""


def post(call: Call, name: str) -> dict[str, Any]:
    """Put messages into a queue; return the id or the error of each, in their order.

    Superusers may, and functions whose rights have `queues:<name>`. Raises `BadRequestError` if
    a message cannot be one (then none is sent), 401, 403, 404, and 503 if none was taken.
    """
    session = services.session.open(call)
    _require_sender(session, name)
    messages = _messages(call.body.data, session.depth)
    services.queues.find(name)
    sent: list[dict[str, Any]] = []
    for chunk in _chunks(messages):
        sent += _sent(sqs_name(name), chunk, is_first=not any("id" in each for each in sent))
    return {"messages": sent, "failed": sum("error" in each for each in sent)}


def _require_sender(session: Session, name: str) -> None:
    auth = session.require_auth()
    of_function = session.auth_collection is not None and session.auth_collection.is_functions
    if session.is_superuser or (of_function and f"queues:{name}" in (auth.get("rights") or ())):
        return
    raise ForbiddenError("The authorized record is not allowed to perform this action.")


def _messages(body: dict[str, Any], depth: int) -> list[aws.sqs.Message]:
    given = body.get("messages")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_MESSAGES:
        message = f"Must be a list of 1 to {MOST_MESSAGES} messages."
        raise _refused({"messages": field_error("validation_invalid_messages", message)})
    errors: dict[str, Any] = {}
    messages = []
    attributes = {DEPTH: str(depth)} if depth else {}
    for at, each in enumerate(given):
        error = _error_of(each)
        if error:
            errors[str(at)] = error
        else:
            delay = each.get("delaySeconds", 0)
            messages.append(
                aws.sqs.Message(_text(each["body"]), delay_seconds=delay, attributes=attributes)
            )
    if errors:
        raise _refused({"messages": errors})
    return messages


def _error_of(each: Any) -> dict[str, Any]:
    """Return the errors of one message by key; {} if it can be sent."""
    if not isinstance(each, dict) or "body" not in each or each.keys() - {"body", "delaySeconds"}:
        message = 'Must be like {"body": any value, "delaySeconds": 0 to 900}.'
        return field_error("validation_invalid_message", message)
    delay = each.get("delaySeconds", 0)
    if type(delay) is not int or not 0 <= delay <= MOST_DELAY_SECONDS:
        message = f"Must be 0 to {MOST_DELAY_SECONDS}."
        return {"delaySeconds": field_error("validation_invalid_delay", message)}
    text = _text(each["body"])
    if not text or _REFUSED_CHARACTERS.search(text):
        message = "Must not be empty, nor have characters that SQS refuses."
        return {"body": field_error("validation_invalid_body", message)}
    if len(text.encode()) > MOST_MESSAGE_BYTES:
        message = f"Must have {MOST_MESSAGE_BYTES} bytes at most."
        return {"body": field_error("validation_body_too_large", message)}
    return {}


def _text(body: Any) -> str:
    """Return a message's body as SQS carries it: a text as it is, anything else as JSON."""
    return body if isinstance(body, str) else store.invocations.dumps(body).decode()


def _refused(data: dict[str, Any]) -> BadRequestError:
    return BadRequestError("The messages cannot be sent; none was.", data)


def _chunks(messages: list[aws.sqs.Message]) -> list[list[aws.sqs.Message]]:
    """Return the messages in rows that SQS takes at once."""
    chunks: list[list[aws.sqs.Message]] = [[]]
    size_bytes = 0
    for message in messages:
        size_bytes += message.size_bytes
        if len(chunks[-1]) == aws.sqs.MAX_BATCH or size_bytes > aws.sqs.MAX_BATCH_BYTES:
            chunks.append([])
            size_bytes = message.size_bytes
        chunks[-1].append(message)
    return chunks


def _sent(queue: str, chunk: list[aws.sqs.Message], is_first: bool) -> list[dict[str, Any]]:
    try:
        answers = aws.sqs.send_batch(queue, chunk)
    except aws.sqs.SqsError as error:
        if isinstance(error, aws.sqs.MissingQueueError):
            raise UnavailableError("The queue is being made. Please try again.") from error
        raise
    except UnavailableError as error:
        if is_first:
            raise
        answers = [("", str(error))] * len(chunk)
    return [
        {"id": message_id} if message_id else {"error": field_error("not_sent", reason)}
        for message_id, reason in answers
    ]
