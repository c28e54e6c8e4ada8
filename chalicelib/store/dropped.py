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
from chalicelib.store import files, keys, records

SETTLED_SECONDS = 60
"""By then no writer works with the schema that named the storage."""

CHUNK_RECORDS = 200
CHUNK_RECORDS_WITH_FILES = 20
"""Each record's files take two calls to the bucket."""

Item = dict[str, dict[str, Any]]


class Dropped(NamedTuple):
    """A storage to be emptied and what its records hold elsewhere in the table."""

    storage: str
    since: int
    """Seconds since 1970."""
    uniques: tuple[str, ...]
    """Names of the unique indexes, former ones too: their guards go with the records."""
    relations: tuple[tuple[str, str], ...]
    """(field key, storage of the target): the references of these fields go too."""
    owner: str = ""
    """Id of the auth collection, if it was one: what is kept about its records goes too."""
    folder: str = ""
    """Id of the collection, under which its files lie."""
    file_keys: tuple[str, ...] = ()
    """Keys of the file fields: the files go too."""


def of_collection(collection: Collection, schema: Schema) -> Dropped:
    """Return the note for the storage that a collection has now."""
    targets = [(field, schema.target(field)) for field in collection.fields]
    return Dropped(
        collection.storage,
        int(time.time()),
        (
            *(index.name for index in collection.indexes if index.unique),
            *collection.definition.get("formerUniques", ()),
        ),
        tuple((field.key, target.storage) for field, target in targets if target is not None),
        collection.id if collection.is_auth else "",
        collection.id,
        tuple(field.key for field in collection.fields if field.type == "file"),
    )


def item(note: Dropped) -> Item:
    """Return the item of a note."""
    details = note._asdict()
    del details["storage"], details["since"]
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
        details.get("folder", ""),
        tuple(details.get("file_keys", ())),
    )


def empty(note: Dropped, until: float) -> bool:
    """Delete what a storage holds until `until` (monotonic seconds); return whether all is gone.

    References and files go before the record that tells of them, so that an interrupted run can
    go on.
    """
    at_once = CHUNK_RECORDS_WITH_FILES if note.file_keys else CHUNK_RECORDS
    partitions = [f"UNIQUE#{note.storage}#{name}" for name in note.uniques]
    for partition in (*partitions, keys.records_partition(note.storage)):
        for items in _chunks(partition, at_once):
            dynamodb.batch_write_deletes(_references(note, items))
            files.remove(list(_files(note, items)))
            records.drop_spilled(found["spill"]["S"] for found in items if "spill" in found)
            dynamodb.batch_write_deletes({"PK": each["PK"], "SK": each["SK"]} for each in items)
            if time.monotonic() > until:
                return False
    if time.time() - note.since > SETTLED_SECONDS:
        dynamodb.delete(keys.dropped(note.storage))
    return True


def _chunks(partition: str, at_once: int) -> Iterator[list[Item]]:
    while True:
        values = {":p": {"S": partition}}
        page = dynamodb.query("PK = :p", values, limit=at_once, consistent=True)
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


def _files(note: Dropped, items: list[Item]) -> Iterator[str]:
    """Yield the keys of the objects that are these records' files."""
    for found in items if note.file_keys else ():
        document = _document(found)
        for field_key in note.file_keys:
            value = document.get(field_key) or ()
            for name in (value,) if isinstance(value, str) else value:
                yield files.object_key(note.folder, found["SK"]["S"], name)


def _document(found: Item) -> dict[str, Any]:
    if "spill" in found:
        try:
            document: dict[str, Any] = orjson.loads(aws.s3.get(found["spill"]["S"]))
        except aws.s3.MissingObjectError:
            return {}  # a run that died had come that far: all that it told of is gone
        return document
    return orjson.loads(found["doc"]["S"]) if "doc" in found else {}
