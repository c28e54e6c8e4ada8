"""Sorted keys of the partitions that were queried, kept in order by every later write.

They live inside the cache of index members that ministack keeps in each table and drops
whenever the table's indexes or items change wholesale, so they cannot outlive their truth.
A partition is sorted when it is first queried; before that a write to it costs nothing.
"""

from bisect import bisect_left, insort
from typing import Any, NamedTuple

from ministack.services import dynamodb

from tools.local_aws import sizes
from tools.local_aws.key_condition import ORDER, Entry, Order
from tools.local_aws.writes import Item, Table

MEMBERS = dynamodb._INDEX_MEMBERS

_members_plain = dynamodb._index_members
_index_item_plain = dynamodb._index_item


class Keys(NamedTuple):
    """The keys of a table or of one of its indexes, and what its partitions are sorted by."""

    index_name: str | None
    hash_name: str
    range_name: str | None
    order: tuple[tuple[str, str], ...]
    """Names and types of the attributes that sort a partition."""

    def partition_of(self, item: Item) -> Any:
        """Return the partition that shows `item`, or None."""
        names = [self.range_name] if self.range_name else []
        return dynamodb._index_partition(item, [self.hash_name], names)

    def order_of(self, item: Item) -> Order:
        return tuple([dynamodb._index_order_value(item, name, kind) for name, kind in self.order])

    def entry_of(self, table: Table, item: Item, partition: str, sort: str) -> Entry:
        shown = dynamodb._apply_index_projection(item, table, self.index_name)
        return self.order_of(item), partition, sort, sizes.item_bytes(shown)


class Members(dict[str, Any]):
    """ministack's index members of one table, and beside them the sorted partitions."""

    def __init__(self, plain: dict[str, Any]) -> None:
        super().__init__(plain)
        self.sorted: dict[str | None, dict[Any, list[Entry]]] = {}
        self.keys_of: dict[str | None, Keys | None] = {}


def install() -> None:
    dynamodb._index_members = members
    dynamodb._index_item = _index_item


def members(table: Table) -> Members:
    """Return the table's index members, gathered now if it has none."""
    present = table.get(MEMBERS)
    if isinstance(present, Members):
        return present
    made = Members(_members_plain(table))
    table[MEMBERS] = made
    return made


def keys(table: Table, index_name: str | None) -> Keys | None:
    """Return the keys of the table or an index; None if a key has several attributes, or
    the table has no range key: such partitions are left to ministack."""
    cache = members(table).keys_of
    if index_name not in cache:
        cache[index_name] = _read_keys(table, index_name)
    return cache[index_name]


def _read_keys(table: Table, index_name: str | None) -> Keys | None:
    if index_name is None:
        name = table["sk_name"]
        kind = dynamodb._get_attr_type(table, name)
        return Keys(None, table["pk_name"], name, ((name, kind),)) if name else None
    index = dynamodb._index_def(table, index_name)
    hashes, ranges = dynamodb._index_key_lists(index) if index else ([], [])
    if len(hashes) != 1 or len(ranges) > 1:
        return None
    order = tuple(dynamodb._index_order_keys(table, ranges))
    return Keys(index_name, hashes[0], ranges[0] if ranges else None, order)


def entries(table: Table, keys: Keys, partition: Any) -> list[Entry]:
    """Return the sorted entries of one partition; do not change the list."""
    partitions = members(table).sorted.setdefault(keys.index_name, {})
    if partition not in partitions:
        partitions[partition] = _sort(table, keys, partition)
    return partitions[partition]


def _sort(table: Table, keys: Keys, partition: Any) -> list[Entry]:
    items = table["items"]
    if keys.index_name is None:
        places = [(partition, sort) for sort in items.get(partition, ())]
    else:
        places = list(members(table)[keys.index_name].get(partition, ()))
    made = [keys.entry_of(table, items[place][sort], place, sort) for place, sort in places]
    made.sort(key=ORDER)
    return made


def _index_item(table: Table, partition: str, sort: str, item: Item, add: bool) -> None:
    _index_item_plain(table, partition, sort, item, add)
    present = table.get(MEMBERS)
    if not isinstance(present, Members):
        return
    for index_name, partitions in present.sorted.items():
        keys = present.keys_of[index_name]
        entries = partitions.get(keys.partition_of(item)) if keys and partitions else None
        if keys and entries is not None:
            change = _insert if add else _delete
            change(entries, keys.entry_of(table, item, partition, sort))


def _insert(entries: list[Entry], entry: Entry) -> None:
    insort(entries, entry, key=ORDER)


def _delete(entries: list[Entry], entry: Entry) -> None:
    position = bisect_left(entries, entry[0], key=ORDER)
    if position < len(entries) and entries[position][0] == entry[0]:
        del entries[position]
