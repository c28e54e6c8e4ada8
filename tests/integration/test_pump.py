"""The pump beside `make run`: changes reach functions, whatever is killed and started again."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running import (
    ACCOUNT,
    END_SECONDS,
    Run,
    answer_of,
    create_collection,
    end_all,
    free_port,
    sign_in,
)

SEER = """
import os

def handler(event, context):
    titles = [each["body"] for each in event.get("Records", ())] or [event["record"]["title"]]
    with open(os.environ["SEEN"], "a") as file:
        file.writelines(title + "\\n" for title in titles)
"""

LOOPER = """
import json, urllib.request

def handler(event, context):
    custom, record = context.client_context.custom, event["record"]
    url = f"{custom['dormouse_url']}/api/collections/notes/records/{record['id']}"
    headers = {"Authorization": custom["dormouse_token"], "Content-Type": "application/json"}
    body = json.dumps({"title": record["title"] + "+"}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PATCH"))
"""
WAIT_SECONDS = 40.0


class World:
    """A running Dormouse, with calls of its API as superuser."""

    def __init__(self, folder: Path) -> None:
        self.run = Run(folder / "state", (free_port(), free_port()), **ACCOUNT).wait_until_awake()
        self.token = sign_in(self.run, *ACCOUNT.values())
        self.seen_file = folder / "seen"

    def start_again(self) -> None:
        """Kill every process, and start anew on what they left."""
        for pid in (self.run.process.pid, *self.run.children().values()):
            os.kill(pid, signal.SIGKILL)
        self.run.process.wait(END_SECONDS)
        self.run.wait_until_ports_are_free()
        ports = (self.run.port, self.run.aws_port)
        self.run = Run(self.run.state, ports, **ACCOUNT).wait_until_awake()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": self.token}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.run.url + path, content, headers, method=method)
        status, answer = answer_of(request)
        assert status == 200, answer
        return answer

    def write(self, title: str) -> None:
        self.ask("POST", "/api/collections/notes/records", {"title": title})

    @property
    def seen(self) -> list[str]:
        return self.seen_file.read_text().splitlines() if self.seen_file.exists() else []

    def make(self, name: str, source: str, **settings: Any) -> None:
        body = {"name": name, "runtime": "python3.11", "handler": "main.handler", **settings}
        self.ask("POST", "/api/functions", body)
        self.ask("PUT", f"/api/functions/{name}/code", {"files": {"main.py": source}})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    folder.chmod(0o777)
    folder.parent.chmod(0o755)
    world = World(folder)
    create_collection(world.run, world.token)
    triggers = [{"type": "record", "collection": "notes"}, {"type": "queue", "queue": "letters"}]
    world.make("seer", SEER, triggers=triggers, environment={"SEEN": str(world.seen_file)})
    yield world
    end_all()


def wait_until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < give_up_at, "still waiting"
        time.sleep(0.05)


def test_a_change_reaches_its_function_within_seconds(world: World) -> None:
    start = time.monotonic()
    world.write("first")
    wait_until(lambda: "first" in world.seen)
    assert time.monotonic() - start < 10


def test_a_message_reaches_its_function_within_seconds(world: World) -> None:
    wait_until(lambda: "letters" in str(world.ask("GET", "/api/queues")))
    start = time.monotonic()
    world.ask("POST", "/api/queues/letters/messages", {"messages": [{"body": "a letter"}]})
    wait_until(lambda: "a letter" in world.seen)
    assert time.monotonic() - start < 10


def test_an_asynchronous_call_is_made_within_seconds(world: World) -> None:
    event = {"event": {"record": {"title": "asynchronous"}}}
    headers = {"Content-Type": "application/json", "Authorization": world.token}
    url = world.run.url + "/api/functions/seer/invoke?mode=async"
    request = urllib.request.Request(url, json.dumps(event).encode(), headers)
    assert answer_of(request)[0] == 202
    wait_until(lambda: "asynchronous" in world.seen)


def test_a_pump_that_died_is_started_again_and_goes_on(world: World) -> None:
    os.kill(world.run.children()["pump"], signal.SIGKILL)
    world.write("while it was dead")
    wait_until(lambda: "The pump ended with status -9" in world.run.text)
    wait_until(lambda: "while it was dead" in world.seen)
    assert world.seen.count("first") == 1, "it goes on where it stopped"


def test_a_change_survives_the_death_of_every_process(world: World) -> None:
    os.kill(world.run.children()["pump"], signal.SIGSTOP)
    world.write("nobody saw it")
    world.start_again()
    wait_until(lambda: "nobody saw it" in world.seen)
    assert world.seen.count("first") == 1


def test_a_function_that_wakes_itself_stops_at_the_limit(world: World) -> None:
    rule = "@request.auth.collectionName = '_functions' && @request.auth.name = 'looper'"
    world.ask("PATCH", "/api/collections/notes", {"updateRule": rule})
    trigger = {"type": "record", "collection": "notes", "rule": "title ~ 'loop%'"}
    world.make("looper", LOOPER, triggers=[trigger], retryAttempts=0)
    path = "/api/functions/looper/invocations"
    world.write("loop")
    wait_until(lambda: "LoopStopped" in json.dumps(world.ask("GET", path)))
    stopped, *others = world.ask("GET", path)["items"]
    assert stopped["error"]["type"] == "Dormouse.LoopStopped"
    assert stopped["depth"] == 9
    assert [each["depth"] for each in others] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert {each["status"] for each in others} == {"succeeded"}
