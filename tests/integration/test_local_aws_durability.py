"""No write that the local AWS answered is lost, however its process ends."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools.local_aws import client
from tools.local_aws.client import LocalAws, StartError

TABLE = "durable"
WRITERS = 4
LOAD_SECONDS = 1.0

Item = dict[str, Any]


class Instance:
    """A local AWS over one state directory, which a test may end and start again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.aws: LocalAws = client.start(0, directory)

    def service(self, name: str) -> Any:
        return boto3.client(
            name,
            endpoint_url=self.aws.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, max_pool_connections=WRITERS),
        )

    @property
    def dynamodb(self) -> Any:
        return self.service("dynamodb")

    def start(self) -> None:
        self.aws = client.start(0, self.directory)

    def restart_after_kill(self) -> None:
        self.aws.kill()
        self.start()

    @property
    def journal(self) -> Path:
        return self.directory / "dynamodb.journal"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    instance = Instance(tmp_path)
    _create_table(instance.dynamodb)
    yield instance
    instance.aws.stop()


def test_a_kill_during_a_write_load_loses_no_answered_write(instance: Instance) -> None:
    answered: set[str] = set()
    for round_number in range(2):
        answered |= _write_until(instance, instance.aws.kill, round_number)
        instance.start()
        _check_all_there(instance, answered)


def test_a_stop_during_a_write_load_loses_no_answered_write(instance: Instance) -> None:
    answered = _write_until(instance, instance.aws.stop, 0)
    instance.start()
    _check_all_there(instance, answered)


def test_a_stop_leaves_nothing_that_a_kill_then_loses(instance: Instance) -> None:
    _put(instance.dynamodb, "before")
    instance.aws.stop()
    instance.start()
    _put(instance.dynamodb, "between")
    instance.restart_after_kill()
    assert _sorts(instance.dynamodb, "p") == {"before", "between"}


def test_every_kind_of_write_gives_the_same_items_after_a_kill(instance: Instance) -> None:
    dynamodb = instance.dynamodb
    _write_in_every_way(dynamodb)
    before = _everything(dynamodb)

    instance.restart_after_kill()

    assert len(before) > 5
    assert _everything(instance.dynamodb) == before


def test_tables_their_settings_and_deletions_survive_a_kill(instance: Instance) -> None:
    dynamodb = instance.dynamodb
    _put(dynamodb, "old")
    dynamodb.delete_table(TableName=TABLE)
    _create_table(dynamodb)
    dynamodb.create_table(TableName="second", **_schema())
    dynamodb.delete_table(TableName="second")
    dynamodb.update_time_to_live(
        TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
    )
    before = dynamodb.describe_table(TableName=TABLE)["Table"]

    instance.restart_after_kill()

    dynamodb = instance.dynamodb
    assert dynamodb.list_tables()["TableNames"] == [TABLE]
    assert dynamodb.describe_table(TableName=TABLE)["Table"] == before
    setting = dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert setting == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert _everything(dynamodb) == []


def test_a_transaction_retried_after_a_kill_is_not_done_twice(instance: Instance) -> None:
    add = {
        "Update": {
            "TableName": TABLE,
            "Key": {"PK": {"S": "p"}, "SK": {"S": "counter"}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    request = {"TransactItems": [add], "ClientRequestToken": "the-same-token"}
    instance.dynamodb.transact_write_items(**request)
    instance.restart_after_kill()
    instance.dynamodb.transact_write_items(**request)
    assert _get(instance.dynamodb, "counter")["n"] == {"N": "1"}


def test_a_stream_tells_the_same_after_a_kill_and_after_a_stop(instance: Instance) -> None:
    instance.dynamodb.create_table(TableName="told", **_schema())
    for action in ("Put", "Put", "Delete"):
        key = {"PK": {"S": "p"}, "SK": {"S": "s"}}
        if action == "Put":
            item = {**key, "n": {"S": str(time.monotonic())}}
            instance.dynamodb.put_item(TableName="told", Item=item)
        else:
            instance.dynamodb.delete_item(TableName="told", Key=key)
    items = [{"PK": {"S": "p"}, "SK": {"S": str(n)}} for n in range(3)]
    puts = [{"Put": {"TableName": "told", "Item": item}} for item in items]
    instance.dynamodb.transact_write_items(TransactItems=puts)
    before = _told(instance)
    assert [each["eventName"] for each in before] == [
        "INSERT", "MODIFY", "REMOVE", "INSERT", "INSERT", "INSERT",
    ]  # fmt: skip
    assert before[1]["dynamodb"]["OldImage"] == before[0]["dynamodb"]["NewImage"]

    instance.restart_after_kill()
    assert _told(instance) == before

    instance.aws.stop()
    instance.start()
    assert _told(instance) == before
    instance.dynamodb.put_item(TableName="told", Item={**items[0], "n": {"S": "later"}})
    assert _told(instance)[:-1] == before
    assert _told(instance)[-1]["dynamodb"]["OldImage"] == items[0]


def test_a_torn_last_line_is_cut_off_and_later_writes_are_kept(instance: Instance) -> None:
    _put(instance.dynamodb, "whole")
    instance.aws.kill()
    with instance.journal.open("ab") as journal:
        journal.write(b'[["put","arn:aws:dynamodb:us-east-1:0000')
    instance.start()
    _put(instance.dynamodb, "after")
    instance.restart_after_kill()
    assert _sorts(instance.dynamodb, "p") == {"whole", "after"}


def test_a_broken_line_in_the_middle_refuses_the_start_and_names_it(instance: Instance) -> None:
    _put(instance.dynamodb, "first")
    instance.aws.kill()
    lines = instance.journal.read_bytes().splitlines(keepends=True)
    instance.journal.write_bytes(b"".join([lines[0], b"{broken\n", *lines[1:]]))
    with pytest.raises(StartError, match=r"dynamodb\.journal, line 2"):
        instance.start()
    instance.journal.write_bytes(b"".join(lines))
    instance.start()


def test_a_kill_while_compacting_loses_nothing(instance: Instance) -> None:
    """The new file is torn and not yet renamed: the old one still counts."""
    _put(instance.dynamodb, "kept")
    instance.aws.kill()
    instance.journal.with_suffix(".new").write_bytes(instance.journal.read_bytes()[:100])
    instance.start()
    assert _sorts(instance.dynamodb, "p") == {"kept"}


def test_a_stop_compacts_a_journal_of_many_overwrites(instance: Instance) -> None:
    dynamodb = instance.dynamodb
    for number in range(60):
        requests = [_put_request(f"{sort:02}", number) for sort in range(25)]
        dynamodb.batch_write_item(RequestItems={TABLE: requests})
    before, puts = _everything(dynamodb), instance.journal.read_text().count('["put"')
    assert puts == 60 * 25

    instance.aws.stop()

    assert instance.journal.read_text().count('["put"') == 25
    instance.start()
    assert _everything(instance.dynamodb) == before


def test_buckets_and_objects_survive_a_kill(instance: Instance) -> None:
    s3 = instance.service("s3")
    s3.create_bucket(Bucket="files")
    s3.create_bucket(Bucket="gone")
    s3.delete_bucket(Bucket="gone")
    s3.put_object(Bucket="files", Key="a/b c.txt", Body=b"hello", ContentType="text/plain")

    instance.restart_after_kill()

    s3 = instance.service("s3")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["files"]
    found = s3.get_object(Bucket="files", Key="a/b c.txt")
    assert (found["Body"].read(), found["ContentType"]) == (b"hello", "text/plain")


def test_a_state_directory_has_one_local_aws(instance: Instance) -> None:
    with pytest.raises(StartError, match="in use by another local AWS"):
        client.start(0, instance.directory)


def test_a_taken_port_is_refused_with_the_variable_to_set(instance: Instance) -> None:
    port = int(instance.aws.url.rpartition(":")[2])
    with pytest.raises(StartError, match=f"port {port} is taken: set DORMOUSE_AWS_PORT"):
        client.start(port)


def _write_until(instance: Instance, end: Any, round_number: int) -> set[str]:
    """Return what was answered while several writers ran; `end` is called under load."""
    answered: list[set[str]] = [set() for _ in range(WRITERS)]
    threads = [
        threading.Thread(target=_write, args=(instance, f"{round_number}-{number}", keys))
        for number, keys in enumerate(answered)
    ]
    for thread in threads:
        thread.start()
    time.sleep(LOAD_SECONDS)
    end()
    for thread in threads:
        thread.join()
    assert all(answered), "a writer wrote nothing: no load"
    return set.union(*answered)


def _write(instance: Instance, prefix: str, answered: set[str]) -> None:
    """Write single items and pairs in a transaction until the connection breaks."""
    dynamodb = instance.dynamodb
    number = 0
    while True:
        sort = f"{prefix}-{number}"
        try:
            if number % 2:
                dynamodb.put_item(TableName=TABLE, Item=_item("p", sort))
            else:
                items = [_item("p", f"{sort}-pair"), _item("pair", f"{sort}-pair")]
                puts = [{"Put": {"TableName": TABLE, "Item": item}} for item in items]
                dynamodb.transact_write_items(TransactItems=puts)
                sort = f"{sort}-pair"
        except (BotoCoreError, ClientError):
            return
        answered.add(sort)
        number += 1


def _check_all_there(instance: Instance, answered: set[str]) -> None:
    dynamodb = instance.dynamodb
    present = _sorts(dynamodb, "p")
    assert answered - present == set()
    assert {sort for sort in present if sort.endswith("-pair")} == _sorts(dynamodb, "pair")


def _write_in_every_way(dynamodb: Any) -> None:
    for sort in ("kept", "deleted", "updated", "removed by a transaction", "ü\U0001f600"):
        _put(dynamodb, sort)
    dynamodb.delete_item(TableName=TABLE, Key=_key("deleted"))
    # 38 digits: ministack alone would round the sum to 28.
    for amount in ("12345678901234567890123456789012345678", "1"):
        dynamodb.update_item(
            TableName=TABLE,
            Key=_key("updated"),
            UpdateExpression="ADD amount :amount SET seen = :seen",
            ExpressionAttributeValues={
                ":amount": {"N": amount},
                ":seen": {"L": [{"NULL": True}, {"BOOL": False}, {"SS": ["x"]}, {"B": b"\x00"}]},
            },
        )
    assert _get(dynamodb, "updated")["amount"]["N"] == "12345678901234567890123456789012345679"
    dynamodb.batch_write_item(RequestItems={TABLE: [_put_request("batch", 1)]})
    dynamodb.transact_write_items(
        TransactItems=[
            {"Delete": {"TableName": TABLE, "Key": _key("removed by a transaction")}},
            {"Put": {"TableName": TABLE, "Item": _item("p", "by a transaction")}},
        ]
    )
    dynamodb.execute_statement(Statement=f"INSERT INTO {TABLE} VALUE {{'PK': 'p', 'SK': 'sql'}}")
    with pytest.raises(ClientError, match="Duplicate"):
        dynamodb.execute_statement(
            Statement=f"INSERT INTO {TABLE} VALUE {{'PK': 'p', 'SK': 'sql', 'x': 'y'}}"
        )


def _schema() -> dict[str, Any]:
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _create_table(dynamodb: Any) -> None:
    dynamodb.create_table(TableName=TABLE, **_schema())


def _key(sort: str, partition: str = "p") -> Item:
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def _item(partition: str, sort: str) -> Item:
    return _key(sort, partition) | {"doc": {"S": "x" * 500}}


def _put(dynamodb: Any, sort: str) -> None:
    dynamodb.put_item(TableName=TABLE, Item=_item("p", sort))


def _put_request(sort: str, number: int) -> dict[str, Any]:
    return {"PutRequest": {"Item": _item("p", sort) | {"n": {"N": str(number)}}}}


def _get(dynamodb: Any, sort: str) -> Item:
    item: Item = dynamodb.get_item(TableName=TABLE, Key=_key(sort), ConsistentRead=True)["Item"]
    return item


def _sorts(dynamodb: Any, partition: str) -> set[str]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=TABLE,
        KeyConditionExpression="PK = :p",
        ExpressionAttributeValues={":p": {"S": partition}},
    )
    return {item["SK"]["S"] for page in pages for item in page["Items"]}


def _everything(dynamodb: Any) -> list[Item]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=TABLE)
    return [item for page in pages for item in page["Items"]]


def _told(instance: Instance) -> list[Any]:
    """Return all changes that the stream of the table `told` tells."""
    streams = instance.service("dynamodbstreams")
    arn = streams.list_streams(TableName="told")["Streams"][0]["StreamArn"]
    shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records: list[Any] = streams.get_records(ShardIterator=iterator)["Records"]
    return records
