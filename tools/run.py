"""`make run`: a local AWS, table and bucket, the first superuser, `chalice local`, and the pump.

Everything that it starts ends with it, however it ends; and it ends when the local AWS or the API
does. The pump (`tools.pump`), which only background work needs, is started again instead. State is
under `.local/`: the next start finds it.
"""

import argparse
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from chalicelib.errors import ApiError
from tools import options
from tools.local_aws import client
from tools.local_aws.client import ROOT, LocalAws
from tools.options import OptionError, Options

PORT_WAIT_SECONDS = 2.0
"""How long a start waits for the port of one that was just killed."""

HEALTH_SECONDS = 60.0
POLL_SECONDS = 0.2
STOP_SECONDS = 10.0
PUMP_PAUSE_SECONDS, PUMP_LONGEST_PAUSE_SECONDS = 1.0, 60.0
DEFAULT_EMAIL = "admin@example.com"
SEE = "Ports, folder and the first superuser are environment variables: docs/settings.md"


class RunError(Exception):
    """Why Dormouse cannot run, or no longer runs, in one line."""


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """SIGINT or SIGTERM arrived."""


def main() -> int:
    # No options: variables say where it runs. But `--help` must not start a server.
    argparse.ArgumentParser(prog="make run", description=__doc__, epilog=SEE).parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        run(options.read())
    except Stopped:
        _say("\nStopped; the data is kept.")
        return 0
    except (RunError, OptionError, client.StartError) as error:
        print(f"dormouse: {error}", file=sys.stderr)
        return 1


def run(wanted: Options) -> NoReturn:
    """Run until a signal or until a child ends. Raises `RunError`, `StartError` or `Stopped`."""
    _require_free(wanted.port)
    wanted.state_directory.mkdir(parents=True, exist_ok=True)
    with _local_aws(wanted) as aws:
        os.environ.update(aws.environment())
        password = _bootstrap(wanted)
        with _api(wanted) as api:
            _wait_until_healthy(wanted, api)
            with _pump(wanted) as pump:
                _welcome(wanted, password)
                _watch(aws, api, pump)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    # A second Ctrl-C must not cut the clean stop short.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


def _require_free(port: int) -> None:
    deadline = time.monotonic() + PORT_WAIT_SECONDS
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                if time.monotonic() > deadline:
                    reason = f"port {port} is taken: set DORMOUSE_PORT to a free one"
                    raise RunError(reason) from None
                time.sleep(POLL_SECONDS)
            else:
                return


@contextmanager
def _local_aws(wanted: Options) -> Iterator[LocalAws]:
    _say("Starting the local AWS ...")
    with (wanted.state_directory / "local-aws.log").open("a") as log:
        aws = client.start(wanted.aws_port, wanted.state_directory / "aws", log)
    try:
        yield aws
    finally:
        aws.stop()


@contextmanager
def _api(wanted: Options) -> Iterator[subprocess.Popen[bytes]]:
    _say("Starting the API ...")
    command = [sys.executable, "-m", "tools.serve"]
    command += ["--parent", str(os.getpid()), "--port", str(wanted.port)]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # noqa: S603
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Pump:
    """The process that brings background work; one that died is started again, less and less
    often."""

    def __init__(self, wanted: Options) -> None:
        self._log = wanted.state_directory / "pump.log"
        self._command = [sys.executable, "-m", "tools.pump", "--parent", str(os.getpid())]
        self._command += ["--state-dir", str(wanted.state_directory.resolve())]
        self._pause_seconds = PUMP_PAUSE_SECONDS
        self._again_at = 0.0
        self.process = self._start()

    def look_after(self) -> None:
        """Start it again if it died; call this now and then."""
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if not self._again_at:
            self._again_at = now + self._pause_seconds
            _say(
                f"The pump ended with status {self.process.returncode}; it is started again in"
                f" {self._pause_seconds:.0f} s (see {self._log})"
            )
        elif now > self._again_at:
            self._pause_seconds = min(2 * self._pause_seconds, PUMP_LONGEST_PAUSE_SECONDS)
            self._again_at = 0.0
            self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("a") as log:
            return subprocess.Popen(  # noqa: S603 - our own module
                self._command, cwd=ROOT, start_new_session=True, stdout=log, stderr=log
            )


@contextmanager
def _pump(wanted: Options) -> Iterator[_Pump]:
    pump = _Pump(wanted)
    try:
        yield pump
    finally:
        _end(pump.process)


def _bootstrap(wanted: Options) -> str:
    """Make what is missing; return the password of the superuser if one was made up."""
    from chalicelib import services  # noqa: PLC0415 - reads the environment set just now
    from tools import bootstrap  # noqa: PLC0415 - likewise

    _say("Preparing the table ...")
    bootstrap.main()
    if bootstrap.has_superuser():
        return ""
    password = wanted.superuser_password or secrets.token_urlsafe(12)
    try:
        services.auth.create_superuser(wanted.superuser_email or DEFAULT_EMAIL, password)
    except ApiError as error:
        raise RunError(f"the superuser cannot be made: {error} {error.data}") from error
    return "" if wanted.superuser_password else password


def _wait_until_healthy(wanted: Options, api: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + HEALTH_SECONDS
    while not _is_healthy(wanted.url):
        if api.poll() is not None:
            raise RunError(f"the API ended with status {api.returncode} while starting")
        if time.monotonic() > deadline:
            raise RunError(f"the API did not answer within {HEALTH_SECONDS:.0f} seconds")
        time.sleep(POLL_SECONDS)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _welcome(wanted: Options, password: str) -> None:
    _say(f"\nDormouse is awake: {wanted.url}/api/  (Ctrl-C stops it)")
    if not password:
        return
    body = f'{{"identity":"{DEFAULT_EMAIL}","password":"{password}"}}'
    _say(f"""
The first superuser, shown this once:
  e-mail    {DEFAULT_EMAIL}
  password  {password}
Try it:
  curl -H 'Content-Type: application/json' -d '{body}' \\
    {wanted.url}/api/collections/_superusers/auth-with-password
""")


def _watch(aws: LocalAws, api: subprocess.Popen[bytes], pump: _Pump) -> NoReturn:
    while True:
        if aws.process.poll() is not None:
            raise RunError(f"the local AWS ended with status {aws.process.returncode}")
        if api.poll() is not None:
            raise RunError(f"the API ended with status {api.returncode}")
        pump.look_after()
        time.sleep(POLL_SECONDS)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
