"""The local AWS reports read units by size: `?explain=1` and the benchmarks rely on it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tools.local_aws.client import LocalAws

TABLE = "capacity"


@pytest.fixture(scope="module")
def dynamodb(local_aws: LocalAws) -> Iterator[Any]:
    client = boto3.client("dynamodb", endpoint_url=local_aws.url)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK", "ip")
        ],
        GlobalSecondaryIndexes=[
            _index("whole", {"ProjectionType": "ALL"}),
            _index("keys", {"ProjectionType": "KEYS_ONLY"}),
        ],
    )
    for sort, kilobytes in (("1 KB", 1), ("3 KB", 3), ("9 KB", 9)):
        item = {"PK": {"S": "p"}, "SK": {"S": sort}, "ip": {"S": "i"}}
        client.put_item(TableName=TABLE, Item=item | {"doc": {"S": "x" * 1000 * kilobytes}})
    yield client
    client.delete_table(TableName=TABLE)


@pytest.mark.parametrize(
    ("sort", "consistent", "units"),
    [
        ("1 KB", True, 1.0),
        ("1 KB", False, 0.5),
        ("9 KB", True, 3.0),  # 4 KB each, rounded up
        ("9 KB", False, 1.5),
        ("absent", True, 1.0),
    ],
)
def test_get_item_costs_by_the_size_of_the_item(
    dynamodb: Any, sort: str, consistent: bool, units: float
) -> None:
    answer = dynamodb.get_item(
        TableName=TABLE, Key=_key(sort), ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL"
    )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == units


def test_a_projection_does_not_make_get_item_cheaper(dynamodb: Any) -> None:
    answer = dynamodb.get_item(
        TableName=TABLE,
        Key=_key("9 KB"),
        ProjectionExpression="SK",
        ConsistentRead=True,
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Item"] == {"SK": {"S": "9 KB"}}
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 3.0


@pytest.mark.parametrize(
    ("options", "units"),
    [
        ({}, 2.0),  # 13 KB are four units of 4 KB, half price
        ({"ConsistentRead": True}, 4.0),
        ({"Limit": 1}, 0.5),
        ({"FilterExpression": "SK = PK"}, 2.0),  # what the filter drops was read
        ({"Select": "COUNT"}, 2.0),
        ({"ProjectionExpression": "SK"}, 2.0),
    ],
)
def test_query_costs_by_what_it_evaluated(
    dynamodb: Any, options: dict[str, Any], units: float
) -> None:
    answer = _query(dynamodb, "PK", "p", **options)
    assert answer["ConsumedCapacity"]["CapacityUnits"] == units
    assert answer["ConsumedCapacity"]["Table"] == {"CapacityUnits": units}


@pytest.mark.parametrize(("index", "units"), [("whole", 2.0), ("keys", 0.5)])
def test_an_index_query_costs_by_what_the_index_holds(
    dynamodb: Any, index: str, units: float
) -> None:
    capacity = _query(dynamodb, "ip", "i", IndexName=index)["ConsumedCapacity"]
    assert capacity["CapacityUnits"] == units
    assert capacity["GlobalSecondaryIndexes"] == {index: {"CapacityUnits": units}}
    assert capacity["Table"] == {"CapacityUnits": 0.0}


def test_a_query_that_finds_nothing_costs_the_least(dynamodb: Any) -> None:
    assert _query(dynamodb, "PK", "absent")["ConsumedCapacity"]["CapacityUnits"] == 0.5


@pytest.mark.parametrize(("consistent", "units"), [(True, 6.0), (False, 3.0)])
def test_batch_get_rounds_each_item_up(dynamodb: Any, consistent: bool, units: float) -> None:
    keys = [_key(sort) for sort in ("1 KB", "3 KB", "9 KB", "absent")]
    answer = dynamodb.batch_get_item(
        RequestItems={TABLE: {"Keys": keys, "ConsistentRead": consistent}},
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"] == [{"TableName": TABLE, "CapacityUnits": units}]


def _query(dynamodb: Any, name: str, value: str, **options: Any) -> Any:
    return dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression=f"{name} = :value",
        ExpressionAttributeValues={":value": {"S": value}},
        ReturnConsumedCapacity="INDEXES",
        **options,
    )


def _key(sort: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": "p"}, "SK": {"S": sort}}


def _index(name: str, projection: dict[str, str]) -> dict[str, Any]:
    key = {"AttributeName": "ip", "KeyType": "HASH"}
    return {"IndexName": name, "KeySchema": [key], "Projection": projection}
