"""Several Dormouse processes on one local AWS, and writers that use them all at once."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conformance.client import Answer, Client
from tests.conformance.servers import EMAIL, PASSWORD, ROOT, free_port, is_healthy
from tools.local_aws import client as local_aws

START_SECONDS = 60.0
Writer = Callable[[Client, int], None]


class App:
    """One `chalice local` process; it can be killed and started again on its port."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tools.serve", "--parent", str(os.getpid())]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        give_up_at = time.monotonic() + START_SECONDS
        while not is_healthy(self.base_url):
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() < give_up_at, self._log.read_text()[-2000:]
            time.sleep(0.1)

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Cluster:
    """A local AWS with its journal, bootstrapped, and `count` apps on it."""

    def __init__(self, folder: Path, count: int = 2) -> None:
        self._folder = folder
        self._aws_port = free_port()
        self._errors = (folder / "aws.log").open("w")
        self._aws = self._start_aws()
        self.environment = {**os.environ, **self._aws.environment()}
        self._bootstrap()
        self.apps = [App(self.environment, folder / f"app{number}.log") for number in range(count)]
        for app in self.apps:
            app.start()
        self.token = self._sign_in()

    def _start_aws(self) -> local_aws.LocalAws:
        return local_aws.start(self._aws_port, self._folder / "aws", self._errors)

    def _bootstrap(self) -> None:
        # In a child: this process may have read other settings already.
        code = (
            "from tools import bootstrap; bootstrap.main();"
            "from chalicelib import services;"
            f"services.auth.create_superuser({EMAIL!r}, {PASSWORD!r})"
        )
        command = [sys.executable, "-c", code]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def _sign_in(self) -> str:
        client = self.client(0)
        body = {"identity": EMAIL, "password": PASSWORD}
        answer = client.json("POST", "/api/collections/_superusers/auth-with-password", body)
        client.close()
        assert answer.status == 200, answer
        token: str = answer.json["token"]
        return token

    def client(self, app: int) -> Client:
        return Client(self.apps[app].base_url)

    def ask(self, method: str, path: str, body: Any = None, app: int = 0) -> Answer:
        """Make one call as superuser."""
        client = self.client(app)
        try:
            return client.json(method, path, body, self.token)
        finally:
            client.close()

    def must(self, method: str, path: str, body: Any = None, app: int = 0) -> Any:
        answer = self.ask(method, path, body, app)
        assert answer.status < 300, answer
        return answer.json

    def kill_aws(self) -> None:
        """As `kill -9` does."""
        self._aws.kill()

    def start_aws(self) -> None:
        """Start it again on its port, from its journal."""
        self._aws = self._start_aws()

    def run(self, writers_per_app: int, write: Writer) -> None:
        """Run `write(client, number)` in that many threads per app; raise their first error."""
        errors: list[BaseException] = []
        threads = [
            threading.Thread(target=self._write, args=(write, app, number, errors))
            for number, app in enumerate(list(range(len(self.apps))) * writers_per_app)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _write(self, write: Writer, app: int, number: int, errors: list[BaseException]) -> None:
        client = self.client(app)
        try:
            write(client, number)
        except BaseException as error:  # noqa: BLE001 - shown by run
            errors.append(error)
        finally:
            client.close()

    def stop(self) -> None:
        for app in self.apps:
            app.kill()
        self._aws.stop()
        self._errors.close()
