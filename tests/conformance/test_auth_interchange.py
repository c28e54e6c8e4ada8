"""Accounts that move: what PocketBase hashed and signed is good here, and the other way round.

The hash, the tokenKey and the secret are read from PocketBase's database file and written to
it, so each side proves what the other made with nothing in between.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chalicelib import passwords, store
from chalicelib.domain import tokens
from chalicelib.domain.collection import Collection
from chalicelib.domain.request import Record
from chalicelib.store.changes import Changes
from tests.conformance import servers
from tests.conformance.client import Client as HttpClient
from tests.integration.auth_client import PASSWORD, USERS, Client

EMAIL = "moved@example.com"
LOGIN = USERS + "/auth-with-password"
REFRESH = USERS + "/auth-refresh"


class PocketBase(NamedTuple):
    http: HttpClient
    database: Path

    def row(self, query: str, *values: str) -> tuple[Any, ...]:
        with closing(sqlite3.connect(self.database)) as connection:
            found: tuple[Any, ...] = connection.execute(query, values).fetchone()
            return found

    def change(self, statement: str, *values: str) -> None:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(statement, values)


@pytest.fixture(scope="module")
def pocketbase() -> Iterator[PocketBase]:
    folder = servers.scratch("interchange")
    with servers.pocketbase(folder) as server:
        http = HttpClient(server.base_url)
        body = {"email": EMAIL, "password": PASSWORD, "passwordConfirm": PASSWORD}
        made = http.json("POST", USERS + "/records", body, servers.super_token(http))
        assert made.status == 200, made.json
        yield PocketBase(http, folder / "dir" / "data.db")
        http.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def ours(table: str) -> Client:
    return Client()


@pytest.fixture
def account(ours: Client) -> Iterator[Record]:
    made = ours.account(USERS, EMAIL)
    yield made
    ours.as_root("DELETE", f"{USERS}/records/{made['id']}")


def users() -> Collection:
    collection = store.schema.load().find("users")
    assert collection is not None
    return collection


def overwrite(account: Record, **values: str) -> None:
    """Write values that no API would take into our account."""
    collection = users()
    stored = store.records.find(collection, account["id"])
    assert stored is not None
    changes = Changes(store.schema.load())
    changes.put(collection, stored, stored.record | values)
    changes.commit()


def options(pocketbase: PocketBase) -> dict[str, Any]:
    (text,) = pocketbase.row("SELECT options FROM _collections WHERE name = 'users'")
    found: dict[str, Any] = json.loads(text)
    return found


def login(http: HttpClient, password: str) -> Any:
    return http.json("POST", LOGIN, {"identity": EMAIL, "password": password})


def test_a_password_hashed_by_pocketbase_signs_in_here(
    pocketbase: PocketBase, ours: Client, account: Record
) -> None:
    (their_hash,) = pocketbase.row("SELECT password FROM users WHERE email = ?", EMAIL)
    overwrite(account, password=their_hash)
    assert ours.login(USERS, EMAIL, PASSWORD).status == 200
    assert ours.login(USERS, EMAIL, PASSWORD + "x").status == 400


@pytest.mark.parametrize("password", ["pass word é", "a" * 71, "tab\tnul\0end"])
def test_a_password_hashed_here_signs_in_at_pocketbase(
    pocketbase: PocketBase, password: str
) -> None:
    (before,) = pocketbase.row("SELECT password FROM users WHERE email = ?", EMAIL)
    our_hash = passwords.hash_text(password)
    pocketbase.change("UPDATE users SET password = ? WHERE email = ?", our_hash, EMAIL)
    try:
        assert login(pocketbase.http, password).status == 200
        assert login(pocketbase.http, password + "x").status == 400
    finally:
        pocketbase.change("UPDATE users SET password = ? WHERE email = ?", before, EMAIL)


def test_a_token_signed_by_pocketbase_is_verified_and_made_again_here(
    pocketbase: PocketBase,
) -> None:
    token: str = login(pocketbase.http, PASSWORD).json["token"]
    row = "SELECT id, tokenKey FROM users WHERE email = ?"
    record = dict(zip(("id", "tokenKey"), pocketbase.row(row, EMAIL), strict=True))
    key = record["tokenKey"] + options(pocketbase)["authToken"]["secret"]
    claims = tokens.verify(token, key, datetime.now(UTC))
    assert claims is not None
    assert claims["id"] == record["id"]
    assert tokens.encode(claims, key) == token  # to the byte
    assert tokens.verify(token, key + "x", datetime.now(UTC)) is None


def test_a_token_signed_by_pocketbase_is_good_for_the_app(
    pocketbase: PocketBase, ours: Client
) -> None:
    """An account moved with its id, tokenKey and secret keeps its sessions."""
    token: str = login(pocketbase.http, PASSWORD).json["token"]
    row = "SELECT id, tokenKey FROM users WHERE email = ?"
    record_id, token_key = pocketbase.row(row, EMAIL)
    moved = ours.account(USERS, EMAIL, id=record_id)
    overwrite(moved, tokenKey=token_key)
    assert ours.refresh(USERS, token).status == 401  # the secret is not the same yet
    secret = options(pocketbase)["authToken"]["secret"]
    ours.as_root("PATCH", USERS, {"authToken": {"secret": secret}})
    answer = ours.refresh(USERS, token)
    assert answer.status == 200
    assert answer.body["record"]["id"] == record_id
    # And what we answer is good for PocketBase again.
    again = pocketbase.http.json("POST", REFRESH, None, answer.body["token"])
    assert again.status == 200, again.json
    ours.as_root("DELETE", f"{USERS}/records/{record_id}")


@pytest.mark.parametrize(
    ("kind", "status"), [(tokens.AUTH, 200), (tokens.FILE, 401), (tokens.VERIFICATION, 401)]
)
def test_a_token_signed_here_is_taken_by_pocketbase(
    pocketbase: PocketBase, kind: str, status: int
) -> None:
    row = "SELECT id, tokenKey FROM users WHERE email = ?"
    record = dict(zip(("id", "tokenKey"), pocketbase.row(row, EMAIL), strict=True))
    (collection_id,) = pocketbase.row("SELECT id FROM _collections WHERE name = 'users'")
    theirs = Collection(
        {
            "id": collection_id,
            "name": "users",
            "type": "auth",
            "storage": "-",
            "fields": [],
            **options(pocketbase),
        }
    )
    token = tokens.issue(kind, theirs, record, datetime.now(UTC), refreshable=True)
    assert pocketbase.http.json("POST", REFRESH, None, token).status == status
