"""Answer a Query in O(page): find its page by bisection, hand ministack only that.

ministack copies, sorts and filters the whole partition for every page. Its own code still
does all of that here, validation included, but on a view of the table that holds just the
items of the page. Counting needs no items at all: ministack sees the last one, for the key to
go on from. A query of any unusual form goes to it unchanged.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import islice
from types import FunctionType
from typing import Any, NamedTuple

from ministack.core import responses
from ministack.services import dynamodb

from tools.local_aws import capacity, key_condition, partitions, writes
from tools.local_aws.key_condition import ORDER, Clause, Entry
from tools.local_aws.partitions import Keys
from tools.local_aws.writes import Table

PAGE_BYTES: int = dynamodb._DDB_PAGE_SIZE_BYTES

_Document = dict[str, Any]

_query_plain = dynamodb._query


class View(NamedTuple):
    """What one query may see."""

    table: Table
    partition: Any
    page: list[Entry]
    size_bytes: int
    stopped_early: bool
    """Whether Limit or 1 MB ended the page, so that the answer names a key to go on from."""


def install() -> None:
    dynamodb._query = query


def query(data: _Document) -> Any:
    """Answer as ministack does, from a window where the query allows one."""
    with writes.LOCK:
        view = _view(data)
        return _query_on(view, data) if view else _query_plain(data)


def _view(data: _Document) -> View | None:
    """Return the view that suffices for `data`, or None if ministack must see everything."""
    table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
    if not table or data.get("KeyConditions"):
        return None
    keys = partitions.keys(table, data.get("IndexName"))
    clauses = _clauses(data)
    if not keys or keys.hash_name not in clauses:
        return None
    hash_clause = clauses.pop(keys.hash_name)
    range_clause = clauses.pop(keys.range_name or "", None)
    value = _value(table, keys.hash_name, hash_clause.values[0], data)
    if clauses or hash_clause.sign != "=" or value is None:
        return None
    entries = partitions.entries(table, keys, value)
    bounds = _bounds(entries, keys, range_clause, table, data)
    return View(table, value, *_page(entries, bounds, data)) if bounds else None


def _clauses(data: _Document) -> dict[str, Clause]:
    names = data.get("ExpressionAttributeNames") or {}
    clauses = key_condition.parse(data.get("KeyConditionExpression") or "") or ()
    return {names.get(clause.name, clause.name): clause for clause in clauses}


def _value(table: Table, name: str, placeholder: str, data: _Document) -> Any:
    """Return the value of a placeholder if it has the type of the key `name`, else None."""
    value = (data.get("ExpressionAttributeValues") or {}).get(placeholder)
    kind = dynamodb._get_attr_type(table, name)
    return value[kind] if isinstance(value, dict) and list(value) == [kind] else None


def _bounds(
    entries: list[Entry], keys: Keys, clause: Clause | None, table: Table, data: _Document
) -> tuple[int, int] | None:
    """Return the slice of `entries` that is left for this page and the ones after it."""
    low, high = 0, len(entries)
    if clause:
        values = _range_values(table, keys, clause, data)
        if not values:
            return None
        low, high = key_condition.window(entries, clause.sign, values)
    start = data.get("ExclusiveStartKey")
    if start is None:
        return low, high
    if not isinstance(start, dict) or any(name not in start for name, _ in keys.order):
        return None
    cursor = keys.order_of(start)
    if data.get("ScanIndexForward", True):
        return max(low, bisect_right(entries, cursor, key=ORDER)), high
    return low, min(high, bisect_left(entries, cursor, key=ORDER))


def _range_values(table: Table, keys: Keys, clause: Clause, data: _Document) -> list[Any] | None:
    name, kind = keys.order[0]
    if kind == "B" or (kind == "N" and clause.sign == "begins_with"):
        return None
    texts = [_value(table, name, placeholder, data) for placeholder in clause.values]
    if None in texts:
        return None
    return [dynamodb._sort_key_value({kind: text}, kind) for text in texts]


def _page(
    entries: list[Entry], bounds: tuple[int, int], data: _Document
) -> tuple[list[Entry], int, bool]:
    """Return the first entries in the asked direction, their bytes, and whether they were cut."""
    low, high = bounds
    limit = data.get("Limit")
    wanted = high - low if limit is None else max(1, min(int(limit), high - low))
    if data.get("ScanIndexForward", True):
        page = entries[low : min(high, low + wanted)]
    else:
        page = entries[max(low, high - wanted) : high][::-1]
    page, size, is_full = _first_megabyte(page)
    return page, size, is_full or (limit is not None and len(page) >= int(limit))


def _first_megabyte(page: list[Entry]) -> tuple[list[Entry], int, bool]:
    """Cut before the entry that goes past 1 MB, but never before the first."""
    total = 0
    for count, (_, _, _, size) in enumerate(page):
        if count and total + size > PAGE_BYTES:
            return page[:count], total, True
        total += size
        if total >= PAGE_BYTES:
            return page[: count + 1], total, True
    return page, total, False


def _query_on(view: View, data: _Document) -> Any:
    """Run ministack's own query with `view` in place of the table."""
    is_count = data.get("Select") == "COUNT" and not _filters(data)
    page = view.page[-1:] if is_count else view.page
    response = _narrowed(view, page, data)(data)
    if response[0] != 200 or not is_count:
        return response
    count = len(view.page)
    body = {**json.loads(response[2]), "Count": count, "ScannedCount": count}
    return responses.json_response(body)


def _filters(data: _Document) -> bool:
    return bool(data.get("FilterExpression") or data.get("QueryFilter"))


def _narrowed(view: View, page: list[Entry], data: _Document) -> Any:
    """Return ministack's query function, seeing only `page` where it looks for items."""
    index_name = data.get("IndexName")
    places = [(partition, sort) for _, partition, sort, _ in page]
    table = view.table
    if index_name is None:
        table = {**table, "items": {view.partition: _items(table, places)}}

    def paginate(items: Any, *_: Any) -> tuple[Any, bool]:
        capacity.weigh_page(view.size_bytes)
        return items, view.stopped_early

    seen = {
        "_tables": {name: table for name in (data["TableName"], table["TableName"])},
        "_index_members": lambda _: {index_name: {view.partition: places}},
        "_paginate_evaluated_items": paginate,
        "_evaluate_condition": _trusting(table, places, data),
    }
    return FunctionType(_query_plain.__code__, {**vars(dynamodb), **seen})


def _items(table: Table, places: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {sort: table["items"][partition][sort] for partition, sort in places}


def _trusting(table: Table, places: list[tuple[str, str]], data: _Document) -> Any:
    """Return ministack's evaluation, but for the key condition of all items after the first.

    The window holds exactly the items that satisfy it; the first one shows what is wrong with
    the expression, if anything is.
    """
    known = {id(table["items"][partition][sort]) for partition, sort in islice(places, 1, None)}
    evaluate = dynamodb._evaluate_condition

    def evaluate_condition(
        expression: str, item: Any, values: Any, names: Any, slot: str = "ConditionExpression"
    ) -> Any:
        if slot == "KeyConditionExpression" and id(item) in known:
            return True
        return evaluate(expression, item, values, names, slot=slot)

    return evaluate_condition
