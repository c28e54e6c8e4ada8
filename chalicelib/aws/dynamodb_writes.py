"""The writes of `dynamodb`, each with its own way not to be made twice.

The answer to a write may be lost after the write was made. `ConditionFailedError.in_doubt`
says that an earlier attempt of the same call had that fate.
"""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.aws.dynamodb_calls import Key, Names, Values, call, identity
from chalicelib.aws.dynamodb_errors import (
    ConditionFailedError,
    InvalidRequestError,
    Item,
    ThrottledError,
    TransactionTooLargeError,
)
from chalicelib.aws.retries import OutcomeUnknownError, Patience
from chalicelib.config import settings

BATCH_WRITE_REQUESTS = 25
TRANSACTION_ACTIONS = 100
TRANSACTION_BYTES = 4 * 1024 * 1024


def put(
    item: Item,
    condition: str | None = None,
    values: Values | None = None,
    names: Names | None = None,
    own_attribute: str = "rev",
) -> None:
    """Write one item, replacing what was there. Raises `ConditionFailedError`, its `item` set.

    `own_attribute` names the attribute that holds a fresh random text for each write: by it
    a write is recognised whose answer was lost and whose repetition then fails its own
    condition. Where that cannot be told, `OutcomeUnknownError`. Without a condition a
    repetition may undo what somebody else wrote in between.
    """
    arguments = {"TableName": settings().table_name, "Item": item}
    _add_condition(arguments, condition, values, names)
    try:
        call("PutItem", arguments)
    except ConditionFailedError as error:
        if error.in_doubt:
            _require_own(error, own_attribute, item.get(own_attribute))
            return
        raise


def update(
    key: Key,
    expression: str,
    values: Values | None = None,
    names: Names | None = None,
    condition: str | None = None,
    own_attribute: str | None = None,
) -> Item:
    """Change one item and return it as it is then. Raises `ConditionFailedError`.

    An expression that counts (ADD, DELETE, arithmetic or a function) is not repeated when
    its outcome is unknown (`OutcomeUnknownError`), unless `own_attribute` is given: the
    attribute that the expression sets to the fresh text `:<own_attribute>` under a
    condition which then no longer holds.
    """
    values = values or {}
    own = _own_value(own_attribute, values, condition)
    arguments = {
        "TableName": settings().table_name,
        "Key": key,
        "UpdateExpression": expression,
        "ReturnValues": "ALL_NEW",
    }
    _add_condition(arguments, condition, values, names)
    may_repeat = own is not None or not re.search(_COUNTS, expression)
    try:
        changed: Item = call("UpdateItem", arguments, may_repeat=may_repeat)["Attributes"]
    except ConditionFailedError as error:
        if error.in_doubt:
            return _require_own(error, own_attribute or "", own)
        raise
    return changed


_COUNTS = r"(?i)\b(?:ADD|DELETE)\b|[+\-(]"
"""Marks of an update expression whose second application changes the item again."""


def _own_value(
    own_attribute: str | None, values: Values, condition: str | None
) -> dict[str, Any] | None:
    if own_attribute is None:
        return None
    own = values.get(":" + own_attribute)
    if own is None or not condition:
        raise InvalidRequestError(
            f"own_attribute needs a condition and its fresh value as :{own_attribute}"
        )
    return own


def delete(
    key: Key,
    condition: str | None = None,
    values: Values | None = None,
    names: Names | None = None,
) -> None:
    """Delete one item; an absent one is fine. Raises `ConditionFailedError`.

    When the answer to the first attempt was lost and the item is gone at the second, that
    is success; when another item is there by then, `OutcomeUnknownError`.
    """
    arguments = {"TableName": settings().table_name, "Key": key}
    _add_condition(arguments, condition, values, names)
    try:
        call("DeleteItem", arguments)
    except ConditionFailedError as error:
        if not error.in_doubt:
            raise
        if error.item is not None:
            raise OutcomeUnknownError from error


def transact(actions: Sequence[dict[str, Any]]) -> None:
    """Carry out all actions or none: those of TransactWriteItems, without their TableName.

    Conflicts with other transactions are tried again here. Raises `TransactionCanceledError`
    with a reason for each action, `TransactionTooLargeError`, `ItemTooLargeError`. A failed
    condition tells its item where the action says
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD", which is added if it says nothing.
    """
    _require_small(actions)
    table = settings().table_name
    call(
        "TransactWriteItems",
        {
            "TransactItems": [_with_table(action, table) for action in actions],
            "ClientRequestToken": os.urandom(16).hex(),
        },
    )


def _require_small(actions: Sequence[dict[str, Any]]) -> None:
    """Raise `TransactionTooLargeError` before DynamoDB refuses, which has no code of its own."""
    if len(actions) > TRANSACTION_ACTIONS:
        raise TransactionTooLargeError(
            f"{len(actions)} changes are over the {TRANSACTION_ACTIONS} that DynamoDB makes at once"
        )
    # Ten items of at most 400 KB fit in any case.
    if len(actions) > 10 and sum(map(_put_bytes, actions)) > TRANSACTION_BYTES:
        raise TransactionTooLargeError("The changes are over the 4 MB that DynamoDB makes at once")


def _put_bytes(action: dict[str, Any]) -> int:
    """Return the size of the item that an action puts; only text is large enough to count."""
    item = action.get("Put", {}).get("Item", {})
    return sum(len(name) + len(value.get("S", "").encode()) for name, value in item.items())


def _with_table(action: dict[str, Any], table: str) -> dict[str, Any]:
    ((kind, arguments),) = action.items()
    complete = {"TableName": table, **arguments}
    if "ConditionExpression" in arguments:
        complete.setdefault("ReturnValuesOnConditionCheckFailure", "ALL_OLD")
    return {kind: complete}


def batch_write_deletes(keys: Iterable[Key]) -> None:
    """Delete any number of items, unconditionally and one by one: no transaction."""
    table = settings().table_name
    wanted = list({identity(key): key for key in keys}.values())
    for start in range(0, len(wanted), BATCH_WRITE_REQUESTS):
        requests = [
            {"DeleteRequest": {"Key": key}} for key in wanted[start : start + BATCH_WRITE_REQUESTS]
        ]
        patience = Patience()
        while requests:
            sent = len(requests)
            answer = call("BatchWriteItem", {"RequestItems": {table: requests}}, patience)
            requests = answer.get("UnprocessedItems", {}).get(table, [])
            if len(requests) == sent:
                patience.pause(ThrottledError("BatchWriteItem wrote nothing"))


def _add_condition(
    arguments: dict[str, Any], condition: str | None, values: Values | None, names: Names | None
) -> None:
    if condition:
        arguments["ConditionExpression"] = condition
        arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if values:
        arguments["ExpressionAttributeValues"] = values
    if names:
        arguments["ExpressionAttributeNames"] = names


def _require_own(
    error: ConditionFailedError, own_attribute: str, own: dict[str, Any] | None
) -> Item:
    """Return the stored item if an earlier attempt of ours wrote it."""
    stored = error.item
    if own is None or stored is None or stored.get(own_attribute) != own:
        raise OutcomeUnknownError from error
    return stored
