"""Queues: messages in, batches out, partial failure, retries, dead letters, delay."""

import json
import time
from typing import Any

import boto3
import pytest

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import names
from chalicelib.store.queues import Queue
from tests.integration.auth_client import refused
from tests.integration.event_edge import Edge
from tests.integration.function_client import Functions, deliver

WORKER = """
import json, os

def handler(event, context):
    with open(os.environ["SEEN"], "a") as file:
        file.write(json.dumps(event) + "\\n")
    bodies = [each["body"] for each in event["Records"]]
    if "raise" in bodies:
        raise RuntimeError("all of it")
    failed = [each["messageId"] for each in event["Records"] if each["body"].startswith("bad")]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
"""
PATH = "/api/queues/emails"
FORBIDDEN = "The authorized record is not allowed to perform this action."


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    return Functions()


@pytest.fixture(scope="module")
def edge(functions: Functions, tmp_path_factory: pytest.TempPathFactory) -> Edge:
    folder = tmp_path_factory.mktemp("edge")
    folder.parent.chmod(0o755)
    edge = Edge(folder)
    triggers = [{"type": "queue", "queue": "emails", "batchSize": 10}]
    functions.make(
        "worker", WORKER, triggers=triggers, environment=edge.environment, retryAttempts=1,
        retryDelaySeconds=1,
    )  # fmt: skip
    return edge


@pytest.fixture(autouse=True)
def _empty(edge: Edge, functions: Functions) -> None:
    edge.file.unlink(missing_ok=True)
    for name in (sqs_name(), names.dead_queue(settings().resource_prefix, "emails")):
        boto3.client("sqs").purge_queue(QueueUrl=aws.sqs.url(name))
    store.dead_letters.delete_all(store.dead_letters.of_queue("emails"))


def sqs_name() -> str:
    return names.queue(settings().resource_prefix, "emails")


def post(functions: Functions, *bodies: Any, **options: Any) -> Any:
    messages = [{"body": body, **options} for body in bodies]
    return functions.client.as_root("POST", f"{PATH}/messages", {"messages": messages})


def letters(functions: Functions) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = functions.client.as_root("GET", f"{PATH}/dead-letters")["items"]
    return items


def bodies(edge: Edge) -> list[list[str]]:
    return [[each["body"] for each in event["Records"]] for event in edge.seen]


def test_messages_reach_the_function_as_behind_a_queue_of_aws(
    functions: Functions, edge: Edge
) -> None:
    answer = post(functions, {"to": "a@example.com"}, "plain", 7)
    assert answer["failed"] == 0
    assert deliver(sqs_name())["failed"] == []
    assert bodies(edge) == [['{"to":"a@example.com"}', "plain", "7"]]
    first = edge.seen[0]["Records"][0]
    assert first["messageId"] == answer["messages"][0]["id"]
    assert first["eventSource"] == "aws:sqs"
    assert first["attributes"]["ApproximateReceiveCount"] == "1"
    (call,) = functions.ok("GET", "/worker/invocations?perPage=1")["items"]
    assert (call["trigger"], call["status"]) == ("queue", "succeeded")
    assert call["source"]["queue"] == "emails"


def test_a_hundred_messages_go_in_one_call(functions: Functions, edge: Edge) -> None:
    answer = post(functions, *[f"number {n}" for n in range(100)])
    assert len({each["id"] for each in answer["messages"]}) == 100
    assert functions.client.as_root("GET", PATH)["waiting"] == 100


def test_large_messages_are_split_into_what_sqs_takes_at_once(
    functions: Functions, edge: Edge
) -> None:
    answer = post(functions, *["x" * 200_000 for _ in range(4)])
    assert answer["failed"] == 0
    assert functions.client.as_root("GET", PATH)["waiting"] == 4


def test_only_what_failed_comes_back_and_then_becomes_a_dead_letter(
    functions: Functions, edge: Edge
) -> None:
    post(functions, "good", "bad")
    assert len(deliver(sqs_name())["failed"]) == 1
    assert deliver(sqs_name())["records"] == [], "it waits before its retry"
    time.sleep(1.1)
    assert deliver(sqs_name())["failed"] == []
    assert bodies(edge) == [["good", "bad"], ["bad"]]
    (letter,) = letters(functions)
    assert (letter["body"], letter["attempts"]) == ("bad", 2)
    assert letter["error"]["type"] == "Dormouse.Reported"
    assert functions.client.as_root("GET", PATH)["deadLetters"] == 1


def test_a_failed_call_fails_its_whole_batch(functions: Functions, edge: Edge) -> None:
    post(functions, "good", "raise")
    assert len(deliver(sqs_name())["failed"]) == 2
    time.sleep(1.1)
    deliver(sqs_name())
    found = letters(functions)
    assert {each["body"] for each in found} == {"good", "raise"}
    assert {each["error"]["type"] for each in found} == {"RuntimeError"}


def test_a_dead_letter_goes_back_into_its_queue(functions: Functions, edge: Edge) -> None:
    post(functions, "bad 1", "bad 2")
    deliver(sqs_name())
    time.sleep(1.1)
    deliver(sqs_name())
    one, two = letters(functions)
    functions.client.as_root("POST", f"{PATH}/dead-letters/{one['id']}/redrive")
    assert [each["id"] for each in letters(functions)] == [two["id"]]
    missing = functions.client(
        "POST", f"{PATH}/dead-letters/{one['id']}/redrive", token=functions.client.root
    )
    assert missing.status == 404
    answer = functions.client.as_root("POST", f"{PATH}/dead-letters/redrive")
    assert answer == {"redriven": 1, "more": False}
    assert letters(functions) == []
    assert functions.client.as_root("GET", PATH)["waiting"] == 2


def test_a_dead_letter_can_be_dropped(functions: Functions, edge: Edge) -> None:
    queue = store.queues.load("emails")
    assert queue is not None
    dead = names.dead_queue(settings().resource_prefix, "emails")
    aws.sqs.send(dead, aws.sqs.Message("put aside by SQS"))
    (letter,) = letters(functions)
    assert (letter["body"], letter["error"]["type"]) == ("put aside by SQS", "Dormouse.Lost")
    functions.client.as_root("DELETE", f"{PATH}/dead-letters/{letter['id']}")
    assert letters(functions) == []


def test_a_delayed_message_waits(functions: Functions, edge: Edge) -> None:
    post(functions, "later", delaySeconds=1)
    assert deliver(sqs_name())["records"] == []
    assert functions.client.as_root("GET", PATH)["delayed"] == 1
    time.sleep(1.1)
    assert len(deliver(sqs_name())["records"]) == 1


@pytest.mark.parametrize(
    ("message", "field", "code"),
    [
        ({}, None, "validation_invalid_message"),
        ({"body": "x", "other": 1}, None, "validation_invalid_message"),
        ({"body": "x", "delaySeconds": 901}, "delaySeconds", "validation_invalid_delay"),
        ({"body": "x", "delaySeconds": "1"}, "delaySeconds", "validation_invalid_delay"),
        ({"body": ""}, "body", "validation_invalid_body"),
        ({"body": "\0"}, "body", "validation_invalid_body"),
        ({"body": "x" * 262_000}, "body", "validation_body_too_large"),
    ],
)
def test_a_message_that_cannot_be_one_is_refused_and_none_is_sent(
    functions: Functions, edge: Edge, message: Any, field: str | None, code: str
) -> None:
    body = {"messages": [{"body": "fine"}, message]}
    answer = functions.client("POST", f"{PATH}/messages", body, functions.client.root)
    assert answer.status == 400
    error = answer.body["data"]["messages"]["1"]
    assert (error[field] if field else error)["code"] == code
    assert functions.client.as_root("GET", PATH)["waiting"] == 0


@pytest.mark.parametrize("messages", [None, [], [{"body": 1}] * 101])
def test_a_call_has_between_one_and_a_hundred_messages(functions: Functions, messages: Any) -> None:
    answer = functions.client(
        "POST", f"{PATH}/messages", {"messages": messages}, functions.client.root
    )
    assert answer.status == 400


def test_what_sqs_does_not_take_is_told_for_each_message(
    functions: Functions, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = aws.sqs.send_batch

    def half(queue: str, messages: Any) -> Any:
        taken = plain(queue, messages)
        return [*taken[:1], *[("", "InternalError: try again")] * (len(taken) - 1)]

    monkeypatch.setattr(aws.sqs, "send_batch", half)
    answer = post(functions, "one", "two")
    assert answer["failed"] == 1
    assert "id" in answer["messages"][0]
    assert answer["messages"][1]["error"]["code"] == "not_sent"


def test_superusers_and_functions_with_the_right_may_send(functions: Functions, edge: Edge) -> None:
    client, body = functions.client, {"messages": [{"body": "x"}]}
    assert client("POST", f"{PATH}/messages", body).status == 401
    functions.make("sender", WORKER, rights=["queues:emails"])
    functions.make("stranger", WORKER, rights=["queues:other"])

    def token(name: str) -> str:
        return services.service_accounts.token(functions.function(name), 3, time.time())

    answer = client("POST", f"{PATH}/messages", body, token("stranger"))
    assert answer.refusal == refused(403, FORBIDDEN)
    assert client("GET", PATH, token=token("sender")).refusal == refused(403, FORBIDDEN)
    assert client("POST", f"{PATH}/messages", body, token("sender")).status == 200
    deliver(sqs_name())
    (call,) = functions.ok("GET", "/worker/invocations?perPage=1")["items"]
    assert call["depth"] == 4, "one more than that of the function which sent it"


def test_a_chain_through_a_queue_stops_at_the_limit(functions: Functions, edge: Edge) -> None:
    deep = {services.queues.DEPTH: str(settings().chain_limit)}
    aws.sqs.send(sqs_name(), aws.sqs.Message("deep", attributes=deep))
    aws.sqs.send(sqs_name(), aws.sqs.Message("fine"))
    assert deliver(sqs_name())["failed"] == []
    assert bodies(edge) == [["fine"]]
    found = functions.ok("GET", "/worker/invocations?perPage=2")["items"]
    stopped = [each for each in found if each["error"]]
    assert [each["error"]["type"] for each in stopped] == ["Dormouse.LoopStopped"]
    assert letters(functions) == []


@pytest.mark.parametrize("name", ["nobody", "x" * 2000, "No-Name", "a%2Fb"])
def test_an_unknown_queue_is_a_404(functions: Functions, name: str) -> None:
    body = {"messages": [{"body": "x"}]}
    for method, path in (("GET", ""), ("POST", "/messages"), ("GET", "/dead-letters")):
        answer = functions.client(method, f"/api/queues/{name}{path}", body, functions.client.root)
        assert answer.status == 404


def test_what_names_no_dead_letter_is_refused(functions: Functions, edge: Edge) -> None:
    client = functions.client
    for letter_id in ("x" * 2000, "0" * 20):
        path = f"{PATH}/dead-letters/{letter_id}"
        assert client("DELETE", path, token=client.root).status == 404
        assert client("POST", f"{path}/redrive", token=client.root).status == 404
    for query in ("cursor=" + "x" * 2000, "cursor=!", "perPage=0", "perPage=x"):
        path = f"{PATH}/dead-letters?{query}"
        assert client("GET", path, token=client.root).status == 400


def test_a_queue_works_for_one_function(functions: Functions, edge: Edge) -> None:
    body = {
        "name": "thief", "runtime": "python3.11", "handler": "main.handler",
        "triggers": [{"type": "queue", "queue": "emails"}],
    }  # fmt: skip
    answer = functions("POST", "", body)
    assert answer.status == 400
    assert answer.body["data"]["triggers"]["code"] == "validation_queue_taken"
    assert functions("GET", "/thief").status == 404


def test_a_queue_stays_with_its_messages_until_it_is_deleted(functions: Functions) -> None:
    triggers = [{"type": "queue", "queue": "kept"}]
    functions.make("keeper", WORKER, triggers=triggers)
    client = functions.client
    message = {"messages": [{"body": "x"}]}
    client.as_root("POST", "/api/queues/kept/messages", message)
    answer = client("DELETE", "/api/queues/kept", token=client.root)
    assert answer.status == 400
    assert "keeper" in answer.body["message"]
    functions.ok("DELETE", "/keeper")
    view = client.as_root("GET", "/api/queues/kept")
    assert (view["function"], view["waiting"]) == (None, 1)
    name = names.queue(settings().resource_prefix, "kept")
    assert len(deliver(name)["failed"]) == 1, "nobody works on it"
    client.as_root("DELETE", "/api/queues/kept")
    assert client("GET", "/api/queues/kept", token=client.root).status == 404
    with pytest.raises(aws.sqs.MissingQueueError):
        aws.sqs.url(name)


def test_queues_are_listed(functions: Functions, edge: Edge) -> None:
    items = functions.client.as_root("GET", "/api/queues")["items"]
    assert [(each["name"], each["function"], each["attempts"]) for each in items] == [
        ("emails", "worker", 2)
    ]


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        ({"batchItemFailures": []}, set()),
        (None, set()),
        ("text", set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, {"1"}),
        ({"batchItemFailures": [{"itemIdentifier": "3"}]}, {"1", "2"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"1", "2"}),
        ({"batchItemFailures": [{"other": "1"}]}, {"1", "2"}),
        ({"batchItemFailures": "1"}, {"1", "2"}),
    ],
)
def test_an_answer_that_names_no_message_of_the_batch_fails_all(
    result: Any, failed: set[str]
) -> None:
    call = calls.Invocation("i", "f", "worker", calls.SUCCEEDED, calls.QUEUE, result=result)
    messages = [{"messageId": "1"}, {"messageId": "2"}]
    assert services.queue_delivery.failed_of(call, messages) == failed


def test_a_queue_is_made_again_as_it_should_be(functions: Functions, edge: Edge) -> None:
    functions.ok("PATCH", "/worker", {"retryAttempts": 4})
    queue = store.queues.load("emails")
    assert isinstance(queue, Queue)
    assert queue.max_receives == 5
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=aws.sqs.url(sqs_name()), AttributeNames=["All"]
    )["Attributes"]
    policy = json.loads(attributes["RedrivePolicy"])
    assert policy["maxReceiveCount"] > 5
    functions.ok("PATCH", "/worker", {"retryAttempts": 1})
