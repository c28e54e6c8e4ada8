"""SQS's data plane, lean: sending and giving back, as background calls and stream events do.

It is not botocore for the reason that `dynamodb` gives. Queues are called by name; their URLs
are asked for once per process. Making queues and changing them: `sqs_queues`.

SqsError
├── MissingQueueError    there is no queue of this name
└── SQS refused          SqsError itself, with its code and words

Whatever passes is tried again until the deadline (`errors.UnavailableError`), so a message may
be sent twice: a FIFO queue drops the second by its deduplication id, other readers must not
mind. A receipt that is no longer valid is no error: its message is somebody else's by now.

IAM: sqs:SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility, GetQueueUrl and
GetQueueAttributes on the deployment's queues.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.aws import connections, credentials, sigv4
from chalicelib.aws.retries import Patience
from chalicelib.config import settings
from chalicelib.light_orjson import orjson

MAX_BATCH = 10
MAX_BATCH_BYTES = 256 * 1024
"""SQS takes 1 MiB by now, but a queue's own limit may still be this."""
MAX_VISIBILITY_SECONDS = 12 * 3600
MAX_WAIT_SECONDS = 20

Received = dict[str, Any]
"""A message as SQS's API has it: MessageId, ReceiptHandle, Body, Attributes, MessageAttributes."""


class SqsError(Exception):
    """A refusal by SQS, with its code and its own words."""


class MissingQueueError(SqsError):
    pass


class _PassingError(SqsError):
    """Worth another attempt; callers never see it."""


class Message(NamedTuple):
    """A message to send; `group` and `deduplication` are for FIFO queues, `delay` for others."""

    body: str
    group: str = ""
    deduplication: str = ""
    delay_seconds: int = 0
    attributes: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)

    @property
    def size_bytes(self) -> int:
        """Return what counts for SQS's limits."""
        texts = (self.body, *self.attributes.keys(), *self.attributes.values(), "String")
        return sum(len(text.encode()) for text in texts)


def send(queue: str, message: Message) -> str:
    """Send one message and return its id. Raises `MissingQueueError` and other `SqsError`s."""
    sent = _call("SendMessage", {"QueueUrl": url(queue), **_entry(message)})
    return str(sent["MessageId"])


def send_batch(queue: str, messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Send up to `MAX_BATCH` messages; return (id, "") or ("", SQS's reason) for each.

    Together they may have `MAX_BATCH_BYTES`. Raises as `send` if all are refused at once.
    """
    entries = [{"Id": str(at), **_entry(message)} for at, message in enumerate(messages)]
    answer = _call("SendMessageBatch", {"QueueUrl": url(queue), "Entries": entries})
    found = {each["Id"]: (each["MessageId"], "") for each in answer.get("Successful") or ()}
    for each in answer.get("Failed") or ():
        found[each["Id"]] = ("", f"{each['Code']}: {each.get('Message', '')}")
    return [found.get(str(at), ("", "SQS said nothing of it")) for at in range(len(messages))]


def receive(
    queue: str, visibility_seconds: int, wait_seconds: int = 0, most: int = MAX_BATCH
) -> list[Received]:
    """Return messages, hidden from other readers for a while; waits for the first one."""
    arguments = {
        "QueueUrl": url(queue),
        "MaxNumberOfMessages": most,
        "WaitTimeSeconds": wait_seconds,
        "VisibilityTimeout": visibility_seconds,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    messages: list[Received] = (
        _call("ReceiveMessage", arguments, wait_seconds).get("Messages") or []
    )
    return messages


def change_visibility(queue: str, receipt: str, seconds: int) -> None:
    """Let a received message be seen again after so many seconds (0: at once)."""
    seconds = max(0, min(MAX_VISIBILITY_SECONDS, seconds))
    arguments = {"QueueUrl": url(queue), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
    _forgiving("ChangeMessageVisibility", arguments)


def delete_batch(queue: str, receipts: Sequence[str]) -> None:
    """Remove up to `MAX_BATCH` received messages for good."""
    if not receipts:
        return
    entries = [{"Id": str(at), "ReceiptHandle": each} for at, each in enumerate(receipts)]
    _call("DeleteMessageBatch", {"QueueUrl": url(queue), "Entries": entries})


def counts(queue: str) -> dict[str, int]:
    """Return about how many messages wait, are delayed and are in flight."""
    names = {
        "waiting": "ApproximateNumberOfMessages",
        "delayed": "ApproximateNumberOfMessagesDelayed",
        "inFlight": "ApproximateNumberOfMessagesNotVisible",
    }
    arguments = {"QueueUrl": url(queue), "AttributeNames": list(names.values())}
    found = _call("GetQueueAttributes", arguments).get("Attributes") or {}
    return {ours: int(found.get(theirs, 0)) for ours, theirs in names.items()}


_urls: dict[tuple[str, str], str] = {}


def url(queue: str) -> str:
    """Return a queue's URL. Raises `MissingQueueError`."""
    key = (connections.endpoint("sqs", settings().region).host, queue)
    if key not in _urls:
        _urls[key] = _call("GetQueueUrl", {"QueueName": queue})["QueueUrl"]
    return _urls[key]


def forget() -> None:
    """Drop the known URLs."""
    _urls.clear()


def _entry(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"MessageBody": message.body}
    if message.group:
        entry["MessageGroupId"] = message.group
        entry["MessageDeduplicationId"] = message.deduplication
    if message.delay_seconds:
        entry["DelaySeconds"] = message.delay_seconds
    if message.attributes:
        entry["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in message.attributes.items()
        }
    return entry


def _forgiving(operation: str, arguments: dict[str, Any]) -> None:
    try:
        _call(operation, arguments)
    except SqsError as error:
        if _code(str(error)) not in _STALE:
            raise


_STALE = ("ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue")
"""SQS words a receipt that is too old in each of these ways."""

_PASSING = frozenset(("RequestThrottled", "ThrottlingException", "OverLimit", "InternalError",
                      "ServiceUnavailable", "KmsThrottled"))  # fmt: skip


def _call(operation: str, arguments: dict[str, Any], wait_seconds: int = 0) -> dict[str, Any]:
    body = orjson.dumps(arguments)
    patience = Patience()
    while True:
        seconds = patience.attempt_seconds()
        try:
            return _attempt(operation, body, max(seconds, wait_seconds + seconds))
        except _PassingError as error:
            patience.pause(error)


def _attempt(operation: str, body: bytes, timeout_seconds: float) -> dict[str, Any]:
    region = settings().region
    to = connections.endpoint("sqs", region)
    scope = sigv4.Scope(region, "sqs")
    action = "AmazonSQS." + operation
    headers = sigv4.json_headers(to.host, action, body, credentials.current(), scope)
    try:
        status, content, _ = connections.exchange(to, "POST", "/", body, headers, timeout_seconds)
    except (connections.NotConnectedError, connections.BrokenConnectionError) as error:
        raise _PassingError(str(error)) from error
    answer = _decode(content)
    if status == 200:
        return answer
    raise _error(status, answer)


def _decode(content: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(content) if content else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _error(status: int, answer: dict[str, Any]) -> SqsError:
    code = str(answer.get("__type", "")).rpartition("#")[2].rpartition(".")[2]
    message = f"{code or f'HTTP {status}'}: {answer.get('message') or answer.get('Message') or ''}"
    if code in ("QueueDoesNotExist", "NonExistentQueue"):
        forget()  # it may have been made anew, in another account even
        return MissingQueueError(message)
    if status >= 500 or status == 429 or code in _PASSING:
        return _PassingError(message)
    return SqsError(message)


def _code(message: str) -> str:
    return message.partition(":")[0]
