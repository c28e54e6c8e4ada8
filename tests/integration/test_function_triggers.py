"""Event source mappings: what wakes the event edge on AWS, made and removed with functions."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from chalicelib import config, services
from chalicelib.aws import event_sources
from chalicelib.aws.control import NotYetError
from chalicelib.domain.functions.function import Function, Trigger
from tests.integration.function_client import Functions
from tools import bootstrap

WAKER = "dormouse-local-wake"
RECORD: Trigger = {"id": "r", "type": "record", "collection": "posts", "actions": ["create"]}
FILE: Trigger = {"id": "f", "type": "file", "collection": "posts", "field": "picture"}
QUEUE: Trigger = {"id": "q", "type": "queue", "queue": "jobs", "batchSize": 5, "windowSeconds": 2}


@pytest.fixture(scope="module")
def deployed(table: str) -> Iterator[None]:
    """The event edge's function, and settings as in a deployment."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", "def wake(event, context): pass")
    boto3.client("lambda").create_function(
        FunctionName=WAKER, Runtime="python3.11", Handler="app.wake", Timeout=900,
        Role="arn:aws:iam::000000000000:role/wake", Code={"ZipFile": archive.getvalue()},
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DORMOUSE_WAKER", WAKER)
        config.settings.cache_clear()
        bootstrap.wakes_queue()
        yield
    config.settings.cache_clear()


def function(*triggers: Trigger, name: str = "one") -> Function:
    return Function(f"id-{name}", name, "python3.11", "main.handler", triggers=triggers)


def mappings() -> dict[str, Any]:
    """Return the mappings by what they read: wakes, jobs or stream."""
    found = boto3.client("lambda").list_event_source_mappings(FunctionName=WAKER)
    return {
        "stream" if ":dynamodb:" in arn else arn.rpartition("-")[2].removesuffix(".fifo"): each
        for each in found["EventSourceMappings"]
        if (arn := each["EventSourceArn"])
    }


def test_the_queue_of_wakes_is_read_only_while_there_are_functions(deployed: None) -> None:
    apply = services.function_triggers.apply
    assert mappings() == {}
    apply(None, function())
    assert mappings().keys() == {"wakes"}
    assert mappings()["wakes"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    apply(None, function())
    assert mappings().keys() == {"wakes"}, "a repetition makes no second one"
    apply(function(), None)
    assert mappings() == {}
    apply(function(), None)


def test_a_mapping_on_its_way_out_is_waited_for(
    deployed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.function_triggers.apply(None, function())
    plain = event_sources._find

    def find(source_arn: str) -> dict[str, Any] | None:
        found = plain(source_arn)
        return found and {**found, "State": "Deleting"}  # the local AWS deletes at once

    with monkeypatch.context() as patch:
        patch.setattr(event_sources, "_find", find)
        with pytest.raises(NotYetError):
            services.function_triggers.apply(None, function(name="two"))
    services.function_triggers.apply(function(), None)


def test_a_queue_is_read_while_a_function_works_on_it(deployed: None) -> None:
    apply = services.function_triggers.apply
    apply(None, function(QUEUE))
    jobs = mappings()["jobs"]
    assert (jobs["BatchSize"], jobs["MaximumBatchingWindowInSeconds"]) == (5, 2)
    apply(function(QUEUE), function({**QUEUE, "batchSize": 7}))
    assert mappings()["jobs"]["BatchSize"] == 7
    assert mappings()["jobs"]["UUID"] == jobs["UUID"]
    apply(function(QUEUE), function())
    assert mappings().keys() == {"wakes"}
    apply(function(), None)


@pytest.mark.parametrize("trigger", [RECORD, FILE])
def test_the_stream_is_read_while_a_function_watches_records(
    deployed: None, trigger: Trigger
) -> None:
    apply = services.function_triggers.apply
    apply(None, function(trigger))
    stream = mappings()["stream"]
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    (wanted,) = stream["FilterCriteria"]["Filters"]
    keys = json.loads(wanted["Pattern"])["dynamodb"]["Keys"]
    assert keys == {"PK": {"S": [{"prefix": "RECORDS#"}]}}
    apply(function(trigger), function())
    assert "stream" not in mappings()
    apply(function(), None)
    assert mappings() == {}


def test_the_stream_is_read_until_the_last_watcher_is_gone(deployed: None) -> None:
    functions = Functions()
    fields = [{"name": "title", "type": "text"}]
    functions.client.as_root("POST", "/api/collections", {"name": "posts", "fields": fields})
    for name in ("first", "second"):
        body = {"name": name, "runtime": "python3.11", "handler": "main.handler"}
        functions.ok("POST", "", {**body, "triggers": [{"type": "record", "collection": "posts"}]})
    functions.ok("DELETE", "/first")
    assert mappings().keys() == {"wakes", "stream"}
    functions.ok("PATCH", "/second", {"triggers": []})
    assert mappings().keys() == {"wakes"}
    functions.ok("DELETE", "/second")
    assert mappings() == {}
