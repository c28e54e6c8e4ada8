"""Changes that no trigger can judge: they end as dead letters and keep no other change back."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import config
from tests.integration.event_edge import SEER, Edge, all_letters, work_until
from tests.integration.function_client import Functions

BUDGET = "DORMOUSE_SCAN_BUDGET_ITEMS"
TOO_MUCH = "@collection.notes.title ?= title"
"""A rule that reads all notes: more than one change may read, once there are many."""


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    return Functions()


@pytest.fixture(scope="module")
def edge(functions: Functions, tmp_path_factory: pytest.TempPathFactory) -> Edge:
    folder = tmp_path_factory.mktemp("edge")
    folder.parent.chmod(0o755)
    edge = Edge(folder)
    for name in ("notes", "posts"):
        fields = [{"name": name, "type": "text"} for name in ("title", "password")]
        body = {"name": name, "type": "base", "fields": fields}
        functions.client.as_root("POST", "/api/collections", body)
    for name, rule in (("judge", TOO_MUCH), ("seer", None)):
        triggers = [{"type": "record", "collection": "posts", "rule": rule}]
        functions.make(name, SEER, environment=edge.environment, triggers=triggers)
    for number in range(5):
        make(functions, "notes", title=f"note {number}")
    return edge


@pytest.fixture
def small_budget(edge: Edge) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BUDGET, "3")
        config.settings.cache_clear()
        yield
    config.settings.cache_clear()


def make(functions: Functions, collection: str, **values: Any) -> dict[str, Any]:
    path = f"/api/collections/{collection}/records"
    record: dict[str, Any] = functions.client.as_root("POST", path, values)
    return record


@pytest.mark.usefixtures("small_budget")
def test_a_change_that_a_rule_cannot_judge_is_a_dead_letter(
    functions: Functions, edge: Edge
) -> None:
    make(functions, "posts", title="first", password="hunter2-hunter2")
    make(functions, "posts", title="second")
    edge.bring()
    assert {each["record"]["title"] for each in edge.seen} == {"first", "second"}
    letters = all_letters(functions, "judge")
    assert len(letters) == 2
    assert letters[0]["error"]["type"] == "Dormouse.RuleFailed"
    assert "notes" in letters[0]["error"]["message"]
    found = functions.ok("GET", "/judge/invocations")["items"]
    (first,) = (each for each in found if each["event"]["record"]["title"] == "first")
    assert (first["status"], first["trigger"]) == ("failed", "record")
    assert first["event"]["record"]["password"] == "******"
    edge.handle(edge.batches[-1])
    assert len(all_letters(functions, "judge")) == 2


@pytest.mark.usefixtures("small_budget")
def test_such_a_change_can_be_made_up_for(functions: Functions, edge: Edge) -> None:
    edge.forget()
    make(functions, "posts", title="third", password="hunter2-hunter2")
    edge.bring()
    edge.forget()
    newest = all_letters(functions, "judge")[0]
    functions.ok("POST", f"/judge/dead-letters/{newest['id']}/redrive")
    work_until(lambda: bool(edge.seen))
    (event,) = edge.seen
    assert (event["record"]["title"], event["record"]["password"]) == ("third", "hunter2-hunter2")


def test_a_change_that_was_judged_before_is_no_dead_letter(
    functions: Functions, edge: Edge, small_budget: None
) -> None:
    edge.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(BUDGET)
        config.settings.cache_clear()
        make(functions, "posts", title="note 1")
        edge.bring()
    config.settings.cache_clear()
    before = all_letters(functions, "judge")
    edge.handle(edge.batches[-1])  # it comes again, when there is more to read
    assert all_letters(functions, "judge") == before
    assert len(edge.seen) == 2
