"""The app served by `chalice local` beside the tests' own local AWS, and raw calls to it."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import subprocess_environment
from tests.integration.running import free_port, is_open
from tools.local_aws.client import LocalAws

ROOT = Path(__file__).parents[2]


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    def header(self, name: str) -> str:
        return ", ".join(self.values(name))

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Server(NamedTuple):
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request; bytes are sent as they are, anything else as JSON."""
        sent = {"Authorization": token} if token else {}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None and not isinstance(body, bytes):
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, content, sent | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()


@contextmanager
def serving(aws: LocalAws, folder: Path, **environment: str) -> Iterator[Server]:
    """Serve the app for as long as this lasts."""
    port, log = free_port(), folder / "serve.log"
    command = [sys.executable, "-m", "tools.serve", "--parent", str(os.getpid())]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT, env=subprocess_environment(aws) | environment, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            if is_open(port):
                break
            time.sleep(0.05)
        yield Server(port, log)
    finally:
        process.terminate()
        process.wait(timeout=20)
