"""Storages that no collection names any more, and their emptying, chunk by chunk.

Deleting or truncating a collection only notes its storage here; the records are then out of
reach at once and are deleted afterwards, now or in a later request. A writer that still had
the old schema may add a record for a moment, so the note stays until the storage is found
empty a good while later.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib import aws
from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection, Schema
from chalicelib.light_orjson import orjson
from chalicelib.store import keys, records

SETTLED_SECONDS = 60
"""By then no writer works with the schema that named the storage."""

CHUNK_RECORDS = 200

Item = dict[str, dict[str, Any]]


class Dropped(NamedTuple):
    """A storage to be emptied and what its records hold elsewhere in the table."""

    storage: str
    since: int
    """Seconds since 1970."""
    uniques: tuple[str, ...]
    """Names of the unique indexes: their guards go too."""
    relations: tuple[tuple[str, str], ...]
    """(field key, storage of the target): the references of these fields go too."""
    owner: str = ""
    """Id of the auth collection, if it was one: what is kept about its records goes too."""


def of_collection(collection: Collection, schema: Schema) -> Dropped:
    """Return the note for the storage that a collection has now."""
    targets = [(field, schema.target(field)) for field in collection.fields]
    return Dropped(
        collection.storage,
        int(time.time()),
        tuple(index.name for index in collection.indexes if index.unique),
        tuple((field.key, target.storage) for field, target in targets if target is not None),
        collection.id if collection.is_auth else "",
    )


def item(note: Dropped) -> Item:
    """Return the item of a note."""
    details = {"uniques": note.uniques, "relations": note.relations, "owner": note.owner}
    return {
        **keys.dropped(note.storage),
        "since": {"N": str(note.since)},
        "doc": {"S": orjson.dumps(details).decode()},
    }


def all_of() -> list[Dropped]:
    """Return the storages to be emptied, the first hundred (access pattern 7)."""
    page = dynamodb.query("PK = :p", {":p": {"S": "DROPPED"}}, limit=100, consistent=True)
    return [_read(found) for found in page.items]


def _read(found: Item) -> Dropped:
    details = orjson.loads(found["doc"]["S"])
    relations = tuple((key, target) for key, target in details["relations"])
    return Dropped(
        found["SK"]["S"],
        int(found["since"]["N"]),
        tuple(details["uniques"]),
        relations,
        details["owner"],
    )


def empty(note: Dropped, until: float) -> bool:
    """Delete what a storage holds until `until` (monotonic seconds); return whether all is gone.

    References go before the record that tells of them, so that an interrupted run can go on.
    """
    partitions = [f"UNIQUE#{note.storage}#{name}" for name in note.uniques]
    for partition in (*partitions, keys.records_partition(note.storage)):
        for items in _chunks(partition):
            dynamodb.batch_write_deletes(_references(note, items))
            records.drop_spilled(found["spill"]["S"] for found in items if "spill" in found)
            dynamodb.batch_write_deletes({"PK": each["PK"], "SK": each["SK"]} for each in items)
            if time.monotonic() > until:
                return False
    if time.time() - note.since > SETTLED_SECONDS:
        dynamodb.delete(keys.dropped(note.storage))
    return True


def _chunks(partition: str) -> Iterator[list[Item]]:
    while True:
        values = {":p": {"S": partition}}
        page = dynamodb.query("PK = :p", values, limit=CHUNK_RECORDS, consistent=True)
        if page.items:
            yield page.items
        if page.next_key is None:
            return


def _references(note: Dropped, items: list[Item]) -> Iterator[keys.Key]:
    """Yield the keys of the references that these records hold on others."""
    for found in items if note.relations else ():
        document = _document(found)
        for field_key, target_storage in note.relations:
            value = document.get(field_key) or ()
            for target in (value,) if isinstance(value, str) else value:
                yield keys.reference(
                    target_storage, target, note.storage, field_key, found["SK"]["S"]
                )


def _document(found: Item) -> dict[str, Any]:
    if "spill" in found:
        document: dict[str, Any] = orjson.loads(aws.s3.get(found["spill"]["S"]))
        return document
    return orjson.loads(found["doc"]["S"]) if "doc" in found else {}
