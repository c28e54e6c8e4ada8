"""What became of a call: Lambda's answer, or its refusal, as values of an invocation.

succeeded     it returned
failed        it raised (`type` is the exception's own class), or nobody knows what it did
timedOut      Lambda ended it at its timeout
outOfMemory   Lambda ended it at its memory limit
throttled     Lambda did not run it: too many at once

Sources: "Lambda function error handling" and "Troubleshoot invocation issues" in Lambda's guide;
how Lambda words its own ends differs between runtimes, so type, words and REPORT line all count.
"""

import json
import math
from typing import Any, NamedTuple

from chalicelib.aws import lambda_invoke
from chalicelib.domain.functions import redaction, report
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import (
    FAILED,
    OUT_OF_MEMORY,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    THROTTLED,
    TIMED_OUT,
    Invocation,
)
from chalicelib.domain.functions.report import Report
from chalicelib.light_orjson import orjson

LOST, LOOP_STOPPED = "Dormouse.Lost", "Dormouse.LoopStopped"
OUTCOME_UNKNOWN = "Dormouse.OutcomeUnknown"
CAP_REACHED = "Dormouse.CapReached"
UNREACHABLE, NO_CODE = "Dormouse.Unreachable", "Dormouse.NoCode"

MOST_MESSAGE_CHARACTERS = 4096
MOST_LOG_BYTES = 8192

_KILLED = "signal: killed"
_TIMED_OUT = "Task timed out after "


class Outcome(NamedTuple):
    """What became of a call, and what is known of its cost."""

    status: str
    values: dict[str, Any]
    """The other fields of the invocation, by name."""
    report: Report | None = None
    """The platform's figures; made from our own clock if `is_estimated`."""
    is_estimated: bool = False
    is_charged: bool = True
    """False if the platform says that nothing ran, so that nothing is to be paid."""


def of_answer(function: Function, answer: lambda_invoke.Answer, waited_ms: float) -> Outcome:
    """Return the outcome of a call that Lambda answered after `waited_ms` by our own clock."""
    told = report.parse(answer.log_tail, answer.request_id)
    known = told or _estimated(function, answer.request_id, waited_ms)
    values = {
        "logs": _bounded(report.without_platform_lines(answer.log_tail, answer.request_id)),
        "request_id": answer.request_id,
        "init_ms": known.init_ms or known.restore_ms,
        "duration_ms": known.duration_ms,
        "billed_ms": known.billed_ms,
        "memory_used_mb": known.used_mb,
    }
    value = read_json(answer.payload)
    if not answer.function_error:
        return Outcome(SUCCEEDED, values | {"result": value}, known, told is None)
    error = _error(value, answer.function_error)
    return Outcome(_status(error, known), values | {"error": error}, known, told is None)


def of_trouble(error: lambda_invoke.InvokeError) -> Outcome:
    """Return the outcome of a call that Lambda gave no answer to."""
    told = {"error": {"type": error.code, "message": str(error)[:MOST_MESSAGE_CHARACTERS]}}
    if isinstance(error, lambda_invoke.ThrottledError):
        told = {"error": {"type": error.reason, "message": str(error)}}
        return Outcome(THROTTLED, told, is_charged=False)
    if isinstance(error, lambda_invoke.OutcomeUnknownError):
        message = f"The function may have run, but its answer was lost ({error})."
        return Outcome(FAILED, {"error": {"type": OUTCOME_UNKNOWN, "message": message}})
    return Outcome(FAILED, told, is_charged=False)


def unreachable(message: str) -> Outcome:
    """Return the outcome of a call that did not reach Lambda."""
    error = {"type": UNREACHABLE, "message": message}
    return Outcome(FAILED, {"error": error}, is_charged=False)


def redacted(event: Any, function: Function) -> tuple[Any, bool]:
    """Return an event as it may be kept, and whether that leaves anything out."""
    return redaction.redact(event, function.redact)


def kept(done: Invocation, function: Function) -> Invocation:
    """Return a finished call as it may be kept: result, logs and error without secrets."""
    error = done.error
    if error is not None:
        message, _ = redaction.redact_text(error["message"], function.redact)
        error = {**error, "message": message}
    return done._replace(
        result=redaction.redact(done.result, function.redact)[0],
        logs=redaction.redact_text(done.logs, function.redact)[0],
        error=error,
    )


def seen(invocation: Invocation, now_ms: int) -> Invocation:
    """Return a call as it is to be shown: a running one whose runner is gone has failed.

    A background call waits instead: it is made again when its message comes back.
    """
    if invocation.status != RUNNING or now_ms <= invocation.lease_ms:
        return invocation
    if invocation.background:
        return invocation._replace(status=QUEUED)
    return lost(invocation, now_ms)


def lost(invocation: Invocation, now_ms: int) -> Invocation:
    """Return a call as failed whose runner did not live to write down the outcome."""
    message = (
        "What became of this call is unknown: the process that waited for it ended. The function"
        " may have run, and the most that it can have cost stays counted against its cap."
    )
    return invocation._replace(
        status=FAILED, finished_ms=now_ms, error={"type": LOST, "message": message}
    )


def read_json(payload: bytes) -> Any:
    """Return the JSON value of a payload; what is none (NaN, half a character) as it can be."""
    if not payload:
        return None
    try:
        return orjson.loads(payload)
    except ValueError:
        pass
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")


def _error(value: Any, kind: str) -> dict[str, str]:
    document = value if isinstance(value, dict) else {"errorMessage": value}
    message = document.get("errorMessage")
    text = message if isinstance(message, str) else json.dumps(message)
    return {
        "type": str(document.get("errorType") or kind)[:200],
        "message": text[:MOST_MESSAGE_CHARACTERS],
    }


def _status(error: dict[str, str], known: Report) -> str:
    kind, message = error["type"], error["message"]
    if kind == "Sandbox.Timedout" or known.status == report.TIMEOUT:
        return TIMED_OUT
    if kind in ("Unhandled", "Function.Timeout") and _TIMED_OUT in message:
        return TIMED_OUT
    if "Runtime.OutOfMemory" in (kind, known.error_type):
        return OUT_OF_MEMORY
    is_killed = kind == "Runtime.ExitError" and _KILLED in message
    return OUT_OF_MEMORY if is_killed and 0 < known.memory_mb <= known.used_mb else FAILED


def _estimated(function: Function, request_id: str, waited_ms: float) -> Report:
    """Return figures for a call without a REPORT line: our own clock, a little more than it was."""
    duration_ms = round(waited_ms, 2)
    return Report(request_id, duration_ms, math.ceil(waited_ms), function.memory_mb, 0)


def _bounded(text: str) -> str:
    """Return the end of a log that fits its place, since escapes make JSON of it longer."""
    while len(text) * 6 > MOST_LOG_BYTES and len(json.dumps(text)) > MOST_LOG_BYTES:
        text = text[len(text) // 4 + 1 :]
    return text
