"""A process that outlives the local AWS by a moment: it ends the workers and removes their files.

Workers sleep stopped, so they would never notice that the local AWS was killed. The guard reads
`+PID` and `-PID` lines from a pipe whose other end only the local AWS has; its end is the sign.
Run as `python -I -S lambda_guard.py DIRECTORY`.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path


class Guard:
    """The local AWS's side of it."""

    def __init__(self, directory: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 (this file)
            [sys.executable, "-I", "-S", __file__, str(directory)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def watch(self, pid: int) -> None:
        """End this process group when the local AWS ends."""
        self._tell(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        """Leave it alone: it is gone, and its number may soon be another's."""
        self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe:
            with self._lock, contextlib.suppress(OSError):
                pipe.write(line.encode())
                pipe.flush()


def kill_all_of(directory: Path) -> None:
    """End what left its process group: its TMPDIR still tells where it is from."""
    mark = f"TMPDIR={directory}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in process.joinpath("environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            groups.add(pid)
        else:
            groups.discard(pid)
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    directory = Path(sys.argv[1])
    kill_all_of(directory)
    for folder, _, _ in os.walk(directory):
        with contextlib.suppress(OSError):
            os.chmod(folder, 0o700)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
