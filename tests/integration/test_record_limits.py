"""Records and requests at the limits: DynamoDB's 400 KB, 1,024 bytes and 4 MB, PocketBase's own.

A record up to PocketBase's limits comes back as it went; what DynamoDB cannot do is refused with
a reason, and leaves nothing behind.
"""

import random
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib import aws, config, store
from chalicelib.aws import dynamodb, retries, s3_files
from chalicelib.store import keys
from chalicelib.store.changes import ConflictError
from tests.integration.auth_client import SETTINGS, Answer, Client

NOTES = "/api/collections/notes/records"
TAGS = "/api/collections/tags/records"
BATCH = "/api/batch"
MB = 1024 * 1024


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    client.as_root("PATCH", SETTINGS, {"batch": {"enabled": True, "maxRequests": 200}})
    tags = client.as_root(
        "POST",
        "/api/collections",
        {"name": "tags", "type": "base", "fields": [{"name": "name", "type": "text"}]},
    )
    fields: list[dict[str, Any]] = [
        {"name": "title", "type": "text"},
        {"name": "text", "type": "text", "max": 10_000_000},
        {"name": "page", "type": "editor"},
        {"name": "data", "type": "json"},
        {"name": "wide", "type": "json", "maxSize": 20_000_000},
        {"name": "n", "type": "number"},
        {"name": "tag", "type": "relation", "collectionId": tags["id"], "maxSelect": 999},
    ]
    indexes = [
        "CREATE INDEX by_title ON notes (title)",
        "CREATE UNIQUE INDEX by_n ON notes (n, title) WHERE title != ''",
    ]
    client.as_root(
        "POST",
        "/api/collections",
        {"name": "notes", "type": "base", "fields": fields, "indexes": indexes},
    )
    return client


@pytest.fixture(autouse=True)
def _no_document_is_left_over(client: Client) -> Iterator[None]:
    """After every test the bucket holds just the documents that items point to."""
    yield
    items = records()
    assert sorted(documents()) == sorted(i["spill"]["S"] for i in items if "spill" in i)
    sweeps = dynamodb.query("PK = :p", {":p": {"S": keys.SWEEPS}}, consistent=True)
    assert sweeps.items == []
    for item in items:
        client.as_root("DELETE", f"{NOTES}/{item['SK']['S']}")
    assert documents() == []


def documents() -> list[str]:
    return list(s3_files.keys("documents/"))


def records() -> list[dict[str, Any]]:
    collection = store.schema.load().find("notes")
    assert collection is not None
    values = {":p": {"S": keys.records_partition(collection.storage)}}
    items: list[dict[str, Any]] = []
    start = None
    while True:
        page = dynamodb.query("PK = :p", values, consistent=True, start=start)
        items += page.items
        start = page.next_key
        if start is None:
            return items


def new(client: Client, **values: Any) -> str:
    record_id: str = client.as_root("POST", NOTES, values)["id"]
    return record_id


def batch(client: Client, *parts: tuple[str, str, Any]) -> Answer:
    requests = [{"method": method, "url": url, "body": body} for method, url, body in parts]
    return client("POST", BATCH, {"requests": requests}, client.root)


def noise(size_bytes: int, seed: int = 1) -> str:
    """Text with characters of one to four bytes, quotes and backslashes."""
    chance = random.Random(seed)
    alphabet = 'abcdefgh "\\\n\té€\U0001f600'
    text = "".join(chance.choices(alphabet, k=size_bytes))
    return text.encode()[:size_bytes].decode(errors="ignore")


@pytest.mark.parametrize("size_bytes", [349_000, 350_100, 399_000, 1 * MB, 5 * MB - 10])
def test_a_large_record_comes_back_the_same(client: Client, size_bytes: int) -> None:
    page = noise(size_bytes)
    note = new(client, page=page, title="large", n=size_bytes)
    path = f"{NOTES}/{note}"
    assert client.as_root("GET", path)["page"] == page
    changed = client.as_root("PATCH", path, {"title": "larger"})
    assert (changed["page"], changed["title"]) == (page, "larger")
    query = urlencode({"filter": f"id='{note}'"})
    assert client.as_root("GET", f"{NOTES}?{query}")["items"][0]["page"] == page
    client.as_root("PATCH", path, {"page": "small"})
    assert client.as_root("GET", path)["page"] == "small"
    assert documents() == []
    client.as_root("DELETE", path)


def test_pocketbase_s_limits_of_one_field_hold(client: Client) -> None:
    answer = client("POST", NOTES, {"page": "x" * (5 * MB + 1)}, client.root)
    assert answer.body["data"]["page"]["code"] == "validation_content_size_limit"
    answer = client("POST", NOTES, {"data": "x" * (1 * MB + 1)}, client.root)
    assert answer.body["data"]["data"]["code"] == "validation_json_size_limit"
    answer = client("POST", NOTES, {"title": "x" * 5001}, client.root)
    assert answer.body["data"]["title"]["code"] == "validation_max_text_constraint"


def test_all_large_fields_at_once_come_back_the_same(client: Client) -> None:
    values = {
        "page": noise(5 * MB - 10, 2),
        "data": {"deep": [noise(1000, n) for n in range(700)]},
        "wide": ["w" * (9 * MB)],
        "text": "t" * 3_000_000,
    }
    note = new(client, **values)
    found = client.as_root("GET", f"{NOTES}/{note}")
    assert {name: found[name] for name in values} == values
    client.as_root("DELETE", f"{NOTES}/{note}")


def test_a_large_record_is_found_deleted_and_replaced_by_its_fields(client: Client) -> None:
    note = new(client, page=noise(400_000), title="indexed", n=7)
    query = urlencode({"filter": "title='indexed'", "sort": "title", "skipTotal": "1"})
    assert [i["id"] for i in client.as_root("GET", f"{NOTES}?{query}")["items"]] == [note]
    refused = client("POST", NOTES, {"title": "indexed", "n": 7}, client.root)
    assert refused.body["data"]["n"]["code"] == "validation_not_unique"
    client.as_root("DELETE", f"{NOTES}/{note}")
    client.as_root("DELETE", f"{NOTES}/{new(client, title='indexed', n=7)}")


def test_a_refused_large_write_leaves_no_document(client: Client) -> None:
    small = new(client, title="taken", n=1)
    large = noise(400_000)
    assert (
        client("POST", NOTES, {"page": large, "title": "taken", "n": 1}, client.root).status == 400
    )
    assert client("POST", NOTES, {"page": large, "id": small}, client.root).status == 400
    parts = [("POST", NOTES, {"page": large, "n": n}) for n in (2, 3)]
    assert batch(client, *parts, ("PATCH", f"{NOTES}/nothere", {})).status == 400
    assert batch(client, *parts, ("POST", NOTES, {"title": "taken", "n": 1})).status == 400
    assert documents() == []
    client.as_root("DELETE", f"{NOTES}/{small}")


def test_a_record_written_twice_in_a_batch_leaves_one_document(client: Client) -> None:
    path = f"{NOTES}/twice0000000000"
    answer = batch(
        client,
        ("POST", NOTES, {"id": "twice0000000000", "page": noise(400_000, 1)}),
        ("PATCH", path, {"page": noise(400_000, 2)}),
        ("PATCH", path, {"title": "x"}),
    )
    assert answer.status == 200, answer
    assert client.as_root("GET", path)["page"] == noise(400_000, 2)
    client.as_root("DELETE", path)


def test_a_write_that_meets_another_leaves_one_document(client: Client) -> None:
    note = new(client, n=0)
    path = f"{NOTES}/{note}"
    commit = store.changes.Changes.commit
    calls: list[Any] = []

    def late(changes: Any, checks: Any = None) -> None:
        calls.append(changes)
        if len(calls) == 1:
            client.as_root("PATCH", path, {"page": noise(400_000, 1)})
        commit(changes, checks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.changes.Changes, "commit", late)
        client.as_root("PATCH", path, {"n+": 1, "text": "t" * 400_000})
    found = client.as_root("GET", path)
    assert (found["n"], found["page"], len(found["text"])) == (1, noise(400_000, 1), 400_000)
    client.as_root("DELETE", path)


def test_a_large_write_of_unknown_outcome_keeps_its_document(client: Client) -> None:
    """It may have been made: then the record needs the document."""
    note = new(client, n=0)
    transact = dynamodb.transact

    def lost(actions: Any) -> None:
        transact(actions)
        raise retries.OutcomeUnknownError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamodb, "transact", lost)
        body = {"page": noise(400_000)}
        assert client("PATCH", f"{NOTES}/{note}", body, client.root).status == 503
    assert client.as_root("GET", f"{NOTES}/{note}")["page"] == noise(400_000)
    client.as_root("DELETE", f"{NOTES}/{note}")


def test_a_reader_beside_a_writer_sees_one_version_or_the_other(client: Client) -> None:
    """The document that the reader's item points to goes when the next one is written."""
    note = new(client, page="a" * 400_000)
    path = f"{NOTES}/{note}"
    get = aws.s3.get
    meetings: list[str] = []

    def late(name: str) -> bytes:
        if threading.current_thread() is threading.main_thread() and not meetings:
            meetings.append(name)
            client.as_root("PATCH", path, {"page": "b" * 400_000})
        return get(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.s3, "get", late)
        found = client.as_root("GET", f"{NOTES}?perPage=1&sort=id")["items"][0]["page"]
    assert found == "b" * 400_000
    assert meetings
    client.as_root("DELETE", path)


def test_a_record_deleted_while_it_is_read_is_no_crash(client: Client) -> None:
    note = new(client, page="a" * 400_000)
    get = aws.s3.get
    meetings: list[str] = []

    def late(name: str) -> bytes:
        if not meetings:
            meetings.append(name)
            client.as_root("DELETE", f"{NOTES}/{note}")
        return get(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.s3, "get", late)
        answer = client("GET", f"{NOTES}/{note}", token=client.root)
    assert (answer.status, "deleted while it was read" in answer.body["message"]) == (503, True)


def test_a_batch_larger_than_a_transaction_is_written(client: Client) -> None:
    """Sixteen documents of some 340 KB are over 4 MB: the largest documents go to the bucket."""
    texts = [noise(285_000 + 200 * n, n) for n in range(16)]
    parts = [
        ("POST", NOTES, {"id": f"wide{n:011d}", "page": text, "n": n})
        for n, text in enumerate(texts)
    ]
    answer = batch(client, *parts)
    assert answer.status == 200, answer.body["message"]
    for n, text in enumerate(texts):
        assert client.as_root("GET", f"{NOTES}/wide{n:011d}")["page"] == text
    assert 0 < len(documents()) < 16
    deletes = [("DELETE", f"{NOTES}/wide{n:011d}", None) for n in range(16)]
    assert batch(client, *deletes).status == 200


def test_a_transaction_that_dynamodb_finds_too_large_is_a_400(client: Client) -> None:
    def refuse(_: Any) -> None:
        raise dynamodb.TransactionTooLargeError("4 MB")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamodb, "transact", refuse)
        answer = client("POST", NOTES, {"title": "x"}, client.root)
    assert (answer.status, "4 MB" in answer.body["message"]) == (400, True)


def test_a_text_too_long_for_its_index_is_refused_with_its_field(client: Client) -> None:
    answer = client("POST", NOTES, {"title": "x" * 1100}, client.root)
    assert answer.status == 400
    assert answer.body["data"]["title"]["code"] == "validation_index_value_too_long"
    note = new(client, title="é" * 500, n=9)  # its own 1,000 bytes, a separator and the id
    answer = client("PATCH", f"{NOTES}/{note}", {"title": "é" * 505}, client.root)
    assert answer.status == 400
    client.as_root("DELETE", f"{NOTES}/{note}")


@pytest.mark.parametrize(
    ("filter_", "sort"),
    [
        ("title = '{long}'", ""),
        ("title > '{long}'", "title"),
        ("title <= '{long}'", "-title"),
        ("title = '{long}' && n = 1", ""),  # a unique index
        ("id = '{long}'", ""),
        ("tag = '{long}'", ""),
        ("tag ?= '{long}'", ""),
        ("title ~ '{long}'", ""),
    ],
)
def test_no_value_of_a_filter_is_too_long(client: Client, filter_: str, sort: str) -> None:
    query = urlencode({"filter": filter_.format(long="z" * 3400), "sort": sort})
    assert client.as_root("GET", f"{NOTES}?{query}")["items"] == []


@pytest.mark.parametrize(
    ("record_id", "status"),
    [
        ("x" * 255, 200),
        ("é" * 255, 200),
        ("a#b", 200),  # the character that parts keys
        ("x" * 256, 400),
        ("x" * 1100, 400),
        ("\U0001f600" * 200, 400),  # 800 bytes
    ],
)
def test_an_id_is_refused_or_reached(client: Client, record_id: str, status: int) -> None:
    """PocketBase lets an id pattern of one's own take up to 5,000 characters."""
    own_id = {"name": "id", "type": "text", "pattern": "^.+$", "min": 1, "max": 0}
    fields = [{**own_id, "primaryKey": True, "system": True, "required": True}]
    if client("GET", "/api/collections/longs", token=client.root).status == 404:
        longs = {"name": "longs", "type": "base", "fields": fields}
        longs_id = client.as_root("POST", "/api/collections", longs)["id"]
        to_long = {"name": "to" * 50, "type": "relation", "collectionId": longs_id, "maxSelect": 1}
        links = {"name": "longlinks", "type": "base", "fields": [to_long]}
        client.as_root("POST", "/api/collections", links)
    path = "/api/collections/longs/records"
    answer = client("POST", path, {"id": record_id}, client.root)
    assert answer.status == status, answer
    if status == 400:
        assert answer.body["data"]["id"]["code"] == "validation_max_text_constraint"
        return
    link = client.as_root("POST", "/api/collections/longlinks/records", {"to" * 50: record_id})
    expanded = client.as_root("GET", f"{path}/{record_id}?expand=longlinks_via_{'to' * 50}")
    assert expanded["expand"][f"longlinks_via_{'to' * 50}"][0]["id"] == link["id"]
    client.as_root("DELETE", f"{path}/{record_id}")


def test_many_references_of_one_record(client: Client) -> None:
    tags = [f"tag{n:012d}" for n in range(48)]
    assert batch(client, *(("POST", TAGS, {"id": tag}) for tag in tags)).status == 200
    note = new(client, tag=tags)
    assert client.as_root("GET", f"{NOTES}/{note}?expand=tag")["tag"] == tags
    more = [f"tag{n:012d}" for n in range(48, 98)]
    assert batch(client, *(("POST", TAGS, {"id": tag}) for tag in more)).status == 200
    answer = client("POST", NOTES, {"tag": tags + more}, client.root)
    assert (answer.status, "at most 100" in answer.body["message"]) == (400, True)
    client.as_root("DELETE", f"{NOTES}/{note}")


@pytest.fixture
def _small_budget() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DORMOUSE_SCAN_BUDGET_ITEMS", "30")
        patch.setenv("DORMOUSE_SCAN_BUDGET_BYTES", str(1 * MB))
        config.settings.cache_clear()
        yield
    config.settings.cache_clear()


@pytest.mark.usefixtures("_small_budget")
def test_related_records_are_read_within_the_budget(client: Client) -> None:
    tag = "a00000000000000"
    client.as_root("POST", TAGS, {"id": tag})  # the first by id
    for start in (0, 20):
        parts = [("POST", NOTES, {"tag": tag, "n": start + n}) for n in range(20)]
        assert batch(client, *parts).status == 200
    for query in (
        {"expand": "notes_via_tag"},
        {"expand": "notes_via_tag", "filter": f"id='{tag}'"},
        {"filter": f"id='{tag}' && notes_via_tag.n ?= 5"},
        {"filter": f"id='{tag}' && @collection.notes.n ?= 5"},
    ):
        answer = client(
            "GET", f"{TAGS}?{urlencode({'sort': 'id', 'perPage': '2', **query})}", token=client.root
        )
        assert (answer.status, "more than 30" in answer.body["message"]) == (400, True), query


@pytest.mark.usefixtures("_small_budget")
def test_documents_of_a_list_are_counted_before_they_are_fetched(client: Client) -> None:
    ids = [new(client, page="p" * 400_000, n=n) for n in range(4)]
    fetched: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.s3, "get", fetched.append)
        answer = client("GET", NOTES, token=client.root)
    assert (answer.status, "1 MB of records" in answer.body["message"]) == (400, True)
    assert fetched == []
    for note in ids:
        client.as_root("DELETE", f"{NOTES}/{note}")


def test_conflicts_of_large_writes_end(client: Client) -> None:
    """Every attempt uploads anew; what the lost attempts brought is removed."""
    note = new(client, page=noise(400_000), n=0)
    path = f"{NOTES}/{note}"
    commit = store.changes.Changes.commit
    calls: list[Any] = []

    def contested(changes: Any, checks: Any = None) -> None:
        calls.append(changes)
        if len(calls) < 4:
            raise ConflictError
        commit(changes, checks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.changes.Changes, "commit", contested)
        client.as_root("PATCH", path, {"n+": 1})
    assert client.as_root("GET", path)["n"] == 1
    assert len(documents()) == 1
    client.as_root("DELETE", path)
