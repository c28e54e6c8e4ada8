"""Schedule triggers on the local AWS: schedules follow the settings, and each time fires once."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest

from chalicelib import services
from chalicelib.aws.sqs import SqsError
from chalicelib.config import settings
from chalicelib.domain.functions.function import Function
from tests.integration.function_client import Functions, make_wakes_queue, work_on_wakes
from tools.local_aws import client
from tools.local_aws.client import LocalAws

SOURCE = "def handler(event, context):\n    return event\n"
KATHMANDU = "Asia/Kathmandu"
SAVE_SECONDS = 2.0
"""How often the local AWS writes the state of queues and schedules (its `persistence`)."""


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    make_wakes_queue()
    return Functions()


def scheduler() -> Any:
    return boto3.client("scheduler")


def group() -> str:
    return settings().resource_prefix


def schedules_of(name: str) -> dict[str, dict[str, Any]]:
    """Return what EventBridge Scheduler has for a function, by trigger id."""
    try:
        found = scheduler().list_schedules(GroupName=group(), NamePrefix=f"{name}-")["Schedules"]
    except scheduler().exceptions.ResourceNotFoundException:
        return {}
    return {
        each["Name"].removeprefix(f"{name}-"): scheduler().get_schedule(
            GroupName=group(), Name=each["Name"]
        )
        for each in found
    }


def every(expression: str, timezone: str = "UTC") -> dict[str, str]:
    return {"type": "schedule", "expression": expression, "timezone": timezone}


def once_in(seconds: float, timezone: str = "UTC") -> dict[str, str]:
    due = datetime.now(ZoneInfo(timezone)) + timedelta(seconds=seconds)
    return every(f"at({due:%Y-%m-%dT%H:%M:%S})", timezone)


def message(function: Function, at: str, trigger: int = 0) -> dict[str, Any]:
    """Return what a schedule sends when it is due."""
    due = {
        "function": function.name,
        "functionId": function.id,
        "trigger": function.triggers[trigger]["id"],
        "time": at,
    }
    return {"schedule": due}


def calls_of(functions: Functions, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = functions.ok("GET", f"/{name}/invocations")["items"]
    return found


def test_schedules_follow_the_settings(functions: Functions) -> None:
    functions.make("nightly", SOURCE, triggers=[every("30 2 * * 1-5", "Europe/Berlin")])
    ((trigger_id, made),) = schedules_of("nightly").items()

    assert made["ScheduleExpression"] == "cron(30 2 ? * 2-6 *)"
    assert made["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert made["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert made["Target"]["Arn"].endswith(f":{services.wakes.queue_name()}")
    assert made["Target"]["SqsParameters"] == {"MessageGroupId": f"nightly-{trigger_id}"}
    due = json.loads(made["Target"]["Input"])["schedule"]
    assert (due["trigger"], due["time"]) == (trigger_id, "<aws.scheduler.scheduled-time>")

    shown = functions.ok("GET", "/nightly")["triggers"]
    assert shown[0]["id"] == trigger_id
    assert len(shown[0]["nextRuns"]) == 5

    shown[0]["expression"] = "@hourly"
    functions.ok("PATCH", "/nightly", {"triggers": [*shown, every("rate(5 minutes)")]})
    found = schedules_of("nightly")
    assert found[trigger_id]["ScheduleExpression"] == "cron(0 * * * ? *)"
    assert sorted(each["ScheduleExpression"] for each in found.values()) == [
        "cron(0 * * * ? *)", "rate(5 minutes)",
    ]  # fmt: skip

    functions.ok("PATCH", "/nightly", {"triggers": [shown[0]]})
    assert set(schedules_of("nightly")) == {trigger_id}
    functions.ok("DELETE", "/nightly")
    assert schedules_of("nightly") == {}


def test_what_is_as_it_should_be_is_left_alone(functions: Functions) -> None:
    functions.make("steady", SOURCE, triggers=[every("rate(5 minutes)")])
    ((_, made),) = schedules_of("steady").items()

    functions.ok("PATCH", "/steady", {"memoryMb": 256})
    shown = functions.ok("GET", "/steady")
    again = functions.ok("PATCH", "/steady", shown)  # all of an answer may be sent back
    assert (again["triggers"][0]["id"], again["memoryMb"]) == (shown["triggers"][0]["id"], 256)
    functions.ok("PATCH", "/steady", {"triggers": [every("rate(5 minutes)")]})  # as from a file
    services.schedules.apply(functions.function("steady"), functions.function("steady"))

    ((_, found),) = schedules_of("steady").items()
    assert found["LastModificationDate"] == made["LastModificationDate"]


def test_applying_again_mends_what_a_crash_has_left(functions: Functions) -> None:
    functions.make("mended", SOURCE, triggers=[every("@daily"), every("@hourly")])
    functions.make("mended-too", SOURCE, triggers=[every("@daily")])
    function = functions.function("mended")
    kept, lost = (each["id"] for each in function.triggers)
    arguments = {
        name: schedules_of("mended")[kept][name]
        for name in ("FlexibleTimeWindow", "Target", "ScheduleExpression")
    }
    wrong = {**arguments, "ScheduleExpression": "rate(9 days)"}
    scheduler().create_schedule(GroupName=group(), Name="mended-stranger", **wrong)
    scheduler().update_schedule(GroupName=group(), Name=f"mended-{kept}", **wrong)
    scheduler().delete_schedule(GroupName=group(), Name=f"mended-{lost}")

    services.schedules.apply(function, function)

    found = {name: each["ScheduleExpression"] for name, each in schedules_of("mended").items()}
    other = functions.function("mended-too").triggers[0]["id"]
    assert found == {
        kept: "cron(0 0 * * ? *)",
        lost: "cron(0 * * * ? *)",
        f"too-{other}": "cron(0 0 * * ? *)",  # another function's, whose name begins alike
    }


def test_one_time_wakes_the_function_then_and_is_gone(functions: Functions) -> None:
    functions.make("once", SOURCE)
    trigger = once_in(2, KATHMANDU)
    asked_at = datetime.now(UTC)
    (made,) = functions.ok("PATCH", "/once", {"triggers": [trigger]})["triggers"]
    assert len(made["nextRuns"]) == 1
    assert len(schedules_of("once")) == 1

    deadline = time.monotonic() + 20
    while not work_on_wakes() or not calls_of(functions, "once"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    work_on_wakes(seconds=1)

    (call,) = calls_of(functions, "once")
    whole = functions.ok("GET", f"/once/invocations/{call['id']}")
    due = datetime.fromisoformat(whole["event"]["time"])
    local = due.astimezone(ZoneInfo(KATHMANDU))
    assert f"at({local:%Y-%m-%dT%H:%M:%S})" == trigger["expression"]
    assert due >= asked_at
    started = datetime.fromisoformat(whole["started"])
    assert timedelta(0) <= started - due < timedelta(seconds=5)
    assert (whole["trigger"], whole["status"]) == ("schedule", "succeeded")
    assert whole["event"]["trigger"] == made["id"]
    assert whole["result"] == whole["event"]
    assert schedules_of("once") == {}

    # What has passed stays in the settings, and does not come back.
    shown = functions.ok("PATCH", "/once", {"description": "done"})["triggers"]
    assert [each["nextRuns"] for each in shown] == [[]]
    assert schedules_of("once") == {}


def test_a_time_fires_once_however_often_it_is_told(functions: Functions) -> None:
    functions.make(
        "single", SOURCE, triggers=[every("* * * * *"), every("* * * * *", "Asia/Tokyo")]
    )
    function = functions.function("single")
    minute = message(function, "2026-11-23T07:00:00Z")

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(services.schedules.fire, [minute] * 20))
    work_on_wakes()
    services.schedules.fire(minute)  # after it has run
    work_on_wakes()

    assert len(calls_of(functions, "single")) == 1
    assert functions.runs("single") == 1

    services.schedules.fire(message(function, "2026-11-23T07:01:00Z"))
    services.schedules.fire(message(function, "2026-11-23T07:00:00Z", trigger=1))
    work_on_wakes()
    assert len(calls_of(functions, "single")) == 3


def test_time_whose_call_was_written_but_not_sent_is_sent_when_it_is_told_again(
    functions: Functions,
) -> None:
    functions.make("unsent", SOURCE, triggers=[every("@daily")])
    due = message(functions.function("unsent"), "2026-11-23T00:00:00Z")
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=services.wakes.queue_name())["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(SqsError):
        services.schedules.fire(due)
    make_wakes_queue()

    services.schedules.fire(due)
    work_on_wakes()

    assert [each["status"] for each in calls_of(functions, "unsent")] == ["succeeded"]


def test_schedule_that_nobody_wants_removes_itself_when_it_fires(functions: Functions) -> None:
    functions.make("former", SOURCE, triggers=[every("@daily")])
    function = functions.function("former")
    functions.ok("PATCH", "/former", {"triggers": []})
    services.schedules.apply(None, function)  # as a crash would have left it
    assert len(schedules_of("former")) == 1

    services.schedules.fire(message(function, "2026-11-23T07:00:00Z"))

    assert schedules_of("former") == {}
    assert calls_of(functions, "former") == []


def test_function_made_anew_is_not_woken_by_its_predecessors_schedule(
    functions: Functions,
) -> None:
    functions.make("reborn", SOURCE, triggers=[every("@daily")])
    old = message(functions.function("reborn"), "2026-11-23T07:00:00Z")
    functions.ok("DELETE", "/reborn")
    functions.make("reborn", SOURCE, triggers=[every("@daily")])

    services.schedules.fire(old)

    assert calls_of(functions, "reborn") == []
    assert len(schedules_of("reborn")) == 1


def test_function_without_code_is_not_called(functions: Functions) -> None:
    body = {"name": "empty", "runtime": "python3.11", "triggers": [every("@daily")]}
    functions.ok("POST", "", body)
    services.schedules.fire(message(functions.function("empty"), "2026-11-23T07:00:00Z"))
    assert calls_of(functions, "empty") == []


@pytest.fixture
def own_aws(tmp_path: Path) -> Iterator[list[LocalAws]]:
    """A local AWS that keeps its state, in a list: tests put another one in its place."""
    running = [client.start(state_directory=tmp_path)]
    yield running
    running[0].stop()


def test_restart_fires_no_time_twice_and_a_missed_one_once(
    own_aws: list[LocalAws], tmp_path: Path
) -> None:
    begun = time.monotonic()
    url = make_schedules(own_aws[0], early=1, late=8, always="rate(1 minute)")
    assert wait_for_messages(own_aws[0], url, 1) == ["early"]
    time.sleep(1.5 * SAVE_SECONDS)  # the queue's state is written now and then
    own_aws[0].kill()
    assert time.monotonic() - begun < 7, "the late one may have been sent before"
    time.sleep(8.1 - (time.monotonic() - begun))

    own_aws[0] = client.start(state_directory=tmp_path)
    assert wait_for_messages(own_aws[0], url, 1) == ["late"]
    time.sleep(1.0)
    assert wait_for_messages(own_aws[0], url, 0) == []
    _, events = clients(own_aws[0])
    kept = {each["Name"] for each in events.list_schedules()["Schedules"]}
    assert kept == {"always", "disabled"}


def make_schedules(aws: LocalAws, early: float, late: float, always: str) -> str:
    """Make a queue and schedules that send their names to it; return its URL."""
    sqs, events = clients(aws)
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = str(sqs.create_queue(QueueName="wakes.fifo", Attributes=attributes)["QueueUrl"])
    expressions = {
        "early": once_in(early)["expression"],
        "disabled": once_in(early)["expression"],
        "late": once_in(late)["expression"],
        "always": always,
    }
    for name, expression in expressions.items():
        events.create_schedule(
            Name=name,
            ScheduleExpression=expression,
            ActionAfterCompletion="DELETE" if expression.startswith("at(") else "NONE",
            FlexibleTimeWindow={"Mode": "OFF"},
            State="DISABLED" if name == "disabled" else "ENABLED",
            Target={
                "Arn": "arn:aws:sqs:us-east-1:000000000000:wakes.fifo",
                "RoleArn": "arn:aws:iam::000000000000:role/schedules",
                "Input": json.dumps({"name": name, "at": "<aws.scheduler.scheduled-time>"}),
                "SqsParameters": {"MessageGroupId": name},
            },
        )
    return url


def clients(aws: LocalAws) -> tuple[Any, Any]:
    session = boto3.Session("test", "test", region_name="us-east-1")
    sqs, events = (session.client(name, endpoint_url=aws.url) for name in ("sqs", "scheduler"))
    return sqs, events


def wait_for_messages(aws: LocalAws, url: str, count: int) -> list[str]:
    """Return the names that the schedules have sent since; each message says when it was due."""
    sqs, _ = clients(aws)
    names: list[str] = []
    deadline = time.monotonic() + 15
    while True:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            body = json.loads(each["Body"])
            assert datetime.fromisoformat(body["at"]) <= datetime.now(UTC)
            names.append(body["name"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        if len(names) >= count:
            return names
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("expression", "timezone"),
    [
        ("0 3 * * *", "UTC"),  # a crontab's: EventBridge wants cron(...)
        ("cron(0 3 * * * *)", "UTC"),
        ("rate(5 seconds)", "UTC"),
        ("at(2026-02-30T00:00:00)", "UTC"),
        ("rate(1 day)", "Europe/Atlantis"),
    ],
)
def test_local_aws_refuses_what_eventbridge_would(
    functions: Functions, expression: str, timezone: str
) -> None:
    with pytest.raises(scheduler().exceptions.ValidationException):
        scheduler().create_schedule(
            Name="wrong",
            ScheduleExpression=expression,
            ScheduleExpressionTimezone=timezone,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RoleArn": "arn:aws:iam::1:r/x"},
        )
