"""Read capacity by size, as DynamoDB bills it; ministack reports a constant.

A unit is a strongly consistent read of 4 KB; an eventually consistent one costs half. Query
and Scan round the sum of what they evaluated (before the filter), GetItem and BatchGetItem each
item; a read that finds nothing costs as much as the smallest item.
"""

import json
from typing import Any

from ministack.core import responses
from ministack.services import dynamodb

UNIT_BYTES = 4096

_Document = dict[str, Any]

_paginate_plain = dynamodb._paginate_evaluated_items
_add_capacity_plain = dynamodb._add_consumed_capacity
_batch_get_plain = dynamodb._batch_get_item

_page_bytes = 0
"""Size of the page that the running Query or Scan evaluated; handlers run one at a time."""


def install() -> None:
    dynamodb._paginate_evaluated_items = _paginate_and_weigh
    dynamodb._add_consumed_capacity = _add_capacity
    dynamodb._batch_get_item = _batch_get


def read_units(size_bytes: int, consistent: bool) -> float:
    """Return the units of reading `size_bytes` at once."""
    units = max(1.0, float(-(-size_bytes // UNIT_BYTES)))
    return units if consistent else units / 2


def weigh_page(size_bytes: int) -> None:
    """Say how much the running Query evaluated, where ministack's paging does not run."""
    global _page_bytes  # noqa: PLW0603
    _page_bytes = size_bytes


def _paginate_and_weigh(items: Any, limit: Any, table: _Document, index_name: Any = None) -> Any:
    page, stopped_early = _paginate_plain(items, limit, table, index_name)
    entries = page
    if index_name:
        entries = [dynamodb._apply_index_projection(item, table, index_name) for item in page]
    weigh_page(sum(map(dynamodb._item_size_bytes, entries)))
    return page, stopped_early


def _add_capacity(
    result: _Document,
    data: _Document,
    table_name: str,
    write: bool = False,
    old_item: Any = None,
    new_item: Any = None,
    index_name: str | None = None,
) -> None:
    _add_capacity_plain(result, data, table_name, write, old_item, new_item, index_name)
    capacity = result.get("ConsumedCapacity")
    if write or not capacity:
        return
    size = _item_bytes(table_name, data["Key"]) if "Key" in data else _page_bytes
    units = read_units(size, bool(data.get("ConsistentRead")))
    capacity["CapacityUnits"] = units
    for share in _shares(capacity):
        if share["CapacityUnits"]:
            share["CapacityUnits"] = units


def _shares(capacity: _Document) -> list[_Document]:
    """Return the parts of an answer to ReturnConsumedCapacity=INDEXES; one of them is not 0."""
    indexes = [
        share
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for share in capacity.get(kind, {}).values()
    ]
    return [*indexes, capacity["Table"]] if "Table" in capacity else indexes


def _item_bytes(table_name: str, key: _Document) -> int:
    item = dynamodb._get_item_by_key(dynamodb._tables[table_name], key)
    return int(dynamodb._item_size_bytes(item)) if item else 0


def _batch_get(data: _Document) -> Any:
    response = _batch_get_plain(data)
    if response[0] != 200 or data.get("ReturnConsumedCapacity", "NONE") == "NONE":
        return response
    body = json.loads(response[2])
    with_shares = data["ReturnConsumedCapacity"] == "INDEXES"
    body["ConsumedCapacity"] = [
        _table_capacity(name, request, with_shares)
        for name, request in data["RequestItems"].items()
    ]
    return responses.json_response(body)


def _table_capacity(name: str, request: _Document, with_shares: bool) -> _Document:
    table_name = dynamodb._normalize_table_name(name)
    consistent = bool(request.get("ConsistentRead"))
    units = sum(read_units(_item_bytes(table_name, key), consistent) for key in request["Keys"])
    capacity: _Document = {"TableName": table_name, "CapacityUnits": units}
    if with_shares:
        capacity["Table"] = {"CapacityUnits": units}
    return capacity
