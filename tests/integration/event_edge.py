"""The event edge in tests, without the pump's process: what it would bring is brought by hand."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalicelib.events import wake
from tests.integration.function_client import Functions, work_on_wakes
from tools import bootstrap
from tools.pump.stream import Reader

SEER = """
import json, os
SEEN = os.environ["SEEN"]

def handler(event, context):
    with open(SEEN, "a") as file:
        file.write(json.dumps(event) + "\\n")
    shown = event.get("record") or event.get("original") or {}
    if str(shown.get("title", "")).startswith("poison"):
        raise ValueError(shown["title"])
    return {"attempts": 1}
"""
"""Writes down each event that it gets, and fails on titles that begin with poison."""


class Edge:
    """The changes since it was made, brought by `bring`; `seen` is what `SEER` wrote down."""

    def __init__(self, folder: Path) -> None:
        bootstrap.wakes_queue()
        folder.chmod(0o777)
        self.file = folder / "seen"
        self.reader = Reader(folder / "stream.json", self.handle)
        self.batches: list[list[dict[str, Any]]] = []
        self.bring()

    @property
    def environment(self) -> dict[str, str]:
        return {"SEEN": str(self.file)}

    @property
    def seen(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def forget(self) -> None:
        """Begin a test with nothing seen and nothing to come."""
        self.bring()
        self.file.unlink(missing_ok=True)

    def handle(self, records: list[dict[str, Any]]) -> list[str]:
        batch = [{**each, "eventSource": "aws:dynamodb"} for each in records]
        self.batches.append(batch)
        answer = wake.handle({"Records": batch})
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def bring(self) -> None:
        """Bring all changes, then work on the calls they make."""
        while self.reader.read():
            pass
        work_on_wakes()


def work_until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Work on background calls until something holds."""
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at, "still waiting"
        if not work_on_wakes():
            time.sleep(0.05)


def all_letters(functions: Functions, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = functions.ok("GET", f"/{name}/dead-letters")["items"]
    return items
