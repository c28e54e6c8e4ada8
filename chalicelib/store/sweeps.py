"""Sweeps: notes of files that no record names, kept until the files are gone.

The bucket takes no part in DynamoDB's transactions, so a note in the table stands for what is
still to be done there. It is written before files are uploaded, and goes in the transaction
that makes a record name them; or it comes in the transaction that makes a record forget them.
So at any moment a file is named by a record or by a note (docs/adr/0005-files-and-sweeps.md).

A note of an upload falls due long after its request is over. Before its files are deleted it
is claimed, which the upload's transaction cannot survive.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.aws import dynamodb
from chalicelib.light_orjson import orjson
from chalicelib.store import files, keys, records

UPLOAD_SECONDS = 1200
"""No request that uploads lives that long: Lambda ends it after 900."""

MOST_KEYS = 1500
"""So many keys of objects fit an item."""

Item = dict[str, dict[str, Any]]


class Sweep(NamedTuple):
    """A note: where it lies and the files it names."""

    sort: str
    objects: tuple[str, ...]


def of(objects: Sequence[str], delay_seconds: int = 0) -> list[Sweep]:
    """Return new notes for files, to be carried out after a while."""
    due = f"{int(time.time()) + delay_seconds:012d}"
    return [
        Sweep(f"{due}#{records.new_rev()}", tuple(objects[start : start + MOST_KEYS]))
        for start in range(0, len(objects), MOST_KEYS)
    ]


def announce(sweep: Sweep) -> None:
    """Write the note of an upload that is about to begin."""
    dynamodb.put(_item(sweep))


def coming(sweep: Sweep) -> dict[str, Any]:
    """Return the action of a transaction that makes its records forget files."""
    return {"Put": {"Item": _item(sweep)}}


def fulfilled(sweep: Sweep) -> dict[str, Any]:
    """Return the action of a transaction that makes its records name an upload's files.

    It fails if the note was claimed: then the files may be gone.
    """
    condition = "attribute_exists(PK) AND attribute_not_exists(claimed)"
    return {"Delete": {"Key": keys.sweep(sweep.sort), "ConditionExpression": condition}}


def carry_out(sweep: Sweep) -> bool:
    """Delete the files of a note, then the note; return whether there was one."""
    try:
        dynamodb.update(
            keys.sweep(sweep.sort),
            "SET claimed = :yes",
            {":yes": {"BOOL": True}},
            condition="attribute_exists(PK)",
        )
    except dynamodb.ConditionFailedError:
        return False
    files.remove(sweep.objects)
    dynamodb.delete(keys.sweep(sweep.sort))
    return True


def due(limit: int) -> list[Sweep]:
    """Return notes that are due, the oldest first (access pattern 9)."""
    values = {":p": {"S": keys.SWEEPS}, ":now": {"S": f"{int(time.time()):012d}~"}}
    page = dynamodb.query("PK = :p AND SK < :now", values, limit=limit, consistent=True)
    return [_read(item) for item in page.items]


def _item(sweep: Sweep) -> Item:
    return {**keys.sweep(sweep.sort), "doc": {"S": orjson.dumps(sweep.objects).decode()}}


def _read(item: Item) -> Sweep:
    return Sweep(item["SK"]["S"], tuple(orjson.loads(item["doc"]["S"])))
