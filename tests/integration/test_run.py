"""`make run` as a newcomer meets it: start, sign in, stop, start again, and every way to fail."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
END_SECONDS = 30.0
RESTART_SECONDS = 10.0
ACCOUNT = {"DORMOUSE_SUPERUSER_EMAIL": "me@example.com", "DORMOUSE_SUPERUSER_PASSWORD": "known1234"}


class Run:
    """One `python -m tools.run` with its own ports and state."""

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
        """Return the process ids of the local AWS ("local_aws") and of the API ("serve")."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        commands = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
        return {
            name: int(child)
            for child, command in commands.items()
            for name in ("local_aws", "serve")
            if f"tools.{name}" in command
        }

    def wait_until_ports_are_free(self) -> None:
        deadline = time.monotonic() + RESTART_SECONDS
        while _is_open(self.port) or _is_open(self.aws_port):
            assert time.monotonic() < deadline, "something that it started still listens"
            time.sleep(0.05)


@pytest.fixture
def ports() -> tuple[int, int]:
    return _free_port(), _free_port()


@pytest.fixture
def run(tmp_path: Path, ports: tuple[int, int]) -> Iterator[Run]:
    run = Run(tmp_path / "state", ports, **ACCOUNT)
    yield run.wait_until_awake()
    if run.process.poll() is None:
        run.end()


def test_the_first_start_prints_a_password_that_signs_in_and_the_second_finds_the_data(
    tmp_path: Path, ports: tuple[int, int]
) -> None:
    first = Run(tmp_path / "state", ports).wait_until_awake()
    email, password = (
        re.search(rf"{name}\s+(\S+)", first.text).group(1)  # type: ignore[union-attr]
        for name in ("e-mail", "password")
    )
    assert f"{first.url}/api/" in first.text
    _check_the_curl_line(first)
    token = _sign_in(first, email, password)
    _create_collection(first, token)
    assert first.end() == 0

    start = time.monotonic()
    second = Run(tmp_path / "state", ports).wait_until_awake()
    assert time.monotonic() - start < RESTART_SECONDS
    assert password not in second.text
    assert "curl" not in second.text
    assert _get(second, "/api/collections/notes", _sign_in(second, email, password)) == 200
    assert second.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_that_it_started(run: Run, number: signal.Signals) -> None:
    children = run.children()
    assert set(children) == {"local_aws", "serve"}

    assert run.end(number) == 0

    assert "the data is kept" in run.text
    assert "Traceback" not in run.text
    run.wait_until_ports_are_free()
    assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())


def test_a_kill_of_make_run_leaves_nothing_that_blocks_the_next_start(run: Run) -> None:
    token = _sign_in(run, "me@example.com", "known1234")
    _create_collection(run, token)
    run.end(signal.SIGKILL)

    again = Run(run.state, (run.port, run.aws_port)).wait_until_awake()

    assert _get(again, "/api/collections/notes", _sign_in(again, *ACCOUNT.values())) == 200
    assert again.end() == 0
    run.wait_until_ports_are_free()


@pytest.mark.parametrize(("child", "named"), [("local_aws", "the local AWS"), ("serve", "the API")])
def test_when_a_child_dies_the_rest_ends_with_a_message(run: Run, child: str, named: str) -> None:
    os.kill(run.children()[child], signal.SIGKILL)

    assert run.process.wait(END_SECONDS) == 1

    assert f"dormouse: {named} ended with status -9" in run.text
    assert "Traceback" not in run.text
    run.wait_until_ports_are_free()


def test_an_answered_write_survives_the_kill_of_every_process(run: Run) -> None:
    _create_collection(run, _sign_in(run, *ACCOUNT.values()))
    for pid in (run.process.pid, *run.children().values()):
        os.kill(pid, signal.SIGKILL)
    run.process.wait(END_SECONDS)

    again = Run(run.state, (run.port, run.aws_port)).wait_until_awake()
    assert _get(again, "/api/collections/notes", _sign_in(again, *ACCOUNT.values())) == 200
    assert again.end() == 0


def test_a_given_superuser_is_made_and_nothing_is_printed(run: Run) -> None:
    assert "password" not in run.text
    assert _sign_in(run, *ACCOUNT.values())


def test_two_copies_with_other_ports_and_directories_run_side_by_side(
    run: Run, tmp_path: Path
) -> None:
    other = Run(tmp_path / "other", (_free_port(), _free_port()), **ACCOUNT).wait_until_awake()
    _create_collection(other, _sign_in(other, *ACCOUNT.values()))
    assert _get(run, "/api/collections/notes", _sign_in(run, *ACCOUNT.values())) == 404
    assert other.end() == 0


def test_what_is_in_use_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    free = (_free_port(), _free_port())
    cases = {
        f"port {run.port} is taken: set DORMOUSE_PORT": Run(tmp_path / "1", (run.port, free[1])),
        f"port {run.aws_port} is taken: set DORMOUSE_AWS_PORT": Run(
            tmp_path / "2", (free[0], run.aws_port)
        ),
        "is in use by another local AWS": Run(run.state.parent / "state", free),
    }
    for reason, refused in cases.items():
        assert refused.process.wait(END_SECONDS) == 1
        errors = [line for line in refused.text.splitlines() if line.startswith("dormouse:")]
        assert len(errors) == 1
        assert reason in errors[0]
        assert "Traceback" not in refused.text


def _check_the_curl_line(run: Run) -> None:
    lines = run.text[run.text.index("curl ") :].split("\n\n")[0]
    done = subprocess.run(["bash", "-c", f"{lines} -s"], capture_output=True, check=True)
    assert json.loads(done.stdout)["token"]


def _sign_in(run: Run, email: str, password: str) -> str:
    body = {"identity": email, "password": password}
    status, answer = _post(run, "/api/collections/_superusers/auth-with-password", body)
    assert status == 200, answer
    token: str = answer["token"]
    return token


def _create_collection(run: Run, token: str) -> None:
    body = {"name": "notes", "type": "base", "fields": [{"name": "title", "type": "text"}]}
    status, answer = _post(run, "/api/collections", body, token)
    assert status == 200, answer


def _post(run: Run, path: str, body: Any, token: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "Authorization": token}
    return _answer(urllib.request.Request(run.url + path, json.dumps(body).encode(), headers))


def _get(run: Run, path: str, token: str) -> int:
    request = urllib.request.Request(run.url + path, headers={"Authorization": token})
    return _answer(request)[0]


def _answer(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
