"""Two server processes on one database, 16 writers each: nothing is lost, nothing is doubled."""

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conformance.client import Answer, Client
from tests.e2e.cluster import Cluster

WRITERS_PER_APP = 16
WRITERS = 2 * WRITERS_PER_APP
pytestmark = pytest.mark.timeout(300)

VALUES = [f"v{number}" for number in range(WRITERS)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.must("PATCH", "/api/settings", {"batch": {"enabled": True, "timeout": 30}})
    cluster.must(
        "POST",
        "/api/collections",
        {
            "name": "shared",
            "fields": [
                {"name": "n", "type": "number"},
                {"name": "seen", "type": "select", "values": VALUES, "maxSelect": WRITERS},
                {"name": "key", "type": "text"},
                {"name": "tag", "type": "text"},
            ],
            "indexes": ["CREATE UNIQUE INDEX shared_key ON shared (key) WHERE key != ''"],
        },
    )
    yield cluster
    cluster.stop()


def record(name: str) -> str:
    return f"/api/collections/shared/records/{name:0<15}"


def new(cluster: Cluster, name: str) -> str:
    """Create a record and return its path."""
    cluster.must("POST", "/api/collections/shared/records", {"id": f"{name:0<15}"})
    return record(name)


def test_counters_end_exact(cluster: Cluster) -> None:
    paths = [new(cluster, name) for name in ("countera", "counterb")]

    def write(client: Client, number: int) -> None:
        for turn in range(6):
            path = paths[(number + turn) % 2]
            answer = client.json("PATCH", path, {"n+": 1}, cluster.token)
            assert answer.status == 200, answer

    cluster.run(WRITERS_PER_APP, write)
    total = sum(cluster.must("GET", path, app=1)["n"] for path in paths)
    assert total == WRITERS * 6


def test_no_update_is_lost(cluster: Cluster) -> None:
    path = new(cluster, "everyone")

    def write(client: Client, number: int) -> None:
        answer = client.json("PATCH", path, {"seen+": VALUES[number], "n+": 1}, cluster.token)
        assert answer.status == 200, answer
        # The answer already holds the own value: it is what was written.
        assert VALUES[number] in answer.json["seen"]

    cluster.run(WRITERS_PER_APP, write)
    after = cluster.must("GET", path)
    assert sorted(after["seen"]) == sorted(VALUES)
    assert after["n"] == WRITERS


def test_a_unique_value_has_one_winner(cluster: Cluster) -> None:
    rounds = [f"prize{number}" for number in range(5)]
    statuses: Counter[tuple[str, int]] = Counter()
    start = threading.Barrier(WRITERS)

    def write(client: Client, number: int) -> None:
        for prize in rounds:
            start.wait(60)
            body = {"key": prize, "tag": f"writer {number}"}
            answer = client.json("POST", "/api/collections/shared/records", body, cluster.token)
            statuses[prize, answer.status] += 1
            if answer.status != 200:
                assert answer.json["data"]["key"]["code"] == "validation_not_unique", answer

    cluster.run(WRITERS_PER_APP, write)
    for prize in rounds:
        assert statuses[prize, 200] == 1
        assert statuses[prize, 400] == WRITERS - 1
        found = cluster.must("GET", f"/api/collections/shared/records?filter=key='{prize}'")
        assert found["totalItems"] == 1


def test_a_freed_unique_value_has_one_new_owner(cluster: Cluster) -> None:
    paths = [new(cluster, f"owner{number:02}") for number in range(WRITERS)]
    winners: list[int] = []

    def write(client: Client, number: int) -> None:
        answer = client.json("PATCH", paths[number], {"key": "the one"}, cluster.token)
        assert answer.status in (200, 400), answer
        if answer.status == 200:
            winners.append(number)

    cluster.run(WRITERS_PER_APP, write)
    assert len(winners) == 1
    cluster.must("PATCH", paths[winners[0]], {"key": ""})
    first = winners.pop()
    cluster.run(WRITERS_PER_APP, write)
    assert len(winners) == 1
    assert cluster.must("GET", paths[first])["key"] in ("", "the one")


def test_batches_are_all_or_nothing(cluster: Cluster) -> None:
    counter = new(cluster, "batchcounter")
    answers: list[tuple[str, Answer]] = []

    def write(client: Client, number: int) -> None:
        for turn in range(3):
            tag = f"batch-{number}-{turn}"
            requests = [
                _part("POST", "/api/collections/shared/records", {"tag": tag}),
                _part("PATCH", counter, {"n+": 1}),
                _part("POST", "/api/collections/shared/records", {"tag": tag}),
            ]
            if turn == 1:  # its last part is refused
                requests.append(_part("PATCH", record("nobody"), {}))
            body = {"requests": requests}
            answers.append((tag, client.json("POST", "/api/batch", body, cluster.token)))

    cluster.run(WRITERS_PER_APP, write)
    done = {tag for tag, answer in answers if answer.status == 200}
    refused = [answer for tag, answer in answers if answer.status != 200]
    assert len(done) == WRITERS * 2, refused[0]
    assert cluster.must("GET", counter)["n"] == len(done)
    tags = Counter(item["tag"] for item in _all(cluster, "tag ~ 'batch-'"))
    assert tags == dict.fromkeys(done, 2)


def test_a_change_of_rules_is_obeyed_by_the_other_server_at_once(cluster: Cluster) -> None:
    for turn in range(5):
        rule = "" if turn % 2 else None
        cluster.must("PATCH", "/api/collections/shared", {"viewRule": rule}, app=turn % 2)
        client = cluster.client((turn + 1) % 2)
        answer = client.json("GET", record("countera"))
        client.close()
        assert answer.status == (403 if rule is None else 200)


def test_a_new_unique_index_holds_while_both_servers_write(cluster: Cluster) -> None:
    """Records that are written while the index is added do not slip past it."""
    body = {"name": "growing", "fields": [{"name": "key", "type": "text"}]}
    cluster.must("POST", "/api/collections", body)
    added = threading.Event()
    created: list[str] = []

    def write(client: Client, number: int) -> None:
        if number == 0:
            index = "CREATE UNIQUE INDEX growing_key ON growing (key)"
            cluster.must("PATCH", "/api/collections/growing", {"indexes": [index]})
            added.set()
            return
        for turn in range(200):
            key = f"{number}-{turn}"
            answer = client.json(
                "POST", "/api/collections/growing/records", {"key": key}, cluster.token
            )
            assert answer.status == 200, answer
            created.append(key)
            if added.is_set():
                return

    cluster.run(4, write)
    assert added.is_set()
    assert len(created) >= 7, "nobody wrote while the index was added"
    for key in created[-20:] + created[:20]:
        answer = cluster.ask("POST", "/api/collections/growing/records", {"key": key}, app=1)
        assert answer.status == 400, key


def _part(method: str, url: str, body: object) -> dict[str, object]:
    return {"method": method, "url": url, "body": body}


def _all(cluster: Cluster, filter_: str) -> list[dict[str, str]]:
    path = f"/api/collections/shared/records?perPage=1000&filter={filter_.replace(' ', '%20')}"
    items: list[dict[str, str]] = cluster.must("GET", path)["items"]
    return items
