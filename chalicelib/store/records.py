"""Records: one JSON document an item, beside the attributes of its indexes.

A document over `SPILL_BYTES` lies in the bucket, under a key that its revision makes unique,
and the item points to it: a reader sees either the old pair or the new one. It comes and goes
as a file of the record does (`services.file_writes`).
"""

import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import aws
from chalicelib.aws import dynamodb
from chalicelib.domain import index_values
from chalicelib.domain import record as records
from chalicelib.domain.collection import Collection
from chalicelib.domain.request import Record
from chalicelib.errors import BadRequestError, UnavailableError, field_error
from chalicelib.light_orjson import orjson
from chalicelib.store import keys

if TYPE_CHECKING:
    from chalicelib.domain.query_plan import KeyRange

Item = dict[str, dict[str, Any]]

SPILL_BYTES = 350_000
"""Documents above this go to the bucket; DynamoDB's items end at 400 KB."""

_SEQ_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_last_seq = [0]


class Stored(NamedTuple):
    """A record as it lies in the table: what a later write must be conditional on."""

    record: Record
    rev: str
    seq: str
    spill: str = ""
    size_bytes: int = 0
    depth: int = 0
    """How long the chain of functions was that wrote it (`dp`); 0: a person did."""


def read(collection: Collection, item: Item) -> Stored:
    """Return the record of an item; fetches the document if it lies in the bucket.

    Raises `UnavailableError` if the record goes at this moment.
    """
    if "spill" in item:
        return _read_spilled(collection, item)
    text = item["doc"]["S"]
    record = records.decode(collection, orjson.loads(text), item["SK"]["S"])
    depth = int(item["dp"]["N"]) if "dp" in item else 0
    return Stored(record, item["rev"]["S"], item["seq"]["S"], "", len(text), depth)


def _read_spilled(collection: Collection, item: Item) -> Stored:
    name = item["spill"]["S"]
    try:
        text = aws.s3.get(name)
    except aws.s3.MissingObjectError:
        # Written anew since the item was read, or read through an index that lags behind.
        return read(collection, _newer(item))
    record = records.decode(collection, orjson.loads(text), item["SK"]["S"])
    depth = int(item["dp"]["N"]) if "dp" in item else 0
    return Stored(record, item["rev"]["S"], item["seq"]["S"], name, len(text), depth)


def _newer(item: Item) -> Item:
    found = dynamodb.get({"PK": item["PK"], "SK": item["SK"]})
    if found is None:
        raise UnavailableError("A record was deleted while it was read. Please try again.")
    if found["rev"] == item["rev"]:
        raise LookupError(f"{item['spill']['S']} is not in the bucket")
    return found


def write(collection: Collection, record: Record, seq: str = "") -> tuple[Item, Stored]:
    """Return the item to write for a record, and what it will be once written.

    Raises `BadRequestError` for a value that an index cannot hold.
    """
    rev = new_rev()
    seq = seq or new_seq()
    text = orjson.dumps(records.encode(collection, record)).decode()
    item = keys.record(collection.storage, record["id"])
    item |= {"rev": {"S": rev}, "seq": {"S": seq}, **index_attributes(collection, record)}
    item["doc"] = {"S": text}
    size_bytes = len(text) if text.isascii() else len(text.encode())
    return item, Stored(record, rev, seq, "", size_bytes)


def spilled(collection: Collection, item: Item, stored: Stored) -> tuple[Item, Stored, bytes]:
    """Return what `write` returned with the document put aside, and the document.

    The document has to be in the bucket, as the object `Stored.spill`, before the item is.
    """
    name = f"documents/{collection.storage}/{stored.record['id']}/{stored.rev}"
    slim = {key: value for key, value in item.items() if key != "doc"}
    slim |= {"spill": {"S": name}, "size": {"N": str(stored.size_bytes)}}
    return slim, stored._replace(spill=name), item["doc"]["S"].encode()


def size_bytes(item: Item) -> int:
    """Return the size of an item's document, which may lie in the bucket; else in characters."""
    return int(item["size"]["N"]) if "size" in item else len(item["doc"]["S"])


def index_attributes(collection: Collection, record: Record) -> Item:
    """Return the index partition and the slots of one record; empty if no index orders it."""
    attributes: Item = {}
    for index in collection.indexes:
        if index.slot is None:
            continue
        try:
            value = index_values.slot_value(index, collection, record)
        except index_values.IndexValueTooLongError:
            raise _too_long(index.columns[0].name, index.name) from None
        if value is not None:
            attributes[f"ix{index.slot}"] = {"S": value}
    if attributes:
        attributes["ip"] = {"S": keys.index_partition(collection.storage)}
    return attributes


def _too_long(field: str, index: str) -> BadRequestError:
    most = index_values.MAX_ENTRY_BYTES
    message = f"The index {index} holds {most} bytes a record at most."
    error = field_error("validation_index_value_too_long", message)
    return BadRequestError("The record does not fit its index.", {field: error})


def drop_spilled(spilled: Iterable[str]) -> None:
    """Delete documents from the bucket that no item points to any more."""
    for name in spilled:
        aws.s3.delete(name)


def find(collection: Collection, record_id: str) -> Stored | None:
    """Return one record, read strongly (access pattern 2)."""
    item = dynamodb.get(keys.record(collection.storage, record_id))
    return read(collection, item) if item else None


def of_ids(collection: Collection, ids: Iterable[str]) -> dict[str, Stored]:
    """Return those of the records that exist, by id, read strongly."""
    items = dynamodb.batch_get([keys.record(collection.storage, i) for i in ids if i])
    return {item["SK"]["S"]: read(collection, item) for item in items}


class Page(NamedTuple):
    """Some records in key order, and the key to go on from (None at the end)."""

    stored: list[Stored]
    next_key: Item | None


def page(collection: Collection, start: Item | None = None, limit: int | None = None) -> Page:
    """Return records in order of id, read strongly (access pattern 3)."""
    partition = keys.records_partition(collection.storage)
    found = dynamodb.query(
        "PK = :p", {":p": {"S": partition}}, start=start, limit=limit, consistent=True
    )
    return Page([read(collection, item) for item in found.items], found.next_key)


def in_range(
    collection: Collection,
    wanted: "KeyRange",
    start: Item | None = None,
    limit: int | None = None,
    spend: Callable[[int, int], None] | None = None,
) -> Page:
    """Return records of one key range in its order (access patterns 3 and 4).

    A range of an index is eventually consistent; DynamoDB offers nothing else there. `spend`
    is told how many records and bytes they have, before any is fetched from the bucket.
    """
    found = dynamodb.query(**_range_query(collection, wanted), start=start, limit=limit)
    if spend is not None:
        spend(len(found.items), sum(map(size_bytes, found.items)))
    return Page([read(collection, item) for item in found.items], found.next_key)


def count_in_range(collection: Collection, wanted: "KeyRange", start: Item | None) -> int:
    """Return how many records a range holds from `start` on, without fetching them."""
    count = 0
    while True:
        found = dynamodb.query(**_range_query(collection, wanted), start=start, count_only=True)
        count += found.count
        start = found.next_key
        if start is None:
            return count


def start_after(collection: Collection, wanted: "KeyRange", stored: Stored) -> Item:
    """Return the key to go on from when `stored` was the last record of a page."""
    start = keys.record(collection.storage, stored.record["id"])
    if wanted.slot is None:
        return start
    return start | index_attributes_of_slot(collection, stored.record, wanted.slot)


def start_at(collection: Collection, wanted: "KeyRange", record_id: str, entry: str) -> Item:
    """Return the key to go on from, given the last record's id and its entry in the index."""
    start = keys.record(collection.storage, record_id)
    if wanted.slot is None:
        return start
    partition = {"S": keys.index_partition(collection.storage)}
    return start | {"ip": partition, f"ix{wanted.slot}": {"S": entry}}


def index_attributes_of_slot(collection: Collection, record: Record, slot: int) -> Item:
    """Return `ip` and the one index attribute of a record."""
    attributes = index_attributes(collection, record)
    return {name: attributes[name] for name in ("ip", f"ix{slot}")}


def _range_query(collection: Collection, wanted: "KeyRange") -> dict[str, Any]:
    if wanted.slot is None:
        hash_name, sort_name = "PK", "SK"
        partition = keys.records_partition(collection.storage)
    else:
        hash_name, sort_name = "ip", f"ix{wanted.slot}"
        partition = keys.index_partition(collection.storage)
    condition, values = f"{hash_name} = :p", {":p": {"S": partition}}
    if wanted.low or wanted.high:
        condition += f" AND {sort_name} BETWEEN :low AND :high"
        # A key text is never empty: the lowest character stands for "from the beginning".
        values |= {":low": {"S": wanted.low or "\0"}, ":high": {"S": wanted.high}}
    return {
        "condition": condition,
        "values": values,
        "index": None if wanted.slot is None else sort_name,
        "forward": wanted.forward,
        "consistent": wanted.slot is None,
    }


def all_of(collection: Collection) -> Iterator[Stored]:
    """Yield every record of a collection in order of id; stop iterating and it stops reading."""
    return _paged(lambda start: page(collection, start))


def all_in_range(collection: Collection, wanted: "KeyRange") -> Iterator[Stored]:
    """Yield every record of a range in its order."""
    return _paged(lambda start: in_range(collection, wanted, start))


def _paged(read_page: Callable[[Item | None], Page]) -> Iterator[Stored]:
    start = None
    while True:
        found = read_page(start)
        yield from found.stored
        start = found.next_key
        if start is None:
            return


def new_rev() -> str:
    """Return a revision: 11 random characters, so a writer recognises its own write."""
    return urlsafe_b64encode(os.urandom(8))[:-1].decode()


def new_seq() -> str:
    """Return a text that sorts after those this process gave before: microseconds, then chance.

    The order of concurrent writers is that of their clocks.
    """
    now_us = max(time.time_ns() // 1000, _last_seq[0] + 1)
    _last_seq[0] = now_us
    digits = (_SEQ_DIGITS[now_us >> shift & 31] for shift in range(50, -1, -5))
    return "".join(digits) + _SEQ_DIGITS[os.urandom(1)[0] & 31]
