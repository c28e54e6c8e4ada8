"""The processes behind the local AWS's functions: warm, asleep between calls, never left over."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import reset
from tests.integration.lambda_functions import FILES, call, client, make, package, wait_for
from tools.local_aws import client as local
from tools.local_aws import lambda_files
from tools.local_aws.client import LocalAws

PARALLEL = 20


@pytest.fixture(scope="module", autouse=True)
def _aws(local_aws: LocalAws) -> None:
    reset(local_aws)


def state(pid: int) -> str:
    """Return T for a stopped process, Z for a zombie, "" for none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        found += [int(process.name)] if int(parent) == pid else []
    return found


def test_parallel_calls_have_a_process_each_and_find_it_warm_again() -> None:
    name = make("main.nap", Timeout=20)
    with ThreadPoolExecutor(PARALLEL) as pool:
        first = list(pool.map(lambda _: call(name, {"seconds": 1.5}), range(PARALLEL)))
        second = list(pool.map(lambda _: call(name, {"seconds": 0.3}), range(PARALLEL)))
    pids = {each.result for each in first}
    assert len(pids) == PARALLEL
    assert all(each.report.init_ms > 0 for each in first)
    assert {each.result for each in second} <= pids
    assert all(each.report.init_ms == 0 for each in second)


def test_nothing_runs_between_calls() -> None:
    name = make("main.ticks")
    call(name, {"start": True})
    time.sleep(0.8)
    assert call(name).result < 40, "80 would be all of the time"
    pid = call(make("main.silent")).result["pid"]
    wait_for(lambda: state(pid) == "T")


def test_new_code_and_settings_are_served_at_once_and_versions_keep_theirs() -> None:
    name = make("main.handler", files={"main.py": "def handler(e, c):\n    return 1\n"})
    lambda_ = client()
    version = lambda_.publish_version(FunctionName=name)["Version"]
    assert call(name).result == call(name, Qualifier=version).result == 1
    code = "import os\n\ndef handler(e, c):\n    return os.environ.get('NEW')\n"
    lambda_.update_function_code(FunctionName=name, ZipFile=package({"main.py": code}))
    assert call(name).result is None
    variables = {"Variables": {"NEW": "set"}}
    lambda_.update_function_configuration(FunctionName=name, Environment=variables)
    assert call(name).result == "set"
    assert call(name, Qualifier=version).result == 1


def test_a_worker_that_was_killed_asleep_is_replaced() -> None:
    name = make("main.silent", "killed")
    pid = call(name).result["pid"]
    os.kill(pid, signal.SIGKILL)
    again = call(name)
    assert again.error == ""
    assert again.result["pid"] != pid
    assert state(pid) == ""


def test_workers_end_with_their_function() -> None:
    name = make("main.silent", "deleted")
    pid = call(name).result["pid"]
    client().delete_function(FunctionName=name)
    assert state(pid) == ""


def test_what_a_worker_started_ends_with_it() -> None:
    name = make("main.has_children")
    children_of_worker = call(name).result
    client().update_function_configuration(FunctionName=name, Timeout=4)
    wait_for(lambda: not any(map(state, children_of_worker)))


def test_a_reset_ends_all_workers_in_calls_too(local_aws: LocalAws) -> None:
    asleep = call(make("main.silent", "asleep")).result["pid"]
    make("main.nap", "busy", Timeout=60)
    before = set(children(local_aws.process.pid))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, "busy", {"seconds": 50})
        (busy,) = wait_for(lambda: set(children(local_aws.process.pid)) - before)
        reset(local_aws)
        assert running.result(5).result["errorType"] == "Runtime.ExitError"
    wait_for(lambda: not state(asleep) and not state(busy))


def test_all_ends_when_the_local_aws_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = local.start()
    try:
        for variable, value in aws.environment().items():
            monkeypatch.setenv(variable, value)
        asleep = call(make("main.silent")).result["pid"]
        grouped, alone = call(make("main.has_children")).result
        node = call(make("index.hello"))
        assert node.error == ""
        task_root = Path(node.result["cwd"])
        workers = children(aws.process.pid)
        wait_for(lambda: (state(grouped), state(alone)) == ("T", "S"))
        assert task_root.exists()
    finally:
        aws.kill()
    assert asleep in workers
    wait_for(lambda: not any(map(state, [*workers, grouped, alone])))
    wait_for(lambda: not task_root.exists())


def test_what_a_crash_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone, alive = (
        tmp_path / "dormouse-lambda-4194304-a",
        tmp_path / f"dormouse-lambda-{os.getpid()}-b",
    )
    for directory in (gone, alive):
        (directory / "code").mkdir(parents=True)
        (directory / "code").chmod(0o555)
    lambda_files.remove_leftovers()
    assert (gone.exists(), alive.exists()) == (False, True)


def test_a_package_cannot_write_outside_of_its_directory(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(ValueError, match="outside"):
        lambda_files.unpack(package({"../outside.py": ""}), inside)
    assert not (tmp_path / "outside.py").exists()
    lambda_files.unpack(package(FILES), inside)
    assert json.loads((inside / "esm" / "package.json").read_text()) == {"type": "module"}
