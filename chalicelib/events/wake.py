"""The one handler of queues, the table's stream and the clock; `app.wake` in Lambda.

    SQS       background calls (`services.wakes`), or a queue's messages (`queue_delivery`)
    DynamoDB  changes of records (`services.record_triggers`)
    clock     {"source": "dormouse.maintenance"}: what requests that died have left to others

It answers which messages have to come back (ReportBatchItemFailures); the rest is done with. On
a developer's machine `tools.pump` calls it with events of the same shape.
"""

import time
from typing import Any

from chalicelib import services
from chalicelib.aws import dynamodb

MAINTENANCE = "dormouse.maintenance"
ANSWER_SECONDS = 1.0
"""Kept back from the platform's deadline, to send the answer."""
_FOR_EVER = 1e9

Event = dict[str, Any]


def handle(event: Event, context: Any = None) -> dict[str, Any]:
    """Work on an event; return the failures as Lambda reads them. Raises for an unknown event."""
    until = time.monotonic() + _seconds(context)
    if event.get("source") == MAINTENANCE:
        return {"done": services.maintenance.work(until)}
    records = event["Records"]
    source = records[0]["eventSource"]
    token = dynamodb.deadline.set(until if context is not None else None)
    try:
        if source == "aws:dynamodb":
            failed = services.record_triggers.handle(records)
        elif source == "aws:sqs":
            failed = _messages(records, until)
        else:
            raise ValueError(f"nothing is known of events of {source}")
    finally:
        dynamodb.deadline.reset(token)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _messages(records: list[Event], until: float) -> list[str]:
    def seconds_left() -> float:
        return until - time.monotonic()

    queue: str = records[0]["eventSourceARN"].rpartition(":")[2]
    if queue == services.wakes.queue_name():
        return services.wakes.handle(records, seconds_left)
    return services.queue_delivery.deliver(queue, records, seconds_left)


def _seconds(context: Any) -> float:
    """Return how long the event may be worked on; outside Lambda nobody stops it."""
    if context is None:
        return _FOR_EVER
    return float(context.get_remaining_time_in_millis()) / 1000 - ANSWER_SECONDS
