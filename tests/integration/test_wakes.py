"""Background calls through the queue of wakes: order, retries, trouble, maintenance."""

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from chalicelib import aws, services, store
from chalicelib.domain.functions import invocation as calls
from chalicelib.errors import UnavailableError
from chalicelib.events import wake
from tests.integration import function_client
from tests.integration.event_edge import SEER, Edge, all_letters, work_until
from tests.integration.function_client import Functions, work_on_wakes


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    return Functions()


@pytest.fixture(scope="module")
def edge(functions: Functions, tmp_path_factory: pytest.TempPathFactory) -> Edge:
    folder = tmp_path_factory.mktemp("edge")
    folder.parent.chmod(0o755)
    edge = Edge(folder)
    functions.make("seer", SEER, environment=edge.environment, retryDelaySeconds=1)
    return edge


@pytest.fixture(autouse=True)
def _nothing_seen(edge: Edge) -> None:
    edge.forget()


def queue(functions: Functions, title: str, **options: Any) -> calls.Invocation:
    event = {"record": {"title": title}}
    function = functions.function("seer")
    return services.background_calls.queue(function, event, **{"trigger": calls.INVOKE, **options})


def titles(edge: Edge) -> list[str]:
    return [each["record"]["title"] for each in edge.seen]


class Context:
    """Lambda's context, with so much time left."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._until - time.monotonic()) * 1000)


def received() -> list[dict[str, Any]]:
    return function_client.received(services.wakes.queue_name())


def handled(messages: list[dict[str, Any]], context: Any = None) -> list[str]:
    return function_client.handled(services.wakes.queue_name(), messages, context)


def test_an_asynchronous_call_is_tried_twice_again_and_then_a_dead_letter(
    functions: Functions, edge: Edge
) -> None:
    body = {"event": {"record": {"title": "poison"}}}
    answer = functions("POST", "/seer/invoke?mode=async", body)
    assert answer.status == 202
    start = time.monotonic()
    work_until(lambda: bool(all_letters(functions, "seer")))
    assert time.monotonic() - start > 3, "1 second before the first retry, 2 before the second"
    assert titles(edge) == ["poison"] * 3
    call = functions.ok("GET", f"/seer/invocations/{answer.body['id']}")
    assert (call["status"], call["attempt"]) == ("failed", 3)
    (letter,) = all_letters(functions, "seer")
    assert (letter["id"], letter["attempts"]) == (answer.body["id"], 3)
    functions.ok("DELETE", f"/seer/dead-letters/{letter['id']}")


def test_a_dead_letter_takes_texts_that_are_no_unicode(functions: Functions, edge: Edge) -> None:
    functions.ok("PATCH", "/seer", {"retryAttempts": 0, "redact": ["title"]})
    title = "poison \ud83d"
    call = queue(functions, title)
    work_until(lambda: bool(all_letters(functions, "seer")))
    functions.ok("POST", f"/seer/dead-letters/{call.id}/redrive")
    work_until(lambda: bool(all_letters(functions, "seer")))
    assert titles(edge) == [title] * 2
    functions.ok("DELETE", f"/seer/dead-letters/{all_letters(functions, 'seer')[0]['id']}")
    error = {"type": "Error", "message": title}  # as JavaScript words it
    services.dead_letters.keep(functions.function("seer"), call._replace(error=error))
    (letter,) = all_letters(functions, "seer")
    assert letter["error"] == {"type": "Error", "message": "poison ?"}
    functions.ok("DELETE", f"/seer/dead-letters/{call.id}")
    functions.ok("PATCH", "/seer", {"retryAttempts": 2, "redact": []})


def test_a_dead_letter_of_an_http_call_outlives_a_cap_without_room(
    functions: Functions, edge: Edge
) -> None:
    functions.ok("PATCH", "/seer", {"retryAttempts": 0})
    call = queue(functions, "poison", trigger=calls.HTTP)
    work_until(lambda: bool(all_letters(functions, "seer")))
    functions.ok("PATCH", "/seer", {"capUsd": {"amount": "0.0000001", "per": "day"}})
    functions.invoke("seer", {})  # this process knows by now that it is used up
    again = functions.ok("POST", f"/seer/dead-letters/{call.id}/redrive")["invocation"]
    work_until(lambda: bool(all_letters(functions, "seer")))
    (letter,) = all_letters(functions, "seer")
    assert (letter["id"], letter["error"]["type"]) == (again, "Dormouse.CapReached")
    assert letter["event"] == {"record": {"title": "poison"}}
    functions.ok("DELETE", f"/seer/dead-letters/{again}")
    functions.ok("PATCH", "/seer", {"retryAttempts": 2, "capUsd": None})


def test_a_message_that_comes_twice_does_not_make_a_dead_letter_anew(
    functions: Functions, edge: Edge
) -> None:
    functions.ok("PATCH", "/seer", {"retryAttempts": 0})
    call = queue(functions, "poison")
    (message,) = received()
    assert handled([message]) == []
    (letter,) = store.dead_letters.oldest(call.function_id, 2)
    store.dead_letters.begin_redrive(letter, "first")  # the process that does it dies
    assert handled([message]) == []
    assert store.dead_letters.begin_redrive(letter, "second") == "first"
    store.dead_letters.delete(letter.owner, letter.id)
    functions.ok("PATCH", "/seer", {"retryAttempts": 2})


def test_calls_of_one_group_are_made_in_order_and_wait_for_the_first(
    functions: Functions, edge: Edge
) -> None:
    of_record = {"trigger": calls.RECORD, "source": {"collectionId": "c", "recordId": "r"}}
    queued = [queue(functions, title, **of_record) for title in ("poison", "second", "third")]
    (group,) = {services.wakes.group_of(each) for each in queued}
    queue(functions, "elsewhere")
    messages = received()
    assert len(messages) == 4
    failed = handled(messages)
    assert sorted(titles(edge)) == ["elsewhere", "poison"]
    assert failed == [
        each["messageId"] for each in messages if each["attributes"]["MessageGroupId"] == group
    ]
    assert received() == [], "SQS holds the group back until the first comes again"
    functions.ok("PATCH", "/seer", {"retryAttempts": 0})  # its next failure is the last
    work_until(lambda: "third" in titles(edge))
    assert titles(edge)[-3:] == ["poison", "second", "third"]
    functions.ok("PATCH", "/seer", {"retryAttempts": 2})
    functions.ok("DELETE", f"/seer/dead-letters/{all_letters(functions, 'seer')[0]['id']}")


def test_a_call_is_not_begun_that_cannot_end_in_time(functions: Functions, edge: Edge) -> None:
    queue(functions, "late")
    messages = received()
    assert handled(messages, Context(5)) == [messages[0]["messageId"]]
    assert titles(edge) == []
    again = received()
    assert handled(again, Context(60)) == []
    assert titles(edge) == ["late"]


def test_a_call_of_a_function_that_is_gone_is_dropped(functions: Functions, edge: Edge) -> None:
    functions.make("brief", SEER, environment=edge.environment)
    functions("POST", "/brief/invoke?mode=async", {"event": {"record": {"title": "x"}}})
    functions.ok("DELETE", "/brief")
    messages = received()
    assert len(messages) == 1
    assert handled(messages) == []
    assert titles(edge) == []


def test_trouble_of_our_own_brings_a_message_back_later_and_later(
    functions: Functions, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(functions, "troubled")
    messages = received()

    def refuse(*args: Any) -> None:
        raise UnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(services.background_calls, "run_queued", refuse)
        assert handled(messages) == [messages[0]["messageId"]]
    message = {"attributes": {"ApproximateReceiveCount": "3"}}
    assert services.wakes.trouble_seconds(message) == 20
    aws.sqs.change_visibility(services.wakes.queue_name(), messages[0]["receiptHandle"], 0)
    assert handled(received()) == []
    assert titles(edge) == ["troubled"]


def test_a_call_that_lost_its_message_gets_another(
    functions: Functions, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(services.wakes, "send", lambda *args, **options: None)
        call = queue(functions, "lost")
        queue(functions, "lost too")
    assert work_on_wakes() == 0
    until = time.monotonic() + 5
    assert services.maintenance.resend_lost_calls(until) == 0, "they are not overdue yet"
    assert services.maintenance.resend_lost_calls(until, overdue_ms=-1000) == 2
    name = services.wakes.queue_name()
    (first,) = aws.sqs.receive(name, visibility_seconds=0, most=1)
    assert call.id in first["Body"], "the oldest comes first"
    work_on_wakes()
    assert sorted(titles(edge)) == ["lost", "lost too"]
    stored = store.invocations.load(call.function_id, call.id)
    assert stored is not None
    assert stored.status == "succeeded"
    assert services.maintenance.resend_lost_calls(until, overdue_ms=-1000) == 0


def test_maintenance_does_all_its_parts(functions: Functions) -> None:
    answer = wake.handle({"source": "dormouse.maintenance"})
    assert answer == {"done": ["files", "uploads", "calls", "queues"]}


def test_trouble_with_one_part_of_maintenance_leaves_the_others(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise UnavailableError

    monkeypatch.setattr(services.upload_sweep, "sweep", fail)
    assert wake.handle({"source": "dormouse.maintenance"}, Context(60)) == {
        "done": ["files", "calls", "queues"]
    }


def test_an_event_that_nobody_knows_is_an_error(functions: Functions) -> None:
    with pytest.raises(ValueError, match="aws:s3"):
        wake.handle({"Records": [{"eventSource": "aws:s3"}]})


def test_a_message_that_cannot_be_read_is_kept_for_the_dead_queue(
    functions: Functions, edge: Edge
) -> None:
    aws.sqs.send(services.wakes.queue_name(), aws.sqs.Message("no JSON", "g2", "1"))
    messages = received()
    assert handled(messages) == [messages[0]["messageId"]]
    aws.sqs.delete_batch(services.wakes.queue_name(), [messages[0]["receiptHandle"]])


def test_a_reader_that_goes_away_takes_no_message_with_it(functions: Functions) -> None:
    url = boto3.client("sqs").create_queue(QueueName="polled")["QueueUrl"]
    leaving = boto3.client("sqs", config=Config(read_timeout=0.5, retries={"max_attempts": 0}))
    with pytest.raises(ReadTimeoutError):
        leaving.receive_message(QueueUrl=url, WaitTimeSeconds=20)
    leaving.close()
    time.sleep(0.3)
    aws.sqs.send("polled", aws.sqs.Message("still here"))
    assert [each["Body"] for each in aws.sqs.receive("polled", 30, wait_seconds=2)] == [
        "still here"
    ]
