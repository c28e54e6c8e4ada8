"""A function's triggers, as AWS has to have them: schedules, queues, the table's stream.

`apply` brings what there is to what a function's settings say. It may be repeated, so whoever
comes after a crash just does it again.

A mapping that looks for messages is paid for even if none come. So the queue of wakes is mapped to
the event edge only while there are functions, and the stream while one watches records. All
records' changes pass its filter, not only those of watched collections: a
change of a filter takes effect minutes later, and a truncated collection gets another storage,
so a narrower one would lose changes. What is not a record (calls, guards, usage) does not pass.
"""

from typing import Any

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain.functions.function import Function
from chalicelib.light_orjson import orjson
from chalicelib.store import keys

STREAM_BATCH = 100
WATCHING = ("record", "file")
"""The types of triggers that read the table's stream."""


def check(function: Function) -> None:
    """Raises `BadRequestError` for triggers that cannot be, because of other functions."""
    services.queues.require_free(function)


def apply(before: Function | None, after: Function | None) -> None:
    """Make the triggers of `after` (None: it is gone) and remove those only `before` had.

    Raises `BadRequestError` if another function works on one of its queues.
    """
    if settings().waker and (before is None or after is None):
        _map_wakes(before, after)
    services.queues.apply(before, after)
    if _has(before, "schedule") or _has(after, "schedule"):
        services.schedules.apply(before, after)
    if settings().waker and (watches(before) or watches(after)):
        _map_stream(before, after)


def watches(function: Function | None) -> bool:
    """Return whether a function is woken by changes of records."""
    return any(_has(function, kind) for kind in WATCHING)


def _map_wakes(before: Function | None, after: Function | None) -> None:
    arn = aws.sqs_queues.arn(services.wakes.queue_name())
    if after is not None or _others(before):
        aws.event_sources.ensure(arn, BatchSize=aws.sqs.MAX_BATCH)
    else:
        aws.event_sources.remove(arn)


def _others(*changed: Function | None) -> list[Function]:
    ids = {each.id for each in changed if each}
    return [each for each in store.functions.all() if each.id not in ids]


def _map_stream(before: Function | None, after: Function | None) -> None:
    arn = aws.event_sources.stream_arn()
    if watches(after) or any(map(watches, _others(before, after))):
        aws.event_sources.ensure(
            arn,
            StartingPosition="TRIM_HORIZON",
            BatchSize=STREAM_BATCH,
            BisectBatchOnFunctionError=True,
            FilterCriteria={"Filters": [{"Pattern": orjson.dumps(pattern()).decode()}]},
        )
    else:
        aws.event_sources.remove(arn)


def pattern() -> dict[str, Any]:
    """Return what the key of a record looks like to the filter of an event source mapping."""
    return {"dynamodb": {"Keys": {"PK": {"S": [{"prefix": keys.records_partition("")}]}}}}


def _has(function: Function | None, kind: str) -> bool:
    return function is not None and any(each["type"] == kind for each in function.triggers)
