"""A worker: one execution environment of a version, which serves one call at a time.

Init has ten seconds of its own. When it takes longer or fails, Lambda tries once more as part of
the call, within its timeout. Here a failed init is not repeated: it would fail again.
"""

import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tools.local_aws import lambda_launch, lambda_process, lambda_report
from tools.local_aws.lambda_files import Files, remove_tree
from tools.local_aws.lambda_guard import Guard
from tools.local_aws.lambda_launch import Places
from tools.local_aws.lambda_process import Answer, Process
from tools.local_aws.lambda_report import Report
from tools.local_aws.lambda_versions import MIB, Version

INIT_SECONDS = 10.0


class Request(NamedTuple):
    """One call."""

    id: str
    payload: bytes
    arn: str
    client_context: Any = None
    environment: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)
    """Variables of this call only; "" removes one."""


class Outcome(NamedTuple):
    """What came of a call."""

    payload: bytes
    is_error: bool
    log: str
    """Everything, from the output of init to REPORT."""


class _Init(NamedTuple):
    duration_ms: float
    failure: Answer | None


class Worker:
    """A process, its directories, and what it was made for."""

    def __init__(self, version: Version, files: Files, guard: Guard) -> None:
        self.version = version
        self.stream = _stream_name(version.key.version)
        self.last_used = time.monotonic()
        self.is_done = False
        """Set when it must serve no other call."""
        self.is_aborted = False
        self._files = files
        self._guard = guard
        self._directory, self._uid = files.work()
        self._process: Process | None = None
        self._places: Places | None = None

    @property
    def is_alive(self) -> bool:
        return self._process is None or self._process.is_alive

    def prepare(self) -> str:
        """Run init ahead of any call; return "" or why it failed."""
        init = self._init(INIT_SECONDS)
        self._rest()
        if not init.failure:
            return ""
        self.is_done = True
        return init.failure.body.decode() or init.failure.end

    def run(self, request: Request) -> Outcome:
        """Serve a call, starting the process if need be. Raises as `lambda_launch` does."""
        init = _Init(0.0, None)
        if self._process:
            self._process.thaw()
        else:
            init = self._init(INIT_SECONDS)
        log = self._take_log()
        if not init.failure:
            return self._call(request, init.duration_ms, log)
        if init.failure.end == lambda_process.TIMED_OUT:
            log += lambda_report.init_line(init.duration_ms, "init", "timeout")
            return self._run_slowly(request, log)
        return self._failed_init(request, init, log, "init")

    def _run_slowly(self, request: Request, log: str) -> Outcome:
        """Serve a call whose init took too long: init is part of the call then."""
        self._end_process()
        init = self._init(float(self.version.timeout_seconds))
        log += self._take_log()
        if init.failure:
            return self._failed_init(request, init, log, "invoke")
        return self._call(request, 0.0, log, spent_ms=init.duration_ms)

    @property
    def directories(self) -> list[Path]:
        """What it needs on disk beside its own directory."""
        return [self._places.task_root, *self._places.layers] if self._places else []

    def close(self) -> None:
        """End it and remove its directory; no call may be running."""
        self.is_done = True
        self._end_process()
        remove_tree(self._directory)

    def _call(self, request: Request, init_ms: float, log: str, spent_ms: float = 0) -> Outcome:
        process = self._running()
        seconds = max(0.0, self.version.timeout_seconds - spent_ms / 1000)
        header = {
            "requestId": request.id,
            "deadlineMs": int((time.time() + seconds) * 1000),
            "arn": request.arn,
            "clientContext": request.client_context,
            "environment": request.environment,
        }
        began = time.monotonic()
        answer = process.ask(header, request.payload, began + seconds, self._memory_bytes)
        duration_ms = spent_ms + (time.monotonic() - began) * 1000
        report = self._report(request, duration_ms, init_ms)
        if answer.end == lambda_process.ANSWERED and report.peak_bytes > self._memory_bytes:
            answer = Answer(lambda_process.OUT_OF_MEMORY, {}, b"")
        log += lambda_report.start_line(report)
        if answer.end != lambda_process.ANSWERED:
            return self._broken(request, answer, report, log)
        return self._answered(answer, report, log)

    def _answered(self, answer: Answer, report: Report, log: str) -> Outcome:
        self._rest()
        self.is_done = self.is_done or answer.header["kind"] == "fatal"
        log = _with_line_end(log + self._take_log()) + lambda_report.end_lines(report)
        return Outcome(answer.body, answer.header["kind"] != "result", log)

    def _failed_init(self, request: Request, init: _Init, log: str, phase: str) -> Outcome:
        assert init.failure is not None  # noqa: S101 (for mypy: the caller asked)
        self.is_done = True
        report = self._report(request, init.duration_ms, 0.0)
        kind = init.failure.header.get("errorType", lambda_report.EXIT_ERROR)
        status = ("error", kind)
        if init.failure.end == lambda_process.TIMED_OUT:
            status = ("timeout", "")
        log = _with_line_end(log) + lambda_report.init_line(init.duration_ms, phase, *status)
        log += lambda_report.start_line(report)
        if init.failure.end != lambda_process.ANSWERED:
            return self._broken(request, init.failure, report, log)
        payload = json.loads(init.failure.body)
        if "requestId" in payload:
            payload["requestId"] = request.id
        report = report._replace(status="error", error_type=kind)
        return Outcome(json.dumps(payload).encode(), True, log + lambda_report.end_lines(report))

    def _broken(self, request: Request, answer: Answer, report: Report, log: str) -> Outcome:
        """Return the outcome of a call that the process did not survive."""
        self.is_done = True
        process = self._running()
        if answer.end == lambda_process.EXITED:
            text = lambda_report.exit_text(process.exit_code())
        else:
            text = lambda_report.exit_text(process.kill())
        log = _with_line_end(log + self._take_log())
        if answer.end == lambda_process.TIMED_OUT:
            text = lambda_report.timeout_text(self.version.timeout_seconds)
            payload = lambda_report.error(request.id, text, lambda_report.TIMEOUT)
            log += f"{_now_text()} {request.id} {text}\n\n"
            longest_ms = self.version.timeout_seconds * 1000.0
            duration_ms = min(report.duration_ms, longest_ms)
            report = report._replace(status="timeout", duration_ms=duration_ms)
        else:
            payload = lambda_report.error(request.id, text, lambda_report.EXIT_ERROR)
            log += f"RequestId: {request.id} Error: {text}\n{lambda_report.EXIT_ERROR}\n"
            report = report._replace(status="error", error_type=lambda_report.EXIT_ERROR)
        if answer.end == lambda_process.OUT_OF_MEMORY:
            full = self._memory_bytes
            report = report._replace(error_type=lambda_report.OUT_OF_MEMORY, peak_bytes=full)
        log += lambda_report.end_lines(report)
        return Outcome(json.dumps(payload).encode(), True, log)

    def abort(self) -> None:
        """End the process under the call that runs; whoever waits for that must close."""
        self.is_done = self.is_aborted = True
        if self._process:
            self._process.abort()

    def _init(self, seconds: float) -> _Init:
        # Unpacking is no part of the init that is measured.
        self._places = lambda_launch.unpack(self.version, self._files, self._directory, self._uid)
        began = time.monotonic()
        process = lambda_launch.start(self.version, self._places, self._files, self.stream)
        self._process = process
        self._guard.watch(process.pid)
        if self.is_aborted:
            process.abort()
        setup = lambda_launch.setup(self.version, self._places, self._files)
        answer = process.ask(setup, b"", began + seconds, self._memory_bytes)
        is_ready = answer.end == lambda_process.ANSWERED and answer.header["kind"] == "ready"
        return _Init((time.monotonic() - began) * 1000, None if is_ready else answer)

    def _report(self, request: Request, duration_ms: float, init_ms: float) -> Report:
        version = self.version
        peak_bytes = self._running().peak_bytes
        return Report(
            request.id, version.key.version, duration_ms, version.memory_mb, peak_bytes, init_ms
        )

    def _take_log(self) -> str:
        return self._running().take_log()

    def _rest(self) -> None:
        self._running().freeze()

    def _end_process(self) -> None:
        if self._process:
            self._process.close()
            self._guard.forget(self._process.pid)
            self._process = None

    def _running(self) -> Process:
        assert self._process is not None  # noqa: S101 (for mypy: callers started it)
        return self._process

    @property
    def _memory_bytes(self) -> int:
        return self.version.memory_mb * MIB


def _stream_name(version: str) -> str:
    return f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{uuid.uuid4().hex}"


def _now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _with_line_end(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
