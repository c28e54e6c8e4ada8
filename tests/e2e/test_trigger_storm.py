"""A thousand changes of fifty records wake a function, with the app and the pump killed midway.

Every change arrives at least once and each record's in their order; a record whose changes always
fail ends in the dead letters and keeps nobody waiting.
"""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.client import Client
from tests.conformance.servers import ROOT
from tests.e2e.cluster import Cluster

RECORDS, CHANGES, WRITERS = 50, 20, 5
POISON = "poison000000000"
POISONOUS = 5
PAUSE_SECONDS = 0.1
"""Between a writer's batches, so that the death comes while changes are on their way."""
DELIVERY_SECONDS = 120.0
LOST = (OSError, http.client.HTTPException)
pytestmark = pytest.mark.timeout(240)

SEER = """
import os

def handler(event, context):
    record = event["record"]
    if record["id"].startswith("poison"):
        raise ValueError("poison")
    with open(os.path.join(os.environ["SEEN"], record["id"]), "a") as file:
        file.write(f"{record['n']}\\n")
"""


class Pump:
    """The pump as a process that can be killed and started again."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._environment = cluster.environment
        self._folder = folder
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tools.pump", "--parent", str(os.getpid())]
        with (self._folder / "pump.log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--state-dir", str(self._folder)],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait()

    def restart(self) -> None:
        self.process = self._start()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, count=1)
    yield cluster
    cluster.stop()


@pytest.fixture
def pump(cluster: Cluster, tmp_path: Path) -> Iterator[Pump]:
    pump = Pump(cluster, tmp_path)
    yield pump
    pump.kill()


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    folder = tmp_path / "seen"
    folder.mkdir()
    for each in (folder, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        each.chmod(0o777 if each == folder else 0o755)
    return folder


def test_a_storm_of_changes_survives_the_death_of_app_and_pump(
    cluster: Cluster, pump: Pump, seen: Path
) -> None:
    ids = _set_up(cluster, seen)
    done, half = threading.Semaphore(0), RECORDS * CHANGES // 2
    writers = [
        threading.Thread(target=_write, args=(cluster, ids[at::WRITERS], done))
        for at in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for _ in range(half):
        done.acquire()
    _wait_until(lambda: any(seen.iterdir()))
    assert not all(len(_first(seen, each)) >= CHANGES // 2 for each in ids), "no load to kill"
    pump.kill()
    cluster.apps[0].kill()
    cluster.apps[0].start()
    pump.restart()
    for writer in writers:
        writer.join()

    _wait_until(lambda: all(len(_first(seen, each)) == CHANGES for each in ids))
    for each in ids:
        assert _first(seen, each) == list(range(1, CHANGES + 1)), "out of order"
    path = "/api/functions/seer/dead-letters"
    _wait_until(lambda: len(cluster.must("GET", path)["items"]) == POISONOUS)
    assert not (seen / POISON).exists()


def _set_up(cluster: Cluster, seen: Path) -> list[str]:
    cluster.must("PATCH", "/api/settings", {"batch": {"enabled": True, "timeout": 30}})
    fields = [{"name": "n", "type": "number"}]
    cluster.must("POST", "/api/collections", {"name": "storm", "fields": fields})
    ids = [f"record{at:09d}" for at in range(RECORDS)]
    for each in (*ids, POISON):
        cluster.must("POST", "/api/collections/storm/records", {"id": each})
    time.sleep(1.1)  # a trigger counts from the second on in which it was made
    body = {
        "name": "seer", "runtime": "python3.11", "handler": "main.handler", "timeoutSeconds": 1,
        "retryAttempts": 1, "retryDelaySeconds": 1, "environment": {"SEEN": str(seen)},
        "triggers": [{"type": "record", "collection": "storm", "actions": ["update"]}],
    }  # fmt: skip
    cluster.must("POST", "/api/functions", body)
    cluster.must("PUT", "/api/functions/seer/code", {"files": {"main.py": SEER}})
    for n in range(POISONOUS):
        cluster.must("PATCH", f"/api/collections/storm/records/{POISON}", {"n": n + 1})
    return ids


def _write(cluster: Cluster, ids: list[str], done: threading.Semaphore) -> None:
    """Change each record again and again; what was not answered is written once more."""
    client = Client(cluster.apps[0].base_url)
    for n in range(1, CHANGES + 1):
        requests = [
            {
                "method": "PATCH",
                "url": f"/api/collections/storm/records/{each}",
                "body": {"n": n},
            }
            for each in ids
        ]
        while True:
            try:
                body = {"requests": requests}
                if client.json("POST", "/api/batch", body, cluster.token).status == 200:
                    break
            except LOST:
                client.close()
            time.sleep(0.1)
        for _ in ids:
            done.release()
        time.sleep(PAUSE_SECONDS)
    client.close()


def _first(seen: Path, record_id: str) -> list[int]:
    """Return the changes of a record in the order in which they first came."""
    file = seen / record_id
    lines = file.read_text().splitlines() if file.exists() else []
    return list(dict.fromkeys(map(int, lines)))


def _wait_until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + DELIVERY_SECONDS
    while not holds():
        assert time.monotonic() < give_up_at, "still waiting"
        time.sleep(0.2)
