"""A reader of the table's stream that picks up where it stopped, however it stopped.

The place in each shard is in a file, written after a batch has been handled: whoever is killed
before that gets the batch again. A place that the stream does not know any more (a local AWS that
lost its state, more than a day's pause) is given up for the oldest change there is.

A shard is read when its parents have been read to their end, so changes of one record stay in
order when shards split.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalicelib.aws import connections, credentials, dynamodb_calls, sigv4
from chalicelib.config import settings

log = logging.getLogger("dormouse")

BATCH = 100
LIST_SECONDS = 30.0
"""How often the list of shards is read again, to notice that one was split."""
RENEW_SECONDS = 5.0
"""How often an idle shard's place is looked up again: a local AWS that was started anew takes an
iterator from before for a place that it will reach some day."""
CALL_SECONDS = 10.0
ENDED = "ended"

Records = list[dict[str, Any]]


class StreamError(Exception):
    """DynamoDB refused a call; `code` is its word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Reader:
    """Reads all shards of the stream in turns; `read` once hands over at most a batch of each."""

    def __init__(self, path: Path, handle: Callable[[Records], list[str]]) -> None:
        """`handle` returns the sequence numbers that have to come again (the lowest counts)."""
        self._path = path
        self._handle = handle
        self._arn = ""
        self._places: dict[str, str] = {}
        self._shards: list[dict[str, Any]] = []
        self._iterators: dict[str, str] = {}
        self._listed_at = self._renewed_at = float("-inf")

    def read(self) -> int:
        """Hand over what has come; return how many changes there were. Raises `StreamError`."""
        now = time.monotonic()
        if now - self._listed_at > LIST_SECONDS:
            self._list()
        if now - self._renewed_at > RENEW_SECONDS:
            self._iterators.clear()
            self._renewed_at = now
        return sum(
            self._read_shard(shard["ShardId"]) for shard in self._shards if self._is_due(shard)
        )

    def forget_iterators(self) -> None:
        """Look up all places again, after any trouble."""
        self._iterators.clear()
        self._listed_at = float("-inf")

    def _list(self) -> None:
        arn = str(_table().get("LatestStreamArn", ""))
        if arn != self._arn:
            self._arn = arn
            self._places = _load(self._path).get(arn, {})
            self._iterators.clear()
        self._shards = _shards(arn) if arn else []
        known = {shard["ShardId"] for shard in self._shards}
        self._places = {shard: place for shard, place in self._places.items() if shard in known}
        self._listed_at = time.monotonic()

    def _is_due(self, shard: dict[str, Any]) -> bool:
        if self._places.get(shard["ShardId"]) == ENDED:
            return False
        parent = shard.get("ParentShardId")
        is_known = any(each["ShardId"] == parent for each in self._shards)
        return not is_known or self._places.get(str(parent)) == ENDED

    def _read_shard(self, shard: str) -> int:
        if shard not in self._iterators:
            self._iterators[shard] = self._iterator(shard)
        try:
            answer = _call("GetRecords", ShardIterator=self._iterators[shard], Limit=BATCH)
        except StreamError as error:
            del self._iterators[shard]
            if error.code in ("ExpiredIteratorException", "TrimmedDataAccessException"):
                return 0
            raise
        found: Records = answer.get("Records", [])
        done = self._handled(found)
        if done < len(found):
            del self._iterators[shard]
        elif "NextShardIterator" in answer:
            self._iterators[shard] = answer["NextShardIterator"]
        place = str(found[done - 1]["dynamodb"]["SequenceNumber"]) if done else ""
        if done == len(found) and "NextShardIterator" not in answer:
            place, self._listed_at = ENDED, float("-inf")
        if place:
            self._places[shard] = place
            _save(self._path, {self._arn: self._places})
        return done

    def _handled(self, found: Records) -> int:
        """Return how many changes, from the first one on, are done with."""
        if not found:
            return 0
        failed = self._handle([{**each, "eventSourceARN": self._arn} for each in found])
        if not failed:
            return len(found)
        numbers = [str(each["dynamodb"]["SequenceNumber"]) for each in found]
        return min(numbers.index(each) for each in failed)

    def _iterator(self, shard: str) -> str:
        """Return an iterator behind the last change that was handled, else at the oldest."""
        place = self._places.get(shard)
        wanted = {"StreamArn": self._arn, "ShardId": shard}
        if place:
            try:
                behind = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": place}
                return str(_call("GetShardIterator", **wanted, **behind)["ShardIterator"])
            except StreamError as error:
                if error.code not in ("TrimmedDataAccessException", "ValidationException"):
                    raise
                log.warning("The stream began anew: it is read from its oldest change on")
                del self._places[shard]
        found = _call("GetShardIterator", **wanted, ShardIteratorType="TRIM_HORIZON")
        return str(found["ShardIterator"])


def _table() -> dict[str, Any]:
    answer = dynamodb_calls.call("DescribeTable", {"TableName": settings().table_name})
    table: dict[str, Any] = answer["Table"]
    return table


def _shards(arn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start: dict[str, str] = {}
    while True:
        stream = _call("DescribeStream", StreamArn=arn, **start)["StreamDescription"]
        found += stream["Shards"]
        if "LastEvaluatedShardId" not in stream:
            return found
        start = {"ExclusiveStartShardId": stream["LastEvaluatedShardId"]}


def _call(operation: str, **arguments: Any) -> dict[str, Any]:
    """Return the answer to one call, made once. Raises `StreamError`."""
    region = settings().region
    to = connections.endpoint("streams.dynamodb", region)
    body = json.dumps(arguments).encode()
    scope = sigv4.Scope(region, "dynamodb")
    action = "DynamoDBStreams_20120810." + operation
    headers = sigv4.json_headers(to.host, action, body, credentials.current(), scope)
    try:
        reply = connections.exchange(to, "POST", "/", body, headers, CALL_SECONDS)
    except (connections.NotConnectedError, connections.BrokenConnectionError) as error:
        raise StreamError("Connection", str(error)) from error
    answer: dict[str, Any] = json.loads(reply.body)
    if reply.status != 200:
        code = str(answer.get("__type", reply.status)).rpartition("#")[2]
        raise StreamError(code, str(answer.get("message", "")))
    return answer


def _load(path: Path) -> dict[str, dict[str, str]]:
    try:
        found: dict[str, dict[str, str]] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _save(path: Path, places: dict[str, dict[str, str]]) -> None:
    """Replace the file at once: a kill leaves the old one or the new one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(places))
    os.replace(fresh, path)
