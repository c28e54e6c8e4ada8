"""What Lambda says of a call: START, END, REPORT, and the payloads of its own errors. Pure.

Billed Duration includes Init Duration since August 2025. Sources: "Lambda function logs" and
"Troubleshoot execution issues" in Lambda's developer guide; its blog for the billing.
"""

import math
import signal
from typing import NamedTuple

MIB = 1024 * 1024

EXIT_ERROR = "Runtime.ExitError"
OUT_OF_MEMORY = "Runtime.OutOfMemory"
TIMEOUT = "Sandbox.Timedout"


class Report(NamedTuple):
    """The figures of one call."""

    request_id: str
    version: str
    duration_ms: float
    memory_mb: int
    peak_bytes: int
    init_ms: float = 0.0
    """0 for a warm call, and for one whose init failed: its time is in `duration_ms` then."""
    status: str = ""
    """timeout, error or "": an exception of the handler is no matter of the platform."""
    error_type: str = ""


def start_line(report: Report) -> str:
    return f"START RequestId: {report.request_id} Version: {report.version}\n"


def end_lines(report: Report) -> str:
    """Return END and REPORT."""
    used_mb = min(report.memory_mb, math.ceil(report.peak_bytes / MIB))
    fields = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(report.duration_ms + report.init_ms)} ms",
        f"Memory Size: {report.memory_mb} MB",
        f"Max Memory Used: {used_mb} MB",
    ]
    fields += [f"Init Duration: {report.init_ms:.2f} ms"] if report.init_ms else []
    fields += [f"Status: {report.status}"] if report.status else []
    fields += [f"Error Type: {report.error_type}"] if report.error_type else []
    return f"END RequestId: {report.request_id}\n" + "\t".join(fields) + "\t\n"


def init_line(init_ms: float, phase: str, status: str, error_type: str = "") -> str:
    """Return INIT_REPORT, which stands for an init that failed."""
    kind = f"\tError Type: {error_type}" if error_type else ""
    return f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}\tStatus: {status}{kind}\n"


def exit_text(code: int) -> str:
    """Return how Lambda names the end of a process: `code` is negative for a signal."""
    if code == 0:
        return "Runtime exited without providing a reason"
    if code > 0:
        return f"Runtime exited with error: exit status {code}"
    name = _SIGNALS.get(-code) or signal.strsignal(-code)
    return f"Runtime exited with error: signal: {name}"


_SIGNALS: dict[int, str] = {
    signal.SIGKILL: "killed",
    signal.SIGTERM: "terminated",
    signal.SIGABRT: "aborted",
    signal.SIGSEGV: "segmentation fault",
}


def error(request_id: str, text: str, error_type: str) -> dict[str, str]:
    """Return the payload of an error of the platform."""
    return {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {text}"}


def timeout_text(seconds: int) -> str:
    return f"Task timed out after {seconds}.00 seconds"
