"""`python -m tools.run` as a child process with its own ports and state, and calls to its API."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).parents[2]
END_SECONDS = 30.0
RESTART_SECONDS = 10.0
ACCOUNT = {"DORMOUSE_SUPERUSER_EMAIL": "me@example.com", "DORMOUSE_SUPERUSER_PASSWORD": "known1234"}


class Run:
    """One `python -m tools.run` with its own ports and state."""

    started: ClassVar[list["Run"]] = []

    def __init__(self, state: Path, ports: tuple[int, int], **environment: str) -> None:
        self.port, self.aws_port = ports
        self.state = state
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("DORMOUSE_")
        }
        self.environment |= {"DORMOUSE_PORT": str(self.port), "DORMOUSE_STATE_DIR": str(state)}
        self.environment |= {"DORMOUSE_AWS_PORT": str(self.aws_port), **environment}
        self.log = state.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tools.run"],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

        self.started.append(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def text(self) -> str:
        return self.log.read_text()

    def wait_until_awake(self) -> "Run":
        deadline = time.monotonic() + 60
        while "Dormouse is awake" not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        return self

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS)

    def children(self) -> dict[str, int]:
        """Return the process ids of "local_aws", of the API ("serve") and of the "pump"."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        commands = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
        return {
            name: int(child)
            for child, command in commands.items()
            for name in ("local_aws", "serve", "pump")
            if f"tools.{name}" in command
        }

    def wait_until_ports_are_free(self) -> None:
        deadline = time.monotonic() + RESTART_SECONDS
        while is_open(self.port) or is_open(self.aws_port):
            assert time.monotonic() < deadline, "something that it started still listens"
            time.sleep(0.05)


def end_all() -> None:
    """Kill what a failed test left running; its children end with it."""
    for run in Run.started:
        if run.process.poll() is None:
            run.end(signal.SIGKILL)
    Run.started.clear()


def sign_in(run: Run, email: str, password: str) -> str:
    body = {"identity": email, "password": password}
    status, answer = post(run, "/api/collections/_superusers/auth-with-password", body)
    assert status == 200, answer
    token: str = answer["token"]
    return token


def create_collection(run: Run, token: str) -> None:
    body = {"name": "notes", "type": "base", "fields": [{"name": "title", "type": "text"}]}
    status, answer = post(run, "/api/collections", body, token)
    assert status == 200, answer


def post(run: Run, path: str, body: Any, token: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "Authorization": token}
    return answer_of(urllib.request.Request(run.url + path, json.dumps(body).encode(), headers))


def get(run: Run, path: str, token: str) -> int:
    request = urllib.request.Request(run.url + path, headers={"Authorization": token})
    return answer_of(request)[0]


def answer_of(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
