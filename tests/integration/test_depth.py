"""The depth of a chain of functions on what they write: the table's stream tells it of each change.

`dp` of the new image is that of a write, `dp` of the old image that of a delete; no `dp` is 0.
"""

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from chalicelib import services, store
from chalicelib.aws import dynamodb
from chalicelib.domain import tokens
from chalicelib.domain.functions.function import Function
from chalicelib.store import keys
from chalicelib.store.functions import Stored
from tests.integration.auth_client import Client

FUNCTION = Function("fndepth00000001", "depth", "python3.13", "app.handler")
ANYBODY = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")

Change = tuple[str, str, int]
"""(INSERT, MODIFY or REMOVE, record id, depth)"""


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    store.functions.put(Stored(FUNCTION), None)
    services.service_accounts.ensure(FUNCTION)
    text = {"name": "title", "type": "text"}
    notes = client.as_root("POST", "/api/collections", _body("notes", [text]))
    to_note = {"name": "note", "type": "relation", "collectionId": notes["id"]}
    goes = [to_note | {"cascadeDelete": True}]
    stays = [to_note | {"maxSelect": 5}]
    client.as_root("POST", "/api/collections", _body("comments", goes))
    client.as_root("POST", "/api/collections", _body("lists", stays))
    client.as_root("PATCH", "/api/settings", {"batch": {"enabled": True, "maxRequests": 50}})
    return client


def _body(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "type": "base", "fields": fields, **ANYBODY}


def by(depth: int) -> str:
    """Return the token of a function that is the `depth`-th of its chain; "" for a guest."""
    return services.service_accounts.token(FUNCTION, depth, time.time()) if depth else ""


def path(name: str, record_id: str = "") -> str:
    return f"/api/collections/{name}/records" + (f"/{record_id}" if record_id else "")


def write(client: Client, depth: int, name: str = "notes", **values: Any) -> str:
    answer = client("POST", path(name), values, by(depth))
    assert answer.status == 200, answer
    return str(answer.body["id"])


def delete(client: Client, depth: int, record_id: str, name: str = "notes") -> None:
    assert client("DELETE", path(name, record_id), None, by(depth)).status == 204


def stored_depth(record_id: str, name: str = "notes") -> str | None:
    collection = store.schema.load().find(name)
    assert collection is not None
    item = dynamodb.get(keys.record(collection.storage, record_id))
    assert item is not None
    return item["dp"]["N"] if "dp" in item else None


class Stream:
    """The changes of records since it was opened, but for those that change only marks."""

    def __init__(self, table: str) -> None:
        self.client = boto3.client("dynamodbstreams")
        (stream,) = self.client.list_streams(TableName=table)["Streams"]
        self.arn = stream["StreamArn"]
        described = self.client.describe_stream(StreamArn=self.arn)["StreamDescription"]
        self.iterators = [
            self.client.get_shard_iterator(
                StreamArn=self.arn, ShardId=each["ShardId"], ShardIteratorType="LATEST"
            )["ShardIterator"]
            for each in described["Shards"]
        ]

    def changes(self) -> set[Change]:
        found = set()
        for number, iterator in enumerate(self.iterators):
            answer = self.client.get_records(ShardIterator=iterator)
            self.iterators[number] = answer["NextShardIterator"]
            found |= {made for each in answer["Records"] for made in _change(each)}
        return found


def _change(record: dict[str, Any]) -> Iterator[Change]:
    told = record["dynamodb"]
    key = told["Keys"]
    new, old = told.get("NewImage", {}), told.get("OldImage", {})
    if key["PK"]["S"].startswith("RECORDS#") and new.get("rev") != old.get("rev"):
        depth = (old if record["eventName"] == "REMOVE" else new).get("dp", {"N": "0"})
        yield record["eventName"], key["SK"]["S"], int(depth["N"])


@pytest.fixture
def stream(client: Client, table: str) -> Stream:
    return Stream(table)


@pytest.mark.parametrize("writer", [0, 1, 3])
@pytest.mark.parametrize("deleter", [0, 1, 3])
def test_a_delete_tells_the_depth_of_who_deletes(
    client: Client, stream: Stream, writer: int, deleter: int
) -> None:
    record_id = write(client, writer)
    delete(client, deleter, record_id)
    assert stream.changes() == {("INSERT", record_id, writer), ("REMOVE", record_id, deleter)}


def test_a_persons_write_resets_the_depth(client: Client, stream: Stream) -> None:
    record_id = write(client, 4)
    assert stored_depth(record_id) == "4"
    client("PATCH", path("notes", record_id), {"title": "by a guest"})
    assert stored_depth(record_id) is None
    client("PATCH", path("notes", record_id), {"title": "by a function"}, by(2))
    client("PATCH", path("notes", record_id), {"title": "by a superuser"}, client.root)
    assert stored_depth(record_id) is None
    delete(client, 0, record_id)
    assert stream.changes() >= {("MODIFY", record_id, 2), ("REMOVE", record_id, 0)}


def test_a_cascade_is_as_deep_as_the_delete_that_begins_it(client: Client, stream: Stream) -> None:
    note = write(client, 0)
    comments = [write(client, depth, "comments", note=note) for depth in (0, 5)]
    listed = write(client, 7, "lists", note=[note])
    stream.changes()
    delete(client, 5, note)
    gone = {("REMOVE", record_id, 5) for record_id in (note, *comments)}
    assert stream.changes() == gone | {("MODIFY", listed, 5)}


def test_a_persons_cascade_is_no_chain(client: Client, stream: Stream) -> None:
    note = write(client, 3)
    comments = [write(client, 6, "comments", note=note) for _ in range(3)]
    stream.changes()
    delete(client, 0, note)
    assert stream.changes() == {("REMOVE", record_id, 0) for record_id in (note, *comments)}


def test_every_part_of_a_batch_is_as_deep_as_its_caller(client: Client, stream: Stream) -> None:
    kept, gone = write(client, 0, title="a"), write(client, 0, title="b")
    stream.changes()
    parts = [
        {"method": "POST", "url": path("notes"), "body": {"id": "batchmade000001"}},
        {"method": "PATCH", "url": path("notes", kept), "body": {"title": "c"}},
        {"method": "DELETE", "url": path("notes", gone)},
    ]
    assert client("POST", "/api/batch", {"requests": parts}, by(2)).status == 200
    assert stream.changes() == {
        ("INSERT", "batchmade000001", 2), ("MODIFY", kept, 2), ("REMOVE", gone, 2)
    }  # fmt: skip


def test_a_record_made_and_deleted_in_one_batch_leaves_nothing(
    client: Client, stream: Stream
) -> None:
    parts = [
        {"method": "POST", "url": path("notes"), "body": {"id": "batchgone000001"}},
        {"method": "DELETE", "url": path("notes", "batchgone000001")},
    ]
    assert client("POST", "/api/batch", {"requests": parts}, by(2)).status == 200
    assert stream.changes() == set()


def test_a_large_document_in_the_bucket_has_its_depth_too(client: Client, stream: Stream) -> None:
    client.as_root("POST", "/api/collections", _body("large", [{"name": "j", "type": "json"}]))
    stream.changes()
    record_id = write(client, 3, "large", j=["x" * 1000] * 500)
    assert stored_depth(record_id, "large") == "3"
    delete(client, 0, record_id, "large")
    assert stream.changes() == {("INSERT", record_id, 3), ("REMOVE", record_id, 0)}


def test_a_refused_delete_leaves_the_record_and_the_next_one_is_right(
    client: Client, stream: Stream
) -> None:
    required = {"name": "note", "type": "relation", "required": True,
                "collectionId": client.as_root("GET", "/api/collections/notes")["id"]}  # fmt: skip
    client.as_root("POST", "/api/collections", _body("needs", [required]))
    note = write(client, 0)
    needing = write(client, 0, "needs", note=note)
    assert client("DELETE", path("notes", note), None, by(4)).status == 400
    delete(client, 0, needing, "needs")
    stream.changes()
    delete(client, 0, note)
    assert stream.changes() == {("REMOVE", note, 0)}


def test_a_delete_that_died_half_way_leaves_the_record_and_the_next_one_is_right(
    client: Client, stream: Stream
) -> None:
    record_id = write(client, 2)
    collection = store.schema.load().find("notes")
    assert collection is not None
    stored = store.records.find(collection, record_id)
    assert stored is not None
    store.leaving.mark([(collection, stored)], 5)
    assert stored_depth(record_id) == "5"
    assert client("GET", path("notes", record_id)).status == 200
    delete(client, 2, record_id)
    assert stream.changes() == {("INSERT", record_id, 2), ("REMOVE", record_id, 2)}
    with pytest.raises(LookupError):
        store.leaving.mark([(collection, stored)], 5)


def test_nobody_gives_themselves_another_depth(client: Client) -> None:
    claims = tokens.decode_unverified(by(3)) or {}
    forged = tokens.encode(claims | {"depth": 0}, "k" * 60)
    record_id = write(client, 3)
    client("PATCH", path("notes", record_id), {"title": "x"}, forged)
    assert stored_depth(record_id) is None  # a guest's: who has no genuine token is no function
    client.account("/api/collections/users", "depth@example.com")
    login = client.login("/api/collections/users", "depth@example.com").body
    answer = client("POST", path("notes"), {"depth": 5, "dp": 5}, login["token"])
    assert stored_depth(answer.body["id"]) is None


@pytest.mark.parametrize("value", [True, -1, "5", None, 2.5])
def test_an_odd_claim_is_no_depth(value: Any) -> None:
    assert tokens.depth({"depth": value}) == 0


def test_a_normal_write_is_as_it_was(client: Client) -> None:
    record_id = write(client, 0, title="x")
    collection = store.schema.load().find("notes")
    assert collection is not None
    item = dynamodb.get(keys.record(collection.storage, record_id))
    assert item is not None
    assert item.keys() == {"PK", "SK", "rev", "seq", "doc"}
