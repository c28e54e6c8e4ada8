"""Slices without AWS: the table, the object and the wakes are dicts and lists here."""

import io
import json
import random
import re
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dormouse import slices
from examples.slices import word_count

EVENT = {"table": "t", "job": "j"}


class Context:
    """A call that has time for `chunks` chunks, or for ever."""

    def __init__(self, chunks: int = 10**9) -> None:
        self.asked, self.chunks = 0, chunks

    def get_remaining_time_in_millis(self) -> int:
        self.asked += 1  # once for the lease, then after every chunk
        return 60_000 if self.asked <= self.chunks else 500


class Aws:
    """DynamoDB's conditional put, S3's ranged get and Lambda's queue, in memory."""

    def __init__(self, body: bytes = b"") -> None:
        self.body, self.items, self.wakes = body, {}, []  # type: ignore[var-annotated]
        self.lose_answers = False

    def head_object(self, **_: Any) -> dict[str, Any]:
        return {"ETag": '"e"', "ContentLength": len(self.body)}

    def get_object(self, Range: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        first, last = map(int, re.findall(r"\d+", Range))
        return {"Body": io.BytesIO(self.body[first : last + 1])}

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": dict(self.items)} if self.items else {}

    def put_item(self, Item: dict[str, Any], **options: Any) -> None:  # noqa: N803
        expected = options.get("ExpressionAttributeValues", {}).get(":rev")
        if self.items.get("rev") != expected:
            raise refused(self.items)
        self.items = Item
        if self.lose_answers:  # boto3's second try meets the first one's write
            raise refused(Item)

    def invoke(self, Payload: str, **_: Any) -> None:  # noqa: N803
        self.wakes.append(json.loads(Payload))


def refused(item: dict[str, Any]) -> ClientError:
    code = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": item}
    return ClientError(code, "PutItem")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws(b"abcdefghij" * 10)
    monkeypatch.setattr(slices, "_client", lambda _: made)
    return made


def start(aws: Aws) -> None:
    slices.start("j", bucket="b", key="k", function="f", state=0, table="t")


def add(state: int, chunk: bytes, _is_last: bool) -> int:
    return state + len(chunk)


def run(wake: int, chunks: int = 10**9, step: slices.Step = add) -> dict[str, Any]:
    return slices.run({**EVENT, "wake": wake}, Context(chunks), step, chunk_bytes=10)


def words(text: bytes, chunk_bytes: int) -> int:
    state = None
    for at in range(0, max(len(text), 1), chunk_bytes):
        state = word_count.count(state, text[at : at + chunk_bytes], False)
    assert state is not None
    return int(state["words"])


@pytest.mark.parametrize("text", [b"", b" ", b"a", b" a ", b"ab cd", b"a\n\nb", "é è".encode()])
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 100])
def test_words_across_borders_count_once(text: bytes, chunk_bytes: int) -> None:
    assert words(text, chunk_bytes) == len(text.split())


def test_random_texts_in_random_chunks_agree_with_split() -> None:
    draw = random.Random(8)
    for _ in range(500):
        text = bytes(draw.choices(b"ab \n\t\x00\xff", k=draw.randrange(60)))
        assert words(text, draw.randrange(1, 20)) == len(text.split()), text


def test_a_job_takes_as_many_calls_as_it_needs(aws: Aws) -> None:
    start(aws)
    seen = []
    for _ in range(4):
        seen.append(run(**{"wake": aws.wakes.pop()["wake"], "chunks": 3}))
    assert [(one["done_bytes"], one["calls"]) for one in seen] == [
        (30, 1), (60, 2), (90, 3), (100, 4),
    ]  # fmt: skip
    assert [one["state"] for one in seen] == ["running"] * 3 + ["done"]
    assert (seen[0]["percent"], seen[-1]["result"], aws.wakes) == (30.0, 100, [])


def test_a_call_with_no_time_left_still_gets_a_chunk_further(aws: Aws) -> None:
    start(aws)
    assert run(1, chunks=0)["done_bytes"] == 10


def test_a_repeated_wake_of_a_finished_job_does_nothing(aws: Aws) -> None:
    start(aws)
    assert run(1) == run(1)


def test_a_call_that_another_overtook_counts_nothing_and_wakes_nobody(aws: Aws) -> None:
    start(aws)

    def slow(state: int, chunk: bytes, is_last: bool) -> int:
        if not overtaken:
            overtaken.append(run(1, chunks=2))  # the same wake, delivered again meanwhile
        return add(state, chunk, is_last)

    overtaken: list[dict[str, Any]] = []
    assert run(1, step=slow)["result"] == 20
    assert [wake["wake"] for wake in aws.wakes] == [1, 2]


def test_an_old_wake_waits_for_the_lease(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    start(aws)
    run(1, chunks=2)
    run(2, chunks=2)
    assert run(1)["done_bytes"] == 40
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    assert run(1)["state"] == "done"


def test_a_call_that_died_is_repeated_or_resumed(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    start(aws)

    def dies(state: int, chunk: bytes, is_last: bool) -> int:
        if state == 20:
            raise KeyboardInterrupt  # as a kill: nothing of ours runs any more
        return add(state, chunk, is_last)

    with pytest.raises(KeyboardInterrupt):
        run(1, step=dies)
    aws.wakes.clear()
    assert slices.resume("j", table="t").done_bytes == 20
    assert aws.wakes == []  # its lease runs on
    assert slices.resume("j", table="t", force=True).calls == 1
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    slices.resume("j", table="t")
    assert [wake["wake"] for wake in aws.wakes] == [2, 2]
    assert run(1, chunks=1)["done_bytes"] == 30  # Lambda's own repetition
    assert run(2)["result"] == 100


def test_a_cancel_stops_the_call_at_work(aws: Aws) -> None:
    start(aws)

    def step(state: int, chunk: bytes, is_last: bool) -> int:
        if state == 30:
            slices.cancel("j", table="t")
        return add(state, chunk, is_last)

    aws.wakes.clear()
    ended = run(1, step=step)
    assert (ended["state"], ended["result"], aws.wakes) == ("cancelled", 30, [])
    assert run(2)["result"] == 30
    slices.resume("j", table="t", force=True)
    assert aws.wakes == []


def test_a_finished_job_stays_done_when_cancelled(aws: Aws) -> None:
    start(aws)
    run(1)
    assert slices.cancel("j", table="t").state == "done"


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ("x" * 200_000, "The state has 200002 bytes, more than 131072."),
        ({1}, "The step failed: TypeError: Object of type set is not JSON serializable"),
    ],
)
def test_a_step_that_fails_ends_the_job(aws: Aws, result: Any, error: str) -> None:
    start(aws)
    ended = run(1, step=lambda *_: result)
    assert (ended["state"], ended["error"], ended["done_bytes"]) == ("failed", error, 0)


def test_a_checkpoint_whose_answer_was_lost_counts_once(aws: Aws) -> None:
    start(aws)
    aws.lose_answers = True
    assert run(1)["result"] == 100


def test_a_dead_job_resumed_often_is_woken_once(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    start(aws)
    run(1, chunks=1)
    aws.wakes.clear()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    for _ in range(5):
        slices.resume("j", table="t")
    assert [wake["wake"] for wake in aws.wakes] == [2]
