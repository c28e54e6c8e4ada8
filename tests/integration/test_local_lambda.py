"""Functions on the local AWS see and answer what they would in Lambda."""

import base64
import json
import os
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import reset
from tests.integration.lambda_functions import call, client, make, package, streams, wait_for
from tools.local_aws.client import LocalAws


@pytest.fixture(scope="module", autouse=True)
def _aws(local_aws: LocalAws) -> None:
    reset(local_aws)


def context(**given: Any) -> str:
    return base64.b64encode(json.dumps(given).encode()).decode()


def test_a_cold_call_reports_its_init_and_a_warm_one_none() -> None:
    name = make("main.silent", "twice", MemorySize=256)
    cold, warm = call(name), call(name)
    assert (cold.result["calls"], warm.result["calls"]) == (1, 2)
    assert cold.result["pid"] == warm.result["pid"]
    assert cold.report.init_ms > 0
    assert warm.report.init_ms == 0
    assert cold.report.billed_ms >= cold.report.init_ms + cold.report.duration_ms
    assert warm.report.duration_ms <= warm.report.billed_ms < warm.report.duration_ms + 1
    assert warm.report.memory_mb == 256
    assert 5 < warm.report.used_mb < 100
    assert cold.log.startswith("loaded\nSTART RequestId: ")
    assert warm.log.startswith(f"START RequestId: {warm.request_id} Version: $LATEST\n")
    assert f"\nEND RequestId: {warm.request_id}\nREPORT RequestId: {warm.request_id}\t" in warm.log


def test_a_worker_writes_one_log_stream() -> None:
    name = make("main.silent", "streamed")
    logs = [call(name).log for _ in range(2)]
    ((stream, lines),) = streams(name).items()
    assert lines == [line.rstrip() for log in logs for line in log.splitlines()]
    assert "/[$LATEST]" in stream


def test_the_log_has_what_anybody_wrote_in_order() -> None:
    told = call(make("main.talks"))
    lines = told.log.splitlines()
    written = lines[2:-2]
    assert written[:4] == ["print", "descriptor one", "descriptor two", "child"]
    level, _, request_id, text = written[4].split("\t")
    assert (level, request_id, text) == ("[WARNING]", told.request_id, "logger")
    assert written[5:] == ["no line end"]


def test_the_tail_is_the_last_4_kb_of_the_log() -> None:
    name = make("main.chatters")
    told = call(name)
    assert len(told.log.encode()) == 4096
    assert "line 1999\nEND" in told.log
    assert told.report.request_id == told.request_id
    (lines,) = streams(name).values()
    assert lines[1].startswith("START")
    assert [line for line in lines if line.startswith("line ")] == [
        f"line {number}" for number in range(2000)
    ]


def test_python_is_told_its_context() -> None:
    name = make("main.told", MemorySize=192, Timeout=7)
    given = context(custom={"token": "t"}, env={"locale": "de"}, client={"app_title": "App"})
    told = call(name, ClientContext=given)
    result = told.result
    assert result["id"] == told.request_id
    assert result["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert (result["name"], result["version"], result["memory"]) == (name, "$LATEST", "192")
    assert result["group"] == f"/aws/lambda/{name}"
    assert [result["stream"]] == list(streams(name))
    assert 6000 < result["left"] <= 7000
    assert (result["custom"], result["env"]) == ({"token": "t"}, {"locale": "de"})
    assert (result["title"], result["identity"]) == ("App", None)
    assert call(name).result["custom"] is None


def test_a_version_and_an_alias_are_told_as_such() -> None:
    name = make("main.told", "versioned")
    version = client().publish_version(FunctionName=name)["Version"]
    client().create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    told = call(name, Qualifier="live")
    assert told.version == told.result["version"] == "1"
    assert told.result["arn"].endswith(f":{name}:live")
    assert f"START RequestId: {told.request_id} Version: 1\n" in told.log


def test_node_is_told_its_context() -> None:
    name = make("index.hello", MemorySize=192, Timeout=7)
    told = call(name, {"a": 1}, ClientContext=context(custom={"token": "t"}))
    result = told.result
    assert (result["id"], result["name"]) == (told.request_id, name)
    assert (result["memory"], result["custom"]) == ("192", {"token": "t"})
    assert 6000 < result["left"] <= 7000
    assert result["env"]["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs20.x"
    assert result["cwd"] == result["env"]["LAMBDA_TASK_ROOT"]
    assert f"Z\t{told.request_id}\tINFO\thello {{ a: 1 }}\n" in told.log


@pytest.mark.parametrize("given", ["no base64!", context()[:-3], base64.b64encode(b"[]").decode()])
def test_a_client_context_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ClientError, match="InvalidRequestContent"):
        client().invoke(FunctionName="any", ClientContext=given)


def test_an_event_that_is_no_json_is_refused() -> None:
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        client().invoke(FunctionName=make("main.echo", "strict"), Payload=b"{")


@pytest.mark.parametrize(
    "event", [None, 0, "text", [1, {"a": None}], {"ä": "\u2028", "n": 1.5, "big": 2**60}]
)
def test_every_json_value_comes_back_as_it_is(event: Any) -> None:
    name = "echo"
    if event is None:
        make("main.echo", name)
    answer = client().invoke(FunctionName=name, Payload=json.dumps(event))
    assert json.loads(answer["Payload"].read()) == event


def test_a_handler_may_be_in_a_package() -> None:
    assert call(make("pack.inner.handler", "dotted")).result == "from a package"
    assert call(make("pack/inner.handler", "slashed")).result == "from a package"


def test_bytes_are_answered_as_they_are() -> None:
    answer = client().invoke(FunctionName=make("main.returns_bytes"))
    assert answer["Payload"].read() == b"plain text"


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("main.fails", "LookupError", "no such thing"),
        ("main.returns_a_set", "Runtime.MarshalError", "Unable to marshal response: "),
        ("main.absent", "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'main'"),
        ("absent.h", "Runtime.ImportModuleError", "Unable to import module 'absent': No module"),
        ("importing.h", "Runtime.ImportModuleError", "Unable to import module 'importing': No mo"),
        ("broken.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'broken': "),
        ("raising.handler", "ZeroDivisionError", "at import"),
        ("nodot", "Runtime.MalformedHandlerName", "Bad handler 'nodot': "),
    ],
)
def test_python_errors_are_named_as_lambda_names_them(
    handler: str, error_type: str, message: str
) -> None:
    failed = call(make(handler))
    assert failed.error == "Unhandled"
    assert failed.result["errorType"] == error_type
    assert failed.result["errorMessage"].startswith(message)
    assert failed.result["requestId"] == failed.request_id
    assert f"[ERROR] {error_type}: {message}" in failed.log
    assert failed.report.status == ("" if handler.startswith(("main.f", "main.r")) else "error")


def test_a_stack_trace_has_the_functions_own_frames_only() -> None:
    name = make("main.fails", "traced")
    (frame,) = call(name).result["stackTrace"]
    assert 'main.py", line' in frame
    assert 'raise LookupError("no such thing")' in frame
    assert call(name).report.init_ms == 0, "an exception ended the worker"


@pytest.mark.parametrize(
    ("handler", "event", "text"),
    [
        ("main.leaves", {"status": 3}, "exit status 3"),
        ("main.leaves", {"status": 0}, "Runtime exited without providing a reason"),
        ("main.exits", {}, "exit status 4"),
        ("quitting.h", {}, "exit status 9"),
        ("index.exits", {}, "exit status 7"),
    ],
)
def test_the_end_of_the_process_is_an_exit_error(
    handler: str, event: dict[str, Any], text: str
) -> None:
    failed = call(make(handler, f"ends-{abs(hash(text))}"), event)
    assert failed.result["errorType"] == "Runtime.ExitError"
    message = failed.result["errorMessage"]
    assert message.startswith(f"RequestId: {failed.request_id} Error: Runtime exited")
    assert message.endswith(text)
    assert (failed.report.status, failed.report.error_type) == ("error", "Runtime.ExitError")


@pytest.mark.parametrize(
    ("handler", "result"),
    [("module.handler", 1), ("esm/index.handler", "esm/index.js"), ("index.nothing", None)],
)
def test_node_modules_of_all_kinds_are_loaded(handler: str, result: Any) -> None:
    answered = call(make(handler))
    assert (answered.error, answered.result) == ("", result), answered.log


def test_a_callback_is_answered_when_the_event_loop_is_empty() -> None:
    answered = call(make("index.called"), {"a": 1})
    assert answered.result == {"a": 1}
    assert answered.report.duration_ms > 25, "its timer takes 30"
    assert call(make("index.callsAtOnce"), {"a": 1}).report.duration_ms < 1900


def test_node_24_has_no_callbacks() -> None:
    refused = call(make("index.called", "node-24", Runtime="nodejs24.x"))
    assert refused.result["errorType"] == "Runtime.CallbackHandlerDeprecated"


def test_layers_are_in_reach_and_what_a_function_brings_wins() -> None:
    layer = package({
        "python/in_layer.py": "VALUE = 'layer'\n", "python/both.py": "VALUE = 'layer'\n",
        "nodejs/node_modules/in-layer/index.js": "module.exports = 'layer';\n",
    })  # fmt: skip
    arn = client().publish_layer_version(LayerName="shared", Content={"ZipFile": layer})
    files = {
        "main.py": "import both, in_layer\ndef h(e, c):\n    return [both.VALUE, in_layer.VALUE]\n",
        "both.py": "VALUE = 'own'\n",
        "index.js": "exports.h = async () => require('in-layer');\n",
    }
    options: dict[str, Any] = {"files": files, "Layers": [arn["LayerVersionArn"]]}
    assert call(make("main.h", "layered", **options)).result == ["own", "layer"]
    assert call(make("index.h", "layered-node", **options)).result == "layer"


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("index.fails", "Mine", "bad"),
        ("index.callsBackWith", "RangeError", "too far"),
        ("index.circles", "Runtime.MarshalError", "Unable to stringify response body"),
        ("index.forgets", "Runtime.UnhandledPromiseRejection", "Error: lost"),
        ("index.absent", "Runtime.HandlerNotFound", "index.absent is undefined or not exported"),
        ("req.h", "Runtime.ImportModuleError", "Error: Cannot find module 'req'"),
        ("requiring.h", "Runtime.ImportModuleError", "Error: Cannot find module 'nothing-like-i"),
    ],
)
def test_node_errors_are_named_as_lambda_names_them(
    handler: str, error_type: str, message: str
) -> None:
    failed = call(make(handler))
    assert failed.error == "Unhandled"
    assert failed.result["errorType"] == error_type
    assert failed.result["errorMessage"].startswith(message)
    assert isinstance(failed.result["trace"], list)
    assert failed.request_id in failed.log


def test_a_function_sees_its_own_surroundings_only() -> None:
    name = make("main.surroundings", Environment={"Variables": {"MINE": "1", "TZ": "UTC+1"}})
    seen = call(name).result
    env = seen["env"]
    expected = (
        "AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_ENDPOINT_URL AWS_EXECUTION_ENV"
        " AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION"
        " AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME"
        " AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT"
        " LANG MINE PATH TMPDIR TZ _HANDLER _X_AMZN_TRACE_ID"
    )
    assert sorted(env) == expected.split()
    assert (env["MINE"], env["TZ"]) == ("1", "UTC+1")
    assert env["AWS_ACCESS_KEY_ID"] != os.environ["AWS_ACCESS_KEY_ID"]
    assert seen["cwd"] == env["LAMBDA_TASK_ROOT"]
    assert seen["modes"] == ["0o0"], "the code is writable"
    assert seen["wrote"] == "Permission denied"
    assert seen["tmp"] == []
    assert seen["found"] == ["boto3", "dateutil"]
    assert seen["limits"] == {"NOFILE": 1024, "CORE": 0, "FSIZE": 512 * 1024 * 1024}


def test_the_credentials_are_a_session_of_the_functions_role() -> None:
    arn = call(make("main.who", MemorySize=256)).result
    assert arn == "arn:aws:sts::000000000000:assumed-role/of-tests/main-who"
    assert call("main-surroundings").result["tmp"] == [], "functions share TMPDIR"


def test_a_background_call_is_retried_under_one_request_id() -> None:
    queue = boto3.client("sqs").create_queue(QueueName="failed")["QueueUrl"]
    name = make("main.fails", "background")
    failed_to = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:failed"}}
    client().put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, DestinationConfig=failed_to
    )
    accepted = client().invoke(FunctionName=name, InvocationType="Event", Payload='{"a": 1}')
    assert accepted["StatusCode"] == 202
    sqs = boto3.client("sqs")
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    (message,) = [json.loads(each["Body"]) for each in received]
    assert message["requestPayload"] == {"a": 1}
    assert message["responsePayload"]["errorType"] == "LookupError"
    starts = [line for lines in streams(name).values() for line in lines if "START" in line]
    request_id = accepted["ResponseMetadata"]["RequestId"]
    assert starts == [f"START RequestId: {request_id} Version: $LATEST"] * 2


def test_an_event_source_mapping_calls_it_and_hears_of_partial_failures() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="source", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    name = make("main.reports_failures")
    client().create_event_source_mapping(
        FunctionName=name,
        EventSourceArn="arn:aws:sqs:us-east-1:000000000000:source",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)

    def left() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    wait_for(lambda: streams(name))
    wait_for(lambda: left() == 1)
