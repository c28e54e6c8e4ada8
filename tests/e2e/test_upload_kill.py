"""The app is killed again and again under the official tus clients; the file arrives unharmed.

As it is: 60 MB and 5 kills. The long way, which docs/performance.md reports:

    UPLOAD_MB=500 UPLOAD_KILLS=20 pytest tests/e2e/test_upload_kill.py

Needs Node 20 and `npm ci` (`make test-sdk` does it).
"""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.config import settings
from tests.e2e.cluster import Cluster

MIB = 1024 * 1024
SIZE_BYTES = int(os.environ.get("UPLOAD_MB", "60")) * 1_000_000
KILLS = int(os.environ.get("UPLOAD_KILLS", "5"))
MOST_SECONDS_TO_KILL = 0.1
"""From when a random offset is reached: about as long as one chunk takes."""
CHUNK_BYTES = 4 * MIB
FOLDER = Path(__file__).parent / "tus"
RUN_SECONDS = 120 + KILLS * 20 + SIZE_BYTES / 1_000_000

pytestmark = pytest.mark.timeout(RUN_SECONDS + 120)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("uploads"), count=1)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("file") / "big file.bin"
    with path.open("wb") as out:
        for start in range(0, SIZE_BYTES, MIB):
            out.write(os.urandom(min(MIB, SIZE_BYTES - start)))
    return path


def node() -> list[str]:
    found = shutil.which("node")
    assert found, "Node 20 is needed: https://nodejs.org"
    return [found, str(FOLDER / "upload.mjs")]


@pytest.mark.parametrize("client", ["tus-js-client", "tuspy"])
def test_kills_of_the_app_lose_nothing(cluster: Cluster, file: Path, client: str) -> None:
    command = node() if client == "tus-js-client" else [sys.executable, str(FOLDER / "upload.py")]
    running = _start(cluster, command, file)
    assert running.stdout is not None
    url = running.stdout.readline().strip()
    for offset in sorted(random.randrange(SIZE_BYTES * 9 // 10) for _ in range(KILLS)):
        _wait_until(cluster, url, offset, running)
        time.sleep(random.uniform(0, MOST_SECONDS_TO_KILL))
        assert running.poll() is None, "the upload was over before the last kill"
        cluster.apps[0].kill()
        cluster.apps[0].start()
    _, errors = running.communicate(timeout=RUN_SECONDS)

    assert running.returncode == 0, errors[-3000:]
    _check(cluster, file, url)


def test_four_at_once_are_joined(cluster: Cluster, file: Path) -> None:
    running = _start(cluster, node(), file, "4")
    output, errors = running.communicate(timeout=RUN_SECONDS)
    assert running.returncode == 0, errors[-3000:]
    _check(cluster, file, output.split()[-1])


def _wait_until(cluster: Cluster, url: str, offset: int, running: subprocess.Popen[str]) -> None:
    give_up_at = time.monotonic() + RUN_SECONDS
    while running.poll() is None and _seen(cluster, url)["offset"] < offset:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def _seen(cluster: Cluster, url: str) -> dict[str, Any]:
    seen: dict[str, Any] = cluster.must("GET", "/api/uploads/" + url.rpartition("/")[2])
    return seen


def _start(cluster: Cluster, command: list[str], file: Path, *more: str) -> subprocess.Popen[str]:
    endpoint = cluster.apps[0].base_url + "/api/uploads"
    return subprocess.Popen(
        [*command, endpoint, cluster.token, str(file), str(CHUNK_BYTES), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _check(cluster: Cluster, file: Path, url: str) -> None:
    """Compare what S3 has with the file, then remove it: the local AWS keeps it in memory."""
    seen = _seen(cluster, url)
    assert (seen["state"], seen["offset"]) == ("done", SIZE_BYTES), seen
    assert _sha256_in_s3(cluster, seen["id"]) == _sha256(file)
    multipart = "/api/uploads/s3/multipart/" + seen["id"]
    cluster.must("DELETE", multipart)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sha256_in_s3(cluster: Cluster, upload_id: str) -> str:
    client: Any = boto3.client(
        "s3",
        endpoint_url=cluster.environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    key = f".uploads/{upload_id[:20]}/parts"
    body = client.get_object(Bucket=settings().bucket_name, Key=key)["Body"]
    found = hashlib.sha256()
    for piece in body.iter_chunks(MIB):
        found.update(piece)
    body.close()
    client.close()
    return found.hexdigest()
