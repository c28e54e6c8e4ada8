"""Giving existing records their place in a new index, a page at a time.

Every write here is conditional on the revision of the record that was read, so a record that
changes meanwhile keeps what its own writer gave it. A page may be filled any number of times.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib.aws import dynamodb
from chalicelib.domain import index_values
from chalicelib.domain.collection import Collection, Index
from chalicelib.store import keys, records
from chalicelib.store.records import Stored

PAGE_RECORDS = 90
"""Few enough that what one record needs fits into a transaction."""

MAX_ACTIONS = 96

Item = dict[str, dict[str, Any]]
Action = dict[str, Any]


class Entry(NamedTuple):
    """A record as it was read, with its item."""

    item: Item
    stored: Stored

    @property
    def id(self) -> str:
        record_id: str = self.stored.record["id"]
        return record_id


class Filled(NamedTuple):
    """What filling a page came to."""

    last_id: str
    """The last record of the page; empty at the end of the collection."""
    duplicate: tuple[str, str] | None = None
    """Two records with one unique value."""


def is_empty(collection: Collection) -> bool:
    """Whether a collection has no record now."""
    return not _page(collection, "", 1)


def fill_page(collection: Collection, index: Index, after_id: str) -> Filled:
    """Fill the index for the records that follow `after_id` in order of id.

    Raises `index_values.IndexValueTooLongError`.
    """
    entries = _page(collection, after_id, PAGE_RECORDS)
    last_id = entries[-1].id if entries else ""
    if index.unique:
        return Filled(last_id, _fill_guards(collection, index, entries))
    _carry_out([_slot(collection, index, entry) for entry in entries])
    return Filled(last_id)


def _page(collection: Collection, after_id: str, limit: int) -> list[Entry]:
    partition = {"S": keys.records_partition(collection.storage)}
    found = dynamodb.query(
        "PK = :p",
        {":p": partition},
        start=keys.record(collection.storage, after_id) if after_id else None,
        limit=limit,
        consistent=True,
    )
    return [Entry(item, records.read(collection, item)) for item in found.items]


def _carry_out(groups: list[list[Action]]) -> list[int]:
    """Carry out groups of actions, many in one transaction; return those that do not hold.

    They are found by halving, as a record that changed meanwhile refuses its neighbours too.
    """
    failed: list[int] = []
    todo = list(_packed(groups))
    while todo:
        packed = todo.pop()
        if _hold([action for position in packed for action in groups[position]]):
            continue
        if len(packed) == 1:
            failed += packed
        else:
            half = len(packed) // 2
            todo += [packed[:half], packed[half:]]
    return sorted(failed)


def _packed(groups: list[list[Action]]) -> Iterator[list[int]]:
    """Yield the positions of groups that fit into one transaction together."""
    packed: list[int] = []
    size = 0
    for position, group in enumerate(groups):
        if size + len(group) > MAX_ACTIONS:
            yield packed
            packed, size = [], 0
        if group:
            packed.append(position)
            size += len(group)
    if packed:
        yield packed


def _hold(actions: list[Action]) -> bool:
    """Carry out all the actions; return whether all their conditions held."""
    try:
        dynamodb.transact(actions)
    except dynamodb.TransactionCanceledError:
        return False
    return True


def _slot(collection: Collection, index: Index, entry: Entry) -> list[Action]:
    """Return how to set or remove an index attribute of a record that does not change."""
    name = f"ix{index.slot}"
    value = index_values.slot_value(index, collection, entry.stored.record)
    if entry.item.get(name, {}).get("S") == value:
        return []
    expression, values = f"REMOVE {name}", {":rev": {"S": entry.stored.rev}}
    if value is not None:
        partition = keys.index_partition(collection.storage)
        expression = f"SET {name} = :v, ip = :ip"
        values |= {":v": {"S": value}, ":ip": {"S": partition}}
    update = {
        "Key": keys.record(collection.storage, entry.id),
        "UpdateExpression": expression,
        "ConditionExpression": "rev = :rev",
        "ExpressionAttributeValues": values,
    }
    return [{"Update": update}]


def _fill_guards(
    collection: Collection, index: Index, entries: list[Entry]
) -> tuple[str, str] | None:
    wanted: list[tuple[Entry, str]] = []
    for entry in entries:
        value = index_values.unique_value(index, collection, entry.stored.record)
        if value is not None:
            wanted.append((entry, value))
    guards = [keys.unique_guard(collection.storage, index.name, value) for _, value in wanted]
    holders = {item["SK"]["S"]: item["id"]["S"] for item in dynamodb.batch_get(guards)}
    missing = [(entry, value) for entry, value in wanted if holders.get(value) != entry.id]
    for entry, value in _not_guarded(collection, index, missing):
        duplicate = _guard_alone(collection, index, entry, value)
        if duplicate is not None:
            return duplicate
    return None


def _not_guarded(
    collection: Collection, index: Index, missing: list[tuple[Entry, str]]
) -> list[tuple[Entry, str]]:
    """Guard what can be guarded together; return the rest."""
    first = {value: entry for entry, value in reversed(missing)}
    together = [(entry, value) for value, entry in first.items()]
    groups = [_guard(collection, index, entry, value, entry.id) for entry, value in together]
    failed = [together[position] for position in _carry_out(groups)]
    return failed + [(entry, value) for entry, value in missing if first[value] is not entry]


def _guard(
    collection: Collection, index: Index, entry: Entry, value: str, holder: str
) -> list[Action]:
    """Return the actions that guard a value: free, or held by `holder`; record unchanged."""
    key = keys.unique_guard(collection.storage, index.name, value)
    put = {
        "Item": key | {"id": {"S": entry.id}},
        "ConditionExpression": "attribute_not_exists(PK) OR id = :holder",
        "ExpressionAttributeValues": {":holder": {"S": holder}},
    }
    check = {
        "Key": keys.record(collection.storage, entry.id),
        "ConditionExpression": "rev = :rev",
        "ExpressionAttributeValues": {":rev": {"S": entry.stored.rev}},
    }
    return [{"Put": put}, {"ConditionCheck": check}]


def _guard_alone(
    collection: Collection, index: Index, entry: Entry, value: str
) -> tuple[str, str] | None:
    """Guard one value; return the two records if another one really has it.

    A guard that an index of the same name left behind is taken over.
    """
    try:
        dynamodb.transact(_guard(collection, index, entry, value, entry.id))
        return None
    except dynamodb.TransactionCanceledError as error:
        held = error.reasons[0].item
    if held is None or held["id"]["S"] == entry.id:
        return None  # the record changed: its writer has guarded what it has now
    holder = held["id"]["S"]
    other = records.find(collection, holder)
    if other is not None and (index_values.unique_value(index, collection, other.record) == value):
        return (holder, entry.id)
    # If either of them changed meanwhile, the next pass looks again.
    _hold(_guard(collection, index, entry, value, holder))
    return None


def drop_stale_guards(collection: Collection, index: Index, until: float) -> bool:
    """Delete the guards of an index whose record does not have that value (any more).

    Returns whether that was done before `until` (monotonic seconds).
    """
    partition = f"UNIQUE#{collection.storage}#{index.name}"
    start = None
    while time.monotonic() < until:
        page = dynamodb.query(
            "PK = :p", {":p": {"S": partition}}, start=start, limit=PAGE_RECORDS, consistent=True
        )
        held = [(item["SK"]["S"], item["id"]["S"]) for item in page.items]
        found = records.of_ids(collection, (record_id for _, record_id in held))
        stale: dict[str, list[str]] = {}
        for value, record_id in held:
            if _is_stale(collection, index, value, found.get(record_id)):
                stale.setdefault(record_id, []).append(value)
        _carry_out(
            [
                _drop_guards(collection, index, values, record_id, found.get(record_id))
                for record_id, values in stale.items()
            ]
        )
        start = page.next_key
        if start is None:
            return True
    return False


def _is_stale(collection: Collection, index: Index, value: str, stored: Stored | None) -> bool:
    return stored is None or (index_values.unique_value(index, collection, stored.record) != value)


def _drop_guards(
    collection: Collection, index: Index, values: list[str], record_id: str, stored: Stored | None
) -> list[Action]:
    """Return how to delete stale guards as long as their record is what makes them stale."""
    check: Action = {
        "Key": keys.record(collection.storage, record_id),
        "ConditionExpression": "attribute_not_exists(PK)" if stored is None else "rev = :rev",
    }
    if stored is not None:
        check["ExpressionAttributeValues"] = {":rev": {"S": stored.rev}}
    deletes = [
        {
            "Key": keys.unique_guard(collection.storage, index.name, value),
            "ConditionExpression": "id = :id",
            "ExpressionAttributeValues": {":id": {"S": record_id}},
        }
        for value in values
    ]
    return [{"ConditionCheck": check}, *({"Delete": delete} for delete in deletes)]
