"""`python -m tools.upload`: uploads, pauses and goes on; tells what is wrong in one line."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.cluster import Cluster
from tools import upload
from tools.upload import Target

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("uploads"), count=1)
    field = {"name": "file", "type": "file", "maxSize": 99 * MIB}
    cluster.must("POST", "/api/collections", {"name": "docs", "fields": [field]})
    yield cluster
    cluster.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "große Datei.bin"
    path.write_bytes(os.urandom(30 * MIB + 1))
    return path


@pytest.fixture
def target(cluster: Cluster) -> Target:
    return Target(cluster.apps[0].base_url + "/api/uploads", cluster.token, 20.0)


def command(cluster: Cluster, file: Path, token: str = "", *more: str) -> list[str]:
    where = ["--url", cluster.apps[0].base_url, "--token", token or cluster.token]
    return [sys.executable, "-m", "tools.upload", str(file), *where, "--progress", *more]


def memory(file: Path) -> Path:
    return file.with_name(file.name + ".upload")


def offset(cluster: Cluster, url: str) -> int:
    seen: dict[str, Any] = cluster.must("GET", "/api/uploads/" + url.rpartition("/")[2])
    return int(seen["offset"])


def check(cluster: Cluster, file: Path, upload_id: str, name: str = "gro") -> None:
    body = {"file": {"upload": upload_id}}
    record = cluster.must("POST", "/api/collections/docs/records", body)
    assert record["file"].startswith(name)
    client = cluster.client(0)
    path = f"/api/files/docs/{record['id']}/{record['file']}"
    answer = client.request("GET", path)
    client.close()
    assert answer.status == 307, answer
    with urllib.request.urlopen(answer.headers["location"]) as response:
        content = response.read()
    assert hashlib.sha256(content).digest() == hashlib.sha256(file.read_bytes()).digest()


def test_ctrl_c_pauses_and_the_same_command_goes_on(cluster: Cluster, file: Path) -> None:
    first = subprocess.Popen(
        command(cluster, file, "", "--chunk-mb", "1"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    give_up_at = time.monotonic() + 60
    while not memory(file).exists() or offset(cluster, remembered(file)) == 0:
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
    first.send_signal(signal.SIGINT)
    output, errors = first.communicate(timeout=30)
    assert (first.returncode, output) == (130, ""), errors
    assert "Paused" in errors
    left_at = offset(cluster, remembered(file))
    assert 0 < left_at < file.stat().st_size

    second = subprocess.run(
        command(cluster, file), cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert second.returncode == 0, second.stderr
    # The chunk that was on its way may still have arrived.
    assert "  0% of" not in second.stderr, "it began again"
    assert "100% of 31 MB" in second.stderr
    assert not memory(file).exists()
    check(cluster, file, second.stdout.strip())


def remembered(file: Path) -> str:
    url: str = json.loads(memory(file).read_text() or '{"url": ""}')["url"]
    return url


def test_a_killed_server_is_waited_for(cluster: Cluster, file: Path, target: Target) -> None:
    killed: list[int] = []

    def progress(sent: int) -> None:
        if sent > 10 * MIB and not killed:
            killed.append(sent)
            cluster.apps[0].kill()
            cluster.apps[0].start()

    url = upload.upload(file, target, 4 * MIB, progress)
    assert killed
    check(cluster, file, url.rpartition("/")[2])


@pytest.mark.parametrize(
    "cut_at", ["in the headers", "before the body", "in the body", "at its end"]
)
def test_a_connection_cut_at_any_stage_loses_nothing(
    cluster: Cluster, tmp_path: Path, target: Target, cut_at: str
) -> None:
    content = os.urandom(6 * MIB)
    url = upload._create(target, tmp_path / "cut.bin", len(content))
    sent = _cut_patch(target, url, content, cut_at)
    give_up_at = time.monotonic() + 20
    while cut_at == "at its end" and upload._offset(target, url) == 0:
        assert time.monotonic() < give_up_at, "the whole chunk arrived, so it counts"
        time.sleep(0.05)
    offset = upload._offset(target, url)
    assert offset == (len(sent) if cut_at == "at its end" else 0)
    assert offset is not None
    assert upload._send(target, url, offset, content[offset:]) == len(content)
    file = tmp_path / "große.bin"
    file.write_bytes(content)
    check(cluster, file, url.rpartition("/")[2], "cut_")


def _cut_patch(target: Target, url: str, content: bytes, cut_at: str) -> bytes:
    """Send a chunk of half the content up to a stage, hang up, and return what was the chunk."""
    chunk = content[: len(content) // 2]
    parts = urlsplit(url)
    head = (
        f"PATCH {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nTus-Resumable: 1.0.0\r\n"
        f"Authorization: {target.token}\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(chunk)}\r\n\r\n"
    ).encode()
    sent = {
        "in the headers": head[:-40],
        "before the body": head,
        "in the body": head + chunk[: MIB + 1],
        "at its end": head + chunk,
    }[cut_at]
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
    return chunk


def test_a_changed_file_begins_again(cluster: Cluster, file: Path, target: Target) -> None:
    def stop(sent: int) -> None:
        if sent:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload.upload(file, target, MIB, stop)
    before = remembered(file)
    file.write_bytes(b"another content")
    url = upload.upload(file, target, MIB, lambda _sent: None)
    assert url != before
    assert offset(cluster, url) == 15


def test_an_empty_file_and_a_forgotten_upload(
    cluster: Cluster, tmp_path: Path, target: Target
) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    memory(empty).write_text("{ not json")
    assert offset(cluster, upload.upload(empty, target, MIB, lambda _sent: None)) == 0


@pytest.mark.parametrize(
    ("token", "name", "said"),
    [
        ("nonsense", "", "Uploads need an account"),
        ("", "absent", "No such file"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    cluster: Cluster, file: Path, token: str, name: str, said: str
) -> None:
    if name:
        file = file.with_name(name)
    done = subprocess.run(
        command(cluster, file, token), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
