"""The page of examples/upload in a real browser: start, pause, reload, resume, done.

Needs `npm ci`, and Chromium with its driver (Debian: chromium, chromium-driver); without them
it is skipped, since nothing else of Dormouse needs a browser.
"""

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e import webdriver
from tests.e2e.cluster import Cluster
from tests.e2e.webdriver import Browser

ROOT = Path(__file__).parents[2]
SIZE_BYTES = 40_000_001
WAIT_SECONDS = 60.0

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not webdriver.is_installed(), reason="no Chromium with its driver"),
]


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    """The page's URL, on another origin than the API."""
    handler = functools.partial(_Silent, directory=str(ROOT))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/examples/upload/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, count=1)
    yield cluster
    cluster.stop()


def said(browser: Browser) -> str:
    text: str = browser.run("return document.getElementById('said').textContent")
    return text


def share(browser: Browser) -> float:
    return float(browser.run("return document.getElementById('bar').value"))


def wait(until: Callable[[], bool], browser: Browser) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not until():
        assert time.monotonic() < give_up_at, said(browser)
        time.sleep(0.02)


def fill(browser: Browser, cluster: Cluster, file: Path) -> None:
    for name, value in (("server", cluster.apps[0].base_url), ("token", cluster.token)):
        browser.run(f"document.getElementById('{name}').value = '{value}'")
    browser.type("#file", str(file))


def test_the_page_pauses_reloads_and_goes_on(cluster: Cluster, page: str, tmp_path: Path) -> None:
    field = {"name": "file", "type": "file", "maxSize": SIZE_BYTES}
    cluster.must("POST", "/api/collections", {"name": "docs", "fields": [field]})
    file = tmp_path / "holiday film.bin"
    file.write_bytes(os.urandom(SIZE_BYTES))
    with Browser(tmp_path) as browser:
        browser.open(page)
        fill(browser, cluster, file)
        wait(lambda: said(browser) == "Ready.", browser)
        browser.click("#start")
        wait(lambda: share(browser) > 0.2, browser)
        browser.click("#pause")
        wait(lambda: said(browser).startswith("Paused"), browser)

        browser.reload()
        fill(browser, cluster, file)
        wait(lambda: "go on where it was" in said(browser), browser)
        browser.click("#start")
        wait(lambda: share(browser) > 0, browser)
        assert share(browser) > 0.1, "it began again"
        cluster.apps[0].kill()
        cluster.apps[0].start()
        wait(lambda: said(browser).startswith("Done"), browser)
        upload_id = said(browser).split('"')[3]

    record = cluster.must("POST", "/api/collections/docs/records", {"file": {"upload": upload_id}})
    assert record["file"].startswith("holiday_film_")
