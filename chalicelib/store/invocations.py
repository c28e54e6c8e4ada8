"""Invocations: calls of functions, from the moment they are wanted until they expire.

Every write is conditional: a new call on its id being free, a change on the `rev` that was read.
So of two processes that work on one call, one goes on and the other gets `MovedError`. Writes
take further actions (money, usage, an idempotency key) into their transaction.

A value over `INLINE_BYTES` lies in the bucket (`domain.functions.names.payload`). Its objects are
written before the item that needs them, and before them a note (`store.sweeps`) that falls due
when the call expires: so they are removed in the end whoever dies when.

DynamoDB deletes expired items late; until then they are treated as gone.
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib import aws, store
from chalicelib.aws import dynamodb
from chalicelib.domain.functions import names
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.light_orjson import orjson
from chalicelib.store import keys

Item = dict[str, dict[str, Any]]
Action = dict[str, Any]

INLINE_BYTES = 8192
"""A larger event or result is an object: an item's every 1 KB is paid for by each write."""

DAY_SECONDS = 24 * 3600
KEY_SECONDS = DAY_SECONDS
"""How long an idempotency key is known."""

_IN_KEYS_AND_ATTRIBUTES = ("id", "function_id", "status", "rev")


class MovedError(Exception):
    """Somebody else wrote the call first; `invocation` is what it is now, None if it is gone."""

    def __init__(self, invocation: Invocation | None) -> None:
        self.invocation = invocation


class RefusedError(Exception):
    """An action that was to be part of the write failed its condition: nothing was written."""

    def __init__(self, at: int, item: Item | None) -> None:
        self.at = at
        """Which of the actions, from 0."""
        self.item = item


class Page(NamedTuple):
    invocations: list[Invocation]
    before: str
    """The id to go on before; "" on the last page."""


class Key(NamedTuple):
    """What an idempotency key stands for."""

    invocation_id: str
    request: str
    """The digest of what was asked under it."""


def put_new(
    invocation: Invocation, retention_days: int, actions: Sequence[Action] = ()
) -> Invocation:
    """Write a new call; return it as it is stored. Raises `MovedError`, `RefusedError`."""
    return _write(invocation, retention_days, actions, "attribute_not_exists(PK)")


def change(
    invocation: Invocation, retention_days: int, actions: Sequence[Action] = ()
) -> Invocation:
    """Write a call anew if it still has its `rev`. Raises `MovedError`, `RefusedError`."""
    return _write(invocation, retention_days, actions, "rev = :rev")


def load(function_id: str, invocation_id: str) -> Invocation | None:
    """Return a call with all its values, strongly consistent; None if unknown or expired."""
    found = glance(function_id, invocation_id)
    return whole(found) if found else None


def glance(function_id: str, invocation_id: str) -> Invocation | None:
    """Return a call as `load`, but without what lies in the bucket."""
    item = dynamodb.get(keys.invocation(function_id, invocation_id))
    return _read(item) if item and _is_kept(item) else None


def remove_input(invocation: Invocation) -> None:
    """Delete the object of an event as it came; an absent one is fine."""
    aws.s3.delete(_object(invocation, "input"))


def whole(invocation: Invocation) -> Invocation:
    """Return a call with its values that lie in the bucket; what is gone there stays None."""
    found: dict[str, Any] = {}
    for what in invocation.spilled:
        try:
            content = aws.s3.get(_object(invocation, what))
        except aws.s3.MissingObjectError:
            continue
        found[what] = content.decode() if what == "input" else loads(content)
    return invocation._replace(**found)


def page(function_id: str, limit: int, before: str = "") -> Page:
    """Return calls, newest first, without what lies in the bucket (access pattern 13).

    `before` is an id: only calls that are older.
    """
    values = {":p": {"S": keys.invocations_partition(function_id)}}
    condition = "PK = :p"
    if before:
        condition += " AND SK < :before"
        values[":before"] = {"S": before}
    found = dynamodb.query(condition, values, forward=False, limit=limit, consistent=True)
    last = found.next_key["SK"]["S"] if found.next_key else ""
    return Page([_read(item) for item in found.items if _is_kept(item)], last)


def key(function_id: str, digest: str) -> Key | None:
    """Return what an idempotency key stands for, strongly consistent; None if it is free."""
    item = dynamodb.get(keys.idempotency(function_id, digest))
    return read_key(item) if item and _is_kept(item) else None


def read_key(item: Item) -> Key:
    return Key(item["invocation"]["S"], item["request"]["S"])


def take_key(function_id: str, digest: str, taken: Key) -> Action:
    """Return the action that binds a key, for the transaction of its call's first write."""
    now = int(time.time())
    item = {
        **keys.idempotency(function_id, digest),
        "invocation": {"S": taken.invocation_id},
        "request": {"S": taken.request},
        "ttl": {"N": str(now + KEY_SECONDS)},
    }
    return {
        "Put": {
            "Item": item,
            "ConditionExpression": "attribute_not_exists(PK) OR #ttl <= :now",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {":now": {"N": str(now)}},
        }
    }


def free_key(function_id: str, digest: str) -> Action:
    """Return the action that gives a key back: its call did not run."""
    return {"Delete": {"Key": keys.idempotency(function_id, digest)}}


def digest(*texts: str) -> str:
    """Return one hash of several texts, none of which can pass for two."""
    return hashlib.sha256(dumps(texts)).hexdigest()


def dumps(value: Any) -> bytes:
    """Return JSON of any value that JSON had, also what orjson does not write."""
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer over 64 bits, half a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()


def canonical(value: Any) -> str:
    """Return JSON that is the same for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def is_large(value: Any) -> bool:
    """Whether a value is too large for its call's item."""
    return len(dumps(value)) > INLINE_BYTES


def loads(content: bytes | str) -> Any:
    """Return the value that `dumps` wrote."""
    try:
        return orjson.loads(content)
    except ValueError:
        return json.loads(content)


def _write(
    invocation: Invocation, retention_days: int, actions: Sequence[Action], condition: str
) -> Invocation:
    expires = invocation.created_ms // 1000 + retention_days * DAY_SECONDS
    stored = _spill(invocation, expires)._replace(rev=os.urandom(8).hex())
    item = _item(stored, expires)
    values = {":rev": {"S": invocation.rev}} if ":rev" in condition else None
    if actions:
        _transact(item, condition, values, actions)
    else:
        try:
            dynamodb.put(item, condition, values)
        except dynamodb.ConditionFailedError as error:
            raise MovedError(_read(error.item) if error.item else None) from error
    return stored


def _transact(
    item: Item, condition: str, values: dict[str, Any] | None, actions: Sequence[Action]
) -> None:
    put: dict[str, Any] = {"Item": item, "ConditionExpression": condition}
    if values:
        put["ExpressionAttributeValues"] = values
    try:
        dynamodb.transact([{"Put": put}, *actions])
    except dynamodb.TransactionCanceledError as error:
        own, *others = error.reasons
        if own.code == dynamodb.CONDITION_FAILED:
            raise MovedError(_read(own.item) if own.item else None) from error
        for at, reason in enumerate(others):
            if reason.code == dynamodb.CONDITION_FAILED:
                raise RefusedError(at, reason.item) from error
        raise


def _spill(invocation: Invocation, expires: int) -> Invocation:
    """Put values that are too large into the bucket; return the call that says so."""
    large = {}
    for what in ("event", "result", "input"):
        value = getattr(invocation, what)
        if what in invocation.spilled or not value:
            continue
        content = value.encode() if what == "input" else dumps(value)
        if len(content) > INLINE_BYTES:
            large[what] = content
    if not large:
        return invocation
    objects = {_object(invocation, what): content for what, content in large.items()}
    wait_seconds = max(expires - int(time.time()), 0) + DAY_SECONDS
    for sweep in store.sweeps.of(list(objects), wait_seconds):
        store.sweeps.announce(sweep)
    for name, content in objects.items():
        aws.s3.put(name, content, "application/json")
    return invocation._replace(spilled=(*invocation.spilled, *large))


def _object(invocation: Invocation, what: str) -> str:
    return names.payload(invocation.function_id, invocation.id, what)


def _item(invocation: Invocation, expires: int) -> Item:
    document = invocation._asdict()
    for name in _IN_KEYS_AND_ATTRIBUTES:
        del document[name]
    for what in invocation.spilled:
        del document[what]
    return {
        **keys.invocation(invocation.function_id, invocation.id),
        "status": {"S": invocation.status},
        "doc": {"S": dumps(document).decode()},
        "rev": {"S": invocation.rev},
        "ttl": {"N": str(expires)},
    }


def _read(item: Item) -> Invocation:
    document = loads(item["doc"]["S"])
    values = {name: document[name] for name in Invocation._fields if name in document}
    values["spilled"] = tuple(values.get("spilled", ()))
    return Invocation(
        id=item["SK"]["S"],
        function_id=item["PK"]["S"].partition("#")[2],
        status=item["status"]["S"],
        rev=item["rev"]["S"],
        **values,
    )


def _is_kept(item: Item) -> bool:
    return int(item["ttl"]["N"]) > time.time()
