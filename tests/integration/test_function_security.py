"""Attacks on functions, their triggers and what is kept of them, on the local AWS."""

import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from chalicelib import aws, services, store
from chalicelib.aws import dynamodb
from chalicelib.config import settings
from chalicelib.domain import tokens
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import names
from chalicelib.events import wake
from tests.integration.auth_client import USERS
from tests.integration.event_edge import Edge
from tests.integration.function_client import API, Functions, make_wakes_queue, work_on_wakes

HTTP = [{"type": "http"}]
ECHO = "def handler(event, context):\n    return event\n"
CANARY = "canary-5f0c2b7e-canary"


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    make_wakes_queue()
    functions = Functions()
    functions.client.account(USERS, "ann@example.com", name="Ann")
    return functions


@pytest.fixture(scope="module")
def ann(functions: Functions) -> str:
    token: str = functions.client.login(USERS, "ann@example.com").body["token"]
    return token


# Routes


def routes() -> list[tuple[str, str]]:
    import app  # noqa: PLC0415 - reads the environment that the local AWS sets

    return sorted(
        (method, path)
        for path, by_method in app.app.routes.items()
        for method in by_method
        if re.match(r"/api/(functions|queues|usage)(/|$)", path) and method != "OPTIONS"
    )


def test_every_route_of_functions_is_for_superusers(functions: Functions, ann: str) -> None:
    functions.make("routed", ECHO, triggers=[{"type": "queue", "queue": "routed"}])
    found = routes()
    assert len(found) > 25
    for method, pattern in found:
        for name in ("routed", "absent"):
            path = pattern.replace("{name}", name).replace("{id}", "0" * 20)
            for token, status in (("", 401), (ann, 403)):
                answer = functions.client(method, path, {}, token)
                assert answer.status == status, (method, path, answer)


@pytest.mark.parametrize("bad", ["a" * 1025, "a" * 2049, "é" * 600, "..", "a%00b", "A", "-", "a b"])
def test_odd_names_and_ids_are_absent(functions: Functions, bad: str) -> None:
    for method, pattern in routes():
        if "{" not in pattern or method == "HEAD":
            continue
        path = pattern.replace("{name}", bad).replace("{id}", bad)
        answer = functions.client(method, path, {"messages": [{"body": "x"}]}, functions.client.root)
        assert answer.status in (400, 404), (method, path[:80], answer)
        path = pattern.replace("{name}", "routed").replace("{id}", bad)
        if "{id}" in pattern:
            answer = functions.client(method, path, {}, functions.client.root)
            assert answer.status == 404, (method, path[:80], answer)


@pytest.mark.parametrize("cursor", ["a" * 1025, "é" * 600, "..", "%00", "A" * 20, "x"])
@pytest.mark.parametrize(
    "path", ["/api/functions/routed/dead-letters", "/api/queues/routed/dead-letters",
             "/api/functions/routed/invocations"]
)  # fmt: skip
def test_a_made_up_cursor_is_refused(functions: Functions, path: str, cursor: str) -> None:
    answer = functions.client("GET", f"{path}?cursor={cursor}", token=functions.client.root)
    assert answer.status == 400, answer


# Names


def test_no_queue_is_the_dead_letters_of_another(functions: Functions) -> None:
    body = {"name": "grave", "runtime": "python3.11"}
    body["triggers"] = [{"type": "queue", "queue": "routed-dead"}]  # type: ignore[assignment]
    answer = functions("POST", "", body)
    assert answer.status == 400
    assert "queue" in answer.body["data"]["triggers"]["0"], answer


def test_a_function_whose_name_goes_on_keeps_its_schedules(functions: Functions) -> None:
    every_day = [{"type": "schedule", "expression": "0 3 * * *"}]
    for name in ("tick", "tick-abcdefgh", "tick-abcdefgh-fn"):
        body = {"name": name, "runtime": "python3.11", "triggers": every_day}
        functions.ok("POST", "", body)
    functions.ok("DELETE", "/tick")
    for name in ("tick-abcdefgh", "tick-abcdefgh-fn"):
        assert len(aws.scheduler.of_function(name)) == 1
    functions.ok("PATCH", "/tick-abcdefgh", {"triggers": []})
    assert len(aws.scheduler.of_function("tick-abcdefgh-fn")) == 1
