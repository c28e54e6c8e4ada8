"""The pump's place in the stream: after kills, failures, splits of shards, and lost streams.

The stream here is one of our own, in memory: a local AWS has only one shard, which never ends.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.pump import stream
from tools.pump.stream import Reader, StreamError

ARN = "arn:aws:dynamodb:us-east-1:1:table/t/stream/1"


class Stream:
    """Shards of numbers; `closed` ones end, `parents` say which came from which."""

    def __init__(self) -> None:
        self.shards: dict[str, list[int]] = {"a": []}
        self.parents: dict[str, str] = {}
        self.closed: set[str] = set()
        self.arn = ARN

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        operations = {
            "DescribeStream": self.describe_stream,
            "GetShardIterator": self.get_shard_iterator,
            "GetRecords": self.get_records,
        }
        return operations[operation](**arguments)

    def describe_stream(self, **asked: str) -> dict[str, Any]:
        shards = [
            {"ShardId": name, "ParentShardId": self.parents.get(name, "none")}
            for name in self.shards
        ]
        return {"StreamDescription": {"Shards": shards}}

    def get_shard_iterator(self, **asked: str) -> dict[str, Any]:
        shard, start = asked["ShardId"], 0
        if asked["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER":
            number = int(asked["SequenceNumber"])
            if number not in self.shards[shard]:
                raise StreamError("TrimmedDataAccessException", "gone")
            start = self.shards[shard].index(number) + 1
        return {"ShardIterator": json.dumps([shard, start])}

    def get_records(self, **asked: Any) -> dict[str, Any]:
        shard, start = json.loads(asked["ShardIterator"])
        found = self.shards[shard][start : start + asked["Limit"]]
        records = [{"dynamodb": {"SequenceNumber": str(each)}} for each in found]
        end = start + len(found)
        if shard in self.closed and end == len(self.shards[shard]):
            return {"Records": records}
        return {"Records": records, "NextShardIterator": json.dumps([shard, end])}


class Seen:
    """What was handed over; `failing` numbers fail so many times."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.failing: dict[int, int] = {}

    def handle(self, records: list[dict[str, Any]]) -> list[str]:
        numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in records]
        for number in numbers:
            if self.failing.get(number, 0) > 0:
                self.failing[number] -= 1
                self.numbers += numbers[: numbers.index(number)]
                return [str(number)]
        self.numbers += numbers
        return []


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Stream:
    source = Stream()
    monkeypatch.setattr(stream, "_call", source.call)
    monkeypatch.setattr(stream, "_table", lambda: {"LatestStreamArn": source.arn})
    monkeypatch.setattr(stream, "LIST_SECONDS", 0.0)
    return source


@pytest.fixture
def seen() -> Seen:
    return Seen()


def drain(reader: Reader) -> None:
    for _ in range(10):
        reader.read()


def test_the_first_start_reads_from_the_oldest_change_on(
    source: Stream, seen: Seen, tmp_path: Path
) -> None:
    source.shards["a"] = list(range(250))
    reader = Reader(tmp_path / "places", seen.handle)
    assert reader.read() == stream.BATCH
    drain(reader)
    assert seen.numbers == list(range(250))


def test_another_start_goes_on_behind_what_was_handled(
    source: Stream, seen: Seen, tmp_path: Path
) -> None:
    source.shards["a"] = [1, 2, 3]
    drain(Reader(tmp_path / "places", seen.handle))
    source.shards["a"] += [4]
    drain(Reader(tmp_path / "places", seen.handle))
    assert seen.numbers == [1, 2, 3, 4]


def test_a_death_while_handling_repeats_the_batch(
    source: Stream, seen: Seen, tmp_path: Path
) -> None:
    source.shards["a"] = [1, 2]

    def die(records: list[dict[str, Any]]) -> list[str]:
        seen.handle(records)
        raise SystemExit

    with pytest.raises(SystemExit):
        Reader(tmp_path / "places", die).read()
    drain(Reader(tmp_path / "places", seen.handle))
    assert seen.numbers == [1, 2, 1, 2]


def test_it_goes_on_from_the_first_change_that_failed(
    source: Stream, seen: Seen, tmp_path: Path
) -> None:
    source.shards["a"] = [1, 2, 3, 4]
    seen.failing = {3: 2}
    drain(Reader(tmp_path / "places", seen.handle))
    assert seen.numbers == [1, 2, 3, 4]


def test_children_of_a_shard_are_read_after_it(source: Stream, seen: Seen, tmp_path: Path) -> None:
    source.shards = {"c": [5, 7], "b": [4, 6], "a": [1, 2, 3]}
    source.parents = {"b": "a", "c": "a"}
    source.closed = {"a"}
    reader = Reader(tmp_path / "places", seen.handle)
    drain(reader)
    assert seen.numbers[:3] == [1, 2, 3]
    assert sorted(seen.numbers[3:]) == [4, 5, 6, 7]
    drain(Reader(tmp_path / "places", seen.handle))
    assert len(seen.numbers) == 7, "an ended shard is read again"


def test_a_shard_whose_parent_is_gone_is_read(source: Stream, seen: Seen, tmp_path: Path) -> None:
    source.shards = {"b": [4]}
    source.parents = {"b": "a"}
    drain(Reader(tmp_path / "places", seen.handle))
    assert seen.numbers == [4]


def test_a_stream_that_began_anew_is_read_from_its_beginning(
    source: Stream, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "RENEW_SECONDS", 0.0)
    source.shards["a"] = [1, 2, 3]
    reader = Reader(tmp_path / "places", seen.handle)
    drain(reader)
    source.shards["a"] = [10]
    drain(reader)
    assert seen.numbers == [1, 2, 3, 10]


def test_another_stream_of_the_table_is_read_from_its_beginning(
    source: Stream, seen: Seen, tmp_path: Path
) -> None:
    source.shards["a"] = [1, 2]
    reader = Reader(tmp_path / "places", seen.handle)
    drain(reader)
    source.arn, source.shards["a"] = ARN + "2", [1, 3]
    drain(reader)
    assert seen.numbers == [1, 2, 1, 3]


def test_a_torn_file_of_places_is_no_obstacle(source: Stream, seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "places").write_text('{"arn')
    source.shards["a"] = [1]
    drain(Reader(tmp_path / "places", seen.handle))
    assert seen.numbers == [1]
