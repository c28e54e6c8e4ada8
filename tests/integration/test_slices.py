"""Words of a large object, counted by a real function of the local AWS that is killed meanwhile.

`SLICES_LONG=1` counts 1 GiB with a timeout of 60 s instead of 48 MiB with one of a few seconds.
"""

import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from chalicelib import config
from dormouse import slices
from examples.slices import word_count
from tools.local_aws.client import LocalAws

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("SLICES_LONG"))
TIMEOUT_SECONDS = 60 if LONG else 3
CHUNK_BYTES = slices.CHUNK_BYTES if LONG else slices.MIB // 16
LINES = b"one  two\tthree\n" + b"w" * 47 + b"\xc3\xa9t\xc3\xa9 dormice\r\n"  # 5 words
LINES_TIMES = (1024 if LONG else 48) * slices.MIB // len(LINES)
WORDS = 5 * LINES_TIMES
PATIENCE_SECONDS = 600 if LONG else 100
RSS_LIMIT_KIB = 128 * 1024
FILES = ("dormouse/__init__.py", "dormouse/slices.py", "examples/slices/word_count.py")

pytestmark = pytest.mark.timeout(900 if LONG else 120)


class World(NamedTuple):
    aws: LocalAws
    bucket: str


@pytest.fixture
def world(local_aws: LocalAws, clean_table: str) -> Iterator[World]:
    slices._client.cache_clear()
    yield World(local_aws, config.settings().bucket_name)
    slices._client.cache_clear()


def deploy(world: World, name: str, chunk_bytes: int = CHUNK_BYTES) -> str:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for file in FILES:
            archive.write(ROOT / file, file)
    variables = {"AWS_ENDPOINT_URL": world.aws.url, "CHUNK_BYTES": str(chunk_bytes)}
    boto3.client("lambda").create_function(
        FunctionName=name, Runtime="python3.11", Role="arn:aws:iam::000000000000:role/any",
        Handler="examples.slices.word_count.handler", Code={"ZipFile": package.getvalue()},
        Timeout=TIMEOUT_SECONDS, MemorySize=128, Environment={"Variables": variables},
    )  # fmt: skip
    return name


def put(world: World, key: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket=world.bucket, Key=key, Body=body)


def workers(aws: LocalAws, function: str) -> list[int]:
    """Return the processes that the local AWS runs the function in."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            ours = int(parent) == aws.process.pid
            if ours and f"={function}\0".encode() in process.joinpath("environ").read_bytes():
                found.append(int(process.name))
        except OSError:  # it ended meanwhile
            continue
    return found


def peak_rss_kib(aws: LocalAws, function: str) -> int:
    peaks = [0]
    for pid in workers(aws, function):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return max(peaks)


def ended(job: str) -> slices.Progress:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        progress = slices.progress(job)
        if progress.state != "running":
            return progress
        time.sleep(0.05)
    raise AssertionError(f"not finished: {slices.progress(job)}")


def watch(world: World, job: str, function: str, kill_at: list[float]) -> tuple[int, int]:
    """Kill the worker whenever the job passes a percentage; return kills and peak RSS in KiB."""
    until = time.monotonic() + PATIENCE_SECONDS
    kills = peak = 0
    progress = slices.progress(job)
    while progress.state == "running" and time.monotonic() < until:
        peak = max(peak, peak_rss_kib(world.aws, function))
        if kills < len(kill_at) and progress.percent >= kill_at[kills]:
            for pid in workers(world.aws, function):
                os.kill(pid, signal.SIGKILL)
            kills += 1
        time.sleep(0.02)
        progress = slices.resume(job)  # as a schedule would, should the platform give up
    return kills, peak


def test_a_text_is_counted_to_the_word_though_its_worker_is_killed_twice(world: World) -> None:
    put(world, "big.txt", LINES * LINES_TIMES)
    function = deploy(world, "word-count")
    began = time.monotonic()
    slices.start("big", bucket=world.bucket, key="big.txt", function=function)
    kills, peak_kib = watch(world, "big", function, [25.0, 60.0])
    progress = ended("big")
    report = f"{progress} in {time.monotonic() - began:.1f} s, peak RSS {peak_kib} KiB"
    if os.environ.get("SLICES_REPORT"):
        Path(os.environ["SLICES_REPORT"]).write_text(report)
    assert progress.state == "done", report
    assert progress.result["words"] == WORDS, report
    assert progress.percent == 100.0
    assert kills == 2
    assert progress.calls >= 3, report
    assert 0 < peak_kib <= RSS_LIMIT_KIB, report


def test_a_wake_delivered_many_times_counts_nothing_twice(world: World) -> None:
    put(world, "small.txt", LINES * 20_000)
    function = deploy(world, "often", slices.MIB // 16)
    slices.start("often", bucket=world.bucket, key="small.txt", function=function)
    again = {"table": config.settings().table_name, "job": "often", "wake": 1}
    for _ in range(5):
        boto3.client("lambda").invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(again)
        )
    assert ended("often").result["words"] == 5 * 20_000


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def here(world: World, job: str, step: Any, chunk_bytes: int = 100) -> dict[str, Any]:
    """Run the job's first wake in this process."""
    event = {"table": config.settings().table_name, "job": job, "wake": 1}
    return slices.run(event, Context(), step, chunk_bytes=chunk_bytes)


def start_without_wake(world: World, job: str, body: bytes, patch: pytest.MonkeyPatch) -> None:
    put(world, f"{job}.txt", body)
    with patch.context() as quiet:
        quiet.setattr(slices, "_wake", lambda *_: None)
        slices.start(job, bucket=world.bucket, key=f"{job}.txt", function="none")


def test_a_replaced_object_fails_the_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start_without_wake(world, "swap", LINES * 10, monkeypatch)

    def step(state: Any, chunk: bytes, is_last: bool) -> Any:
        put(world, "swap.txt", b"other words " * 100)
        return word_count.count(state, chunk, is_last)

    ended_with = here(world, "swap", step)
    assert ended_with["state"] == "failed"
    assert ended_with["error"] == "The object was replaced since the job began."
    assert ended_with["done_bytes"] == 100


def test_a_removed_object_fails_the_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start_without_wake(world, "gone", LINES, monkeypatch)
    boto3.client("s3").delete_object(Bucket=world.bucket, Key="gone.txt")
    assert here(world, "gone", word_count.count)["error"].startswith("The object was removed")


def test_an_empty_object_has_no_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start_without_wake(world, "empty", b"", monkeypatch)
    ended_with = here(world, "empty", word_count.count)
    assert (ended_with["state"], ended_with["percent"]) == ("done", 100.0)
    assert ended_with["result"]["words"] == 0


def test_a_name_is_taken_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start_without_wake(world, "name", LINES, monkeypatch)
    with pytest.raises(slices.JobError, match="already"):
        start_without_wake(world, "name", LINES, monkeypatch)
    with pytest.raises(slices.JobError, match="no job"):
        slices.progress("other")
