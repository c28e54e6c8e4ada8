"""Making, changing and removing SQS queues: the control road, on boto3.

Every function may raise `control.ControlError`.

IAM: sqs:CreateQueue, SetQueueAttributes, GetQueueUrl, GetQueueAttributes and DeleteQueue on the
deployment's queues.
"""

import json

from chalicelib.aws import sqs
from chalicelib.aws.control import ControlError, client, translated

RETENTION_SECONDS = 14 * 24 * 3600
"""SQS's longest."""


def ensure(name: str, attributes: dict[str, str]) -> str:
    """Make a queue, or give the one there is these attributes; return its ARN."""
    url = _url(name)
    with translated():
        if not url:
            url = client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        asked = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        found = asked["Attributes"]
        if changed := {key: each for key, each in attributes.items() if found.get(key) != each}:
            client("sqs").set_queue_attributes(QueueUrl=url, Attributes=changed)
    return str(found["QueueArn"])


def ensure_with_dead_letters(
    name: str, dead_name: str, attributes: dict[str, str], max_receives: int
) -> str:
    """Make or change a queue and the one its messages go to after so many receives.

    Return its ARN.
    """
    fifo = {"FifoQueue": "true"} if dead_name.endswith(".fifo") else {}
    kept = {"MessageRetentionPeriod": str(RETENTION_SECONDS), "SqsManagedSseEnabled": "true"}
    dead_arn = ensure(dead_name, {**kept, **fifo})
    redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": max_receives}
    policy = {"RedrivePolicy": json.dumps(redrive, separators=(",", ":"))}
    return ensure(name, {**kept, **fifo, **attributes, **policy})


def arn(name: str) -> str:
    """Return a queue's ARN, "" if there is none of this name."""
    url = _url(name)
    if not url:
        return ""
    with translated():
        found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def delete(name: str) -> None:
    """Remove a queue with what is in it; an absent one is fine."""
    url = _url(name)
    if url:
        with translated():
            client("sqs").delete_queue(QueueUrl=url)
    sqs.forget()


def _url(name: str) -> str:
    """Return a queue's URL, "" if there is none of this name."""
    try:
        with translated():
            return str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
    except ControlError as error:
        if "NonExistentQueue" in str(error) or "QueueDoesNotExist" in str(error):
            return ""
        raise
