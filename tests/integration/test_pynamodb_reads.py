"""The PynamoDB model reads what the requests' own client wrote: one table, defined once."""

import json
from typing import Any

import pytest

from chalicelib import store
from chalicelib.store import keys
from tests.integration.auth_client import Client

BOOKS = "/api/collections/books/records"


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    shelves = client.as_root("POST", "/api/collections", {"name": "shelves", "type": "base"})
    client.as_root(
        "POST",
        "/api/collections",
        {
            "name": "books",
            "type": "base",
            "fields": [
                {"name": "title", "type": "text"},
                {"name": "pages", "type": "number"},
                {
                    "name": "shelf",
                    "type": "relation",
                    "collectionId": shelves["id"],
                    "maxSelect": 1,
                },
            ],
            "indexes": [
                "CREATE INDEX by_pages ON books (pages)",
                "CREATE UNIQUE INDEX by_title ON books (title)",
            ],
        },
    )
    return client


@pytest.fixture
def item(table: str) -> Any:
    """The model, pointed at the local AWS of this run."""
    from chalicelib.store import table as tables  # noqa: PLC0415 - botocore, for this test only

    assert tables.Item.Meta.table_name == table
    return tables.Item


def storage(name: str) -> str:
    collection = store.schema.load().find(name)
    assert collection is not None
    return collection.storage


def made(client: Client, **values: Any) -> dict[str, Any]:
    record: dict[str, Any] = client.as_root("POST", BOOKS, values)
    return record


def test_a_record_is_a_document_beside_its_revision(client: Client, item: Any) -> None:
    book = made(client, title="Ä \U0001f600", pages=1.5)
    found = item.get(keys.records_partition(storage("books")), book["id"], consistent_read=True)
    assert json.loads(found.doc) == {"title": "Ä \U0001f600", "pages": 1.5}
    assert len(found.rev) == 11
    client.as_root("PATCH", f"{BOOKS}/{book['id']}", {"pages+": 1})
    again = item.get(keys.records_partition(storage("books")), book["id"], consistent_read=True)
    assert json.loads(again.doc)["pages"] == 2.5
    assert again.rev != found.rev


def test_an_ordered_index_is_read_in_its_order(client: Client, item: Any) -> None:
    expected = [made(client, title=f"t{pages}", pages=pages)["id"] for pages in (-7, 30, 400)]
    partition = keys.index_partition(storage("books"))
    found = [each.SK for each in item.slot1.query(partition)]
    assert [each for each in found if each in expected] == expected
    backwards = [each.SK for each in item.slot1.query(partition, scan_index_forward=False)]
    assert backwards == found[::-1]


def test_a_partition_holds_every_record_of_its_collection(client: Client, item: Any) -> None:
    listed = {each["id"] for each in client.as_root("GET", BOOKS + "?perPage=1000")["items"]}
    assert {each.SK for each in item.query(keys.records_partition(storage("books")))} == listed


def test_guards_and_references_are_items_of_their_own(client: Client, item: Any) -> None:
    shelf = client.as_root("POST", "/api/collections/shelves/records", {})["id"]
    book = made(client, title="guarded", shelf=shelf)["id"]
    guards = item.query(keys.unique_partition(storage("books"), "by_title"))
    assert "guarded\0" in [each.SK for each in guards]
    [reference] = item.query(keys.references_partition(storage("shelves"), shelf))
    assert reference.SK.endswith(f"#shelf#{book}")
    client.as_root("DELETE", f"{BOOKS}/{book}")
    assert list(item.query(keys.references_partition(storage("shelves"), shelf))) == []
    guards = item.query(keys.unique_partition(storage("books"), "by_title"))
    assert "guarded\0" not in [each.SK for each in guards]


def test_the_schema_is_items_too(client: Client, item: Any) -> None:
    found = list(item.query(keys.COLLECTIONS, item.SK.startswith(keys.COLLECTION_PREFIX)))
    names = {json.loads(each.doc)["name"] for each in found}
    assert {"books", "shelves", "users", "_superusers"} <= names
