"""Record triggers: from the table's stream to calls of the functions that watch it.

Each change becomes one queued call per trigger it matches, under an id derived from the change:
a batch that is delivered twice makes no call twice. The calls of one record and function form a
group of the queue of wakes, so they are made in the record's order; records go side by side.

What is no change: a write that left `rev` as it was (a mark of `store.leaving`, an index being
filled), and the emptying of a storage that no collection names any more.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from chalicelib import aws, services, store
from chalicelib.aws import dynamodb
from chalicelib.aws.dynamodb import DynamoError
from chalicelib.config import settings
from chalicelib.domain import record as records
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import matching
from chalicelib.domain.functions.function import Function, Trigger
from chalicelib.domain.functions.matching import Change
from chalicelib.domain.request import Record
from chalicelib.errors import BadRequestError, TooLargeError, UnavailableError
from chalicelib.light_orjson import orjson
from chalicelib.store import keys
from chalicelib.store.changes import Changes
from chalicelib.store.related import Related

log = logging.getLogger("dormouse")

StreamRecord = dict[str, Any]
Item = dict[str, dict[str, Any]]
Queue = Callable[..., object]
"""What makes the call of an event: `services.background_calls.queue`, or `bury`."""

_PREFIX = keys.records_partition("")
_PASSING = (UnavailableError, DynamoError, aws.s3.S3Error, aws.sqs.SqsError)
"""Trouble of the platform: better to wait than to lose a change."""
_LASTING = (dynamodb.ItemTooLargeError, dynamodb.InvalidRequestError)
"""Of those, what waiting does not cure."""
RULE_FAILED = "Dormouse.RuleFailed"


class _Watcher(NamedTuple):
    function: Function
    trigger: Trigger


class _Cause(NamedTuple):
    """A change that may wake functions, and what their calls have to know of it."""

    change: Change
    missing: dict[str, bool]
    depth: int
    number: int


class _World(NamedTuple):
    """What a batch is matched against."""

    schema: Schema
    by_storage: dict[str, Collection]
    watchers: list[_Watcher]


def handle(stream_records: list[StreamRecord]) -> list[str]:
    """Queue the calls of a batch's changes.

    Returns [] or, as the stream has to go on from there, the lowest sequence number that failed.
    """
    by_record: dict[str, list[StreamRecord]] = {}
    for each in stream_records:
        key = each["dynamodb"]["Keys"]
        if key["PK"]["S"].startswith(_PREFIX) and _is_change(each["dynamodb"]):
            by_record.setdefault(key["PK"]["S"] + "#" + key["SK"]["S"], []).append(each)
    world = _world() if by_record else None
    if world is None or not world.watchers:
        return []
    failed = services.wakes.side_by_side(
        lambda group: _in_order(world, group), list(by_record.values())
    )
    numbers = [number for number in failed if number]
    return [min(numbers, key=int)] if numbers else []


def _in_order(world: _World, group: list[StreamRecord]) -> str:
    """Queue the calls of one record's changes; return where that failed, "" if it did not."""
    for each in group:
        try:
            _queue_calls(world, each)
        except Exception as error:
            if _passes(error):
                log.warning("A change could not be handed on; it comes again", exc_info=True)
                return str(each["dynamodb"]["SequenceNumber"])
            _put_aside(world.watchers, world, each, error)
    return ""


def _passes(error: Exception) -> bool:
    return isinstance(error, _PASSING) and not isinstance(error, _LASTING)


def _is_change(image: dict[str, Any]) -> bool:
    old, new = image.get("OldImage"), image.get("NewImage")
    if old is None or new is None:
        return old is not None or new is not None
    return bool(old.get("rev") != new.get("rev"))


def _world() -> _World:
    functions = store.functions.all()
    watchers = [
        _Watcher(function, trigger)
        for function in functions
        for trigger in function.triggers
        if trigger["type"] in services.function_triggers.WATCHING
    ]
    schema = _schema() if watchers else Schema(0, {})
    return _World(schema, {each.storage: each for each in schema.all()}, watchers)


def _schema() -> Schema:
    """Return the schema of now: read after the changes, it knows all that they are of."""
    cached = store.schema.cached()
    version = store.schema.version_of(dynamodb.get(keys.schema_version())) if cached else 0
    return cached if cached and cached.version == version else store.schema.load()


def _queue_calls(world: _World, stream_record: StreamRecord) -> None:
    image = stream_record["dynamodb"]
    collection = _collection(world, image)
    watchers = [each for each in world.watchers if collection and _may_match(each, collection)]
    if collection is None or not watchers:
        return
    change, missing = _change(collection, stream_record)
    depth = int((image.get("NewImage") or image["OldImage"]).get("dp", {"N": "0"})["N"]) + 1
    cause = _Cause(change, missing, depth, int(image["SequenceNumber"]))
    for watcher in watchers:
        try:
            _queue_calls_of(watcher, world.schema, cause)
        except Exception as error:
            if _passes(error):
                raise
            _put_aside([watcher], world, stream_record, error)


def _queue_calls_of(watcher: _Watcher, schema: Schema, cause: _Cause) -> None:
    """Queue the calls of one trigger. If its rule cannot judge, they are dead letters at once."""
    trigger, change = watcher.trigger, cause.change
    related = Related(Changes(schema), settings().scan_budget_items)
    queue: Queue = services.background_calls.queue
    try:
        if not matching.matches(trigger, change, schema, related):
            return
    except BadRequestError as error:  # it reads more records than it may
        told = {"type": RULE_FAILED, "message": str(error)}
        queue = partial(services.background_calls.bury, error=told)
    for event in matching.events(trigger, change):
        _queue(queue, watcher, cause, {**event, **cause.missing})


def _put_aside(
    watchers: list[_Watcher], world: _World, stream_record: StreamRecord, error: Exception
) -> None:
    """Leave a dead letter of a change that no call could be made of, to those that watch it.

    It would come again for a day else, and keep back every later change of every record.
    """
    image = stream_record["dynamodb"]
    log.error("A change cannot be handed on: %s", image["Keys"], exc_info=error)
    collection = _collection(world, image)
    for watcher in watchers:
        if collection is None or not _may_match(watcher, collection):
            continue
        function, trigger = watcher
        seed = f"{function.id}#{trigger['id']}#{stream_record['eventID']}"
        services.dead_letters.keep_unmade(
            function,
            _call_id(_time_ms(image), int(image["SequenceNumber"]), seed),
            {"type": type(error).__name__, "message": str(error)},
            {
                "collection": collection.name,
                "collectionId": collection.id,
                "recordId": image["Keys"]["SK"]["S"],
                "trigger": trigger["id"],
            },
        )


def _collection(world: _World, image: dict[str, Any]) -> Collection | None:
    """Return the collection that a changed record is of; None if it is gone."""
    return world.by_storage.get(image["Keys"]["PK"]["S"].removeprefix(_PREFIX))


def _time_ms(image: dict[str, Any]) -> int:
    """Return when a change was made; the stream tells whole seconds."""
    return int(float(image["ApproximateCreationDateTime"]) * 1000)


def _may_match(watcher: _Watcher, collection: Collection) -> bool:
    """Return whether a trigger is about this collection: most changes need not be read at all."""
    trigger = watcher.trigger
    wanted = trigger.get("collectionId") or trigger["collection"]
    return wanted in (collection.id, collection.name)


def _change(collection: Collection, stream_record: StreamRecord) -> tuple[Change, dict[str, bool]]:
    """Return a change, and what its event has to say of documents that are gone."""
    image = stream_record["dynamodb"]
    record, has_record = _image(collection, image.get("NewImage"))
    original, has_original = _image(collection, image.get("OldImage"))
    missing = {
        name: True
        for name, is_there in (("recordMissing", has_record), ("originalMissing", has_original))
        if not is_there
    }
    change_id = stream_record["eventID"]
    return Change(change_id, collection, record, original, _time_ms(image)), missing


def _image(collection: Collection, item: Item | None) -> tuple[Record | None, bool]:
    """Return the record of an image, and whether its document is (still) there.

    A document too large for an item goes from the bucket with the write that replaces it: what
    is left of such an image is the record's id.
    """
    if item is None:
        return None, True
    record_id: str = item["SK"]["S"]
    try:
        text = aws.s3.get(item["spill"]["S"]) if "spill" in item else item["doc"]["S"]
    except aws.s3.MissingObjectError:
        return records.decode(collection, {}, record_id), False
    return records.decode(collection, orjson.loads(text), record_id), True


def _queue(queue: Queue, watcher: _Watcher, cause: _Cause, event: dict[str, Any]) -> None:
    (function, trigger), change = watcher, cause.change
    shown = event["record"] or event["original"]
    file_name = event.get("file", {}).get("name", "")
    source = {
        "collection": change.collection.name,
        "collectionId": change.collection.id,
        "action": change.action,
        "recordId": shown["id"],
        "trigger": trigger["id"],
    }
    seed = f"{function.id}#{trigger['id']}#{change.id}#{file_name}"
    invocation_id = _call_id(change.time_ms, cause.number, seed)
    for smaller in _ever_smaller(event):
        try:
            queue(
                function,
                smaller,
                trigger=calls.FILE if trigger["type"] == "file" else calls.RECORD,
                source={**source, "file": file_name} if file_name else source,
                depth=cause.depth,
                invocation_id=invocation_id,
            )
        except TooLargeError:
            continue
        return


def _call_id(time_ms: int, number: int, seed: str) -> str:
    """Return the one id of a change's call: the same each time, and in the order of changes.

    The stream tells times in whole seconds, so its numbers order the changes of a second.
    """
    order = bytes(number % 10**9 >> shift & 31 for shift in range(25, -1, -5))
    return calls.new_id(time_ms, order + hashlib.sha256(seed.encode()).digest())


def _ever_smaller(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an event as it is, then without the old record's values, then without the new one's."""
    yield event
    for name in ("original", "record"):
        if event[name] is not None:
            kept = {key: event[name][key] for key in ("id", "collectionId", "collectionName")}
            event = {**event, name: kept, f"{name}Missing": True}
        yield event
