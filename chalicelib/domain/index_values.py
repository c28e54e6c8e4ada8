"""Index values: text whose byte order is the order of an index's columns.

One column after the other: a number as 16 hex digits of its order-preserving bits, a bool as
0 or 1, text with its control characters escaped and closed by U+0000, so that a shorter text
sorts before its extensions. An ordered entry ends in the record's id, so that equal values
have an order too. A value that a column cannot order (a list, JSON) stands as JSON text.
"""

import hashlib
import json
import struct
from typing import Any

from chalicelib.domain import indexes
from chalicelib.domain.collection import Collection, Field, Index, IndexColumn
from chalicelib.domain.request import Record

HIGHEST = "\U0010ffff" * 2
"""Sorts after every continuation of a prefix."""

MAX_ENTRY_BYTES = 1024
"""DynamoDB's limit of a sort key."""

_MAX_GUARD_BYTES = 900


class IndexValueTooLongError(Exception):
    """An ordered index entry would pass DynamoDB's 1,024 bytes."""

    def __init__(self, index: Index) -> None:
        super().__init__(index.name)
        self.index = index


def slot_value(index: Index, collection: Collection, record: Record) -> str | None:
    """Return the record's entry in an ordered index; None if the index's WHERE leaves it out.

    Raises `IndexValueTooLongError`.
    """
    if index.where and not indexes.where_holds(index, record):
        return None
    entry: str = _columns(index, collection, record) + record["id"]
    if len(entry.encode()) > MAX_ENTRY_BYTES:
        raise IndexValueTooLongError(index)
    return entry


def unique_value(index: Index, collection: Collection, record: Record) -> str | None:
    """Return the value a unique index guards; None if the index's WHERE leaves it out."""
    if index.where and not indexes.where_holds(index, record):
        return None
    value = _columns(index, collection, record)
    raw = value.encode()
    if len(raw) > _MAX_GUARD_BYTES:
        return "sha256:" + hashlib.sha256(raw).hexdigest()
    return value


def _columns(index: Index, collection: Collection, record: Record) -> str:
    return "".join(
        closed(column, collection.field[column.name], record.get(column.name))
        for column in index.columns
    )


def closed(column: IndexColumn, field: Field, value: Any) -> str:
    """Return one column's whole encoded value."""
    text = opened(column, field, value)
    return text if field.type in ("number", "bool") else text + "\0"


def opened(column: IndexColumn, field: Field, value: Any) -> str:
    """Return one column's encoded value without its end: a prefix of all that start so."""
    if field.type == "number":
        return _number(value or 0)
    if field.type == "bool":
        return "1" if value else "0"
    text = value if isinstance(value, str) else _json_text(value)
    if column.collate == "NOCASE":
        text = ascii_lower(text)
    return text.replace("\1", "\1\2").replace("\0", "\1\1")


def as_keys(low: str, high: str) -> tuple[str, str]:
    """Return the bounds of a range as DynamoDB takes them: no key is over 1,024 bytes.

    What is cut off only widens the range. No `high` (empty) has no bound.
    """
    if len(low.encode()) > MAX_ENTRY_BYTES:
        low = _cut(low, MAX_ENTRY_BYTES)
    if len(high.encode()) > MAX_ENTRY_BYTES:
        high = _cut(high, MAX_ENTRY_BYTES - len(HIGHEST.encode())) + HIGHEST
    return low, high


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def ascii_lower(text: str) -> str:
    """Fold A-Z only, as SQLite's NOCASE does."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _json_text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(value: float) -> str:
    """Return the float64 as hex digits in numeric order (negative bits inverted, sign flipped)."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", float(value) + 0.0))
    bits = bits ^ 0xFFFFFFFFFFFFFFFF if bits >> 63 else bits | 1 << 63
    return f"{bits:016x}"
