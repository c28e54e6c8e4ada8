"""Functions on a deployed stage: each trigger reaches the function through the template's parts."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from chalicelib.domain.functions import names
from tests.deployed import stage
from tests.deployed.stage import Deployed
from tools.deploy import leftovers, project

PREFIX = project.stack_name(stage.STAGE)
SOURCE = """
def handler(event, context):
    print("awake")
    if "Records" in event:
        return {"batchItemFailures": []}
    return {"seen": event if isinstance(event, dict) else {}}
"""
WAIT_SECONDS = 90.0


@pytest.fixture(scope="module")
def live(deployed: Deployed) -> Iterator[Deployed]:
    """The stage with a collection, and a function that every kind of trigger wakes."""
    deployed.must("POST", "/api/collections", {"name": "watched", "type": "base", "fields": [
        {"name": "title", "type": "text"}]})  # fmt: skip
    at = datetime.now(UTC) + timedelta(seconds=20)
    triggers = [
        {"type": "http"},
        {"type": "record", "collection": "watched", "actions": ["create"]},
        {"type": "queue", "queue": "letters"},
        {"type": "schedule", "expression": f"at({at:%Y-%m-%dT%H:%M:%S})"},
    ]
    deployed.must("POST", "/api/functions", {
        "name": "echo", "runtime": "python3.11", "handler": "main.handler", "triggers": triggers,
        "invokeRule": "", "secrets": {"PIN": "1234"}})  # fmt: skip
    made = deployed.must("PUT", "/api/functions/echo/code", {"files": {"main.py": SOURCE}})
    assert made["liveVersion"] == 1
    yield deployed
    deployed.must("DELETE", "/api/functions/echo")


def calls(live: Deployed, trigger: str) -> list[dict[str, Any]]:
    """Return the finished calls that a kind of trigger made."""
    found = live.must("GET", "/api/functions/echo/invocations")["items"]
    return [
        each
        for each in found
        if each["trigger"] == trigger and each["status"] not in ("queued", "running")
    ]


def first_call(live: Deployed, trigger: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := calls(live, trigger)):
        assert time.monotonic() < deadline, live.must("GET", "/api/functions/echo/invocations")
        time.sleep(1)
    assert found[0]["status"] == "succeeded", found
    return found[0]


def test_a_call_answers_with_its_receipt(live: Deployed) -> None:
    answer = live.must("POST", "/api/functions/echo/invoke", {"event": {"n": 1}})
    assert answer["status"] == "succeeded"
    assert answer["result"] == {"seen": {"n": 1}}
    assert answer["billedMs"] > 0
    assert answer["receipt"]["totalUsd"] > 0


@pytest.mark.parametrize("path", ["/api/fn/echo", "/api/fn/echo/deeper/path"])
def test_http_reaches_a_function_through_the_gateway(live: Deployed, path: str) -> None:
    answer = live.ask("POST", f"{path}?q=1", {"hello": "gateway"}, token="")
    assert answer.status == 200, answer
    seen = answer.json["seen"]
    assert seen["body"] == '{"hello":"gateway"}' or "hello" in seen["body"]
    assert seen["queryStringParameters"] == {"q": "1"}
    assert seen["rawPath"].endswith(path.removeprefix("/api"))


def test_a_background_call_passes_queue_and_waker(live: Deployed) -> None:
    answer = live.ask("POST", "/api/functions/echo/invoke?mode=async", {"event": {"n": 2}})
    assert answer.status == 202
    deadline = time.monotonic() + WAIT_SECONDS
    path = f"/api/functions/echo/invocations/{answer.json['id']}"
    while (call := live.must("GET", path))["status"] in ("queued", "running"):
        assert time.monotonic() < deadline, call
        time.sleep(0.5)
    assert call["result"] == {"seen": {"n": 2}}


def test_a_new_record_wakes_a_function_through_the_tables_stream(live: Deployed) -> None:
    made = live.must("POST", "/api/collections/watched/records", {"title": "hello"})
    call = first_call(live, "record")
    assert call["event"]["record"]["id"] == made["id"]
    assert call["event"]["action"] == "create"


def test_a_message_wakes_a_function_through_its_queue(live: Deployed) -> None:
    live.must("POST", "/api/queues/letters/messages", {"messages": [{"body": {"to": "you"}}]})
    assert first_call(live, "queue")["event"]["Records"]


def test_a_schedule_wakes_a_function(live: Deployed) -> None:
    assert first_call(live, "schedule")


def test_each_function_has_a_role_of_its_own_within_the_boundary(live: Deployed) -> None:
    name = names.lambda_function(PREFIX, "echo")
    with stage.environment(live.aws):
        role = boto3.client("iam").get_role(RoleName=name)["Role"]
        function = boto3.client("lambda").get_function_configuration(FunctionName=name)
    assert function["Role"] == role["Arn"]
    assert "FunctionBoundary" in role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert "DORMOUSE_TABLE_NAME" not in function["Environment"]["Variables"]


def test_what_the_app_made_can_be_removed_with_the_stage(live: Deployed) -> None:
    live.must("POST", "/api/functions", {
        "name": "left", "runtime": "python3.11", "handler": "main.handler", "triggers": [
            {"type": "queue", "queue": "left-over"},
            {"type": "schedule", "expression": "rate(1 day)"},
        ]})  # fmt: skip
    live.must("PUT", "/api/functions/left/code", {"files": {"main.py": SOURCE}})
    with stage.environment(live.aws):
        removed = leftovers.remove(PREFIX, "us-east-1")
        again = leftovers.remove(PREFIX, "us-east-1")
    assert {what for what, count in removed.items() if count} == {
        "schedules", "mappings", "queues", "functions", "roles", "logs"
    }, removed  # fmt: skip
    assert not any(count for what, count in again.items() if what != "schedules"), again
