"""A process that dies at any step leaves no record without its file, and no file for long.

Every request of the app to DynamoDB and S3 goes through `connections.exchange`. Each case is
run again and again; the n-th run dies at its n-th exchange, before it or after it, and makes
no other. Then another process sweeps, as if twenty minutes had passed.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib import services
from chalicelib.aws import connections, dynamodb
from chalicelib.services import file_sweep
from chalicelib.store import keys, sweeps
from tests.conformance.client import Part
from tests.integration.auth_client import Client
from tests.integration.file_client import Files, stored_objects, upload

pytestmark = pytest.mark.usefixtures("table")

FILE = {"name": "f", "type": "file", "thumbs": ["10x10"]}
FILES = {"name": "fs", "type": "file", "maxSelect": 9}
RECORDS = "/api/collections/crash/records"
MOST_STEPS = 60


class DiedError(BaseException):
    """Not an Exception, as the end of a process is none."""


class Mortal:
    """`connections.exchange`, until it has been called often enough."""

    def __init__(self, steps: int, *, does_last: bool) -> None:
        self._left = steps
        self._does_last = does_last
        self._exchange = connections.exchange
        self.is_dead = False

    def __call__(self, *arguments: Any) -> connections.Reply:
        if self.is_dead:
            raise DiedError
        if self._left == 0:
            self.is_dead = True
            if self._does_last:
                self._exchange(*arguments)
            raise DiedError
        self._left -= 1
        return self._exchange(*arguments)


@pytest.fixture(scope="module")
def files(table: str) -> Files:
    return Files(Client())


@pytest.fixture(autouse=True)
def collection(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_sweep, "_looked_at", [time.monotonic()])
    files.client("DELETE", "/api/collections/crash_child", token=files.client.root)
    parent = files.collection("crash", FILE, FILES)["id"]
    of = {"name": "of", "type": "relation", "collectionId": parent, "cascadeDelete": True}
    files.collection("crash_child", {**FILE, "name": "f"}, {**FILES, "name": "fs"}, of)


def create(files: Files, _record: Any) -> None:
    parts = (upload("one.txt", "1"), upload("two.txt", "2", "fs"), upload("three.txt", "3", "fs"))
    files.form("POST", RECORDS, *parts)


def replace(files: Files, record: Any) -> None:
    parts = (upload("new.txt", "new"), Part("fs-", record["fs"][0]))
    files.form("PATCH", f"{RECORDS}/{record['id']}", *parts)


def forget(files: Files, record: Any) -> None:
    body = json.dumps({"f": "", "fs": []}).encode()
    files.send("PATCH", f"{RECORDS}/{record['id']}", body, "application/json")


def delete(files: Files, record: Any) -> None:
    files.send("DELETE", f"{RECORDS}/{record['id']}")


def batch(files: Files, record: Any) -> None:
    requests = [
        {"method": "POST", "url": RECORDS, "body": {}},
        {"method": "PATCH", "url": f"{RECORDS}/{record['id']}", "body": {"fs": []}},
        {"method": "DELETE", "url": f"{RECORDS}/{record['id']}"},
    ]
    payload = Part("@jsonPayload", json.dumps({"requests": requests}))
    uploads = (upload("a.txt", "a", "requests.0.f"), upload("b.txt", "b", "requests.1.f"))
    files.form("POST", "/api/batch", *uploads, payload)


def truncate(files: Files, _record: Any) -> None:
    files.send("DELETE", "/api/collections/crash/truncate", token=files.client.root)


def empty(files: Files, _record: Any) -> None:
    """No other collection points to this one: it gets a new storage."""
    files.send("DELETE", "/api/collections/crash_child/truncate", token=files.client.root)


CASES = [create, replace, forget, delete, batch, truncate, empty]


@pytest.mark.parametrize("does_last", [False, True], ids=["before a step", "after a step"])
@pytest.mark.parametrize("action", CASES)
def test_a_death_between_any_two_steps_loses_nothing_and_leaves_nothing(
    files: Files,
    action: Callable[[Files, Any], None],
    does_last: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files.client.as_root("PATCH", "/api/settings", {"batch": {"enabled": True}})
    deaths = 0
    for steps in itertools.count():
        record = files.create(
            "crash",
            upload("old.txt", "old"),
            upload("x.txt", "x", "fs"),
            upload("y.txt", "y", "fs"),
        )
        files.create("crash_child", upload("child.txt", "c"), Part("of", record["id"]))
        mortal = Mortal(steps, does_last=does_last)
        with monkeypatch.context() as patch:
            patch.setattr(connections, "exchange", mortal)
            run_until_death(action, files, record)
        assert all_named_files_are_there(files)
        sweep_later(monkeypatch)
        assert stored_objects() == {key for key, _ in named_files(files)}
        assert notes() == []
        files.send("DELETE", "/api/collections/crash/truncate", token=files.client.root)
        deaths += mortal.is_dead
        if not mortal.is_dead:
            break
        assert steps < MOST_STEPS
    assert deaths > 3


def run_until_death(action: Callable[[Files, Any], None], files: Files, record: Any) -> None:
    try:
        action(files, record)
    except DiedError:
        connections.forget()


def records(files: Files) -> Iterator[Any]:
    for name in ("crash", "crash_child"):
        path = f"/api/collections/{name}/records?perPage=500"
        yield from files.client.as_root("GET", path)["items"]


def named_files(files: Files) -> list[tuple[str, Any]]:
    return [
        (f"{each['collectionId']}/{each['id']}/{name}", (each, name))
        for each in records(files)
        for name in [each["f"], *each["fs"]]
        if name
    ]


def all_named_files_are_there(files: Files) -> bool:
    served = [files.get(each, name) for _, (each, name) in named_files(files)]
    return all(answer.status == 200 and answer.content for answer in served)


def sweep_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what others do later: sweep, and empty what was truncated."""
    with monkeypatch.context() as patch:
        late = time.time() + sweeps.UPLOAD_SECONDS + 60
        patch.setattr(time, "time", lambda: late)
        assert services.file_sweep.work(30)
        services.collections._tidy()


def notes() -> list[Any]:
    values = {":p": {"S": keys.SWEEPS}}
    return dynamodb.query("PK = :p", values, consistent=True).items
