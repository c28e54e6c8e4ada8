"""`make bootstrap` and a true `chalice deploy`, for those who want no CloudFormation stack."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.client import Client
from tests.conformance.servers import EMAIL, PASSWORD
from tests.deployed import stage
from tests.deployed.front import Front
from tools.deploy import bootstrap, deploy, project
from tools.local_aws import client
from tools.local_aws.client import LocalAws

NOTES = {"name": "notes", "type": "base", "fields": [{"name": "title", "type": "text"}]}


@pytest.fixture
def fresh_aws() -> Iterator[LocalAws]:
    running = client.start()
    yield running
    running.stop()


@pytest.mark.timeout(600)  # Chalice polls in steps of seconds, and downloads the wheels
def test_chalice_deploys_what_bootstrap_prepared(fresh_aws: LocalAws, tmp_path: Path) -> None:
    copied = tmp_path / "project"
    project.copy(copied, stage.STAGE, "x86_64")
    with stage.environment(fresh_aws):
        outputs = bootstrap.bootstrap(stage.STAGE, copied)
        assert bootstrap.bootstrap(stage.STAGE, copied) == outputs, "not safe to repeat"
        deploy.use(outputs, deploy.here())
        from chalicelib import services  # noqa: PLC0415 - reads the environment set just now

        services.auth.create_superuser(EMAIL, PASSWORD)
    chalice = str(Path(sys.executable).parent / "chalice")
    done = subprocess.run(
        [chalice, "deploy", "--stage", stage.STAGE], cwd=copied,
        env={**os.environ, **fresh_aws.environment()}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    state = json.loads((copied / ".chalice" / "deployed" / f"{stage.STAGE}.json").read_text())
    made = {each["resource_type"]: each for each in state["resources"]}
    with Front(fresh_aws.url, f"{made['rest_api']['rest_api_id']}.execute-api.localhost") as front:
        live = Client(front.base_url)
        body = {"identity": EMAIL, "password": PASSWORD}
        path = "/api/collections/_superusers/auth-with-password"
        token = live.json("POST", path, body).json["token"]
        assert live.json("POST", "/api/collections", NOTES, token).status == 200
        records = "/api/collections/notes/records"
        assert live.json("POST", records, {"title": "ü"}, token).json["title"] == "ü"
        assert live.json("GET", records, token=token).json["totalItems"] == 1
        assert live.json("GET", "/api/nothing").status == 404
        wake_a_function(live, token)
        live.close()


def wake_a_function(live: Client, token: str) -> None:
    """Call one in the background: that takes the queue of wakes and the second function."""
    functions = "/api/functions"
    settings = {"name": "echo", "runtime": "python3.11", "handler": "main.handler"}
    assert live.json("POST", functions, settings, token).status == 200
    code = {"files": {"main.py": "def handler(event, context):\n    return event\n"}}
    assert live.json("PUT", f"{functions}/echo/code", code, token).status == 200
    queued = live.json("POST", f"{functions}/echo/invoke?mode=async", {"event": 7}, token)
    assert queued.status == 202, queued
    path = f"{functions}/echo/invocations/{queued.json['id']}"
    deadline = time.monotonic() + 60
    while (call := live.json("GET", path, token=token).json)["status"] in ("queued", "running"):
        assert time.monotonic() < deadline, call
        time.sleep(0.5)
    assert call["result"] == 7, call
