"""The platform's own account of a call: the REPORT line at the end of its log tail.

    REPORT RequestId: 8f507cfc-...  Duration: 12.34 ms  Billed Duration: 133 ms
    Memory Size: 128 MB  Max Memory Used: 40 MB  Init Duration: 120.12 ms
    Status: error  Error Type: Runtime.ExitError

(one line, tabs between the fields). A function writes into the same log, so a line may lie: the
platform's has the call's request id and comes last. Times are milliseconds, memory is MB.
Sources: "View CloudWatch logs for Lambda functions" and "Lambda SnapStart" in its developer guide.

Every call is read so, hence no regular expressions: to compile them takes longer than this.
"""

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


_START_OF_LINE = "REPORT RequestId: "
_ID_CHARACTERS = frozenset("0123456789abcdefABCDEF-")
_WORDS = {
    "XRAY": ("TraceId:", "SegmentId:"),
    "INIT_START": ("Runtime", "Version:"),
    "RESTORE_START": ("Runtime", "Version:"),
    "INIT_REPORT": ("Init", "Duration:"),
    "RESTORE_REPORT": ("Restore", "Duration:"),
    "EXTENSION": ("Name:", "State:"),
    "LOGS": ("Name:", "State:"),
    "TELEMETRY": ("Name:", "State:"),
}
"""How the platform's other lines begin, and words that each of them has."""
_THIRD_WORDS = {"START": ["Version:"], "END": [], "REPORT": ["Duration:"]}
_FIRST = frozenset(kind[0] for kind in (*_WORDS, *_THIRD_WORDS))


def parse(log_tail: str, request_id: str = "") -> Report | None:
    """Return what the platform reports of a call, None if the tail has no such line.

    With `request_id` only that call's line counts. Of several the last one does.
    """
    for line in reversed(log_tail.split("\n")):
        if line.startswith(_START_OF_LINE):
            found = _report(line)
            if found is not None and request_id in ("", found.request_id):
                return found
    return None


def without_platform_lines(log_tail: str, request_id: str = "") -> str:
    """Return what the function itself wrote: the tail without START, END, REPORT and the like.

    With `request_id`, lines that look so but are of another call stay: the function wrote them.
    """
    lines = log_tail.splitlines(keepends=True)
    if lines and _is_cut_start(lines[0], request_id):
        del lines[0]
    text = "".join(
        line for line in lines if line[0] not in _FIRST or not _is_platforms(line, request_id)
    )
    # What is written without a line end has the platform's END behind it, on the same line.
    own, end, rest = text.rpartition("END RequestId: ")
    return own if end and _is_call(rest.strip(), request_id) else text


def _report(line: str) -> Report | None:
    fields = {}
    for part in line.strip().split("\t"):
        name, _, value = part.partition(": ")
        fields[name] = value.removesuffix(" ms").removesuffix(" MB").strip()
    try:
        return Report(
            fields["REPORT RequestId"],
            float(fields["Duration"]),
            int(fields["Billed Duration"]),
            int(fields["Memory Size"]),
            int(fields["Max Memory Used"]),
            float(fields.get("Init Duration", 0)),
            float(fields.get("Restore Duration", 0)),
            int(fields.get("Billed Restore Duration", 0)),
            fields.get("Status", ""),
            fields.get("Error Type", ""),
        )
    except (KeyError, ValueError):
        return None


def _is_platforms(line: str, request_id: str) -> bool:
    kind = line[:20].partition(" ")[0].partition("\t")[0]
    if kind in _THIRD_WORDS:
        words = line.split(maxsplit=4)
        is_ours = words[1:2] == ["RequestId:"] and words[3:4] == _THIRD_WORDS[kind]
        return is_ours and len(words) > 2 and _is_call(words[2], request_id)
    return kind in _WORDS and all(word in line for word in _WORDS[kind])


def _is_call(text: str, request_id: str) -> bool:
    if request_id:
        return text == request_id
    return len(text) == 36 and _ID_CHARACTERS.issuperset(text)


def _is_cut_start(line: str, request_id: str) -> bool:
    """Return whether a line is the end of START, whose beginning did not fit in the tail."""
    head, version, _ = line.partition(" Version: ")
    return bool(version) and f"START RequestId: {request_id}".endswith(head)
