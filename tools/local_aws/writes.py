"""The one place that every write to DynamoDB's items passes: a lock, and observers.

ministack stores and removes items through three functions, from its event loop and from the
thread that sweeps expired items; the lock keeps the sorted partitions whole between them.
"""

import threading
from typing import Any, Protocol

from ministack.services import dynamodb

Table = dict[str, Any]
Item = dict[str, Any]

LOCK = threading.RLock()

_set_plain = dynamodb._set_item
_remove_plain = dynamodb._remove_item
_replaced_plain = dynamodb._items_replaced


class Observer(Protocol):
    """Told of each change after it is made, under the lock."""

    def stored(self, table: Table, partition: str, sort: str, item: Item) -> None: ...

    def removed(self, table: Table, partition: str, sort: str) -> None: ...

    def replaced(self, table: Table) -> None: ...


_observers: list[Observer] = []


def install() -> None:
    dynamodb._set_item = set_item
    dynamodb._remove_item = remove_item
    dynamodb._items_replaced = items_replaced


def observe(observer: Observer) -> None:
    _observers.append(observer)


def set_item(table: Table, partition: str, sort: str, item: Item) -> Any:
    with LOCK:
        old = _set_plain(table, partition, sort, item)
        for observer in _observers:
            observer.stored(table, partition, sort, item)
    return old


def remove_item(table: Table, partition: str, sort: str) -> Any:
    with LOCK:
        old = _remove_plain(table, partition, sort)
        if old is not None:
            for observer in _observers:
                observer.removed(table, partition, sort)
    return old


def items_replaced(table: Table) -> None:
    with LOCK:
        _replaced_plain(table)
        for observer in _observers:
            observer.replaced(table)
