"""What the yardsticks share: the sample record, its item, the three operations.

Imports next to nothing, so that a yardstick's cold start is its own.
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any

Shape = dict[str, Any]
Call = Callable[[str, Shape], Shape]

TABLE = os.environ.get("BENCH_TABLE", "bench_peers")
CATEGORIES = ("news", "code", "life", "food", "misc")
RECORD = {
    "title": "A title of some forty characters or so",
    "body": "x" * 500,
    "views": 7,
    "published": True,
    "category": "news",
    "email": "someone@example.com",
}


def item(record: Shape) -> Shape:
    """A record as a DynamoDB map, with its keys and its index's keys."""
    tagged = {
        "pk": {"S": "posts"},
        "sk": {"S": record["id"]},
        "g1p": {"S": "posts#" + record["category"]},
        "g1s": {"S": record["created"]},
    }
    for name, value in record.items():
        if isinstance(value, bool):
            tagged[name] = {"BOOL": value}
        elif isinstance(value, (int, float)):
            tagged[name] = {"N": str(value)}
        else:
            tagged[name] = {"S": value}
    return tagged


def record(tagged: Shape) -> Shape:
    found = {}
    for name, entry in tagged.items():
        if name not in ("pk", "sk", "g1p", "g1s"):
            ((tag, value),) = entry.items()
            found[name] = float(value) if tag == "N" else value
    return found


def handle(call: Call, event: Shape) -> Shape:
    """Answer an API Gateway event with DynamoDB calls made by `call(operation, arguments)`."""
    if event["httpMethod"] == "POST":
        return _create(call, json.loads(event["body"]))
    if event["pathParameters"].get("id"):
        return _get(call, event["pathParameters"]["id"])
    return _list(call)


def _get(call: Call, record_id: str) -> Shape:
    key = {"pk": {"S": "posts"}, "sk": {"S": record_id}}
    found = call("GetItem", {"TableName": TABLE, "Key": key}).get("Item")
    return _answer(200, record(found)) if found else _answer(404, {})


def _create(call: Call, data: Shape) -> Shape:
    made = dict(data, id=os.urandom(8).hex()[:15])
    made["created"] = time.strftime("%Y-%m-%d %H:%M:%S.000Z", time.gmtime())
    condition = "attribute_not_exists(pk)"
    call("PutItem", {"TableName": TABLE, "Item": item(made), "ConditionExpression": condition})
    return _answer(200, made)


def _list(call: Call) -> Shape:
    found = call(
        "Query",
        {
            "TableName": TABLE,
            "IndexName": "by_category",
            "KeyConditionExpression": "g1p = :p",
            "ExpressionAttributeValues": {":p": {"S": "posts#news"}},
            "ScanIndexForward": False,
            "Limit": 30,
        },
    )
    return _answer(200, {"items": [record(each) for each in found["Items"]]})


def _answer(status: int, body: Shape) -> Shape:
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
