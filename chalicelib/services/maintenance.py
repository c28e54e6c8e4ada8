"""Maintenance: what nobody's request does, now and then, by the clock.

Files that died requests left behind, uploads that nobody finished, queued calls whose message
got lost between their two writes, dead letters that SQS put aside by itself. Each part may be
cut short, may run many times at once, and does not keep the others from their turn.
"""

import logging
import time
from collections.abc import Callable

from chalicelib import services, store
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import QUEUED, RUNNING, Invocation
from chalicelib.services.invoking_attempt import now_ms

log = logging.getLogger("dormouse")

FILES_SECONDS = 30.0
UPLOADS_AT_ONCE = 100
LOST_AFTER_MS = 15 * 60 * 1000
"""A call that is overdue for so long has lost its message; else it does not mind a second one."""
_CALLS_AT_ONCE = 500
"""So many of the newest calls of a function are looked at."""


def work(until: float) -> list[str]:
    """Do what is due until `until` (monotonic seconds); return the parts that ended well."""
    parts: dict[str, Callable[[], object]] = {
        "files": lambda: services.file_sweep.work(min(FILES_SECONDS, until - time.monotonic())),
        "uploads": lambda: services.upload_sweep.sweep(UPLOADS_AT_ONCE),
        "calls": lambda: resend_lost_calls(until),
        "queues": services.queue_delivery.collect_all_dead,
    }
    return [name for name, part in parts.items() if time.monotonic() < until and _ends(name, part)]


def resend_lost_calls(until: float, overdue_ms: int = LOST_AFTER_MS) -> int:
    """Send a message again for calls that are overdue; return for how many."""
    before_ms = now_ms() - overdue_ms
    sent = 0
    for function in store.functions.all():
        if time.monotonic() > until:
            break
        newest = store.invocations.page(function.id, _CALLS_AT_ONCE).invocations
        for call in reversed(newest):  # a record's changes in their order
            if call.background and 0 < _due_ms(function, call) < before_ms:
                services.wakes.send(function, call)
                sent += 1
    return sent


def _due_ms(function: Function, call: Invocation) -> float:
    """Return when somebody should have gone on with a call, 0 if nobody should."""
    if call.status == RUNNING:
        return call.lease_ms
    if call.status != QUEUED:
        return 0
    if call.attempt == 1:
        return call.created_ms
    wait_seconds = services.wakes.retry_seconds(function, call.attempt - 1)
    return max(call.created_ms, call.finished_ms) + wait_seconds * 1000


def _ends(name: str, part: Callable[[], object]) -> bool:
    try:
        part()
    except Exception:
        log.exception("Maintenance of %s met trouble", name)
        return False
    return True
