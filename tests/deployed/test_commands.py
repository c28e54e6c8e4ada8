"""The commands that a person gives, as they give them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.servers import ROOT
from tests.deployed import stage
from tools.local_aws import client
from tools.local_aws.client import LocalAws


@pytest.fixture
def fresh_aws() -> Iterator[LocalAws]:
    running = client.start()
    yield running
    running.stop()


def run(aws: LocalAws, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DORMOUSE_"))}
    return subprocess.run(
        [sys.executable, "-m", f"tools.deploy.{command}", "--stage", stage.STAGE, *options],
        cwd=ROOT, env={**environment, **aws.environment()}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.timeout(400)  # makes its own package
def test_deploy_superuser_and_destroy(fresh_aws: LocalAws, tmp_path: Path) -> None:
    nobody = run(fresh_aws, "superuser", "--email", "me@example.com")
    assert nobody.returncode == 1
    assert "make deploy STAGE=dev" in nobody.stderr

    options = ["--architecture", "x86_64", "--out", str(tmp_path / "package")]
    done = run(fresh_aws, "deploy", *options, "--front-door", "http", "--monitoring", "off")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "make superuser STAGE=dev" in done.stdout
    assert ".execute-api." in done.stdout

    made = run(fresh_aws, "superuser", "--email", "me@example.com")
    assert made.returncode == 0, made.stderr
    assert "password" in made.stdout

    gone = run(fresh_aws, "destroy")
    assert gone.returncode == 0, gone.stderr
    assert "dormouse-dev" in gone.stdout
    assert run(fresh_aws, "destroy").returncode == 0, "a second destroy has nothing to do"


def test_no_stage_is_made_up() -> None:
    command = [sys.executable, "-m", "tools.deploy.package", "--stage", "nowhere"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("dormouse: 'nowhere' is not among the stages")
