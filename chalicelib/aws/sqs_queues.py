"""Making, changing and removing SQS queues: the control road, on boto3.

IAM: sqs:CreateQueue, SetQueueAttributes, GetQueueUrl, GetQueueAttributes and DeleteQueue on the
deployment's queues.
"""

import json
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.aws import sqs
from chalicelib.config import settings

RETENTION_SECONDS = 14 * 24 * 3600
"""SQS's longest."""


def ensure(name: str, attributes: dict[str, str]) -> str:
    """Make a queue, or give the one there is these attributes; return its ARN."""
    client = _client()
    try:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if not _is_missing(error):
            raise
        url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if changed := {key: value for key, value in attributes.items() if found.get(key) != value}:
        client.set_queue_attributes(QueueUrl=url, Attributes=changed)
    arn: str = found["QueueArn"]
    return arn


def delete(name: str) -> None:
    """Remove a queue with what is in it; an absent one is fine."""
    client = _client()
    try:
        client.delete_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if not _is_missing(error):
            raise
    sqs.forget()


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
    client = _client()
    try:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if _is_missing(error):
            return ""
        raise
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def _client() -> Any:
    return boto3.client("sqs", region_name=settings().region)


def _is_missing(error: ClientError) -> bool:
    return "NonExistentQueue" in str(error) or "QueueDoesNotExist" in str(error)
