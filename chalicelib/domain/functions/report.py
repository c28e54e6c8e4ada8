"""The platform's own account of a call: the REPORT line at the end of its log tail.

    REPORT RequestId: 8f507cfc-...  Duration: 12.34 ms  Billed Duration: 133 ms
    Memory Size: 128 MB  Max Memory Used: 40 MB  Init Duration: 120.12 ms
    Status: error  Error Type: Runtime.ExitError

(one line, tabs between the fields). A function writes into the same log, so a line may lie: the
platform's has the call's request id and comes last. Times are milliseconds, memory is MB.
Sources: "View CloudWatch logs for Lambda functions" and "Lambda SnapStart" in its developer guide.
"""

import re
from typing import NamedTuple

TIMEOUT, ERROR = "timeout", "error"


class Report(NamedTuple):
    """What one call took."""

    request_id: str
    duration_ms: float
    """The handler alone, without init."""
    billed_ms: int
    """What is paid for, init included where the platform bills it."""
    memory_mb: int
    used_mb: int
    init_ms: float = 0.0
    """Above 0 in a cold call only."""
    restore_ms: float = 0.0
    """Instead of init where a snapshot (SnapStart) was restored."""
    billed_restore_ms: int = 0
    status: str = ""
    """"" for a call that ended by itself, else `timeout`, `error` or `failure`."""
    error_type: str = ""
    """`Runtime.OutOfMemory`, `Runtime.ExitError`, ...: "" unless the status is `error`."""


_REPORT = re.compile(
    r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms\s+Billed Duration: (\d+) ms"
    r"\s+Memory Size: (\d+) MB\s+Max Memory Used: (\d+) MB(.*)"
)
_MORE = {
    name: re.compile(rf"\t{label}: {value}")
    for name, label, value in (
        ("init_ms", "Init Duration", r"([\d.]+) ms"),
        ("restore_ms", "Restore Duration", r"([\d.]+) ms"),
        ("billed_restore_ms", "Billed Restore Duration", r"(\d+) ms"),
        ("status", "Status", r"([\w.]+)"),
        ("error_type", "Error Type", r"([\w.]+)"),
    )
}
_TYPES = {"init_ms": float, "restore_ms": float, "billed_restore_ms": int}

_ID = re.compile(r"[0-9a-fA-F-]{36}")
_PLATFORM = re.compile(
    r"START RequestId: (?P<start>\S+) Version: \S+|END RequestId: (?P<end>\S+)"
    r"|REPORT RequestId: (?P<report>\S+)\s+Duration: .*"
    r"|XRAY TraceId: \S+\s+SegmentId: .*|(?:INIT_START|RESTORE_START) Runtime Version: .*"
    r"|(?:INIT_REPORT Init|RESTORE_REPORT Restore) Duration: .*"
    r"|(?:EXTENSION|LOGS|TELEMETRY)\s+Name: .*State: .*"
)
_END = re.compile(r"END RequestId: (\S+)\s*\Z")
"""Compiled once: a pattern made for each call would cost more than all else that is done here."""


def parse(log_tail: str, request_id: str = "") -> Report | None:
    """Return what the platform reports of a call, None if the tail has no such line.

    With `request_id` only that call's line counts. Of several the last one does.
    """
    for line in reversed(log_tail.split("\n")):
        found = _REPORT.fullmatch(line.strip())
        if found and request_id in ("", found[1]):
            return _report(found)
    return None


def without_platform_lines(log_tail: str, request_id: str = "") -> str:
    """Return what the function itself wrote: the tail without START, END, REPORT and the like.

    With `request_id`, lines that look so but are of another call stay: the function wrote them.
    """
    lines = re.split(r"(?<=\n)", log_tail)
    own = [line for line in lines if not _is_platform(line.strip(), request_id)]
    if own and own[0] is lines[0] and _is_cut_start(own[0], request_id):
        del own[0]
    text = "".join(own)
    # What is written without a line end has the platform's END behind it, on the same line.
    end = _END.search(text)
    return text[: end.start()] if end and _is_of(end[1], request_id) else text


def _is_platform(line: str, request_id: str) -> bool:
    found = _PLATFORM.fullmatch(line)
    if found is None:
        return False
    told = found["start"] or found["end"] or found["report"]
    return told is None or _is_of(told, request_id)


def _is_of(told: str, request_id: str) -> bool:
    return told == request_id if request_id else bool(_ID.fullmatch(told))


def _report(found: "re.Match[str]") -> Report:
    request_id, duration, billed, memory, used, rest = found.groups()
    more = {name: pattern.search(rest) for name, pattern in _MORE.items()}
    return Report(
        request_id,
        float(duration),
        int(billed),
        int(memory),
        int(used),
        **{name: _TYPES.get(name, str)(match[1]) for name, match in more.items() if match},
    )


def _is_cut_start(line: str, request_id: str) -> bool:
    """Return whether a line is the end of START, whose beginning did not fit in the tail."""
    head, version, _ = line.partition(" Version: ")
    return bool(version) and f"START RequestId: {request_id}".endswith(head)
