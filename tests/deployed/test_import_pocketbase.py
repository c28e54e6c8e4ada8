"""A PocketBase with people, relations and files moves into a deployed stage and answers alike."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import servers
from tests.conformance.client import Client, Part, multipart
from tests.deployed import stage
from tests.deployed.stage import Deployed
from tools.deploy.package import Package
from tools.local_aws import client

PEOPLE = [("ann@example.com", "ann-password"), ("bob@example.com", "bob-password")]
POSTS = {
    "name": "posts", "type": "base", "listRule": "", "viewRule": "",
    "fields": [
        {"name": "title", "type": "text"},
        {"name": "published", "type": "bool"},
        {"name": "rank", "type": "number"},
        {"name": "when", "type": "date"},
        {"name": "where", "type": "geoPoint"},
        {"name": "more", "type": "json"},
        {"name": "tags", "type": "select", "values": ["a", "b", "c"], "maxSelect": 3},
        {"name": "kind", "type": "select", "values": ["x", "y"], "maxSelect": 1},
        {"name": "authors", "type": "relation", "collectionId": "_pb_users_auth_", "maxSelect": 5},
        {"name": "file", "type": "file", "maxSelect": 2, "maxSize": 1000000},
        {"name": "created", "type": "autodate", "onCreate": True},
    ],
    "indexes": ["CREATE UNIQUE INDEX posts_title ON posts (title)",
                "CREATE INDEX posts_rank ON posts (rank)"],
}  # fmt: skip
RECORDS = "/api/collections/posts/records"
FULL = {
    "title": "full", "published": True, "rank": 1.5, "when": "2026-01-02 03:04:05.678Z",
    "where": {"lon": 1.5, "lat": -2}, "more": {"a": [1, None, "ü"]},
    "tags": ["c", "a"], "kind": "y",
}  # fmt: skip


class Old:
    """The PocketBase that is left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "dir"
        with servers.pocketbase(folder) as server:
            self._client = Client(server.base_url)
            self._token = servers.super_token(self._client)
            self._fill()
            self.posts = self._must("GET", f"{RECORDS}?sort=@rowid&expand=authors")
            self.users = self._must("GET", "/api/collections/users/records?sort=@rowid")
            self._client.close()

    def _fill(self) -> None:
        ids = []
        for email, password in PEOPLE:
            body = {"email": email, "password": password, "passwordConfirm": password}
            ids.append(self._must("POST", "/api/collections/users/records", body)["id"])
        self._must("POST", "/api/collections", POSTS)
        self._must("POST", RECORDS, {"title": "empty"})
        made = self._must("POST", RECORDS, {**FULL, "authors": ids})
        content, kind = multipart(
            (Part("file", b"first", "first.txt"), Part("file", b"2", "2.txt"))
        )
        headers = {"Content-Type": kind, "Authorization": self._token}
        answer = self._client.request("PATCH", f"{RECORDS}/{made['id']}", content, headers)
        assert answer.status == 200, answer

    def _must(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._client.json(method, path, body, self._token)
        assert answer.status == 200, answer
        return answer.json


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Old:
    return Old(tmp_path_factory.mktemp("pocketbase"))


@pytest.fixture(scope="module")
def new(packaged: Package, old: Old) -> Iterator[Deployed]:
    """The stage with the data moved in, by the command that a person would give."""
    running = client.start()
    outputs = stage.run(running, packaged)
    # Twice: a repeated import must change nothing.
    for expected in ("2 written       0 known", "0 written       2 known"):
        assert expected in imported(running.environment(), old.folder)
    # The superuser that signs in here came along.
    with stage.reached(running, outputs) as live:
        yield live
    running.stop()


def imported(environment: dict[str, str], folder: Path) -> str:
    command = [sys.executable, "-m", "tools.import_pocketbase", str(folder), "--stage", stage.STAGE]
    done = subprocess.run(
        command, cwd=servers.ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(180)
def test_records_answer_as_before(old: Old, new: Deployed) -> None:
    assert new.must("GET", f"{RECORDS}?sort=@rowid&expand=authors") == old.posts
    assert new.must("GET", "/api/collections/users/records?sort=@rowid") == old.users


@pytest.mark.parametrize(("email", "password"), PEOPLE)
def test_people_sign_in_with_their_passwords(new: Deployed, email: str, password: str) -> None:
    path = "/api/collections/users/auth-with-password"
    assert new.ask("POST", path, {"identity": email, "password": password}, "").status == 200
    assert new.ask("POST", path, {"identity": email, "password": "another"}, "").status == 400


def test_files_came_along(old: Old, new: Deployed) -> None:
    record = old.posts["items"][1]
    browser = Client(new.base_url)
    contents = {
        browser.request(
            "GET", f"/api/files/posts/{record['id']}/{name}", headers={"Accept": "*/*"}
        ).content
        for name in record["file"]
    }
    browser.close()
    assert contents == {b"first", b"2"}


def test_unique_values_are_guarded_and_indexes_serve(new: Deployed) -> None:
    assert new.ask("POST", RECORDS, {"title": "full"}).status == 400
    found = new.must("GET", f"{RECORDS}?filter=rank=1.5&explain=1")
    assert [each["title"] for each in found["items"]] == ["full"]
