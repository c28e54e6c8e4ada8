"""What Lambda limits, the local AWS limits: time, memory, payloads, settings, concurrency."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import reset
from tests.integration.lambda_functions import ROLE, call, client, make, package, streams, wait_for
from tools.local_aws.client import LocalAws

MIB = 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def _aws(local_aws: LocalAws) -> None:
    reset(local_aws)


def test_a_call_past_its_timeout_is_killed() -> None:
    name = make("main.nap", Timeout=1)
    slow = call(name, {"seconds": 30})
    text = "Task timed out after 1.00 seconds"
    assert slow.error == "Unhandled"
    assert slow.result == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {slow.request_id} Error: {text}",
    }
    assert f" {slow.request_id} {text}\n\nEND" in slow.log
    assert (slow.report.status, slow.report.duration_ms) == ("timeout", 1000.0)
    after = call(name, {"seconds": 0})
    assert after.error == ""
    assert after.report.init_ms > 0, "the killed process served again"


@pytest.mark.parametrize("handler", ["main.hoards", "main.has_a_hoarding_child", "index.hoards"])
def test_a_call_past_its_memory_is_killed(handler: str) -> None:
    greedy = call(make(handler, Timeout=15))
    assert greedy.error == "Unhandled"
    assert greedy.result == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {greedy.request_id} Error: "
        "Runtime exited with error: signal: killed",
    }
    assert (greedy.report.status, greedy.report.error_type) == ("error", "Runtime.OutOfMemory")
    assert greedy.report.used_mb == greedy.report.memory_mb == 128
    assert greedy.report.duration_ms < 10_000


@pytest.mark.parametrize("handler", ["main.returns", "index.returns"])
def test_an_answer_has_at_most_6_mb(handler: str) -> None:
    name = make(handler, MemorySize=512)
    assert len(call(name, {"characters": 6 * MIB - 2}).result) == 6 * MIB - 2
    large = call(name, {"characters": 6 * MIB + 200})
    assert large.error == "Unhandled"
    assert large.result == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size "
        "(6291556 bytes).",
    }


def test_an_event_has_at_most_6_mb() -> None:
    name = make("main.echo", MemorySize=512)
    event = json.dumps("x" * (6 * MIB - 2))
    answer = client().invoke(FunctionName=name, Payload=event)
    assert answer["Payload"].read().decode() == event
    refused(413, "RequestEntityTooLargeException", FunctionName=name, Payload=event + " ")


def test_a_background_event_has_at_most_1_mb() -> None:
    name = make("main.echo", "background")
    fits, large = json.dumps("x" * (MIB - 2)), json.dumps("x" * (MIB - 1))
    assert client().invoke(FunctionName=name, InvocationType="Event", Payload=fits)
    code = "RequestEntityTooLargeException"
    refused(413, code, FunctionName=name, InvocationType="Event", Payload=large)


def refused(status: int, code: str, **call_options: Any) -> None:
    with pytest.raises(ClientError) as error:
        client().invoke(**call_options)
    response = error.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (
        status,
        code,
    )


BAD_SETTINGS = [
    ({"Timeout": 901}, "less than or equal to 900"),
    ({"Timeout": 0}, "greater than or equal to 1"),
    ({"MemorySize": 127}, "greater than or equal to 128"),
    ({"MemorySize": 10_241}, "less than or equal to 10240"),
    ({"EphemeralStorage": {"Size": 511}}, "ephemeralStorage"),
    ({"Runtime": "java21"}, "enum value set"),
    ({"Runtime": "ruby3.4"}, "enum value set"),
    ({"Runtime": "provided.al2023"}, "enum value set"),
    ({"Environment": {"Variables": {"LARGE": "x" * 4096}}}, "exceeded the 4KB limit"),
    ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "reserved keys"),
    ({"Environment": {"Variables": {"1A": "x"}}}, "failed to satisfy constraint"),
]


@pytest.mark.parametrize(("settings", "text"), BAD_SETTINGS)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], text: str) -> None:
    lambda_ = client(checks_parameters=False)
    code = {"ZipFile": package({"main.py": ""})}
    wanted = {"Runtime": "python3.12", "Handler": "main.h", "Role": ROLE, "Code": code}
    with pytest.raises(ClientError, match=text):
        lambda_.create_function(FunctionName="bad", **{**wanted, **settings})
    name = "settings"
    if settings == BAD_SETTINGS[0][0]:
        make("main.echo", name)
    before = lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    with pytest.raises(ClientError, match=text):
        lambda_.update_function_configuration(FunctionName=name, **settings)
    after = lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    assert after == before


def test_the_environment_may_have_4_kb() -> None:
    value = "x" * (4096 - len('{"NAME":""}'))
    name = make("main.surroundings", Environment={"Variables": {"NAME": value}})
    assert call(name).result["env"]["NAME"] == value


def test_a_template_with_settings_out_of_range_fails() -> None:
    function = {
        "Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Timeout": 901,
        "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
    }  # fmt: skip
    made = {"Function": {"Type": "AWS::Lambda::Function", "Properties": function}}
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="bad", TemplateBody=json.dumps({"Resources": made}))
    with pytest.raises(Exception, match="terminal failure"):
        stacks.get_waiter("stack_create_complete").wait(StackName="bad", WaiterConfig={"Delay": 1})
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in stacks.describe_stack_events(StackName="bad")["StackEvents"]
    ]
    assert any("less than or equal to 900" in reason for reason in reasons), reasons


def test_calls_past_the_reserved_concurrency_are_429() -> None:
    name = make("main.nap", "reserved")
    version = client().publish_version(FunctionName=name)["Version"]
    client().put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)

    def one(number: int) -> str:
        qualifier = version if number % 2 else "$LATEST"
        try:
            return call(name, {"seconds": 1.5}, Qualifier=qualifier).error or "ok"
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with ThreadPoolExecutor(5) as pool:
        ends = sorted(pool.map(one, range(5)))
    assert ends == ["TooManyRequestsException"] * 3 + ["ok"] * 2


def test_a_function_that_calls_itself_is_stopped_after_16_calls() -> None:
    name = make("main.goes_round")
    call(name, {"name": name})

    def lines() -> list[str]:
        return [line for stream in streams(name).values() for line in stream]

    stopped = wait_for(lambda: [line for line in lines() if line.startswith("stopped")])
    assert "RecursiveInvocationException" in stopped[0]
    wait_for(lambda: sum(line.startswith("REPORT") for line in lines()) == 16)
