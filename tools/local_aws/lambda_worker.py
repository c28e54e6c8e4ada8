"""A worker: one execution environment of a version, which serves one call at a time.

Init has ten seconds of its own. When it takes longer or fails, Lambda tries once more as part of
the call, within its timeout; here a failed init is not repeated, its outcome would be the same.
"""

import hashlib
import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tools.local_aws import lambda_environment, lambda_process, lambda_report
from tools.local_aws.lambda_files import Files, remove_tree
from tools.local_aws.lambda_guard import Guard
from tools.local_aws.lambda_process import Answer, Process
from tools.local_aws.lambda_report import Report
from tools.local_aws.lambda_versions import MIB, Version

INIT_SECONDS = 10.0
RESPONSE_BYTES = 6 * MIB + 100


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
        self._task_root = files.base
        self._layers: list[Path] = []

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
        """Serve a call, starting the process if need be."""
        init, log = _Init(0.0, None), ""
        timeout_seconds = float(self.version.timeout_seconds)
        if self._process:
            self._process.thaw()
        else:
            init = self._init(INIT_SECONDS)
            if init.failure and init.failure.end == lambda_process.TIMED_OUT:
                log = self._take_log() + lambda_report.init_line(
                    init.duration_ms, "init", "timeout"
                )
                self._end_process()
                init = self._init(timeout_seconds)
                timeout_seconds = max(0.0, timeout_seconds - init.duration_ms / 1000)
        log += self._take_log()
        if init.failure:
            return self._failed_init(request, init, log)
        return self._call(request, init.duration_ms, log, timeout_seconds)

    @property
    def directories(self) -> list[Path]:
        """What it needs on disk beside its own directory."""
        return [self._task_root, *self._layers]

    def close(self) -> None:
        """End it and remove its directory; no call may be running."""
        self.is_done = True
        self._end_process()
        remove_tree(self._directory)

    def _call(self, request: Request, init_ms: float, log: str, seconds: float) -> Outcome:
        process = self._running()
        header = {
            "requestId": request.id,
            "deadlineMs": int((time.time() + seconds) * 1000),
            "arn": request.arn,
            "clientContext": request.client_context,
            "environment": request.environment,
        }
        began = time.monotonic()
        answer = process.ask(header, request.payload, began + seconds, self._memory_bytes)
        duration_ms = (time.monotonic() - began) * 1000
        report = self._report(request, duration_ms, init_ms)
        if answer.end == lambda_process.ANSWERED and report.peak_bytes > self._memory_bytes:
            answer = Answer(lambda_process.OUT_OF_MEMORY, {}, b"")
        log += lambda_report.start_line(report)
        if answer.end != lambda_process.ANSWERED:
            return self._broken(request, answer, report, log)
        self._rest()
        self.is_done = self.is_done or answer.header["kind"] == "fatal"
        log = _with_line_end(log + self._take_log())
        is_error = answer.header["kind"] != "result"
        return Outcome(answer.body, is_error, log + lambda_report.end_lines(report))

    def _failed_init(self, request: Request, init: _Init, log: str) -> Outcome:
        assert init.failure is not None  # noqa: S101 (for mypy: the caller asked)
        report = self._report(request, init.duration_ms, 0.0)
        kind = init.failure.header.get("errorType", lambda_report.EXIT_ERROR)
        log = _with_line_end(log)
        log += lambda_report.init_line(init.duration_ms, "init", "error", kind)
        log += lambda_report.start_line(report)
        if init.failure.end != lambda_process.ANSWERED:
            return self._broken(request, init.failure, report, log)
        self.is_done = True
        payload = json.loads(init.failure.body)
        if "requestId" in payload:
            payload["requestId"] = request.id
        report = report._replace(status="error", error_type=kind)
        log += lambda_report.end_lines(report)
        return Outcome(json.dumps(payload).encode(), True, log)

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
        self._unpack()
        began = time.monotonic()
        self._process = self._started()
        answer = self._process.ask(self._setup(), b"", began + seconds, self._memory_bytes)
        is_ready = answer.end == lambda_process.ANSWERED and answer.header["kind"] == "ready"
        return _Init((time.monotonic() - began) * 1000, None if is_ready else answer)

    def _started(self) -> Process:
        version, runtime = self.version, self._files.runtime
        environment = lambda_environment.variables(
            version, self.stream, self._task_root, runtime, self._directory
        )
        if version.is_node:
            program = runtime / "lambda_runtime_node.mjs"
            command = lambda_process.node_command(program, version.memory_mb)
            environment |= self._node_path(environment)
        else:
            command = lambda_process.python_command(runtime / "lambda_runtime_python.py")
        process = Process(command, self._task_root, environment, version.storage_bytes)
        self._guard.watch(process.pid)
        return process

    def _node_path(self, environment: dict[str, str]) -> dict[str, str]:
        parts = [str(path / "nodejs" / "node_modules") for path in self._layers]
        parts += filter(None, [environment.get("NODE_PATH")])
        return {"NODE_PATH": ":".join(parts)} if parts else {}

    def _setup(self) -> dict[str, Any]:
        """Return what the program in the process needs to know before it loads the handler."""
        runtime = str(self.version.config["Runtime"])
        return {
            "handler": str(self.version.config.get("Handler", "")),
            "uid": self._uid,
            "paths": [str(self._task_root), *self._python_layers()],
            "runtimePaths": [str(self._files.libraries)],
            "responseLimitBytes": RESPONSE_BYTES,
            "hasLocale": "LC_CTYPE" in self.version.variables,
            "isSnapStart": self.version.is_snap_start,
            "isAscii": runtime in ("python3.9", "python3.10", "python3.11"),
            "refusesCallbacks": runtime == "nodejs24.x",
        }

    def _unpack(self) -> None:
        """Have the code on disk, which is no part of the init that is measured."""
        self._task_root = self._files.code(self.version.code_sha256(), self.version.code)
        self._layers = [
            self._files.layer(hashlib.sha256(layer).hexdigest(), layer)
            for layer in reversed(self.version.layers())
        ]

    def _python_layers(self) -> list[str]:
        found: list[str] = []
        for layer in self._layers:
            found += map(str, sorted(layer.glob("python/lib/python3*/site-packages")))
            found.append(str(layer / "python"))
        return found

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
