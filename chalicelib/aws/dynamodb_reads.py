"""The reads of `dynamodb`: each may be repeated as often as it takes."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from chalicelib.aws.dynamodb_calls import Key, Names, Values, call, identity
from chalicelib.aws.dynamodb_errors import Item, ThrottledError
from chalicelib.aws.retries import Patience
from chalicelib.config import settings

BATCH_GET_KEYS = 100


class QueryPage(NamedTuple):
    items: list[Item]
    next_key: Key | None
    """Where the next page starts; None on the last page."""
    count: int  # type: ignore[assignment]  # hides tuple.count, which a page does not need
    """How many items matched: all that is known with `count_only`."""
    scanned: int
    """How many items were read before the filter expression."""


def get(key: Key, consistent: bool = True) -> Item | None:
    """Return one item, None if there is none."""
    answer = call(
        "GetItem",
        {"TableName": settings().table_name, "Key": key, "ConsistentRead": consistent},
    )
    return answer.get("Item")


def batch_get(keys: Iterable[Key], consistent: bool = True) -> list[Item]:
    """Return the items that exist among any number of keys, in no particular order."""
    wanted = list({identity(key): key for key in keys}.values())
    items: list[Item] = []
    for start in range(0, len(wanted), BATCH_GET_KEYS):
        items += _batch_get_page(wanted[start : start + BATCH_GET_KEYS], consistent)
    return items


def _batch_get_page(keys: list[Key], consistent: bool) -> list[Item]:
    table = settings().table_name
    patience = Patience()
    items: list[Item] = []
    while keys:
        request = {table: {"Keys": keys, "ConsistentRead": consistent}}
        answer = call("BatchGetItem", {"RequestItems": request}, patience)
        found = answer.get("Responses", {}).get(table, [])
        items += found
        keys = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if keys and not found:
            patience.pause(ThrottledError("BatchGetItem read nothing"))
    return items


def query(
    condition: str,
    values: Values,
    names: Names | None = None,
    index: str | None = None,
    forward: bool = True,
    limit: int | None = None,
    start: Key | None = None,
    consistent: bool = False,
    filter_expression: str | None = None,
    projection: str | None = None,
    count_only: bool = False,
) -> QueryPage:
    """Return one page (at most 1 MB, or `limit` items read) of a key range.

    An index is always read eventually consistent.
    """
    arguments: dict[str, Any] = {
        "TableName": settings().table_name,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": forward,
        "ConsistentRead": consistent and index is None,
    }
    optional = {
        "ExpressionAttributeNames": names or None,
        "IndexName": index,
        "Limit": limit,
        "ExclusiveStartKey": start,
        "FilterExpression": filter_expression,
        "ProjectionExpression": projection,
        "Select": "COUNT" if count_only else None,
    }
    arguments.update((name, value) for name, value in optional.items() if value is not None)
    answer = call("Query", arguments)
    count = answer["Count"]
    return QueryPage(
        answer.get("Items", []),
        answer.get("LastEvaluatedKey"),
        count,
        answer.get("ScannedCount", count),
    )
