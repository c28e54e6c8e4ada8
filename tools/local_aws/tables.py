"""DynamoDB's state in ministack as journal changes, and back.

Change                                 Meaning
-------------------------------------  -------------------------------------------------
["put", arn, partition, sort, item]    an item is stored
["remove", arn, partition, sort]       an item is gone
["tables", text]                       everything but items: tables, TTL, tags, ... as JSON
["token", account, region, key, entry] a transaction's idempotency token is used
["told", ...]                          a stream has one more change: streams.py
["reset"]                              all is gone
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import persistence
from ministack.services import dynamodb

from tools.local_aws import streams
from tools.local_aws.journal import Change
from tools.local_aws.writes import Item, Table

ITEMS_PER_LINE = 100
_COUNTERS = ("items", "ItemCount", "TableSizeBytes", dynamodb._INDEX_MEMBERS)
_STORES = {
    "tags": dynamodb._tags,
    "ttl_settings": dynamodb._ttl_settings,
    "pitr_settings": dynamodb._pitr_settings,
    "kinesis_destinations": dynamodb._kinesis_destinations,
    "contributor_insights": dynamodb._contributor_insights,
    "backups": dynamodb._backups,
    "resource_policies": dynamodb._resource_policies,
    "exports": dynamodb._exports,
    "imports": dynamodb._imports,
}


def metadata() -> Change:
    """Return everything but items and tokens as one change."""
    tables = type(dynamodb._tables)()
    for key, table in dynamodb._tables.all_items():
        tables.set_scoped(*key, {k: v for k, v in table.items() if k not in _COUNTERS})
    state = {"tables": tables, **_STORES}
    return ["tables", json.dumps(state, default=persistence._json_default)]


def snapshot() -> Iterator[list[Change]]:
    """Yield the lines of a journal that makes the present state."""
    yield [metadata()]
    for table in dynamodb._tables.all_values():
        changes = list(every_item(table))
        for start in range(0, len(changes), ITEMS_PER_LINE):
            yield changes[start : start + ITEMS_PER_LINE]
    for key, entry in dynamodb._txn_idempotency.all_items():
        yield [["token", *key, entry]]
    for told in streams.snapshot():
        yield [told]


def every_item(table: Table) -> Iterator[Change]:
    for partition, items in table["items"].items():
        for sort, item in items.items():
            yield put(table, partition, sort, item)


def put(table: Table, partition: str, sort: str, item: Item) -> Change:
    return ["put", table["TableArn"], partition, sort, item]


def remove(table: Table, partition: str, sort: str) -> Change:
    return ["remove", table["TableArn"], partition, sort]


class Replay:
    """Applies changes to ministack's state; call `finish` after the last."""

    def __init__(self) -> None:
        self._items: dict[str, defaultdict[str, dict[str, Item]]] = {}
        self._streams = streams.Replay()
        self._apply: dict[str, Callable[..., None]] = {
            "put": self._put,
            "remove": self._remove,
            "tables": self._tables,
            "token": _use_token,
            "told": self._streams.tell,
            "reset": self._reset,
        }

    def apply(self, changes: list[Change]) -> None:
        self._streams.begin_line()
        for kind, *arguments in changes:
            self._apply[kind](*arguments)

    def finish(self) -> None:
        """Count the items, and drop the tokens that are older than ministack remembers."""
        for table in dynamodb._tables.all_values():
            dynamodb._update_counts(table)
        now = time.time()
        for key, entry in dynamodb._txn_idempotency.all_items():
            if now - entry["completed_at"] >= dynamodb._TXN_TOKEN_TTL:
                dynamodb._txn_idempotency.pop_scoped(*key)

    def _put(self, arn: str, partition: str, sort: str, item: Item) -> None:
        items = self._items[arn].setdefault(partition, {})
        self._streams.touched(items.get(sort), item)
        items[sort] = item

    def _remove(self, arn: str, partition: str, sort: str) -> None:
        items = self._items[arn]
        self._streams.touched(items.get(partition, {}).pop(sort, None), None)
        if not items.get(partition):
            items.pop(partition, None)

    def _tables(self, text: str) -> None:
        state = json.loads(text, object_hook=persistence._json_object_hook)
        before = dict(dynamodb._tables.all_items())
        dynamodb._tables.clear()
        self._items = {}
        for key, table in state.pop("tables").all_items():
            if not _is_same(before.get(key), table):
                dynamodb._stream_records.pop_scoped(*key, None)
            table["items"] = _kept_items(before.get(key), table)
            dynamodb._tables.set_scoped(*key, table)
            self._items[table["TableArn"]] = table["items"]
        for store in _STORES.values():
            store.clear()
        dynamodb.load_persisted_state(state)

    def _reset(self) -> None:
        dynamodb.reset()
        self._items = {}


def _kept_items(before: Table | None, table: Table) -> Any:
    """Return the items of the table that had this name, unless it was another table."""
    return before["items"] if before and _is_same(before, table) else defaultdict(dict)


def _is_same(before: Table | None, table: Table) -> bool:
    names = ("TableId", "CreationDateTime")
    return before is not None and all(before.get(name) == table.get(name) for name in names)


def _use_token(account: str, region: str, token: str, entry: Any) -> None:
    dynamodb._txn_idempotency.set_scoped(account, region, token, entry)
