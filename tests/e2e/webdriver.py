"""A headless Chromium by the W3C WebDriver protocol: as much of it as one page needs."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.conformance.servers import free_port

START_SECONDS = 30.0
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def is_installed() -> bool:
    return bool(shutil.which("chromedriver") and shutil.which("chromium"))


class Browser:
    """A context manager; every method raises what the driver answers."""

    def __init__(self, folder: Path) -> None:
        self._url = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        self._session = ""

    def __enter__(self) -> "Browser":
        port = self._url.rpartition(":")[2]
        with (self._folder / "chromedriver.log").open("w") as log:
            self._process = subprocess.Popen(
                ["chromedriver", f"--port={port}"], stdout=log, stderr=log
            )
        arguments = [*OPTIONS, f"--user-data-dir={self._folder / 'profile'}"]
        wanted = {"goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")}}
        body = {"capabilities": {"alwaysMatch": wanted}}
        give_up_at = time.monotonic() + START_SECONDS
        while True:
            try:
                self._session = "/session/" + self._ask("POST", "/session", body)["sessionId"]
            except ConnectionError:
                assert time.monotonic() < give_up_at
                time.sleep(0.1)
            else:
                return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session:
            self._ask("DELETE", self._session)
        self._process.terminate()
        self._process.wait(10)

    def open(self, url: str) -> None:
        self._ask("POST", self._session + "/url", {"url": url})

    def reload(self) -> None:
        self._ask("POST", self._session + "/refresh", {})

    def type(self, selector: str, text: str) -> None:
        element = self._find(selector)
        self._ask("POST", f"{element}/value", {"text": text})

    def click(self, selector: str) -> None:
        self._ask("POST", self._find(selector) + "/click", {})

    def run(self, script: str) -> Any:
        """Return what a script returns."""
        body = {"script": script, "args": []}
        return self._ask("POST", self._session + "/execute/sync", body)

    def _find(self, selector: str) -> str:
        body = {"using": "css selector", "value": selector}
        found = self._ask("POST", self._session + "/element", body)
        return f"{self._session}/element/{found[_ELEMENT]}"

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.loads(response.read())["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(error.read().decode()[:1000]) from None
        except urllib.error.URLError as error:
            raise ConnectionError(str(error)) from error
