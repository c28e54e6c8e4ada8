"""Replays: the event of an earlier call again, on the same or another version.

A function is stateless, so the call that failed, with its event, is where debugging starts.
"""

from typing import Any

from chalicelib import services
from chalicelib.domain.functions.diff import diff
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import (
    CAPPED,
    FINISHED,
    HTTP,
    REPLAY,
    THROTTLED,
    Invocation,
)
from chalicelib.domain.functions.invocation_export import export
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError
from chalicelib.services.invocations import Answer
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session

REDACTED = (
    "Values of the event were not kept because their keys are secret, so it was not quite the"
    " same event: see redact in docs/functions.md."
)


def replay(call: Call, name: str, invocation_id: str) -> Answer:
    """Call again with the event of a call that has finished: `{"invocation", "original", "diff"}`.

    202 without a diff if it is not over in time. Raises 400, 401, 403, 404.
    """
    session = open_session(call)
    session.require_superuser()
    function: Function = services.functions.require(name)
    original = services.invocations.require(function, invocation_id)
    if original.status not in FINISHED:
        raise BadRequestError("The call has not finished yet.")
    is_short = original.status == CAPPED and original.trigger == HTTP
    if original.event is None and (is_short or "event" in original.spilled):
        raise BadRequestError("The event of this call is not there (any more).")
    again = _made(session, function, original)
    answer: Answer = services.invocations.answer_of(function, again)
    if answer.status == 429:
        return answer
    body: dict[str, Any] = {"invocation": answer.body, "original": export(original), "diff": None}
    if again.status in FINISHED:
        body["diff"] = compared(original, again)
    if original.redacted:
        body |= {"redacted": True, "warning": REDACTED}
    return answer._replace(body=body)


def compared(before: Invocation, after: Invocation) -> dict[str, Any]:
    """Return in what two calls differ: `equal` says that outcome and result are the same."""
    changes = diff(_outcome(before), _outcome(after))
    figures = {
        name: {"before": getattr(before, field), "after": getattr(after, field)}
        for name, field in (
            ("version", "version"),
            ("status", "status"),
            ("durationMs", "duration_ms"),
            ("memoryUsedMb", "memory_used_mb"),
        )
    }
    return {"equal": not changes, "changes": changes, **figures}


def _outcome(invocation: Invocation) -> dict[str, Any]:
    """Return what is compared. A call that was held back has no outcome of its own."""
    if invocation.status in (CAPPED, THROTTLED):
        return {"status": invocation.status}
    return {
        "status": invocation.status,
        "result": invocation.result,
        "error": invocation.error,
    }


def _made(session: Session, function: Function, original: Invocation) -> Invocation:
    version = services.function_calls.version_of(session.call.body.data)
    options: dict[str, Any] = {
        "trigger": REPLAY,
        "source": {"caller": services.function_calls.caller(session), "of": original.id},
        "version": version,
        "depth": session.depth + 1,
        "replay_of": original.id,
    }
    at_version = services.invoking.at_version(function, version)
    if not services.invocations.is_long(at_version):
        made: Invocation = services.invoking.run(function, original.event, **options)
        return made
    queued = services.background_calls.queue(function, original.event, once=True, **options)
    waited: Invocation = services.invocations.awaited(function, queued)
    return waited
