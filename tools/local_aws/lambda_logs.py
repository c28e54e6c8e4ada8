"""What functions write, in the local AWS's CloudWatch Logs: one stream per worker, as in AWS."""

import time
from typing import Any

from ministack.services import cloudwatch_logs

from tools.local_aws.lambda_versions import Version

_Document = dict[str, Any]


def write(version: Version, stream_name: str, text: str) -> None:
    """Append lines to a worker's stream; group and stream are made if absent."""
    now_ms = int(time.time() * 1000)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    events = [{"timestamp": now_ms, "message": line, "ingestionTime": now_ms} for line in lines]
    stream = _stream(_group(version.log_group, now_ms), stream_name, now_ms)
    cloudwatch_logs._append_log_events(stream, events)
    told = [{"timestamp": now_ms, "message": line} for line in lines]
    cloudwatch_logs._fanout_to_subscription_filters(version.log_group, stream_name, told)


def _group(name: str, now_ms: int) -> _Document:
    groups = cloudwatch_logs._log_groups
    if name not in groups:
        groups[name] = {
            "arn": cloudwatch_logs._make_group_arn(name),
            "creationTime": now_ms,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    group: _Document = groups[name]
    return group


def _stream(group: _Document, name: str, now_ms: int) -> _Document:
    fresh = {
        "events": [],
        "uploadSequenceToken": "1",
        "creationTime": now_ms,
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }
    stream: _Document = group["streams"].setdefault(name, fresh)
    return stream
