"""Queues: which function works on the messages of which queue, as items of the table.

The messages themselves are in SQS (`domain.functions.names.queue`). The item stays when the
function's trigger goes, so that no message is lost; then nobody works on the queue.
"""

from typing import Any, NamedTuple

from chalicelib.aws import dynamodb
from chalicelib.light_orjson import orjson
from chalicelib.store import keys, records

Item = dict[str, dict[str, Any]]


class Queue(NamedTuple):
    """A queue and who works on its messages."""

    name: str
    function: str = ""
    """The function's name; "" if none has a trigger for this queue."""
    function_id: str = ""
    batch_size: int = 10
    window_seconds: int = 0
    max_receives: int = 3
    """So often a message is tried before it becomes a dead letter."""
    rev: str = ""


class TakenError(Exception):
    """Another function works on this queue."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(queue.name)
        self.queue = queue


def load(name: str) -> Queue | None:
    """Return one queue, strongly consistent."""
    item = dynamodb.get(keys.queue(name))
    return _read(item) if item else None


def all_of() -> list[Queue]:
    """Return all queues, by name (access pattern 17)."""
    found: list[Queue] = []
    start = None
    while True:
        values = {":p": {"S": keys.QUEUES}}
        page = dynamodb.query("PK = :p", values, start=start, consistent=True)
        found += map(_read, page.items)
        start = page.next_key
        if start is None:
            return found


def save(queue: Queue) -> None:
    """Let a function work on a queue. Raises `TakenError` if another one does."""
    item = _item(queue)
    condition = "attribute_not_exists(PK) OR fn = :none OR fn = :own"
    values = {":none": {"S": ""}, ":own": {"S": queue.function_id}}
    try:
        dynamodb.put(item, condition, values)
    except dynamodb.ConditionFailedError as error:
        raise TakenError(_read(error.item or item)) from error


def release(name: str, function_id: str) -> None:
    """Let nobody work on a queue any more, if it was this function that did."""
    queue = load(name)
    if queue is not None and queue.function_id == function_id:
        item = _item(queue._replace(function="", function_id=""))
        try:
            dynamodb.put(item, "rev = :rev", {":rev": {"S": queue.rev}})
        except dynamodb.ConditionFailedError:
            release(name, function_id)


def delete(queue: Queue) -> None:
    """Forget a queue that nobody works on. Raises `TakenError`."""
    try:
        dynamodb.delete(keys.queue(queue.name), "fn = :none", {":none": {"S": ""}})
    except dynamodb.ConditionFailedError as error:
        if error.item is not None:
            raise TakenError(_read(error.item)) from error


def _item(queue: Queue) -> Item:
    return {
        **keys.queue(queue.name),
        "doc": {"S": orjson.dumps({**queue._asdict(), "name": None, "rev": None}).decode()},
        "fn": {"S": queue.function_id},
        "rev": {"S": records.new_rev()},
    }


def _read(item: Item) -> Queue:
    document = orjson.loads(item["doc"]["S"])
    values = {name: document[name] for name in Queue._fields if name in document}
    name = item["SK"]["S"].partition("#")[2]
    return Queue(**{**values, "name": name, "rev": item["rev"]["S"]})
