"""Records about to be deleted: announced first, so that nothing begins to refer to them.

A delete looks for references and then commits. A reference that came in between would be left
pointing to nothing, as the record itself does not change when it is referred to. So the record
is marked first, and whoever adds a reference checks that its target has no mark
(docs/adr/0004-references-are-checked-in-the-transaction.md). A mark does not change `rev`.

A delete has no item of its own that could say how deep the chain of functions is that makes it
(`dp`): the stream tells the last image, which is that of the last write. So where the two differ
the image is put right first. Should the delete then fail, nothing is lost: `dp` of a record that
stays is only read by its next delete, which puts it right again.
"""

import contextlib
import time
from collections.abc import Sequence
from typing import Any

from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection
from chalicelib.errors import UnavailableError
from chalicelib.store import keys
from chalicelib.store.records import Stored

LEAVING_SECONDS = 6
"""Longer than a delete takes from its look at the references to its commit."""


def announce(collection: Collection, stored: Stored, depth: int = 0) -> int:
    """Announce that a record is about to be deleted: nothing may begin to refer to it.

    So the references that are found after this are all there will be. It holds for
    `LEAVING_SECONDS`, and ends with the record's next write or with `withdraw`, which takes what
    this returns. `depth` is that of who deletes. Raises `LookupError` if the record is no longer
    the one that was read.
    """
    until = int(time.time()) + LEAVING_SECONDS
    try:
        dynamodb.update(
            keys.record(collection.storage, stored.record["id"]),
            _expression("leaving = :until", stored, depth),
            {":until": {"N": str(until)}, ":rev": {"S": stored.rev}, **_values(stored, depth)},
            condition="rev = :rev",
        )
    except dynamodb.ConditionFailedError as error:
        raise LookupError(stored.record["id"]) from error
    return until


def withdraw(collection: Collection, stored: Stored, until: int) -> None:
    """Take back what `announce` did. Trouble is nobody's: it ends by itself."""
    with contextlib.suppress(dynamodb.DynamoError, UnavailableError):
        dynamodb.update(
            keys.record(collection.storage, stored.record["id"]),
            "REMOVE leaving",
            {":until": {"N": str(until)}, ":rev": {"S": stored.rev}},
            condition="rev = :rev AND leaving = :until",
        )


def mark(leaving: Sequence[tuple[Collection, Stored]], depth: int) -> None:
    """Write on records that are about to be deleted how deep the chain is that deletes them.

    Raises `LookupError` if one is no longer what was read.
    """
    updates = [_depth_update(collection, stored, depth) for collection, stored in leaving]
    try:
        if len(updates) > 1:
            dynamodb.transact([{"Update": each} for each in updates])
            return
        (one,) = updates
        dynamodb.update(
            one["Key"],
            one["UpdateExpression"],
            one["ExpressionAttributeValues"],
            condition=one["ConditionExpression"],
        )
    except (dynamodb.ConditionFailedError, dynamodb.TransactionCanceledError) as error:
        raise LookupError(f"{len(updates)} records") from error


def _depth_update(collection: Collection, stored: Stored, depth: int) -> dict[str, Any]:
    return {
        "Key": keys.record(collection.storage, stored.record["id"]),
        "UpdateExpression": _expression("", stored, depth),
        "ConditionExpression": "rev = :rev",
        "ExpressionAttributeValues": {":rev": {"S": stored.rev}, **_values(stored, depth)},
    }


def _expression(assignment: str, stored: Stored, depth: int) -> str:
    """Return what sets `assignment` and the depth; the depth alone only if it is another."""
    assigned = [assignment] if assignment else []
    if depth and depth != stored.depth:
        assigned.append("dp = :depth")
    expression = f"SET {', '.join(assigned)}" if assigned else ""
    return f"{expression} REMOVE dp".strip() if stored.depth and not depth else expression


def _values(stored: Stored, depth: int) -> dict[str, Any]:
    return {":depth": {"N": str(depth)}} if depth and depth != stored.depth else {}


def stays(storage: str, record_id: str) -> dict[str, Any]:
    """Return the check of a transaction that a record is there and not `leaving`."""
    check = {
        "Key": keys.record(storage, record_id),
        "ConditionExpression": "attribute_exists(PK) AND"
        " (attribute_not_exists(leaving) OR leaving < :now)",
        "ExpressionAttributeValues": {":now": {"N": str(int(time.time()))}},
    }
    return {"ConditionCheck": check}
