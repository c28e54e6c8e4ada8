"""An invocation as the API shows it."""

from typing import Any

from chalicelib.domain import dates
from chalicelib.domain.functions.invocation import Invocation


def export(invocation: Invocation, left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the JSON object of a call.

    `left_out` names values (event, result) that it has but that are not shown here; they are
    null, and `omitted` names them.
    """
    shown = {
        "id": invocation.id,
        "function": invocation.function,
        "status": invocation.status,
        "trigger": invocation.trigger,
        "source": invocation.source,
        "version": invocation.version,
        "created": dates.text_of_ms(invocation.created_ms),
        "started": dates.text_of_ms(invocation.started_ms),
        "finished": dates.text_of_ms(invocation.finished_ms),
        "attempt": invocation.attempt,
        "depth": invocation.depth,
        "event": None if "event" in left_out else invocation.event,
        "result": None if "result" in left_out else invocation.result,
        "error": invocation.error,
        "logs": invocation.logs,
        "initMs": _number(invocation.init_ms),
        "durationMs": _number(invocation.duration_ms),
        "billedMs": invocation.billed_ms,
        "memoryUsedMb": invocation.memory_used_mb,
        "receipt": invocation.receipt,
        "requestId": invocation.request_id,
        "replayOf": invocation.replay_of,
        "redacted": invocation.redacted,
    }
    return {**shown, "omitted": list(left_out)} if left_out else shown


def _number(value: float) -> float:
    return int(value) if value == int(value) else value
