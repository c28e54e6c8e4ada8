"""Writing the collections: every change is one transaction that moves the schema version.

The version item serialises the writers: a change is made of what was read at one version and
is written only if that is still the version. Whoever was slower reads again and retries.
"""

from collections.abc import Sequence
from typing import Any

from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Definition, Schema
from chalicelib.errors import BadRequestError
from chalicelib.light_orjson import orjson
from chalicelib.store import dropped, keys, schema
from chalicelib.store.changes import MAX_ACTIONS
from chalicelib.store.dropped import Dropped

MAX_DEFINITION_BYTES = 380_000
"""A little below DynamoDB's 400 KB an item."""

Action = dict[str, Any]


class VersionMovedError(Exception):
    """Somebody else changed the collections or the settings first: read them again."""


def newest() -> Schema:
    """Return the schema as it is now; reads the version alone if this process has it."""
    known = schema.cached()
    item = dynamodb.get(keys.schema_version()) if known is not None else None
    if known is not None and schema.version_of(item) == known.version:
        return known
    return schema.load()


def write(
    puts: Sequence[Definition],
    deletes: Sequence[str],
    expected_version: int,
    emptied: Sequence[Dropped] = (),
) -> int:
    """Write and delete definitions, all or nothing, and return the new version.

    `deletes` are collection ids; `emptied` are the storages that nothing names any more.
    Raises `VersionMovedError`, and `BadRequestError` for more than a transaction takes.
    """
    actions = [_move_version(expected_version)]
    actions += [{"Put": {"Item": _item(definition)}} for definition in puts]
    actions += [{"Delete": {"Key": keys.collection(each)}} for each in deletes]
    actions += [{"Put": {"Item": dropped.item(each)}} for each in emptied]
    try:
        dynamodb.transact(actions)
    except dynamodb.TransactionCanceledError as error:
        raise VersionMovedError from error
    except (dynamodb.TransactionTooLargeError, dynamodb.ItemTooLargeError) as error:
        raise BadRequestError(
            f"{len(actions)} changes of collections are more than DynamoDB writes at once"
            f" ({MAX_ACTIONS} items, 4 MB). Nothing was written: send fewer."
        ) from error
    return expected_version + 1


def _move_version(expected: int) -> Action:
    """Count the version up by one, from the one that was read; 0 is a table never set up."""
    condition = "n = :expected" if expected else "attribute_not_exists(PK)"
    values = {":next": {"N": str(expected + 1)}}
    if expected:
        values[":expected"] = {"N": str(expected)}
    return {
        "Update": {
            "Key": keys.schema_version(),
            "UpdateExpression": "SET n = :next",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
    }


def _item(definition: Definition) -> dict[str, Any]:
    document = orjson.dumps(definition)
    if len(document) > MAX_DEFINITION_BYTES:
        raise BadRequestError(
            f'The definition of "{definition["name"]}" has {len(document)} bytes and DynamoDB'
            f" takes {MAX_DEFINITION_BYTES} at most. Nothing was written."
        )
    return {
        **keys.collection(definition["id"]),
        "name": {"S": definition["name"]},
        "doc": {"S": document.decode()},
    }
