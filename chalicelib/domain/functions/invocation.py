"""An invocation: one call of a function, from the moment it is wanted to its receipt.

    queued -> running -> succeeded | failed | timedOut | outOfMemory | throttled | capped

A background call that is tried again goes back to queued, with `attempt` one higher.
"""

import hashlib
from typing import Any, NamedTuple

QUEUED, RUNNING = "queued", "running"
SUCCEEDED, FAILED, TIMED_OUT = "succeeded", "failed", "timedOut"
OUT_OF_MEMORY, THROTTLED, CAPPED = "outOfMemory", "throttled", "capped"
FINISHED = (SUCCEEDED, FAILED, TIMED_OUT, OUT_OF_MEMORY, THROTTLED, CAPPED)
STATUSES = (QUEUED, RUNNING, *FINISHED)

INVOKE, HTTP, SCHEDULE, RECORD = "invoke", "http", "schedule", "record"
FILE, QUEUE, REPLAY = "file", "queue", "replay"

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_TIME_DIGITS, _REST_DIGITS = 9, 11
ID_CHARACTERS = _TIME_DIGITS + _REST_DIGITS


class Invocation(NamedTuple):
    """One call as it is stored; times are milliseconds since 1970, 0 while unknown."""

    id: str
    function_id: str
    function: str
    """The function's name."""
    status: str
    trigger: str
    """What woke it: one of the names above."""
    source: dict[str, Any] = {}  # noqa: RUF012 (a default that nobody changes)
    """Details of the trigger: `{"collection", "action", "recordId"}`, `{"queue"}`, ..."""
    version: int = 0
    created_ms: int = 0
    started_ms: int = 0
    finished_ms: int = 0
    attempt: int = 1
    depth: int = 1
    """1 for a call from outside; one more for each function before it in the chain."""
    event: Any = None
    result: Any = None
    error: dict[str, str] | None = None
    """`{"type", "message"}`: type is the exception's own class name."""
    logs: str = ""
    """The last 4 KB of what it wrote; `/logs` has all."""
    init_ms: float = 0.0
    duration_ms: float = 0.0
    billed_ms: int = 0
    memory_used_mb: int = 0
    receipt: dict[str, Any] | None = None
    request_id: str = ""
    """Lambda's own id of the call."""
    reserved_picodollars: int = 0
    """What the cap holds back for it while it runs."""
    lease_ms: int = 0
    """Until when a running call may still end by itself; after that nobody runs it."""
    redacted: bool = False
    """Whether values of the event were left out of what is kept."""
    replay_of: str = ""
    background: bool = False
    """Whether a message in the queue of wakes stands for it, so that it may be tried again."""
    once: bool = False
    """A background call that is not tried again: somebody waits for its outcome."""
    spilled: tuple[str, ...] = ()
    """Which of `event`, `result` and `input` are too large for an item; then they are None (or
    empty) unless they were loaded."""
    input: str = ""
    """JSON of the event as it came, kept while a background call waits if `event` is redacted."""
    rev: str = ""
    """Changes with every write; not part of the document."""


def new_id(now_ms: int, random_bytes: bytes) -> str:
    """Return an id of 20 of [0-9a-v]; later ids sort behind earlier ones."""
    return _time(now_ms) + "".join(_DIGITS[byte & 31] for byte in random_bytes[:_REST_DIGITS])


def derived_id(at_ms: int, seed: str) -> str:
    """Return the one id of an occurrence (a change, a fire time): the same each time."""
    return new_id(at_ms, hashlib.sha256(seed.encode()).digest())


def is_id(text: str) -> bool:
    """Return whether a text can be a call's id."""
    return len(text) == ID_CHARACTERS and set(text) <= set(_DIGITS)


def _time(now_ms: int) -> str:
    return "".join(_DIGITS[now_ms >> shift & 31] for shift in range(5 * (_TIME_DIGITS - 1), -1, -5))
