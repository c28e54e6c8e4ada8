"""Each example: deployed with the command line as its README says, woken by its real trigger."""

import hashlib
import hmac
import io
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.integration.cli_client import Cli
from tests.integration.running import ACCOUNT, Run, answer_of, end_all, free_port, sign_in

EXAMPLES = Path(__file__).parents[2] / "examples" / "functions"
EMAIL, PASSWORD = ACCOUNT["DORMOUSE_SUPERUSER_EMAIL"], ACCOUNT["DORMOUSE_SUPERUSER_PASSWORD"]
WAKE_SECONDS = 40.0
SECRET = "an example's secret"


class World:
    """A running Dormouse with a superuser signed in, by HTTP and by the command line."""

    def __init__(self, run: Run, cli: Cli) -> None:
        self.run, self.cli = run, cli
        self.token = sign_in(run, EMAIL, PASSWORD)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": self.token}
        request = urllib.request.Request(self.run.url + path, content, headers, method=method)
        status, answer = answer_of(request)
        assert status == 200, (status, answer)
        return answer

    def deploy(self, example: str, *words: str) -> Any:
        """Make the collection that the README names, and deploy the example."""
        blocks = re.findall(
            r"```json\n(.*?)```", (EXAMPLES / example / "README.md").read_text(), re.S
        )
        for block in blocks:
            self("POST", "/api/collections", json.loads(block))
        return self.cli.ok("functions", "deploy", str(EXAMPLES / example), *words)

    def waited(self, ask: Callable[[], Any], function: str) -> Any:
        """Return the first answer that is not empty."""
        give_up_at = time.monotonic() + WAKE_SECONDS
        while not (found := ask()):
            assert time.monotonic() < give_up_at, self.calls(function)
            time.sleep(0.2)
        return found

    def calls(self, function: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.cli.ok("invocations", function)["items"]
        return items


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("examples")
    run = Run(folder / "state", (free_port(), free_port()), **ACCOUNT).wait_until_awake()
    cli = Cli(run.url, folder / "home")
    assert cli.sign_in(EMAIL, PASSWORD).status == 0
    yield World(run, cli)
    end_all()


def test_hello_is_called_by_hand_and_over_http(world: World) -> None:
    world.deploy("hello")
    called = world.cli.ok("invoke", "hello", "--event", '{"name": "Ann"}')
    assert called["result"] == {"message": "Hello, Ann!"}
    assert re.search(r"Greeting Ann with \d+ ms left", called["logs"])
    with urllib.request.urlopen(f"{world.run.url}/fn/hello?name=Bob") as answer:
        assert json.loads(answer.read()) == {"message": "Hello, Bob!"}
    assert [call["trigger"] for call in world.calls("hello")] == ["http", "invoke"]


def test_slug_is_stamped_on_an_article_that_is_made_or_renamed_and_then_it_rests(
    world: World,
) -> None:
    world.deploy("slug")
    records = "/api/collections/articles/records"
    made = world("POST", records, {"title": "Hello, Wörld!"})
    path = f"{records}/{made['id']}"
    assert made["slug"] == ""
    world.waited(lambda: world("GET", path)["slug"] == "hello-world", "slug")

    world("PATCH", path, {"title": "Good bye"})
    world.waited(lambda: world("GET", path)["slug"] == "good-bye", "slug")
    # One call for each change of ours, none for the function's own.
    world.waited(lambda: len(world.calls("slug")) == 2, "slug")
    statuses = {(call["trigger"], call["status"]) for call in world.calls("slug")}
    assert statuses == {("record", "succeeded")}


def test_nightly_writes_one_report_a_day_at_its_time(world: World) -> None:
    users = "/api/collections/users"
    rule = world("GET", users)["listRule"] or "id = @request.auth.id"
    world("PATCH", users, {"listRule": f"{rule} || @request.auth.rights ~ '\"reports\"'"})
    for name in ("ann", "bob"):
        body = {"email": f"{name}@example.com", "password": "12345678"}
        world("POST", f"{users}/records", {**body, "passwordConfirm": "12345678"})
    world.deploy("nightly")
    assert len(world.cli.ok("show", "nightly")["triggers"][0]["nextRuns"]) == 5

    soon = datetime.now(UTC) + timedelta(seconds=4)
    trigger = {"type": "schedule", "expression": f"at({soon:%Y-%m-%dT%H:%M:%S})"}
    example = str(EXAMPLES / "nightly")
    assert world.cli.ok("deploy", example, "--trigger", json.dumps(trigger))["settings"] == [
        "triggers"
    ]
    reports = "/api/collections/reports/records"
    report = world.waited(lambda: world("GET", reports)["items"], "nightly")[0]
    assert (report["day"], report["counts"]) == (f"{soon:%Y-%m-%d}", {"users": 2})
    assert world.calls("nightly")[0]["trigger"] == "schedule"

    again = world.cli.ok("invoke", "nightly", "--event", json.dumps({"time": report["day"]}))
    assert again["result"]["id"] == report["id"]
    assert world("GET", reports)["totalItems"] == 1


def test_thumbnail_is_made_of_a_picture_that_arrives(world: World) -> None:
    world.deploy("thumbnail")
    records = "/api/collections/pictures/records"
    made = _uploaded(world, records, _picture(800, 600))
    assert made["thumbnail"] == ""
    path = f"{records}/{made['id']}"
    name = world.waited(lambda: world("GET", path)["thumbnail"], "thumbnail")
    with urllib.request.urlopen(f"{world.run.url}/api/files/pictures/{made['id']}/{name}") as file:
        assert Image.open(io.BytesIO(file.read())).size == (200, 150)
    assert [call["trigger"] for call in world.calls("thumbnail")] == ["file"]


def test_webhook_takes_what_is_signed_and_refuses_the_rest(world: World) -> None:
    world.cli.environment["WEBHOOK_SECRET"] = SECRET
    world.deploy("webhook")
    body = json.dumps({"action": "opened", "grüße": 1}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert _sent(world, body, f"sha256={signature}") == (200, {"received": ["action", "grüße"]})
    status, answer = _sent(world, body, f"sha256={signature[:-1]}x")
    assert (status, json.loads(answer)["error"]) == (401, "The signature does not fit.")
    assert _sent(world, body + b" ", f"sha256={signature}")[0] == 401
    assert _sent(world, body, "")[0] == 401
    assert SECRET not in world.cli("show", "webhook", "--json").out


BY_HAND = """
import os

def handler(event, context):
    if "MENDED" not in os.environ:
        raise RuntimeError("not yet")
    return event
"""
BY_HAND_SETTINGS = """
name = "by-hand"
retry_attempts = 0

[[triggers]]
type = "queue"
queue = "jobs"
batch_size = 1
"""


def test_what_failed_in_the_background_is_mended_and_sent_again_by_the_command_line(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "main.py").write_text(BY_HAND)
    (tmp_path / "dormouse.toml").write_text(BY_HAND_SETTINGS)
    cli = world.cli
    cli.ok("deploy", str(tmp_path))
    queued = cli.ok("invoke", "by-hand", "--event", '{"n": 1}', "--async")
    letters = world.waited(lambda: cli.ok("dead-letters", "by-hand")["items"], "by-hand")
    assert [(letter["id"], letter["error"]["type"]) for letter in letters] == [
        (queued["id"], "RuntimeError")
    ]
    assert "RuntimeError: not yet" in cli("dead-letters", "by-hand").out

    cli.ok("deploy", str(tmp_path), "--env", "MENDED=1")
    assert cli.ok("dead-letters", "by-hand", "--redrive-all") == {"redriven": 1}
    cli.ok("queues", "send", "jobs", "--body", '{"n": 2}')
    done = world.waited(lambda: _succeeded(world, "by-hand", 2), "by-hand")
    assert {call["trigger"] for call in done} == {"invoke", "queue"}
    assert cli.ok("dead-letters", "by-hand")["items"] == []


def _succeeded(world: World, function: str, count: int) -> list[dict[str, Any]]:
    found = [call for call in world.calls(function) if call["status"] == "succeeded"]
    return found if len(found) >= count else []


def _sent(world: World, body: bytes, signature: str) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    return answer_of(urllib.request.Request(f"{world.run.url}/fn/webhook", body, headers))


def _picture(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.effect_mandelbrot((width, height), (-2, -1.5, 1, 1.5), 20).save(made, "JPEG")
    return made.getvalue()


def _uploaded(world: World, path: str, picture: bytes) -> Any:
    head = b'--b\r\nContent-Disposition: form-data; name="original"; filename="p.jpg"\r\n\r\n'
    headers = {
        "Content-Type": "multipart/form-data; boundary=b",
        "Authorization": world.token,
    }
    content = head + picture + b"\r\n--b--\r\n"
    status, answer = answer_of(urllib.request.Request(world.run.url + path, content, headers))
    assert status == 200, answer
    return answer
