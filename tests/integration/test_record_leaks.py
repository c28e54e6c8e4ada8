"""What a list must not tell: hidden values by order or by cursor; and cursors that nobody gave."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.auth_client import Client

NEWS = "/api/collections/news/records"
MEMBERS = "/api/collections/members/records"
SECRETS = "zmbqa"


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    client.as_root(
        "POST",
        "/api/collections",
        {
            "name": "news",
            "type": "base",
            "listRule": "",
            "fields": [
                {"name": "topic", "type": "text"},
                {"name": "secret", "type": "text", "hidden": True},
                {"name": "pin", "type": "password"},
                {"name": "n", "type": "number"},
            ],
            "indexes": [
                "CREATE INDEX by_secret ON news (topic, secret)",
                "CREATE INDEX by_pin ON news (n, pin)",
            ],
        },
    )
    client.as_root(
        "POST",
        "/api/collections",
        {
            "name": "members",
            "type": "auth",
            "listRule": "",
            "indexes": ["CREATE INDEX by_email ON members (email)"],
        },
    )
    for n, secret in enumerate(SECRETS):
        record = {
            "id": f"news{n:011d}",
            "topic": "x",
            "secret": secret,
            "n": 1,
            "pin": f"pin{n}word",
        }
        client.as_root("POST", NEWS, record)
        client.account(MEMBERS.removesuffix("/records"), f"m{n}@example.com")
    return client


def listed(client: Client, path: str, token: str = "", **query: str) -> tuple[int, Any]:
    answer = client("GET", f"{path}?{urlencode(query)}", token=token)
    return answer.status, answer.body


def cursor_of(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("filter_", ["topic='x'", "n=1"])
def test_no_order_tells_a_hidden_value_or_a_password(client: Client, filter_: str) -> None:
    _, page = listed(client, NEWS, filter=filter_)
    assert [item["id"][-1] for item in page["items"]] == list("01234")  # in order of insertion


def test_a_superuser_still_reads_in_the_order_of_the_index(client: Client) -> None:
    _, page = listed(client, NEWS, client.root, filter="topic='x'")
    assert [item["secret"] for item in page["items"]] == sorted(SECRETS)


def test_a_made_up_cursor_does_not_ask_for_hidden_values(client: Client) -> None:
    """Records after `x, m` in the index would be those with a secret after `m`."""
    forged = cursor_of([1, "x", "x\0m\0x"])
    status, _ = listed(client, NEWS, filter="topic='x'", sort="topic", cursor=forged)
    assert status == 400


def test_a_cursor_holds_no_address_of_an_account(client: Client) -> None:
    status, body = listed(client, MEMBERS, sort="email", cursor="", perPage="2")
    assert status == 400, urlsafe_b64decode(body["nextCursor"] + "==")
    status, body = listed(client, MEMBERS, client.root, sort="email", cursor="", perPage="2")
    assert (status, bool(body["nextCursor"])) == (200, True)


@pytest.mark.parametrize(
    "cursor",
    [
        "!",
        "bm90IGpzb24",
        cursor_of([]),
        cursor_of({"a": 1, "b": 2, "c": 3}),
        cursor_of([1, "x", ""]),
        cursor_of([1, "", "x"]),
        cursor_of([1, "x", "y"]),  # before the range
        cursor_of([1, "x", "\U0010ffff" * 5]),  # after it
        cursor_of([1, "x" * 1025, "x\0m\0x"]),
        cursor_of([1, "x", "x\0m" + "m" * 1024]),
        cursor_of([7, "x", "x\0m\0x"]),
        cursor_of(["1", "x", "x\0m\0x"]),
        urlsafe_b64encode(b'[1,"\\ud800","x\\u0000m"]').decode(),  # half a character
        urlsafe_b64encode(b"[" * 3000).decode(),
    ],
)
def test_a_broken_cursor_is_refused_with_a_reason(client: Client, cursor: str) -> None:
    query = {"filter": "topic='x'", "sort": "secret", "cursor": cursor}
    status, body = listed(client, NEWS, client.root, **query)
    assert (status, "cursor" in body["message"]) == (400, True), body


def test_a_place_inside_the_range_is_a_place_to_go_on_from(client: Client) -> None:
    query = {"filter": "topic='x'", "sort": "secret", "cursor": cursor_of([1, "x", "x\0m\0x"])}
    _, page = listed(client, NEWS, client.root, **query)
    assert [item["secret"] for item in page["items"]] == ["q", "z"]


@pytest.mark.parametrize("query", [{"explain": "1"}, {"filter": "@request.auth.id=''"}])
def test_what_only_superusers_may_ask(client: Client, query: dict[str, str]) -> None:
    assert listed(client, NEWS, **query)[0] == 403


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "secret='z'"},
        {"filter": "secret:length>0"},
        {"filter": "secret:lower='z'"},
        {"sort": "secret"},
        {"sort": "-secret,n"},
        {"filter": "id!='' && (n=1 || secret>'a')"},
        {"filter": "secret='z'", "skipTotal": "1"},
        {"filter": "secret='z'", "cursor": ""},
    ],
)
def test_a_hidden_field_is_asked_for_in_vain(client: Client, query: dict[str, str]) -> None:
    assert listed(client, NEWS, **query)[0] == 400


@pytest.mark.parametrize("url", ["//[", "http://[", "//host/api/collections/news/records", "?"])
def test_a_batch_part_with_a_broken_address_fails_alone(client: Client, url: str) -> None:
    client.as_root("PATCH", "/api/settings", {"batch": {"enabled": True}})
    parts = {"requests": [{"method": "POST", "url": url, "body": {}}]}
    answer = client("POST", "/api/batch", parts, client.root)
    assert answer.status == 400
    assert answer.body["data"]["requests"]["0"]["code"] == "batch_request_failed"


@pytest.mark.parametrize(
    "claim", ['"\\ud800"', "1", '{"a": 1}', '"' + "x" * 3000 + '"', '""', "null"]
)
def test_a_token_of_nonsense_is_a_guest_s(client: Client, claim: str) -> None:
    claims = f'{{"id": {claim}, "collectionId": "members", "type": "auth", "exp": 9999999999}}'
    payload = urlsafe_b64encode(claims.encode()).rstrip(b"=").decode()
    header = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    assert listed(client, NEWS, f"{header}.{payload}.c2lnbmF0dXJl")[0] == 200
