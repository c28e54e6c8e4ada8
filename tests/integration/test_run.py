"""`make run` as a newcomer meets it: start, sign in, stop, start again, and every way to fail."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running import (
    ACCOUNT,
    END_SECONDS,
    RESTART_SECONDS,
    Run,
    create_collection,
    end_all,
    free_port,
    get,
    sign_in,
)


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def run(tmp_path: Path, ports: tuple[int, int]) -> Run:
    return Run(tmp_path / "state", ports, **ACCOUNT).wait_until_awake()


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
    token = sign_in(first, email, password)
    create_collection(first, token)
    assert first.end() == 0

    start = time.monotonic()
    second = Run(tmp_path / "state", ports).wait_until_awake()
    assert time.monotonic() - start < RESTART_SECONDS
    assert password not in second.text
    assert "curl" not in second.text
    assert get(second, "/api/collections/notes", sign_in(second, email, password)) == 200
    assert second.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_that_it_started(run: Run, number: signal.Signals) -> None:
    children = run.children()
    assert set(children) == {"local_aws", "serve", "pump"}

    assert run.end(number) == 0

    assert "the data is kept" in run.text
    assert "Traceback" not in run.text
    run.wait_until_ports_are_free()
    assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())


def test_a_kill_of_make_run_leaves_nothing_that_blocks_the_next_start(run: Run) -> None:
    token = sign_in(run, "me@example.com", "known1234")
    create_collection(run, token)
    run.end(signal.SIGKILL)

    again = Run(run.state, (run.port, run.aws_port)).wait_until_awake()

    assert get(again, "/api/collections/notes", sign_in(again, *ACCOUNT.values())) == 200
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
    create_collection(run, sign_in(run, *ACCOUNT.values()))
    for pid in (run.process.pid, *run.children().values()):
        os.kill(pid, signal.SIGKILL)
    run.process.wait(END_SECONDS)

    again = Run(run.state, (run.port, run.aws_port)).wait_until_awake()
    assert get(again, "/api/collections/notes", sign_in(again, *ACCOUNT.values())) == 200
    assert again.end() == 0


def test_a_given_superuser_is_made_and_nothing_is_printed(run: Run) -> None:
    assert "password" not in run.text
    assert sign_in(run, *ACCOUNT.values())


def test_two_copies_with_other_ports_and_directories_run_side_by_side(
    run: Run, tmp_path: Path
) -> None:
    other = Run(tmp_path / "other", (free_port(), free_port()), **ACCOUNT).wait_until_awake()
    create_collection(other, sign_in(other, *ACCOUNT.values()))
    assert get(run, "/api/collections/notes", sign_in(run, *ACCOUNT.values())) == 404
    assert other.end() == 0


def test_what_is_in_use_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    free = (free_port(), free_port())
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
