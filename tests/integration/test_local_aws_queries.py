"""The local AWS answers queries from sorted partitions as ministack does from whole ones."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import pytest

from tools.local_aws.client import LocalAws

ROOT = Path(__file__).parents[2]
TABLE = "queries"
KEY = {"AttributeType": "S"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_queries_between_random_writes_answer_as_ministack_does(seed: int) -> None:
    command = [sys.executable, "-m", "tests.integration.query_differential", str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["different"] == []
    # Without these the comparison could pass on queries that nobody narrowed.
    assert report["narrowed"] > 400
    assert report["with_items"] > 300
    assert report["with_next_page"] > 50
    assert report["refused"] > 10


@pytest.fixture
def dynamodb(local_aws: LocalAws) -> Any:
    client = boto3.client("dynamodb", endpoint_url=local_aws.url)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[KEY | {"AttributeName": name} for name in ("PK", "SK", "ip", "ix1")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "ix1",
                "KeySchema": [
                    {"AttributeName": "ip", "KeyType": "HASH"},
                    {"AttributeName": "ix1", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    yield client
    client.delete_table(TableName=TABLE)


def test_a_page_of_10_000_items_takes_about_as_long_as_one_of_100(dynamodb: Any) -> None:
    _fill(dynamodb, "small", 100)
    _fill(dynamodb, "large", 10_000)

    small = _median_seconds(lambda: _page(dynamodb, "small"))
    large = _median_seconds(lambda: _page(dynamodb, "large"))

    # The aim is 1.5; the rest is for a busy machine. Without sorted partitions it is over 50.
    assert large < 3 * small


def test_a_write_to_a_sorted_partition_is_seen_by_the_next_query(dynamodb: Any) -> None:
    _fill(dynamodb, "p", 40)
    first = _page(dynamodb, "p")["Items"][0]
    key = {name: first[name] for name in ("PK", "SK")}

    dynamodb.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET ix1 = :last",
        ExpressionAttributeValues={":last": {"S": "zzz"}},
    )
    assert first["SK"] not in [item["SK"] for item in _page(dynamodb, "p")["Items"]]
    assert _page(dynamodb, "p", ScanIndexForward=False)["Items"][0]["SK"] == first["SK"]

    dynamodb.delete_item(TableName=TABLE, Key=key)
    assert _page(dynamodb, "p", Limit=100)["Count"] == 39


def _fill(dynamodb: Any, partition: str, count: int) -> None:
    for start in range(0, count, 25):
        requests = [
            {"PutRequest": {"Item": _item(partition, number)}}
            for number in range(start, min(start + 25, count))
        ]
        dynamodb.batch_write_item(RequestItems={TABLE: requests})


def _item(partition: str, number: int) -> dict[str, dict[str, str]]:
    return {
        "PK": {"S": partition},
        "SK": {"S": f"{number:06}"},
        "ip": {"S": partition},
        "ix1": {"S": f"{number * 7919 % 10007:06}"},
        "doc": {"S": "x" * 300},
    }


def _page(dynamodb: Any, partition: str, **options: Any) -> Any:
    return dynamodb.query(
        TableName=TABLE,
        IndexName="ix1",
        KeyConditionExpression="ip = :p",
        ExpressionAttributeValues={":p": {"S": partition}},
        **{"Limit": 30, **options},
    )


def _median_seconds(work: Callable[[], Any]) -> float:
    work()
    seconds = []
    for _ in range(15):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return median(seconds)
