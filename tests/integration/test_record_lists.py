"""Lists on the local AWS: which range is read, what it costs, cursors, the budget."""

from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib import config
from tests.integration.auth_client import Client

POSTS = "/api/collections/posts/records"
CATEGORIES = ("news", "code", "life", "food", "misc")
COUNT = 300


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    client.as_root(
        "POST",
        "/api/collections",
        {
            "name": "posts",
            "type": "base",
            "listRule": "",
            "fields": [
                {"name": "category", "type": "text"},
                {"name": "views", "type": "number"},
                {"name": "secret", "type": "text", "hidden": True},
                {"name": "body", "type": "text"},
                {"name": "slug", "type": "text"},
            ],
            "indexes": [
                "CREATE INDEX by_category ON posts (category, views)",
                "CREATE INDEX by_secret ON posts (secret)",
                "CREATE UNIQUE INDEX by_slug ON posts (slug)",
            ],
        },
    )
    for n in range(COUNT):
        record = {"category": CATEGORIES[n % 5], "views": n, "body": "x" * 200}
        client.as_root(
            "POST", POSTS, {**record, "id": f"rec{n:012d}", "slug": f"s{n}", "secret": f"{n:04d}"}
        )
    return client


def found(client: Client, **query: str) -> dict[str, Any]:
    page: dict[str, Any] = client.as_root("GET", f"{POSTS}?{urlencode(query)}")
    return page


def refused(client: Client, token: str = "", **query: str) -> tuple[int, str]:
    answer = client("GET", f"{POSTS}?{urlencode(query)}", token=token)
    return answer.status, answer.body["message"]


def explained(client: Client, **query: str) -> dict[str, Any]:
    explain: dict[str, Any] = found(client, explain="1", **query)["explain"]
    return explain


def test_an_indexed_filter_and_sort_read_one_page(client: Client) -> None:
    explain = explained(
        client, filter='category="news"', sort="-views", skipTotal="1", perPage="10"
    )
    assert explain["source"] == "index by_category"
    assert explain["sortedBy"] == "key"
    assert explain["itemsRead"] == 10


def test_the_total_of_an_indexed_list_is_counted_without_reading_records(client: Client) -> None:
    page = found(client, filter='category="news"', sort="-views", perPage="10", explain="1")
    assert page["totalItems"] == COUNT // 5
    assert page["explain"]["itemsRead"] == 10


def test_a_range_of_an_index_is_bounded_on_both_sides(client: Client) -> None:
    page = found(client, filter='category="news" && views>=50 && views<=60', explain="1")
    assert [item["views"] for item in page["items"]] == [50, 55, 60]
    assert page["explain"]["itemsRead"] == 3


def test_strict_bounds_leave_the_ends_out(client: Client) -> None:
    page = found(client, filter='category="news" && views>50 && views<60', explain="1")
    assert [item["views"] for item in page["items"]] == [55]


@pytest.mark.parametrize(
    ("filter_", "source", "items_read"),
    [
        ("id='rec000000000007'", "id", 1),
        ("slug='s7'", "unique index by_slug", 1),
        ("slug='s7' && views=8", "unique index by_slug", 1),  # read, then found not to match
        ("body='none'", "whole collection", COUNT),
        ("category='news' || views=1", "whole collection", COUNT),  # neither side must hold
    ],
)
def test_the_cheapest_source_is_read(
    client: Client, filter_: str, source: str, items_read: int
) -> None:
    explain = explained(client, filter=filter_)
    assert (explain["source"], explain["itemsRead"]) == (source, items_read)


def test_explain_is_for_superusers(client: Client) -> None:
    assert refused(client, explain="1") == (403, "Only superusers can ask for explain.")


@pytest.mark.parametrize("sort", ["", "id", "-id"])
def test_pages_by_cursor_hold_every_record_once(client: Client, sort: str) -> None:
    ids, cursor, reads = [], "", []
    while True:
        page = found(client, cursor=cursor, perPage="70", sort=sort, explain="1")
        ids += [item["id"] for item in page["items"]]
        reads.append(page["explain"]["itemsRead"])
        cursor = page["nextCursor"]
        if not cursor:
            break
    assert len(ids) == COUNT
    assert ids == sorted(ids, reverse=sort == "-id")
    assert max(reads) <= 71


def test_pages_by_cursor_through_an_index_keep_its_order(client: Client) -> None:
    views, cursor = [], ""
    while True:
        page = found(client, cursor=cursor, perPage="7", sort="-views", filter='category="code"')
        views += [item["views"] for item in page["items"]]
        cursor = page["nextCursor"]
        if not cursor:
            break
    assert views == sorted(range(1, COUNT, 5), reverse=True)


def test_a_cursor_needs_a_sort_that_a_key_serves(client: Client) -> None:
    status, message = refused(client, client.root, cursor="", sort="body")
    assert status == 400
    assert "CREATE INDEX idx_posts_body ON posts (body)" in message


def test_a_cursor_of_another_list_is_refused(client: Client) -> None:
    cursor = found(client, cursor="", perPage="5")["nextCursor"]
    status, message = refused(
        client, client.root, cursor=cursor, sort="views", filter='category="news"'
    )
    assert status == 400
    assert "another filter or sort" in message


def test_a_cursor_does_not_tell_a_hidden_field(client: Client) -> None:
    """A client cannot sort by a hidden field, so no cursor of such an index comes about."""
    assert refused(client, cursor="", sort="secret", perPage="5")[0] == 400


def test_a_list_over_the_budget_names_the_index(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORMOUSE_SCAN_BUDGET_ITEMS", "100")
    config.settings.cache_clear()
    try:
        status, message = refused(client, client.root, filter="body='x'", sort="views")
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()
    assert status == 400
    assert message == (
        "The list would read more than 100 records. An index would serve it:"
        " CREATE INDEX idx_posts_body_views ON posts (body, views)."
    )


def test_an_unsorted_list_comes_in_order_of_insertion(client: Client) -> None:
    page = found(client, perPage="1000")
    assert [item["views"] for item in page["items"]] == list(range(COUNT))
    assert page["totalItems"] == COUNT
