"""Attacks on functions, their triggers and what is kept of them, on the local AWS."""

import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
import pytest

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain import record as records
from chalicelib.domain import tokens
from chalicelib.domain.functions import invocation as calls
from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import PICODOLLARS
from chalicelib.domain.functions.matching import Change, events
from chalicelib.events import wake
from chalicelib.services.invoking_attempt import now_ms
from tests.integration.auth_client import USERS
from tests.integration.event_edge import all_letters, work_until
from tests.integration.function_client import Functions, make_wakes_queue, work_on_wakes

HTTP = [{"type": "http"}]
ECHO = "def handler(event, context):\n    return event\n"
CANARY = "canary-5f0c2b7e-canary"


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    make_wakes_queue()
    functions = Functions()
    functions.client.account(USERS, "ann@example.com", name="Ann")
    functions.make("routed", ECHO, triggers=[{"type": "queue", "queue": "routed"}])
    functions.make("mirror", ECHO, triggers=HTTP, invokeRule="")
    return functions


@pytest.fixture(scope="module")
def ann(functions: Functions) -> str:
    token: str = functions.client.login(USERS, "ann@example.com").body["token"]
    return token


# Routes


def routes() -> list[tuple[str, str]]:
    import app  # noqa: PLC0415 - reads the environment that the local AWS sets

    app.app.load_late()
    return sorted(
        (method, path)
        for path, by_method in app.app.routes.items()
        for method in by_method
        if re.match(r"/api/(functions|queues|usage)(/|$)", path) and method != "OPTIONS"
    )


def test_every_route_of_functions_is_for_superusers(functions: Functions, ann: str) -> None:
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
        answer = functions.client(
            method, path, {"messages": [{"body": "x"}]}, functions.client.root
        )
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


# What reaches user code, and who may wake it


def fn(
    functions: Functions,
    path: str,
    token: str = "",
    body: str = "",
    method: str = "POST",
    **headers: str,
) -> tuple[int, Any, dict[str, str]]:
    """Call by HTTP; `content_type` and the like become headers."""
    path, _, query = path.partition("?")
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = functions.client._app(
        {
            "path": path,
            "headers": {
                "host": "api.example.com",
                **sent,
                **({"authorization": token} if token else {}),
            },
            "multiValueQueryStringParameters": {
                name: [value]
                for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
            },
            "requestContext": {"httpMethod": method, "identity": {"sourceIp": "127.0.0.1"}},
            "body": body,
            "isBase64Encoded": False,
        },
        None,
    )
    content = answer["body"]
    told = {name.lower(): value for name, value in answer["headers"].items()}
    return answer["statusCode"], json.loads(content) if content else None, told


@pytest.mark.parametrize(
    "scheme", ["{}", "Bearer {}", "bearer  {}", "Token {}", "JWT {}", "{} ", "Bearer x, Bearer {}",
               "Bearer: {}", "Basic {}", "token={}", '"{}"']
)  # fmt: skip
def test_a_superusers_token_never_reaches_user_code(functions: Functions, scheme: str) -> None:
    status, event, told = fn(functions, "/fn/mirror", scheme.format(functions.client.root))
    assert status == 200
    assert functions.client.root not in json.dumps(event)
    call = functions.ok("GET", f"/mirror/invocations/{told['x-dormouse-invocation']}")
    assert functions.client.root not in json.dumps(call)


UNREADABLE = {
    "of another type": ("text/plain", '{"admin": true}'),
    "said twice": ("application/json", '{"admin": false, "admin": true}'),
    "not an object": ("application/json", '[{"admin": true}]'),
    "in another encoding": ("application/json", '{"admin": true, "x": "\ud800"}'),
    "a number too large": ("application/json", '{"admin": true, "x": 1e999}'),
    "too deep": ("application/json", '{"admin": true, "x": ' + "[" * 300 + "]" * 300 + "}"),
    "of no type": ("", '{"admin": true}'),
}


@pytest.mark.parametrize(
    "rule", ["@request.body.admin != true", "@request.body.admin:isset = false"]
)
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=list(UNREADABLE))
def test_a_rule_about_the_body_holds_for_none_that_it_cannot_read(
    functions: Functions, rule: str, body: tuple[str, str]
) -> None:
    if functions("GET", "/guarded").status == 404:
        functions.make("guarded", ECHO, triggers=HTTP)
    functions.ok("PATCH", "/guarded", {"invokeRule": rule})
    kind, text = body
    assert fn(functions, "/fn/guarded", body='{"a": 1}', content_type="application/json")[0] == 200
    assert fn(functions, "/fn/guarded", body=text, content_type=kind)[0] == 403


def test_a_rule_about_something_else_does_not_mind_the_body(functions: Functions) -> None:
    functions.make("hook", ECHO, triggers=HTTP, invokeRule='@request.headers.x_key = "k"')
    for kind, text in UNREADABLE.values():
        assert fn(functions, "/fn/hook", body=text, content_type=kind, x_key="k")[0] == 200
        assert fn(functions, "/fn/hook", body=text, content_type=kind, x_key="j")[0] == 403


# Money


def held_back(functions: Functions, name: str) -> dict[str, Any]:
    """Make a function for everyone whose cap no call fits, and wake it once; return its call."""
    cap = {"amount": "0.0000001", "per": "day"}
    functions.make(name, ECHO, triggers=HTTP, invokeRule="", capUsd=cap)
    status, _, told = fn(functions, f"/fn/{name}", body="first")
    assert status == 429
    call: dict[str, Any] = functions.ok(
        "GET", f"/{name}/invocations/{told['x-dormouse-invocation']}"
    )
    return call


def objects(functions: Functions, name: str) -> int:
    prefix = f".functions/{functions.function(name).id}/calls/"
    found = boto3.client("s3").list_objects_v2(Bucket=settings().bucket_name, Prefix=prefix)
    return int(found["KeyCount"])


@pytest.mark.parametrize("mode", ["", "respond-async"])
def test_a_refused_call_costs_less_than_it_would_have(functions: Functions, mode: str) -> None:
    name = f"flooded{len(mode)}"
    held_back(functions, name)
    with aws.dynamodb.meter() as meter:
        status, answer, told = fn(functions, f"/fn/{name}", body="x" * 1_000_000, prefer=mode)
    assert (status, int(told["retry-after"]) > 1) == (429, True)
    assert "cost cap" in answer["message"]
    assert objects(functions, name) == 0
    assert meter.write_units <= 4
    assert functions.runs(name) == 0
    call = functions.ok("GET", f"/{name}/invocations/{told['x-dormouse-invocation']}")
    assert (call["status"], call["event"], call["source"]["method"]) == ("capped", None, "POST")
    assert work_on_wakes() == 0
    replayed = functions("POST", f"/{name}/invocations/{call['id']}/replay", {})
    assert replayed.status == 400


def test_a_cap_that_is_raised_lets_calls_through_at_once(functions: Functions) -> None:
    held_back(functions, "raised")
    functions.ok("PATCH", "/raised", {"capUsd": {"amount": 1, "per": "day"}})
    assert fn(functions, "/fn/raised")[0] == 200
    functions.ok("PATCH", "/raised", {"capUsd": None})
    assert fn(functions, "/fn/raised")[0] == 200


def test_what_a_cap_holds_back_in_the_background_can_be_made_up_for(functions: Functions) -> None:
    held_back(functions, "later")
    queued = functions.invoke("later", {"n": 1}, query="?mode=async")
    assert queued.status == 202
    work_until(lambda: bool(all_letters(functions, "later")))
    (letter,) = all_letters(functions, "later")
    assert letter["event"] == {"n": 1}
    functions.ok("PATCH", "/later", {"capUsd": None})
    again = functions.ok("POST", f"/later/dead-letters/{letter['id']}/redrive")["invocation"]
    path = f"/later/invocations/{again}"
    work_until(lambda: bool(functions.ok("GET", path)["status"] == "succeeded"))
    assert functions.ok("GET", path)["result"] == {"n": 1}


# Messages that nobody should have sent


def sqs_record(queue: str, body: Any, **attributes: Any) -> dict[str, Any]:
    return {
        "messageId": attributes.pop("id", "m1"),
        "receiptHandle": "none",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g", **attributes},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
    }


ODD_WAKES = [
    "", "null", "[]", "7", '"schedule"', "{", '{"schedule": 1}',
    '{"schedule": {"function": "routed"}}',
    '{"function": 1, "functionId": [], "invocation": {}}',
    '{"function": "routed", "functionId": "x", "invocation": "' + "0" * 20 + '"}',
    '{"function": "' + "a" * 3000 + '", "functionId": "x", "invocation": "y"}',
    '{"function": "routed", "functionId": "x", "invocation": "y", "notBefore": "later"}',
    "[" * 10_000, '{"function": "\\ud800"}',
]  # fmt: skip


@pytest.mark.parametrize("body", ODD_WAKES, ids=range(len(ODD_WAKES)))
def test_an_odd_wake_keeps_no_other_group_back(functions: Functions, body: str) -> None:
    queued = functions.invoke("routed", {"Records": []}, query="?mode=async").body
    stored = functions.function("routed")
    good = {"function": "routed", "functionId": stored.id, "invocation": queued["id"]}
    queue = services.wakes.queue_name()
    records = [sqs_record(queue, body, id="bad"), sqs_record(queue, good, id="good")]
    records[1]["attributes"]["MessageGroupId"] = "another"
    answer = wake.handle({"Records": records})
    assert {each["itemIdentifier"] for each in answer["batchItemFailures"]} <= {"bad"}
    call = functions.ok("GET", f"/routed/invocations/{queued['id']}")
    assert call["status"] == "succeeded"
    work_on_wakes()


@pytest.mark.parametrize("queue", ["routed", "another-q-routed", "x", "", "q-routed"])
def test_messages_of_a_strange_queue_reach_no_function(functions: Functions, queue: str) -> None:
    runs = functions.runs("routed")
    answer = wake.handle({"Records": [sqs_record(queue, "hello")]})
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m1"]
    assert functions.runs("routed") == runs


@pytest.mark.parametrize("depth", ["9" * 5000, "-1", "²", "1e3", "", "٣"])
def test_an_odd_depth_of_a_message_does_not_stop_its_batch(
    functions: Functions, depth: str
) -> None:
    queue = names.queue(settings().resource_prefix, "routed")
    record = sqs_record(queue, "deep")
    record["messageAttributes"] = {"dormouse.depth": {"stringValue": depth, "dataType": "String"}}
    runs = functions.runs("routed")
    answer = wake.handle({"Records": [record, sqs_record(queue, "fine", id="m2")]})
    assert answer["batchItemFailures"] == []
    assert functions.runs("routed") == runs + 1


def at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(work) for _ in range(count)]]


def test_a_queues_dead_letter_that_many_send_again_is_sent_once(functions: Functions) -> None:
    owner = store.dead_letters.of_queue("routed")
    now_ms = int(time.time() * 1000)
    letter = store.dead_letters.DeadLetter(
        owner, calls.new_id(now_ms, bytes(16)), "routed", {"type": "", "message": ""}, 1, now_ms,
        int(time.time()) + 1000, event="once",
    )  # fmt: skip
    store.dead_letters.put(letter)
    path = f"/api/queues/routed/dead-letters/{letter.id}/redrive"
    root = functions.client.root
    answers = at_once(8, lambda: functions.client("POST", path, {}, root))
    assert [each.status for each in answers].count(200) == 1
    queue = names.queue(settings().resource_prefix, "routed")
    received = [each["Body"] for _ in range(3) for each in aws.sqs.receive(queue, 30)]
    assert received == ["once"]


def test_a_queues_dead_letter_shows_no_secret_and_is_sent_whole(functions: Functions) -> None:
    functions.ok("PATCH", "/routed", {"redact": ["iban"]})
    body = json.dumps({"password": CANARY, "iban": CANARY, "n": 1})
    owner, now_s = store.dead_letters.of_queue("routed"), int(time.time())
    letter_id = calls.new_id(now_ms(), b"1" * 16)
    error = {"type": "", "message": ""}
    letter = store.dead_letters.DeadLetter(
        owner, letter_id, "routed", error, 1, now_ms(), now_s + 1000, event=body
    )
    store.dead_letters.put(letter)
    path, root = "/api/queues/routed/dead-letters", functions.client.root
    (shown,) = functions.client("GET", path, token=root).body["items"]
    assert CANARY not in json.dumps(shown)
    assert json.loads(shown["body"])["n"] == 1
    assert functions.client("POST", f"{path}/{letter_id}/redrive", {}, root).status == 200
    queue = names.queue(settings().resource_prefix, "routed")
    assert body in [each["Body"] for _ in range(3) for each in aws.sqs.receive(queue, 30)]


def test_a_functions_dead_letter_that_many_send_again_runs_once(functions: Functions) -> None:
    source = "def handler(event, context):\n    raise ValueError(event)\n"
    functions.make("buried", source, retryAttempts=0)
    functions.invoke("buried", {"n": 1}, query="?mode=async")
    work_until(lambda: bool(all_letters(functions, "buried")))
    (letter,) = all_letters(functions, "buried")
    assert functions.runs("buried") == 1
    at_once(6, lambda: functions("POST", f"/buried/dead-letters/{letter['id']}/redrive"))
    at_once(3, lambda: functions("POST", "/buried/dead-letters/redrive"))
    work_until(lambda: bool(all_letters(functions, "buried")))
    work_on_wakes()
    assert functions.runs("buried") == 2


# Secrets


def everything_kept() -> str:
    """Return all that the table and the bucket hold, zips unpacked, as one text."""
    table = boto3.client("dynamodb").get_paginator("scan")
    pages = [page["Items"] for page in table.paginate(TableName=settings().table_name)]
    s3, bucket = boto3.client("s3"), settings().bucket_name
    found = [json.dumps(pages, default=str)]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            if content.startswith(b"PK"):
                archive = zipfile.ZipFile(io.BytesIO(content))
                content = b"".join(map(archive.read, archive.namelist()))
            found.append(each["Key"] + content.decode("latin-1"))
    return "\n".join(found)


KEEPER = """
import hashlib, os

def handler(event, context):
    if event == "fail":
        raise ValueError("no luck")
    kept = [os.environ.get("FIRST", ""), os.environ.get("SECOND", "")]
    return [hashlib.sha256(each.encode()).hexdigest() for each in kept]
"""


def has(functions: Functions, *secrets: str) -> bool:
    """Whether a function finds these secrets; they are not told to it."""
    wanted = [hashlib.sha256(each.encode()).hexdigest() for each in secrets]
    return bool(functions.call("keeper")["result"] == wanted)


WRONG_SECRETS: list[dict[str, Any]] = [
    {"secrets": {"FIRST": CANARY * 200}},
    {"secrets": {"FIRST": CANARY + "\0"}},
    {"secrets": {"AWS_X": CANARY}},
    {"secrets": {"FIRST": [CANARY]}},
    {"secrets": CANARY},
    {"environment": {"FIRST": "x"}, "secrets": {"FIRST": CANARY}},
    {"memoryMb": 1, "secrets": {"FIRST": CANARY}},
]


def test_secrets_are_nowhere_but_in_their_parameter(
    functions: Functions, caplog: pytest.LogCaptureFixture
) -> None:
    one, other, second = CANARY + "1", CANARY + "2", CANARY + "3"
    told = [functions.make("keeper", KEEPER, secrets={"FIRST": one, "SECOND": second})]
    assert has(functions, one, second)
    masked = {"FIRST": other, "SECOND": "******"}
    told.append(functions.ok("PATCH", "/keeper", {"secrets": masked}))
    told.append(functions.ok("PATCH", "/keeper", {"description": "as before"}))
    assert has(functions, other, second)
    told.append(functions.ok("POST", "/keeper/rollback", {"version": 1}))
    assert has(functions, one, second)
    refusals = [functions("PATCH", "/keeper", each) for each in WRONG_SECRETS]
    assert {each.status for each in refusals} == {400}
    told.append(functions.ok("PATCH", "/keeper", {"secrets": {"FIRST": None}}))
    assert has(functions, "", second)
    assert functions.call("keeper", "fail")["status"] == "failed"
    paths = (
        "",
        "/keeper",
        *(f"/keeper/{each}" for each in ("versions", "code", "invocations", "logs")),
    )
    told += [functions.ok("GET", path) for path in paths]
    for text in (json.dumps([told, refusals]), caplog.text, everything_kept()):
        assert CANARY not in text
    parameter = names.secrets(settings().resource_prefix, "keeper")
    assert CANARY in json.dumps(aws.parameters.load(parameter))
    functions.ok("DELETE", "/keeper")
    assert aws.parameters.load(parameter) == {}


def test_a_secret_may_look_like_a_template_of_the_parameter_store(functions: Functions) -> None:
    secret = '{{ssm:other}} {{{x}}} "{{" }} \\{{'
    functions.make("keeper", KEEPER, secrets={"FIRST": secret, "SECOND": "{"})
    assert has(functions, secret, "{")
    functions.ok("PATCH", "/keeper", {"secrets": {"SECOND": "{{"}})
    assert has(functions, secret, "{{")
    parameter = names.secrets(settings().resource_prefix, "keeper")
    kept = boto3.client("ssm").get_parameter(Name=parameter, WithDecryption=True)
    assert "{{" not in kept["Parameter"]["Value"]


# The account of a function


def service_token(functions: Functions, name: str = "routed", depth: int = 3) -> str:
    function = functions.function(name)
    return services.service_accounts.token(function, depth, time.time())


def test_no_route_of_functions_obeys_a_function(functions: Functions) -> None:
    token = service_token(functions)
    for method, pattern in routes():
        path = pattern.replace("{name}", "routed").replace("{id}", "0" * 20)
        assert functions.client(method, path, {}, token).status == 403, (method, path)


@pytest.mark.parametrize(
    "change",
    [{"depth": 0}, {"depth": None}, {"id": "x"}, {"collectionId": "_superusers"}, {"exp": 2**40},
     {"refreshable": True}, {"type": "file"}],
)  # fmt: skip
def test_a_functions_token_cannot_be_altered(functions: Functions, change: dict[str, Any]) -> None:
    head, _, signature = service_token(functions).split(".")
    claims = {**(tokens.decode_unverified(service_token(functions)) or {}), **change}
    body = tokens._to_base64(json.dumps(claims).encode())
    for forged in (f"{head}.{body}.{signature}", f"{head}.{body}."):
        _, event, _ = fn(functions, "/fn/mirror", forged)
        assert event["auth"] is None


def test_a_functions_token_opens_no_more_than_a_guest_has(functions: Functions) -> None:
    token = service_token(functions)
    accounts = "/api/collections/_functions"
    own = functions.function("routed").id
    for method, path, body in (
        ("POST", accounts + "/auth-refresh", {}),
        ("POST", accounts + "/request-password-reset", {"email": ""}),
        ("POST", accounts + "/request-verification", {"email": ""}),
        ("POST", accounts + "/request-email-change", {"newEmail": "a@example.com"}),
        ("POST", accounts + "/request-otp", {"email": ""}),
        ("POST", f"{accounts}/impersonate/{own}", {}),
        ("GET", f"{accounts}/records/{own}", None),
        ("DELETE", f"{accounts}/records/{own}", None),
        ("POST", accounts + "/records", {"name": "x", "rights": ["all"]}),
        ("POST", "/api/batch", {"requests": [
            {"method": "PATCH", "url": f"{accounts}/records/{own}", "body": {"rights": ["all"]}}]}),
    ):  # fmt: skip
        answer = functions.client(method, path, body, token)
        assert answer.status >= 400, (method, path, answer)
    assert service_token(functions).split(".")[1]  # it is still there


def test_users_neither_see_nor_make_accounts_of_functions(functions: Functions, ann: str) -> None:
    accounts = "/api/collections/_functions/records"
    own = functions.function("routed").id
    for token in ("", ann):
        assert functions.client("GET", accounts, token=token).status == 403
        assert functions.client("GET", f"{accounts}/{own}", token=token).status == 403
        assert functions.client("POST", accounts, {"name": "x"}, token).status == 403
        assert (
            functions.client("PATCH", f"{accounts}/{own}", {"rights": ["a"]}, token).status == 403
        )
        assert functions.client("DELETE", f"{accounts}/{own}", token=token).status == 403


def test_the_caller_in_an_event_has_no_hidden_values(functions: Functions, ann: str) -> None:
    for token in (ann, functions.client.root, service_token(functions)):
        _, event, _ = fn(functions, "/fn/mirror", token)
        assert not {"tokenKey", "password", "passwordHash"} & event["auth"].keys()
        assert "tokenKey" not in json.dumps(event)


LIAR = """
def handler(event, context):
    names = ["X-Dormouse-Invocation", "x-dormouse-invocation"][:int(event["body"])]
    return {"statusCode": 200, "body": "{}", "headers": dict.fromkeys(names, "lie")}
"""


@pytest.mark.parametrize("count", "12")
def test_a_functions_answer_cannot_tell_another_calls_id(functions: Functions, count: str) -> None:
    if functions("GET", "/liar").status == 404:
        functions.make("liar", LIAR, triggers=HTTP, invokeRule="")
    status, _, told = fn(functions, "/fn/liar", body=count, content_type="text/plain")
    assert status == 200
    call = functions.ok("GET", f"/liar/invocations/{told['x-dormouse-invocation']}")
    assert call["status"] == "succeeded"


def test_a_call_of_another_function_is_absent(functions: Functions) -> None:
    call = functions.call("mirror", {"n": 1})
    assert functions("GET", f"/routed/invocations/{call['id']}").status == 404
    assert functions("POST", f"/routed/invocations/{call['id']}/replay", {}).status == 404


def test_an_upload_belongs_to_its_function(functions: Functions) -> None:
    upload = functions.ok("POST", "/mirror/code/upload", {"sizeBytes": 100})["id"]
    for wrong in (upload, f"../../{functions.function('mirror').id}/uploads/{upload}", "", None):
        assert functions("PUT", "/routed/code", {"upload": wrong}).status == 400


# Idempotency keys


@pytest.mark.parametrize("key", ["é" * 255, "k" * 255, " ", "\ud800", "a\x7f", "{}"])
def test_any_key_stands_for_one_call(functions: Functions, key: str) -> None:
    answers = [
        functions("POST", "/mirror/invoke", {"event": 1}, {"idempotency-key": key}) for _ in "12"
    ]
    assert [each.status for each in answers] == [200, 200]
    assert len({each.body["id"] for each in answers}) == 1


def test_a_key_is_one_function_and_callers_own(functions: Functions) -> None:
    key = {"idempotency-key": "shared"}
    client = functions.client
    client.account("/api/collections/_superusers", "two@example.com")
    two = client.login("/api/collections/_superusers", "two@example.com").body["token"]
    ids = {
        functions(
            "POST", f"/{name}/invoke", {"event": {"Records": []}}, {**key, "authorization": by}
        ).body["id"]
        for name in ("mirror", "routed")
        for by in (client.root, two)
    }
    assert len(ids) == 4
    long = functions("POST", "/mirror/invoke", {"event": 1}, {"idempotency-key": "k" * 256})
    assert long.status == 400


# The money cap, from every side at once

SPENDER = """
import json, time, urllib.request

def handler(event, context):
    event = json.loads(event["body"]) if "body" in event else event
    if event == "fail":
        raise ValueError("again")
    time.sleep(0.02)
    return {"ok": True}
"""


def test_no_way_of_calling_passes_the_cap(functions: Functions) -> None:
    functions.make("spender", SPENDER, triggers=HTTP, invokeRule="", timeoutSeconds=1,
                   retryAttempts=3, retryDelaySeconds=1)  # fmt: skip
    functions.code("spender", SPENDER + "# 2\n")
    functions.ok("PATCH", "/spender", {"memoryMb": 512})
    first = functions.call("spender", {})
    dear = max(
        services.invoking_money.worst_case_picodollars(
            services.invoking.at_version(functions.function("spender"), version), now_ms()
        )
        for version in (1, 2, 3)
    )
    cap = Decimal(dear * 3) / PICODOLLARS
    functions.ok("PATCH", "/spender", {"capUsd": {"amount": f"{cap:f}", "per": "month"}})
    runs, seen = functions.runs("spender"), []
    replay = f"/spender/invocations/{first['id']}/replay"
    ways: list[Callable[[], Any]] = [
        lambda: functions.invoke("spender", {}),
        lambda: functions.invoke("spender", {}, version=1),
        lambda: functions.invoke("spender", "fail", query="?mode=async"),
        lambda: functions("POST", replay, {"version": 2}),
        lambda: fn(functions, "/fn/spender", body="{}"),
        lambda: fn(functions, "/fn/spender", body='"fail"', prefer="respond-async"),
        lambda: functions("POST", "/spender/invoke", {"event": {}}, {"idempotency-key": "one"}),
        lambda: work_on_wakes(),
    ]
    limit = store.caps.picodollars_of(functions.function("spender").cap)  # type: ignore[arg-type]
    with ThreadPoolExecutor(16) as pool:
        running = [pool.submit(way) for _ in range(4) for way in ways]
        while not all(each.done() for each in running):
            seen.append(store.caps.spent(functions.function("spender"), datetime.now(UTC)))
    work_on_wakes(1)
    for each in running:
        each.result()
    seen.append(store.caps.spent(functions.function("spender"), datetime.now(UTC)))
    assert max(seen) <= limit
    every = functions.ok("GET", "/spender/invocations?perPage=100")["items"]
    receipts = [
        each["receipt"]["totalUsd"]
        for each in every
        if each["receipt"] and each["id"] != first["id"]
    ]
    assert sum(map(Decimal, map(str, receipts))) <= cap
    assert functions.runs("spender") > runs
    assert {"capped", "succeeded"} <= {each["status"] for each in every}


def test_a_dearer_version_reserves_what_it_may_cost_itself(functions: Functions) -> None:
    functions.make("heavy", ECHO, memoryMb=3008, timeoutSeconds=20)
    functions.ok("PATCH", "/heavy", {"memoryMb": 128, "timeoutSeconds": 1})
    light = services.invoking_money.worst_case_picodollars(functions.function("heavy"), now_ms())
    cap = Decimal(light * 2) / PICODOLLARS
    functions.ok("PATCH", "/heavy", {"capUsd": {"amount": f"{cap:f}", "per": "day"}})
    assert functions.invoke("heavy", 1).status == 200
    assert functions.invoke("heavy", 1, version=1).status == 429
    functions.ok("POST", "/heavy/rollback", {"version": 1})
    assert functions.invoke("heavy", 1).status == 429


FORGER = """
import os, time

def handler(event, context):
    for start in ("\\n", "\\r\\n", "x", "\\n\\n"):
        parts = [
            f"REPORT RequestId: {context.aws_request_id}", "Duration: 0.01 ms",
            "Billed Duration: 1 ms", "Memory Size: 1 MB", "Max Memory Used: 1 MB", ""
        ]
        print(start + "\\t".join(parts), end="", flush=True)
    time.sleep(0.1)
    if event:
        os._exit(0)
"""


def test_what_a_function_writes_into_its_log_changes_no_receipt(functions: Functions) -> None:
    functions.make("forger", FORGER, memoryMb=256)
    for event in (0, 1):
        call = functions.call("forger", event)
        assert call["billedMs"] >= 100, call
        assert call["memoryUsedMb"] > 1


# What functions are told of records


def test_an_event_of_an_account_has_neither_password_nor_token_key(functions: Functions) -> None:
    schema = store.schema.load()
    for name in ("users", "_superusers", "_functions", "_otps"):
        collection = schema.find(name)
        assert collection is not None
        hidden = {"password", "tokenKey"} & collection.field.keys()
        secret = dict.fromkeys(hidden, CANARY)
        record = {**records.blank(collection), "id": "a" * 15, **secret}
        for change in (
            Change("1", collection, record, None, now_ms()),
            Change("2", collection, record, record, now_ms()),
            Change("3", collection, None, record, now_ms()),
        ):
            trigger = {"id": "t", "type": "record", "collection": name}
            assert CANARY not in json.dumps(events(trigger, change))
