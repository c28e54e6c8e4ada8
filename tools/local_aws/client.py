"""Start and stop a local AWS from another process: `make run`, the tests, the benchmarks."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 30.0
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "LOG_LEVEL", "AUTH")
"""What the local AWS inherits. AUTH=true makes it enforce IAM."""


class LocalAws(NamedTuple):
    """A running local AWS."""

    process: subprocess.Popen[str]
    url: str

    def environment(self) -> dict[str, str]:
        """Return the variables that point an AWS client (and Dormouse) to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }

    def stop(self) -> None:
        """End it as Ctrl-C does, and wait."""
        self.process.send_signal(signal.SIGTERM)
        self._wait()

    def kill(self) -> None:
        """End it as a crash does, and wait."""
        self.process.kill()
        self._wait()

    def _wait(self) -> None:
        self.process.wait(STOP_SECONDS)
        if self.process.stdout:
            self.process.stdout.close()


class StartError(Exception):
    """The local AWS did not start; the text says why, in one line."""


def start(
    port: int = 0, state_directory: Path | None = None, errors: IO[str] | None = None
) -> LocalAws:
    """Return a local AWS that answers; it ends with the calling process.

    `errors` receives its log (default: ours). Raises `StartError`.
    """
    command = [sys.executable, "-m", "tools.local_aws", "--port", str(port)]
    command += ["--parent", str(os.getpid())]
    if state_directory:
        command += ["--state-dir", str(state_directory.resolve())]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command,
        cwd=ROOT,
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )
    try:
        word, _, rest = _first_line(process).partition(" ")
    except BaseException:  # Ctrl-C while it starts
        process.kill()
        raise
    if word == "ready":
        return LocalAws(process, rest)
    process.communicate()
    raise StartError(rest or f"the local AWS ended with status {process.returncode}")


def _first_line(process: subprocess.Popen[str]) -> str:
    """Return the line `ready URL` or `refused REASON`, "" if the process ended without one."""
    assert process.stdout is not None  # noqa: S101 - for mypy: it is a pipe
    for line in process.stdout:
        if line.startswith(("ready ", "refused ")):
            return line.strip()
    return ""
