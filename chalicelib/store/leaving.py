"""Records about to be deleted: announced first, so that nothing begins to refer to them.

A delete looks for references and then commits. A reference that came in between would be left
pointing to nothing, as the record itself does not change when it is referred to. So the record
is marked first, and whoever adds a reference checks that its target has no mark
(docs/adr/0004-references-are-checked-in-the-transaction.md). A mark does not change `rev`.
"""

import contextlib
import time
from typing import Any

from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection
from chalicelib.errors import UnavailableError
from chalicelib.store import keys
from chalicelib.store.records import Stored

LEAVING_SECONDS = 6
"""Longer than a delete takes from its look at the references to its commit."""


def announce(collection: Collection, stored: Stored) -> int:
    """Announce that a record is about to be deleted: nothing may begin to refer to it.

    So the references that are found after this are all there will be. It holds for
    `LEAVING_SECONDS`, and ends with the record's next write or with `withdraw`, which takes what
    this returns. Raises `LookupError` if the record is no longer the one that was read.
    """
    until = int(time.time()) + LEAVING_SECONDS
    try:
        dynamodb.update(
            keys.record(collection.storage, stored.record["id"]),
            "SET leaving = :until",
            {":until": {"N": str(until)}, ":rev": {"S": stored.rev}},
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


def stays(storage: str, record_id: str) -> dict[str, Any]:
    """Return the check of a transaction that a record is there and not `leaving`."""
    check = {
        "Key": keys.record(storage, record_id),
        "ConditionExpression": "attribute_exists(PK) AND"
        " (attribute_not_exists(leaving) OR leaving < :now)",
        "ExpressionAttributeValues": {":now": {"N": str(int(time.time()))}},
    }
    return {"ConditionCheck": check}
