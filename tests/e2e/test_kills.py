"""`kill -9` of a server, and of the database, in the middle of writes of every kind.

What was answered is there; what was not answered is there wholly or not at all.
"""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conformance.client import Client
from tests.e2e.cluster import Cluster, Writer

WRITERS_PER_APP = 4
LOAD_SECONDS = 2.0
LOST = (OSError, http.client.HTTPException)
pytestmark = pytest.mark.timeout(300)


class Log(NamedTuple):
    """What the writers saw: tags by the status they were answered with."""

    answered: set[str]
    unknown: set[str]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    cluster.must("PATCH", "/api/settings", {"batch": {"enabled": True, "timeout": 30}})
    fields = [{"name": "tag", "type": "text"}, {"name": "n", "type": "number"}]
    index = "CREATE UNIQUE INDEX load_tag ON load (tag) WHERE tag != ''"
    cluster.must("POST", "/api/collections", {"name": "load", "fields": fields, "indexes": [index]})
    cluster.must("POST", "/api/collections", {"name": "plain", "fields": fields})
    cluster.must("POST", "/api/collections/load/records", {"id": "counter00000001"})
    yield cluster
    cluster.stop()


def test_a_killed_server_loses_nothing_and_the_other_goes_on(cluster: Cluster) -> None:
    log, stop = Log(set(), set()), threading.Event()
    load = threading.Thread(target=cluster.run, args=(WRITERS_PER_APP, _writer(cluster, log, stop)))
    load.start()
    time.sleep(LOAD_SECONDS)
    cluster.apps[0].kill()
    before = len(log.answered)
    time.sleep(LOAD_SECONDS)
    stop.set()
    load.join()
    assert before > 0
    assert len(log.answered) > before, "the other server did not go on"
    _check(cluster, log, app=1)
    cluster.apps[0].start()
    _check(cluster, log, app=0)


def test_a_killed_database_keeps_what_was_answered(cluster: Cluster) -> None:
    log, stop = Log(set(), set()), threading.Event()
    load = threading.Thread(target=cluster.run, args=(WRITERS_PER_APP, _writer(cluster, log, stop)))
    load.start()
    time.sleep(LOAD_SECONDS)
    cluster.kill_aws()
    time.sleep(0.5)
    cluster.start_aws()
    time.sleep(LOAD_SECONDS)
    stop.set()
    load.join()
    assert log.answered
    for app in (0, 1):
        _check(cluster, log, app)
    # The servers found the database again by themselves.
    assert cluster.ask("POST", "/api/collections/plain/records", {"tag": "after"}).status == 200


def _writer(cluster: Cluster, log: Log, stop: threading.Event) -> Writer:
    """Return a writer of batches: a unique record, a plain one and a counter, all of one tag."""

    def write(client: Client, number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            tag = f"{number}-{turn}"
            body = {
                "requests": [
                    {
                        "method": "POST",
                        "url": "/api/collections/load/records",
                        "body": {"tag": tag},
                    },
                    {
                        "method": "POST",
                        "url": "/api/collections/plain/records",
                        "body": {"tag": tag},
                    },
                    {
                        "method": "PATCH",
                        "url": "/api/collections/load/records/counter00000001",
                        "body": {"n+": 1},
                    },
                ]
            }
            try:
                answer = client.json("POST", "/api/batch", body, cluster.token)
            except LOST:
                log.unknown.add(tag)
                client.close()
                time.sleep(0.05)
                continue
            (log.answered if answer.status == 200 else log.unknown).add(tag)

    return write


def _check(cluster: Cluster, log: Log, app: int) -> None:
    unique = _tags(cluster, "load", app)
    plain = _tags(cluster, "plain", app)
    assert log.answered <= set(unique), "an answered write is lost"
    assert plain == unique, "a batch was written in part"
    assert set(plain.values()) == {1}, "a batch was written twice"
    assert set(unique) <= log.answered | log.unknown
    path = "/api/collections/load/records/counter00000001"
    assert cluster.must("GET", path, app=app)["n"] == len(unique)


def _tags(cluster: Cluster, collection: str, app: int) -> Counter[str]:
    found: Counter[str] = Counter()
    page = 1
    while True:
        path = f"/api/collections/{collection}/records?perPage=1000&page={page}&sort=@rowid"
        items = cluster.must("GET", path, app=app)["items"]
        found.update(item["tag"] for item in items if item["tag"])
        if len(items) < 1000:
            return found
        page += 1
