"""Server mode: gunicorn with two workers answers as the app in this process does."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.conformance.client import Answer, Client
from tests.conformance.servers import EMAIL, PASSWORD, ROOT, free_port
from tests.deployed import stage
from tools.local_aws import client
from tools.local_aws.client import LocalAws

WORKERS = 2
RECORDS = "/api/collections/notes/records"
FIRST = "filter=" + quote('title = "first"')
NOTES = {
    "name": "notes", "type": "base", "listRule": "", "viewRule": "",
    "fields": [{"name": "title", "type": "text", "required": True}],
}  # fmt: skip
NOT_COMPARED = {"date", "server", "connection", "content-length", "keep-alive"}


class Serving(NamedTuple):
    base_url: str
    token: str
    process: subprocess.Popen[bytes]
    direct: Callable[[str, str, bytes | None, dict[str, str]], Answer]
    """The same question, asked of the app in this process."""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    aws = client.start()
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with stage.environment(aws):
        token = prepared()
        process, base_url = started(aws, log)
        try:
            yield Serving(base_url, token, process, in_this_process())
        finally:
            process.terminate()
            process.wait(20)
    aws.stop()


def prepared() -> str:
    from chalicelib.config import settings  # noqa: PLC0415 - after the environment is set

    settings.cache_clear()
    from chalicelib import services  # noqa: PLC0415 - likewise
    from tools import bootstrap  # noqa: PLC0415 - likewise

    bootstrap.main()
    services.auth.create_superuser(EMAIL, PASSWORD)
    ask = in_this_process()
    head = {"content-type": "application/json"}
    body = json.dumps({"identity": EMAIL, "password": PASSWORD}).encode()
    path = "/api/collections/_superusers/auth-with-password"
    token: str = ask("POST", path, body, head).json["token"]
    head["authorization"] = token
    assert ask("POST", "/api/collections", json.dumps(NOTES).encode(), head).status == 200
    assert ask("POST", RECORDS, b'{"title": "first"}', head).status == 200
    return token


def in_this_process() -> Callable[[str, str, bytes | None, dict[str, str]], Answer]:
    from app import app  # noqa: PLC0415 - after the environment is set

    def ask(method: str, path: str, content: bytes | None, headers: dict[str, str]) -> Answer:
        path, _, query = path.partition("?")
        event = {
            "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": headers,
            "requestContext": {"http": {"method": method, "sourceIp": "127.0.0.1"}},
            "body": content.decode() if content else None,
        }  # fmt: skip
        told = app(event, None)
        lower = {name.lower(): value for name, value in told["headers"].items()}
        return Answer(told["statusCode"], lower, told["body"].encode())

    return ask


def started(aws: LocalAws, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    environment = {**os.environ, **aws.environment(), "WEB_CONCURRENCY": str(WORKERS)}
    environment["GUNICORN_CMD_ARGS"] = f"--bind 127.0.0.1:{port}"
    gunicorn = str(Path(sys.executable).parent / "gunicorn")
    with log.open("wb") as told:
        process = subprocess.Popen(
            [gunicorn, "server"], cwd=ROOT, env=environment, stdout=told, stderr=told
        )
    base_url = f"http://127.0.0.1:{port}"
    give_up_at = time.monotonic() + 30
    while not healthy(base_url):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up_at, log.read_text()
        time.sleep(0.1)
    return process, base_url


def healthy(base_url: str) -> bool:
    probe = Client(base_url, 5.0)
    try:
        return probe.request("GET", "/api/health").status == 200
    except OSError:
        return False
    finally:
        probe.close()


QUESTIONS: list[tuple[str, str, Any, bool]] = [
    ("GET", "/api/health", None, False),
    ("HEAD", "/api/health", None, False),
    ("OPTIONS", RECORDS, None, False),
    ("GET", RECORDS, None, False),
    ("GET", f"{RECORDS}?{FIRST}&fields=title", None, False),
    ("GET", f"{RECORDS}?filter=nothing=1", None, False),
    ("GET", f"{RECORDS}/missing00000000", None, False),
    ("POST", RECORDS, {"title": "no guest may"}, False),
    ("POST", RECORDS, {}, True),
    ("PUT", RECORDS, {}, True),
    ("GET", "/api/collections", None, True),
    ("GET", "/api/collections", None, False),
    ("GET", "/api/settings", None, True),
    ("GET", "/api/nothing", None, False),
    ("GET", "/", None, False),
    ("GET", f"{RECORDS}/%C3%BC%2F%C3%A4", None, False),
]


@pytest.mark.parametrize(("method", "path", "body", "is_superuser"), QUESTIONS)
def test_the_server_answers_as_the_app(
    serving: Serving, method: str, path: str, body: Any, is_superuser: bool
) -> None:
    headers = {"origin": "https://example.com", "content-type": "application/json"}
    if is_superuser:
        headers["authorization"] = serving.token
    content = None if body is None else json.dumps(body).encode()
    theirs = serving.direct(method, path, content, headers)
    browser = Client(serving.base_url)
    ours = browser.request(method, path, content, headers)
    browser.close()
    assert (ours.status, ours.content) == (theirs.status, theirs.content)
    assert compared(ours) == compared(theirs)


def compared(answer: Answer) -> dict[str, str]:
    """Return the headers; of an answer without a body its type says nothing."""
    left_out = NOT_COMPARED if answer.content else NOT_COMPARED | {"content-type"}
    return {name: value for name, value in answer.headers.items() if name not in left_out}


def test_two_workers_serve_writers_side_by_side(serving: Serving) -> None:
    errors: list[Any] = []

    def write(number: int) -> None:
        own = Client(serving.base_url)
        for each in range(5):
            body = {"title": f"{number} {each}"}
            answer = own.json("POST", RECORDS, body, serving.token)
            if answer.status != 200:
                errors.append(answer)
        own.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    reader = Client(serving.base_url)
    total = reader.json("GET", f"{RECORDS}?perPage=1").json["totalItems"]
    reader.close()
    assert total == 8 * 5 + 1
    pid = serving.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == WORKERS
