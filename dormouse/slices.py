"""Work through a large S3 object by byte ranges, over as many Lambda calls as it takes.

One file to copy into a function's package: the standard library and boto3 only. The contract is
in docs/slices.md; in short, `start` begins a job, the function's handler is
`run(event, context, step)`, and `progress`, `cancel` and `resume` work from anywhere.

A job is one item, PK `SLICES#<job>`, SK `SLICES`. Its `rev` changes with every write, and every
write is conditional on the one it continues: whoever was overtaken learns it at its next
checkpoint and ends, so a chunk counts once however often a call is repeated. The lease keeps two
calls from doing the same work at once; the right result does not depend on it.
"""

import functools
import json
import os
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import boto3
from botocore.exceptions import ClientError

MIB = 1024 * 1024
CHUNK_BYTES = 4 * MIB
MAX_STATE_BYTES = 128 * 1024
"""Every checkpoint writes the state, and an item has at most 400 KB."""
KEEP_SECONDS = 30 * 24 * 3600
"""For this long after its last checkpoint a job can be looked at."""
RESERVE_MS = 1000
"""What the last checkpoint and the wake of the next call may take."""
LEASE_MARGIN_SECONDS = 2.0
RESUME_SECONDS = 10.0
"""How long a job that was resumed has for its call to begin, before it is resumed again."""

State = Any
Step = Callable[[State, bytes, bool], State]
"""`step(state, chunk, is_last) -> state`: pure, since a chunk may be worked on more than once."""


class Context(Protocol):
    """What of Lambda's context is used."""

    def get_remaining_time_in_millis(self) -> int: ...


class Progress(NamedTuple):
    """How far a job is. `state` is running, done, cancelled or failed; `result` is the step's."""

    job: str
    state: str
    done_bytes: int
    total_bytes: int
    percent: float
    calls: int
    result: State
    error: str


class JobError(Exception):
    """The job is not there, or is there already."""


class _OvertakenError(Exception):
    """Another call, or a cancel, wrote the job since we read it."""


class _FailedError(Exception):
    """No repetition helps; the text says why."""


def start(
    job: str, *, bucket: str, key: str, function: str, state: State = None, table: str = ""
) -> Progress:
    """Begin a job under a name of your choice, and wake `function` for its first slice.

    The object is pinned as it is now. Raises `JobError` if the name is taken.
    """
    table = table or _default_table()
    head = _client("s3").head_object(Bucket=bucket, Key=key)
    doc = {
        "bucket": bucket, "key": key, "etag": head["ETag"], "total": head["ContentLength"],
        "function": function, "offset": 0, "result": state, "state": "running", "error": "",
        "calls": 0, "wake": 0, "lease": 0.0,
    }  # fmt: skip
    try:
        _write(table, job, doc, "")
    except _OvertakenError:
        raise JobError(f"There is a job {job!r} already.") from None
    _wake(table, job, doc)
    return _progress(job, doc)


def progress(job: str, *, table: str = "") -> Progress:
    """Return how far the job is. Raises `JobError` if there is none."""
    return _progress(job, _read(table or _default_table(), job)[0])


def cancel(job: str, *, table: str = "") -> Progress:
    """End the job; a call at work finds out at its next checkpoint. A finished job stays as it is.

    Raises `JobError` if there is none.
    """
    table = table or _default_table()
    while True:
        doc, rev = _read(table, job)
        if doc["state"] != "running":
            return _progress(job, doc)
        try:
            _write(table, job, doc | {"state": "cancelled"}, rev)
        except _OvertakenError:  # a checkpoint came between: read again
            continue


def resume(job: str, *, table: str = "", force: bool = False) -> Progress:
    """Wake a running job whose call died: its lease has run out. `force` does not wait for that.

    Harmless at any time and from anywhere, such as a schedule. Raises `JobError` if there is none.
    """
    table = table or _default_table()
    doc, rev = _read(table, job)
    if doc["state"] == "running" and (force or doc["lease"] <= time.time()):
        doc["lease"] = time.time() + RESUME_SECONDS
        try:
            _write(table, job, doc, rev)
        except _OvertakenError:  # somebody goes on with it
            return progress(job, table=table)
        _wake(table, job, doc)
    return _progress(job, doc)


def run(
    event: dict[str, Any], context: Context, step: Step, *, chunk_bytes: int = CHUNK_BYTES
) -> dict[str, Any]:
    """Return the job's progress after one slice of it: the whole handler of a function.

    Errors that a repetition may cure are raised, so that Lambda repeats the call; what `step`
    raises, and an object that was replaced, end the job as failed.
    """
    table, job = event["table"], event["job"]
    try:
        claimed = _claim(table, job, event["wake"], context)
        if claimed:
            _work(table, job, *claimed, context, step, chunk_bytes)
    except _OvertakenError:
        pass  # whoever overtook goes on with it
    return progress(job, table=table)._asdict()


def _claim(table: str, job: str, wake: int, context: Context) -> tuple[dict[str, Any], str] | None:
    """Return the job as ours, or None if this wake is an old one and another call is at work.

    A repetition of the wake at work takes over at once: mostly that one is dead.
    """
    doc, rev = _read(table, job)
    stale = wake < doc["wake"] and doc["lease"] > time.time()
    if doc["state"] != "running" or stale:
        return None
    doc |= {"wake": max(wake, doc["wake"]), "calls": doc["calls"] + 1, "lease": _lease(context)}
    return doc, _write(table, job, doc, rev)


def _work(
    table: str, job: str, doc: dict[str, Any], rev: str,
    context: Context, step: Step, chunk_bytes: int,
) -> None:  # fmt: skip
    """Go on chunk by chunk until the job or the time is over; then wake the next call."""
    slowest_ms = 0.0
    while True:
        began = time.monotonic()
        doc = _advance(doc, step, chunk_bytes)
        rev = _write(table, job, doc, rev)
        if doc["state"] != "running":
            return
        slowest_ms = max(slowest_ms, (time.monotonic() - began) * 1000)
        if context.get_remaining_time_in_millis() < RESERVE_MS + 2 * slowest_ms:
            _wake(table, job, doc)
            return


def _advance(doc: dict[str, Any], step: Step, chunk_bytes: int) -> dict[str, Any]:
    """Return the job one chunk further, or failed."""
    end = min(doc["offset"] + chunk_bytes, doc["total"])
    is_last = end == doc["total"]
    try:
        chunk = _fetch(doc, end)
        result = _step(step, doc["result"], chunk, is_last)
    except _FailedError as error:
        return doc | {"state": "failed", "error": str(error)}
    return doc | {"offset": end, "result": result, "state": "done" if is_last else "running"}


def _step(step: Step, state: State, chunk: bytes, is_last: bool) -> State:
    try:
        state = step(state, chunk, is_last)
        size_bytes = len(json.dumps(state))
    except Exception as error:
        raise _FailedError(f"The step failed: {type(error).__name__}: {error}") from error
    if size_bytes > MAX_STATE_BYTES:
        raise _FailedError(f"The state has {size_bytes} bytes, more than {MAX_STATE_BYTES}.")
    return state


def _fetch(doc: dict[str, Any], end: int) -> bytes:
    """Return the bytes from the offset up to `end` of the object that was pinned."""
    if end == doc["offset"]:  # an empty object: S3 has no empty ranges
        return b""
    try:
        answer = _client("s3").get_object(
            Bucket=doc["bucket"], Key=doc["key"], IfMatch=doc["etag"],
            Range=f"bytes={doc['offset']}-{end - 1}",
        )  # fmt: skip
    except ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "412"):
            raise _FailedError("The object was replaced since the job began.") from None
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise _FailedError("The object was removed since the job began.") from None
        raise
    with answer["Body"] as body:
        chunk: bytes = body.read()
    return chunk


def _read(table: str, job: str) -> tuple[dict[str, Any], str]:
    answer = _client("dynamodb").get_item(TableName=table, Key=_key(job), ConsistentRead=True)
    if "Item" not in answer:
        raise JobError(f"There is no job {job!r}.")
    return json.loads(answer["Item"]["doc"]["S"]), answer["Item"]["rev"]["S"]


def _write(table: str, job: str, doc: dict[str, Any], rev: str) -> str:
    """Return the new rev; the job must still have `rev` ("": must not be there)."""
    new_rev = secrets.token_hex(8)
    item = _key(job) | {
        "doc": {"S": json.dumps(doc)},
        "rev": {"S": new_rev},
        "ttl": {"N": str(int(time.time()) + KEEP_SECONDS)},
    }
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
    if rev:
        values = {":rev": {"S": rev}}
        condition = {"ConditionExpression": "rev = :rev", "ExpressionAttributeValues": values}
    try:
        _client("dynamodb").put_item(
            TableName=table, Item=item, ReturnValuesOnConditionCheckFailure="ALL_OLD", **condition
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        # boto3 repeats a write whose answer was lost; then what it meets is our own.
        if error.response.get("Item", {}).get("rev", {}).get("S") != new_rev:
            raise _OvertakenError from None
    return new_rev


def _wake(table: str, job: str, doc: dict[str, Any]) -> None:
    payload = {"table": table, "job": job, "wake": doc["wake"] + 1}
    _client("lambda").invoke(
        FunctionName=doc["function"], InvocationType="Event", Payload=json.dumps(payload)
    )


def _progress(job: str, doc: dict[str, Any]) -> Progress:
    done, total = doc["offset"], doc["total"]
    percent = round(100 * done / total, 1) if total else 100.0 * (doc["state"] == "done")
    return Progress(
        job, doc["state"], done, total, percent, doc["calls"], doc["result"], doc["error"]
    )


def _lease(context: Context) -> float:
    return time.time() + context.get_remaining_time_in_millis() / 1000 + LEASE_MARGIN_SECONDS


def _key(job: str) -> dict[str, Any]:
    return {"PK": {"S": f"SLICES#{job}"}, "SK": {"S": "SLICES"}}


def _default_table() -> str:
    return os.environ.get("DORMOUSE_TABLE_NAME") or "dormouse"


@functools.cache
def _client(service: str) -> Any:
    return boto3.client(service)
