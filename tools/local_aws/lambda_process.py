"""One worker's process: its start, the frames it exchanges with us, what it writes, its sleep.

Between calls the whole process group is stopped, so that threads and children rest as they do in
Lambda. Everything written to its stdout and stderr, by whomever, comes through one pipe.
"""

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from tools.local_aws import lambda_memory

TICK_SECONDS = 0.02
"""How often the memory of a running worker is looked at."""
LOG_BYTES = 4 * 1024 * 1024
"""How much of a call's log is kept; the rest is read and dropped."""
ANSWER_BYTES = 32 * 1024 * 1024
"""More than any program of ours answers: the function wrote into our socket."""
EXIT_SECONDS = 1.0
OPEN_FILES = 1024
_NODE_MB = 32
"""What Node holds beside its heap. A heap that fits is collected before memory runs out."""

_LENGTHS = struct.Struct(">II")
_PIECE_BYTES = 256 * 1024

ANSWERED, TIMED_OUT, OUT_OF_MEMORY, EXITED = "answered", "timedOut", "outOfMemory", "exited"


class Answer(NamedTuple):
    """What became of a question."""

    end: str
    """One of the names above."""
    header: dict[str, Any]
    body: bytes


class Process:
    """A running worker."""

    def __init__(
        self, command: list[str], directory: Path, environment: dict[str, str], storage_bytes: int
    ) -> None:
        self._socket, theirs = socket.socketpair()
        self._logs, writing = os.pipe()
        try:
            self._popen = subprocess.Popen(  # noqa: S603 (the function's own program)
                [*command, str(theirs.fileno())],
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            self._socket.close()
            os.close(self._logs)
            raise
        finally:
            theirs.close()
            os.close(writing)
        self.pid = self._popen.pid
        self._limit(storage_bytes)
        os.set_blocking(self._logs, False)
        self._poll = select.poll()
        self._poll.register(self._logs, select.POLLIN)
        self._poll.register(self._socket, select.POLLIN)
        self._received = bytearray()
        self._log = bytearray()
        self._peak_bytes = 0

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def peak_bytes(self) -> int:
        """The most memory it held, with what it started, as far as it was seen."""
        if self._popen.returncode is None:
            self._peak_bytes = max(self._peak_bytes, lambda_memory.peak_bytes(self.pid))
        return self._peak_bytes

    def ask(self, header: dict[str, Any], body: bytes, until: float, memory_bytes: int) -> Answer:
        """Send a frame and return the answer, or how the wait for it ended.

        `until` is a time of the monotonic clock.
        """
        text = json.dumps(header).encode()
        try:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            self._socket.sendall(_LENGTHS.pack(len(text), len(body)) + text + body)
        except TimeoutError:
            return Answer(TIMED_OUT, {}, b"")
        except OSError:
            return self._exited()
        return self._answer(until, memory_bytes)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> int:
        """End it and all it started; return its exit code, negative for a signal."""
        self.abort()
        code = self._popen.wait()
        self._read_logs()
        return code

    def abort(self) -> None:
        """Kill it and all it started, and do not wait: another thread may, for its answer."""
        started = lambda_memory.tree(self.pid) if self._popen.returncode is None else []
        self._signal(signal.SIGKILL)
        for pid in started:  # those with a session of their own
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill it, if need be, and let go of it."""
        self.kill()
        self._socket.close()
        os.close(self._logs)

    def exit_code(self) -> int:
        """Return the code of a process that ended by itself."""
        try:
            return self._popen.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()

    def take_log(self) -> str:
        """Return what was written since the last time."""
        self._read_logs()
        text = self._log.decode("utf-8", "replace")
        self._log.clear()
        return text

    def _answer(self, until: float, memory_bytes: int) -> Answer:
        next_look = time.monotonic() + TICK_SECONDS
        answer = None
        while not answer:
            answer = self._heard()
            now = time.monotonic()
            if not answer and now >= next_look:
                next_look = now + TICK_SECONDS
                answer = self._looked(until, memory_bytes)
        return answer

    def _heard(self) -> Answer | None:
        """Wait for at most a tick; return the answer if it came, or the process ended."""
        for descriptor, _ in self._poll.poll(TICK_SECONDS * 1000):
            if descriptor == self._logs:
                self._read_logs()
            elif not self._receive():
                return self._exited()
        return self._frame()

    def _looked(self, until: float, memory_bytes: int) -> Answer | None:
        """Return why the wait must end, if it must."""
        if not self.is_alive:
            return self._exited()
        if time.monotonic() >= until:
            return Answer(TIMED_OUT, {}, b"")
        return Answer(OUT_OF_MEMORY, {}, b"") if self._holds_more_than(memory_bytes) else None

    def _holds_more_than(self, memory_bytes: int) -> bool:
        held = lambda_memory.tree_bytes(self.pid)
        self._peak_bytes = max(self._peak_bytes, held)
        return held > memory_bytes

    def _exited(self) -> Answer:
        self._receive()
        return self._frame() or Answer(EXITED, {}, b"")

    def _receive(self) -> bool:
        """Read what is there; return whether there can be more."""
        try:
            piece = self._socket.recv(_PIECE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._received += piece
        return bool(piece) and len(self._received) < ANSWER_BYTES

    def _frame(self) -> Answer | None:
        start = _LENGTHS.size
        if len(self._received) < start:
            return None
        header_bytes, body_bytes = _LENGTHS.unpack_from(self._received)
        end = start + header_bytes + body_bytes
        if len(self._received) < end:
            return None
        header = json.loads(self._received[start : start + header_bytes])
        body = bytes(self._received[start + header_bytes : end])
        del self._received[:end]
        return Answer(ANSWERED, header, body)

    def _read_logs(self) -> None:
        while True:
            try:
                piece = os.read(self._logs, _PIECE_BYTES)
            except OSError:
                return
            if not piece:
                with contextlib.suppress(KeyError):
                    self._poll.unregister(self._logs)
                return
            self._log += piece[: max(0, LOG_BYTES - len(self._log))]

    def _limit(self, storage_bytes: int) -> None:
        limits = [
            (resource.RLIMIT_NOFILE, OPEN_FILES),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, storage_bytes),
        ]
        for kind, value in limits:
            # Where the system has no prlimit, functions have the limits that we have.
            with contextlib.suppress(OSError, AttributeError, ValueError):
                resource.prlimit(self.pid, kind, (value, value))

    def _signal(self, number: signal.Signals) -> None:
        if self._popen.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self.pid, number)


PYTHON = str(getattr(sys, "_base_executable", sys.executable))
"""The interpreter behind our virtual environment: its packages are not in reach of functions."""


def python_command(runtime: Path) -> list[str]:
    """Return how to start Python: this very one, whichever version a function asks for."""
    return [PYTHON, "-I", "-S", "-B", "-u", "-X", "utf8", str(runtime / "lambda_runtime_python.py")]


def node_command(runtime: Path, memory_mb: int) -> list[str]:
    """Return how to start Node, with a heap that fits the function's memory.

    Raises `FileNotFoundError`.
    """
    node = shutil.which("node")
    if not node:
        raise FileNotFoundError("this machine has no node, which functions of nodejs run on")
    heap_mb = memory_mb * 9 // 10 - _NODE_MB
    return [node, f"--max-old-space-size={heap_mb}", str(runtime / "lambda_runtime_node.mjs")]
