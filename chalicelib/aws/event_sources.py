"""Event source mappings: which streams and queues wake the event edge. Control road, on boto3.

Every function may raise `control.ControlError`; one is `NotYetError` while Lambda is still at
work on an earlier change of the same mapping.

IAM: lambda:CreateEventSourceMapping, UpdateEventSourceMapping, DeleteEventSourceMapping and
ListEventSourceMappings, for mappings of the event edge's function; dynamodb:DescribeTable on the
table and, as a mapping reads with its function's role, DescribeStream, GetRecords and
GetShardIterator on its stream.
"""

from typing import Any

from chalicelib.aws.control import MissingError, NotYetError, client, translated
from chalicelib.config import settings

REPORTS_FAILURES = ["ReportBatchItemFailures"]
DELETING = "Deleting"


def ensure(source_arn: str, **wanted: Any) -> None:
    """Make the mapping of a source to the event edge, or change the one there is.

    `wanted` is as in CreateEventSourceMapping; `StartingPosition` counts only when it is made.
    Raises `NotYetError` while an earlier one is on its way out: Lambda lists it until it is gone.
    """
    found = _find(source_arn)
    if found is not None and found.get("State") == DELETING:
        raise NotYetError(f"The mapping of {source_arn} is being deleted")
    with translated():
        if found is None:
            client("lambda").create_event_source_mapping(
                FunctionName=settings().waker,
                EventSourceArn=source_arn,
                FunctionResponseTypes=REPORTS_FAILURES,
                **wanted,
            )
            return
        wanted.pop("StartingPosition", None)
        if any(found.get(name) != value for name, value in wanted.items()):
            client("lambda").update_event_source_mapping(UUID=found["UUID"], **wanted)


def remove(source_arn: str) -> None:
    """Remove the mapping of a source, if there is one."""
    found = _find(source_arn)
    if found is None or found.get("State") == DELETING:
        return
    try:
        with translated():
            client("lambda").delete_event_source_mapping(UUID=found["UUID"])
    except MissingError:
        return


def stream_arn() -> str:
    """Return the ARN of the table's stream, "" if it has none."""
    with translated():
        table = client("dynamodb").describe_table(TableName=settings().table_name)["Table"]
    return str(table.get("LatestStreamArn", ""))


def _find(source_arn: str) -> dict[str, Any] | None:
    with translated():
        answer = client("lambda").list_event_source_mappings(
            EventSourceArn=source_arn, FunctionName=settings().waker
        )
    found: list[dict[str, Any]] = answer["EventSourceMappings"]
    return found[0] if found else None
