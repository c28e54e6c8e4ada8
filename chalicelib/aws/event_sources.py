"""Event source mappings: which streams and queues wake the event edge. Control road, on boto3.

IAM: lambda:CreateEventSourceMapping, UpdateEventSourceMapping, DeleteEventSourceMapping and
ListEventSourceMappings, for mappings of the event edge's function; dynamodb:DescribeTable on the
table.
"""

from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.config import settings

REPORTS_FAILURES = ["ReportBatchItemFailures"]


def ensure(source_arn: str, **wanted: Any) -> None:
    """Make the mapping of a source to the event edge, or change the one there is.

    `wanted` is as in CreateEventSourceMapping; `StartingPosition` counts only when it is made.
    """
    client = _client()
    found = _find(client, source_arn)
    if found is None:
        client.create_event_source_mapping(
            FunctionName=settings().waker,
            EventSourceArn=source_arn,
            FunctionResponseTypes=REPORTS_FAILURES,
            **wanted,
        )
        return
    wanted.pop("StartingPosition", None)
    if any(found.get(name) != value for name, value in wanted.items()):
        client.update_event_source_mapping(UUID=found["UUID"], **wanted)


def remove(source_arn: str) -> None:
    """Remove the mapping of a source, if there is one."""
    client = _client()
    found = _find(client, source_arn)
    if found is None or found.get("State") == "Deleting":
        return
    try:
        client.delete_event_source_mapping(UUID=found["UUID"])
    except client.exceptions.ResourceNotFoundException:
        return


def stream_arn() -> str:
    """Return the ARN of the table's stream, "" if it has none."""
    client = boto3.client("dynamodb", region_name=settings().region)
    table = client.describe_table(TableName=settings().table_name)["Table"]
    return str(table.get("LatestStreamArn", ""))


def is_busy(error: ClientError) -> bool:
    """Whether Lambda is still at work on the mapping: try again in a while."""
    code = error.response["Error"]["Code"]
    return code in ("ResourceInUseException", "ResourceConflictException")


def _find(client: Any, source_arn: str) -> dict[str, Any] | None:
    pages = client.get_paginator("list_event_source_mappings").paginate(
        EventSourceArn=source_arn, FunctionName=settings().waker
    )
    found = [each for page in pages for each in page["EventSourceMappings"]]
    return found[0] if found else None


def _client() -> Any:
    return boto3.client("lambda", region_name=settings().region)
