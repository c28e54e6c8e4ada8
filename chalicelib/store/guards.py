"""What a change does to the guards of unique indexes: values taken and given up.

Part of `changes`; `uniques` reads guards.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chalicelib import store
from chalicelib.domain import index_values
from chalicelib.domain.collection import Collection, Index
from chalicelib.store import keys
from chalicelib.store.records import Stored

if TYPE_CHECKING:
    from chalicelib.store.changes import Staged

Action = dict[str, Any]
Guard = tuple[str, str]
"""(storage#index, value)"""


def of_record(collection: Collection, stored: Stored | None) -> dict[str, tuple[Index, str]]:
    """Return the values that a record's unique indexes guard, by index name."""
    found: dict[str, tuple[Index, str]] = {}
    for index in collection.indexes if stored is not None else ():
        if index.unique and is_guarded(index):
            value = index_values.unique_value(index, collection, stored.record)  # type: ignore[union-attr]
            if value is not None:
                found[index.name] = (index, value)
    return found


def is_guarded(index: Index) -> bool:
    """Whether a unique index has guard items.

    The one on `tokenKey` has none: its 50 random characters do not meet by chance, and a
    guard would double the price of every account written.
    """
    return [column.name for column in index.columns] != ["tokenKey"]


class Exchange:
    """The guards to take and to give up; a value may pass from one record to another."""

    def __init__(self) -> None:
        self._taken: dict[Guard, tuple[Staged, Index, str]] = {}
        self._given_up: dict[Guard, tuple[Staged, Index, str]] = {}

    def add(self, staged: "Staged") -> None:
        before = of_record(staged.collection, staged.before)
        after = of_record(staged.collection, staged.after)
        storage, record_id = staged.collection.storage, staged.id
        for name, (index, value) in before.items():
            if after.get(name, (index, None))[1] != value:
                self._given_up[f"{storage}#{name}", value] = (staged, index, record_id)
        for name, (index, value) in after.items():
            if before.get(name, (index, None))[1] != value:
                self._taken[f"{storage}#{name}", value] = (staged, index, record_id)

    def actions(self) -> Iterator[tuple[Action, "Staged", Index | None]]:
        for guard, (staged, index, record_id) in self._taken.items():
            key = _guard_key(guard)
            holder = self._given_up.pop(guard, (staged, index, record_id))[2]
            condition = {
                "ConditionExpression": "attribute_not_exists(PK) OR id = :holder",
                "ExpressionAttributeValues": {":holder": {"S": holder}},
            }
            yield {"Put": {"Item": key | {"id": {"S": record_id}}, **condition}}, staged, index
        for guard, (staged, index, record_id) in self._given_up.items():
            # While an index is filled, a value may still be another record's too.
            if index.is_ready or _holder(staged, index, guard) == record_id:
                yield {"Delete": {"Key": _guard_key(guard)}}, staged, None


def _holder(staged: "Staged", index: Index, guard: Guard) -> str:
    holder: str = store.uniques.holder(staged.collection, index, guard[1])
    return holder


def _guard_key(guard: Guard) -> keys.Key:
    storage, _, name = guard[0].partition("#")
    return keys.unique_guard(storage, name, guard[1])
