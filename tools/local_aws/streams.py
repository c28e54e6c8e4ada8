"""DynamoDB's streams survive a restart: ministack keeps them in memory only.

What a stream tells of a write is journalled with the write, without the images: those are the
items before and after it, which a replay has at hand. A journal that is written anew holds the
newest changes whole.

Change                                        Meaning
--------------------------------------------  ----------------------------------------
["told", account, region, table name, record] the stream has one more change
"""

from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import dynamodb

from tools.local_aws.journal import Change
from tools.local_aws.writes import Item

KEPT = 5000
"""So many changes of each stream are carried over; who reads it is rarely a second behind."""
_IMAGES = ("OldImage", "NewImage")

_emit_plain = dynamodb._emit_stream_event


def observe(told: Callable[[Change], None]) -> None:
    """Call `told` with each change that a stream tells from now on."""

    def emit(table_name: str, *arguments: Any, **options: Any) -> None:
        before = _newest(table_name)
        _emit_plain(table_name, *arguments, **options)
        newest = _newest(table_name)
        if newest is not None and newest is not before:
            told(["told", get_account_id(), get_region(), table_name, _without_images(newest)])

    dynamodb._emit_stream_event = emit


def snapshot() -> Iterator[Change]:
    """Yield the newest changes of all streams, oldest first."""
    for (account, region, name), records in dynamodb._stream_records.all_items():
        for record in records[-KEPT:]:
            yield ["told", account, region, name, record]


class Replay:
    """Restores streams; `touched` tells it of each item that a line of the journal changes."""

    def __init__(self) -> None:
        self._touched: list[tuple[Item | None, Item | None]] = []

    def begin_line(self) -> None:
        self._touched.clear()

    def touched(self, before: Item | None, after: Item | None) -> None:
        self._touched.append((before, after))

    def tell(self, account: str, region: str, name: str, record: dict[str, Any]) -> None:
        """Add a change to its stream again."""
        told = record["dynamodb"]
        if not any(image in told for image in _IMAGES):
            told.update(self._images(told["Keys"]))
        records = dynamodb._stream_records.get_scoped(account, region, name)
        if records is None:
            records = []
            dynamodb._stream_records.set_scoped(account, region, name, records)
        records.append(record)

    def _images(self, keys: Item) -> dict[str, Item]:
        for before, after in reversed(self._touched):
            item = after or before or {}
            if all(item.get(name) == value for name, value in keys.items()):
                images = zip(_IMAGES, (before, after), strict=True)
                return {name: image for name, image in images if image}
        return {}


def _newest(table_name: str) -> dict[str, Any] | None:
    records = dynamodb._stream_records.get(table_name)
    return records[-1] if records else None


def _without_images(record: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in record["dynamodb"].items() if name not in _IMAGES}
    return {**record, "dynamodb": told}
