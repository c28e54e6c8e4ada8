"""Make ministack's DynamoDB survive a kill: journal each change before its answer is sent.

Changes are written down as they happened to the items, not as requests to repeat: replay then
depends on no clock, no condition and no idempotency token, and gives the same state. One
request is one line, so a transaction is there whole or not at all.
"""

import os
import sys
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import dynamodb

from tools.local_aws import streams, tables, writes
from tools.local_aws.journal import Change, Journal
from tools.local_aws.writes import Item, Table

WASTE_CHANGES = 100_000
"""Compact while running when the journal holds thrice the items and this many changes more: each
write is one change and one more in the stream."""

STOP_WASTE_CHANGES = 1_000

_ITEM_ACTIONS = {
    "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems",
    "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction",
}  # fmt: skip
_READ_ACTIONS = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List", "Search")

_handle_plain = dynamodb.handle_request
_store_token_plain = dynamodb._txn_token_store
_reset_plain = dynamodb.reset


class Recorder:
    """Observes all writes; `load` restores what earlier ones left."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._changes: list[Change] = []
        self._in_request = False
        self._known: dict[str, Table] = {}
        self._metadata: Change = []

    def load(self) -> None:
        """Restore the state. Raises `CorruptJournalError`."""
        replay = tables.Replay()
        for changes in self._journal.read():
            replay.apply(changes)
        replay.finish()
        self._remember_tables()
        self._compact(STOP_WASTE_CHANGES)
        writes.observe(self)

    def install(self) -> None:
        dynamodb.handle_request = self._handle_request
        dynamodb._txn_token_store = self._store_token
        dynamodb.reset = self._reset
        streams.observe(self._told)

    def stored(self, table: Table, partition: str, sort: str, item: Item) -> None:
        self._record(table, tables.put(table, partition, sort, item))

    def removed(self, table: Table, partition: str, sort: str) -> None:
        self._record(table, tables.remove(table, partition, sort))

    def replaced(self, table: Table) -> None:
        """Rewrite the journal: items were swapped wholesale (a restore, a rolled back PartiQL
        transaction), which is rare."""
        self._changes = []
        self._journal.rewrite(tables.snapshot())
        self._remember_tables()

    def save_metadata(self) -> None:
        """Write down tables, TTL, tags and the like if they changed."""
        with writes.LOCK:
            if tables.metadata() != self._metadata:
                self._remember_tables()
                self._changes.append(self._metadata)
                self._flush()

    def stop(self) -> None:
        """Leave a journal that the next start reads quickly."""
        with writes.LOCK:
            self.save_metadata()
            self._compact(STOP_WASTE_CHANGES)

    async def _handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        self._in_request = True
        try:
            # It never suspends: ministack's handlers are plain functions.
            return await _handle_plain(method, path, headers, body, query)
        finally:
            self._in_request = False
            with writes.LOCK:
                self._flush()
            if _changes_metadata(action):
                self.save_metadata()

    def _record(self, table: Table, change: Change) -> None:
        if self._known.get(table["TableArn"]) is not table:
            self._remember_tables()
            self._changes.append(self._metadata)
        self._changes.append(change)
        if not self._in_request:
            self._flush()

    def _told(self, change: Change) -> None:
        with writes.LOCK:
            self._changes.append(change)
            if not self._in_request:
                self._flush()

    def _store_token(self, token: str, entry: Any) -> None:
        with writes.LOCK:
            _store_token_plain(token, entry)
            self._changes.append(["token", get_account_id(), get_region(), token, entry])

    def _reset(self) -> None:
        with writes.LOCK:
            _reset_plain()
            self._known, self._metadata = {}, []
            self._changes.append(["reset"])
            self._flush()

    def _remember_tables(self) -> None:
        self._metadata = tables.metadata()
        self._known = {table["TableArn"]: table for table in dynamodb._tables.all_values()}

    def _flush(self) -> None:
        if not self._changes:
            return
        changes, self._changes = self._changes, []
        try:
            self._journal.append(changes)
        except OSError as error:
            # Memory now holds what the disk does not: answering on would be a lie.
            print(f"local AWS: cannot keep a write, so it ends: {error}", file=sys.stderr)  # noqa: T201
            os._exit(1)
        self._compact(WASTE_CHANGES)

    def _compact(self, allowed_waste: int) -> None:
        if self._journal.changes <= allowed_waste:
            return
        items = sum(table.get("ItemCount", 0) for table in dynamodb._tables.all_values())
        if self._journal.changes > 3 * items + allowed_waste:
            self._journal.rewrite(tables.snapshot())


def _changes_metadata(action: str) -> bool:
    return action not in _ITEM_ACTIONS and not action.startswith(_READ_ACTIONS)
