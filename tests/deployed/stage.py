"""A stage deployed to a fresh local AWS, as `make deploy` does it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3

from tests.conformance.client import Answer, Client
from tests.conformance.servers import EMAIL, PASSWORD, ROOT
from tests.deployed.front import Front
from tools.deploy import deploy
from tools.deploy.package import Package
from tools.local_aws.client import LocalAws

STAGE = "dev"


class Deployed(NamedTuple):
    """A live stage behind an address of its own."""

    aws: LocalAws
    outputs: dict[str, str]
    base_url: str
    token: str
    """Of the superuser."""

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
        client = Client(self.base_url)
        try:
            return client.json(method, path, body, self.token if token is None else token)
        finally:
            client.close()

    def must(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status < 300, answer
        return answer.json


@contextmanager
def environment(aws: LocalAws) -> Iterator[None]:
    """Point this process to `aws`, and back."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("AWS_", "DORMOUSE_"))]:
        del os.environ[name]
    os.environ.update(aws.environment())
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        boto3.DEFAULT_SESSION = None


def run(aws: LocalAws, package: Package, **parameters: str) -> dict[str, str]:
    """Deploy, as often as one likes; return the stack's outputs."""
    with environment(aws):
        return deploy.deploy(STAGE, package, parameters)


def make_superuser(aws: LocalAws) -> None:
    """Run the command that a person would."""
    environment = {**os.environ, **aws.environment(), "DORMOUSE_SUPERUSER_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "tools.deploy.superuser", "--stage", STAGE, "--email", EMAIL]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


@contextmanager
def reached(aws: LocalAws, outputs: dict[str, str]) -> Iterator[Deployed]:
    """Yield a deployed stage, reached at the URL that its outputs name."""
    host = str(urlsplit(outputs["ApiUrl"]).hostname)
    api_id, _, kind = host.partition(".")
    local = f"{api_id}.{kind.partition('.amazonaws')[0]}.localhost"
    if kind.startswith("execute-api"):
        local = f"{api_id}.execute-api.localhost"
    with Front(aws.url, local) as front:
        client = Client(front.base_url)
        body = {"identity": EMAIL, "password": PASSWORD}
        answer = client.json("POST", "/api/collections/_superusers/auth-with-password", body)
        client.close()
        assert answer.status == 200, (outputs, answer)
        yield Deployed(aws, outputs, front.base_url, answer.json["token"])
