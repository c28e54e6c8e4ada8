"""Functions woken by HTTP: real ones, on the local AWS, through a real server."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chalicelib import config, services, store
from chalicelib.aws import dynamodb
from chalicelib.domain import tokens
from chalicelib.store import keys
from chalicelib.web import wsgi
from tests.conftest import subprocess_environment
from tests.integration.auth_client import USERS, Client
from tests.integration.serving import ROOT, Answer, Server, serving
from tests.integration.test_record_road_imports import FORBIDDEN, PROGRAM
from tools import bootstrap
from tools.local_aws.client import LocalAws

CODE = Path(__file__).parent / "functions_for_tests"
PYTHON = {
    "app.py": (CODE / "tool.py").read_text(),
    "dormouse/__init__.py": "",
    "dormouse/api.py": (ROOT / "dormouse/api.py").read_text(),
}
NODE = {
    "app.mjs": (CODE / "tool.mjs").read_text(),
    "api.mjs": (ROOT / "dormouse/api.mjs").read_text(),
}
HTTP = [{"type": "http"}]


class World(NamedTuple):
    server: Server
    root: str
    user: str
    client: Client

    def deploy(self, name: str, files: dict[str, str] | None = None, **settings: Any) -> None:
        body = {
            "name": name,
            "runtime": "python3.11",
            "handler": "app.handler",
            "triggers": HTTP,
            "invokeRule": "",
            **settings,
        }
        answer = self.server("POST", "/api/functions", body, self.root)
        assert answer.status == 200, answer
        if files is not None:
            path = f"/api/functions/{name}/code"
            answer = self.server("PUT", path, {"files": files}, self.root)
            assert answer.status == 200, answer

    def invocation(self, answer: Answer, name: str = "tool") -> Any:
        path = f"/api/functions/{name}/invocations/{answer.header('x-dormouse-invocation')}"
        return self.server("GET", path, token=self.root).json


@pytest.fixture(scope="module")
def world(
    local_aws: LocalAws, table: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    bootstrap.wakes_queue()
    client = Client()
    client.account(USERS, "ann@example.com", name="Ann")
    user = client.login(USERS, "ann@example.com").body["token"]
    writes = '@request.auth.collectionName = "_functions" && @request.auth.rights ~ "notes"'
    notes = {
        "name": "notes",
        "type": "base",
        "fields": [
            {"name": "title", "type": "text", "required": True},
            {"name": "attachment", "type": "file", "maxSize": 1000},
        ],
        **dict.fromkeys(("listRule", "createRule", "updateRule", "deleteRule"), writes),
    }
    client.as_root("POST", "/api/collections", notes)
    with serving(local_aws, tmp_path_factory.mktemp("fn")) as server:
        world = World(server, client.root, user, client)
        world.deploy("tool", PYTHON, rights=["notes"], timeoutSeconds=5)
        yield world


def echo(world: World, method: str = "POST", rest: str = "/echo", **more: Any) -> Any:
    answer = world.server(method, f"/fn/tool{rest}", **more)
    assert answer.status == 200, answer
    return answer.json


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_wakes_it(world: World, method: str) -> None:
    event = echo(world, method)
    assert event["requestContext"]["http"]["method"] == method
    assert event["auth"] is None


def test_a_head_has_the_headers_alone(world: World) -> None:
    answer = world.server("HEAD", "/fn/tool/page")
    assert (answer.status, answer.content) == (203, b"")
    assert answer.header("content-type") == "text/html"


def test_options_is_answered_as_everywhere(world: World) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Headers": "x-own"}
    answer = world.server("OPTIONS", "/fn/tool/page", headers=headers)
    assert (answer.status, answer.header("x-dormouse-invocation")) == (204, "")
    assert answer.header("access-control-allow-headers") == "x-own"


@pytest.mark.parametrize("prefix", ["/fn", "/api/fn"])
@pytest.mark.parametrize("rest", ["", "/", "/echo/a%2Fb%20c/", "/echo//d?q=1&q=%C3%A9&fields=body"])
def test_path_and_query_arrive_as_they_were_sent(world: World, prefix: str, rest: str) -> None:
    event = world.server("GET", f"{prefix}/tool{rest}").json
    path, _, query = rest.partition("?")
    assert event["rawPath"] == f"/fn/tool{path}"
    assert event.get("queryStringParameters", {}) == (
        {"q": "1,é", "fields": "body"} if query else {}
    )


def test_bodies_of_any_kind_arrive(world: World) -> None:
    event = echo(world, body={"é": 1})
    assert (json.loads(event["body"]), event["isBase64Encoded"]) == ({"é": 1}, False)
    event = echo(world, body=bytes(range(256)), headers={"Content-Type": "image/png"})
    assert event["isBase64Encoded"] is True
    event = echo(world, body=b"\xff{", headers={"Content-Type": "application/json"})
    assert event["isBase64Encoded"] is True
    event = echo(world, body=b"<x/>", headers={"Content-Type": "application/xml"})
    assert (event["body"], event["isBase64Encoded"]) == ("<x/>", False)


def test_a_body_that_lambda_cannot_take_is_refused(world: World) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    answer = world.server("POST", "/fn/tool/echo", b"x" * 5_000_000, headers=kind)
    assert (answer.status, answer.json["status"]) == (413, 413)


def test_the_callers_record_arrives_and_the_token_does_not(world: World) -> None:
    event = echo(world, token=f"Bearer {world.user}")
    auth = event["auth"]
    assert (auth["email"], auth["name"], auth["collectionName"]) == (
        "ann@example.com", "Ann", "users"
    )  # fmt: skip
    assert not {"password", "tokenKey"} & auth.keys()
    assert world.user not in json.dumps(event)
    claims = tokens.decode_unverified(world.user) or {}
    expired = tokens.encode(claims | {"exp": 1}, "another key")
    event = echo(world, token=expired)
    assert event["auth"] is None
    assert expired not in json.dumps(event)


@pytest.mark.parametrize(
    "value", ["Basic Zm9vOmJhcg==", "Bearer sk-123", tokens.encode({"sub": "x"}, "k")]
)
def test_authorization_that_is_not_ours_arrives(world: World, value: str) -> None:
    event = echo(world, token=value)
    assert (event["headers"]["authorization"], event["auth"]) == (value, None)


def test_the_functions_answer_is_the_answer(world: World) -> None:
    answer = world.server("GET", "/fn/tool/page", headers={"Origin": "https://a.example"})
    assert (answer.status, answer.content.decode()) == (203, "<p>é</p>")
    assert answer.values("set-cookie") == ["a=1; Path=/", "b=2"]
    assert answer.values("access-control-allow-origin") == ["https://b.example"]
    assert answer.values("x-content-type-options") == ["nosniff"]
    assert world.server("GET", "/fn/tool/bytes").content == bytes(range(256))
    assert world.invocation(answer)["trigger"] == "http"


@pytest.mark.parametrize(
    "result", [None, 5, "text", [1, {"a": None}], {"body": "x"}, {"a": "é"}, True]
)
def test_any_other_result_is_json(world: World, result: Any) -> None:
    answer = world.server("POST", "/fn/tool/answer?fields=zzz", json.dumps(result).encode())
    assert (answer.status, answer.json) == (200, result)
    assert answer.header("content-type") == "application/json"


@pytest.mark.parametrize("result", [{"statusCode": 900}, {"statusCode": 200, "body": {}}])
def test_a_result_that_is_no_http_answer_is_told(world: World, result: Any) -> None:
    answer = world.server("POST", "/fn/tool/answer", result)
    assert (answer.status, answer.json["status"]) == (502, 502)
    assert world.invocation(answer)["status"] == "succeeded"


def test_a_failure_tells_the_caller_no_more_than_its_id(world: World) -> None:
    answer = world.server("GET", "/fn/tool/raise")
    envelope = {"status": 502, "message": "The function failed.", "data": {}}
    assert (answer.status, answer.json) == (502, envelope)
    made = world.invocation(answer)
    assert (made["error"]["type"], made["status"]) == ("LookupError", "failed")


def test_a_timeout_is_a_504(world: World) -> None:
    world.deploy("short", PYTHON, timeoutSeconds=1)
    answer = world.server("GET", "/fn/short/sleep/20")
    assert (answer.status, answer.json["message"]) == (504, "The function ran for 1 s and ended.")
    assert world.invocation(answer, "short")["status"] == "timedOut"


def test_a_call_that_outlasts_the_request_is_told_to_be_made_in_the_background(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORMOUSE_REQUEST_SECONDS", "3")
    config.settings.cache_clear()
    try:
        answer = world.client("GET", "/fn/tool/sleep/4.5")
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()
    assert answer.status == 504
    assert "respond-async" in answer.body["message"]


def test_too_many_at_once_are_told_to_wait(world: World) -> None:
    world.deploy("single", PYTHON, reservedConcurrency=1, timeoutSeconds=10)
    with ThreadPoolExecutor(3) as pool:
        wake = lambda _: world.server("GET", "/fn/single/sleep/1.5")  # noqa: E731
        answers = list(pool.map(wake, range(3)))
    assert sorted(answer.status for answer in answers) == [200, 429, 429]
    (refused, _) = (answer for answer in answers if answer.status == 429)
    assert refused.header("retry-after") == "1"


def test_twenty_at_once_keep_apart(world: World) -> None:
    world.deploy("other", PYTHON)

    def ask(number: int) -> tuple[int, str | None, int]:
        by = (world.user, world.root, "")[number % 3]
        if number % 2:  # it has the right that the other one lacks
            body = {"title": f"number {number}"}
            return number, None, world.server("POST", "/fn/tool/note", body, by).status
        answer = world.server("POST", "/fn/other/echo", {"n": number}, by)
        event = answer.json
        assert json.loads(event["body"]) == {"n": number}
        assert event["requestContext"]["requestId"] == answer.header("x-dormouse-invocation")
        return number, (event["auth"] or {}).get("collectionName"), answer.status

    with ThreadPoolExecutor(20) as pool:
        seen = list(pool.map(ask, range(20)))
    callers = ("users", "_superusers", None)
    assert seen == [(n, None if n % 2 else callers[n % 3], 200) for n in range(20)]


def test_a_reached_cap_says_so_and_when_it_ends(world: World) -> None:
    world.deploy("poor", PYTHON, capUsd={"amount": 0.0000001, "per": "day"})
    answer = world.server("GET", "/fn/poor")
    assert answer.status == 429
    assert "cost cap" in answer.json["message"]
    assert 0 < int(answer.header("retry-after")) <= 86_400
    assert world.invocation(answer, "poor")["status"] == "capped"


def test_the_invoke_rule_decides(world: World) -> None:
    world.deploy("closed", PYTHON, invokeRule=None)
    rule = (
        '@request.auth.collectionName = "users" && @request.method = "POST"'
        ' && @request.body.word = "please" && @request.query.q = "1"'
    )
    world.deploy("members", PYTHON, invokeRule=rule)

    def status(name: str, token: str, word: str = "please", query: str = "?q=1") -> int:
        return world.server("POST", f"/fn/{name}{query}", {"word": word}, token).status

    assert [status("closed", each) for each in ("", world.user, world.root)] == [403, 403, 200]
    assert [status("members", each) for each in ("", world.user, world.root)] == [403, 200, 200]
    assert status("members", world.user, word="now") == 403
    assert status("members", world.user, query="") == 403
    broken = world.server("POST", "/fn/members?q=1", b"\xff", world.user)
    assert (broken.status, broken.json["data"]) == (403, {})


def test_a_rule_that_changes_holds_at_once(world: World) -> None:
    world.deploy("fickle", PYTHON)
    for rule, status in ((None, 403), ("", 200), ('@request.auth.id != ""', 403)):
        body = {"invokeRule": rule}
        assert world.server("PATCH", "/api/functions/fickle", body, world.root).status == 200
        assert world.server("GET", "/fn/fickle").status == status


@pytest.mark.parametrize(
    "path",
    ["/fn/absent", "/fn/silent", "/fn/UPPER", "/fn/" + "a" * 2000, "/fn/a%00b", "/fn", "/fn/"],
)
def test_what_is_no_function_of_http_is_absent(world: World, path: str) -> None:
    if path == "/fn/silent":
        world.deploy("silent", PYTHON, triggers=[])
    for token in ("", world.root):
        answer = world.server("POST", path, token=token)
        assert (answer.status, answer.json["message"]) == (
            404, "The requested resource wasn't found."
        )  # fmt: skip


def test_a_function_without_code_says_so(world: World) -> None:
    world.deploy("empty")
    answer = world.server("GET", "/fn/empty")
    assert answer.status == 400
    assert "no code" in answer.json["message"]


def test_a_deleted_function_is_gone_and_its_namesake_is_another(world: World) -> None:
    world.deploy("again", PYTHON, rights=["notes"])
    assert world.server("POST", "/fn/again/note", {"title": "first"}).status == 200
    assert world.server("DELETE", "/api/functions/again", token=world.root).status == 204
    assert world.server("GET", "/fn/again").status == 404
    world.deploy("again", PYTHON)
    assert world.server("GET", "/fn/again").status == 200
    assert world.server("POST", "/fn/again/note", {"title": "no rights"}).status == 400


def test_a_function_calls_the_api_by_its_rights_and_tells_the_depth(world: World) -> None:
    made = world.server("POST", "/fn/tool/note", {"title": "from a function"})
    assert (made.status, made.json["title"]) == (200, "from a function")
    collection = store.schema.load().find("notes")
    assert collection is not None
    item = dynamodb.get(keys.record(collection.storage, made.json["id"]))
    assert item is not None
    assert item["dp"] == {"N": "1"}
    refused = world.server("POST", "/fn/tool/note", {"title": ""})
    assert refused.status == 400
    assert refused.json["data"]["title"]["code"] == "validation_required"
    assert world.server("POST", "/api/collections/notes/records", {"title": "x"}).status == 400


def test_functions_that_call_each_other_without_end_are_stopped(world: World) -> None:
    answer = world.server("GET", "/fn/tool/chain")
    assert (answer.status, answer.json) == (200, config.settings().chain_limit)
    listed = world.server("GET", "/api/functions/tool/invocations", token=world.root).json
    stopped = next(each for each in listed["items"] if each["status"] == "failed")
    assert stopped["error"]["type"] == "Dormouse.LoopStopped"
    assert stopped["depth"] == config.settings().chain_limit + 1


@pytest.mark.parametrize("headers", [{}, {"Prefer": "respond-async"}])
def test_a_chain_ends_whether_waited_for_or_not(world: World, headers: dict[str, str]) -> None:
    function = store.functions.load("tool")
    assert function is not None
    held = services.service_accounts.token(function, config.settings().chain_limit, time.time())
    answer = world.server("POST", "/fn/tool/echo", {}, held, headers)
    assert (answer.status, "one another" in answer.json["message"]) == (502, True)
    assert world.invocation(answer)["error"]["type"] == "Dormouse.LoopStopped"


def test_a_node_function_calls_the_api_too(world: World) -> None:
    world.deploy("node", NODE, runtime="nodejs20.x", rights=["notes"], timeoutSeconds=10)
    made = world.server("POST", "/fn/node", {"title": "from Node"})
    assert made.status == 200, made
    assert made.json["title"] == "from Node!"
    assert made.json["attachment"].endswith(".txt")
    assert made.json["gone"] is None
    refused = world.server("POST", "/fn/node", {"title": ""})
    assert refused.status == 400
    assert refused.json["told"]["title"]["code"] == "validation_required"


def test_on_request_it_is_called_in_the_background(world: World) -> None:
    headers = {"Prefer": "respond-async"}
    answer = world.server("POST", "/fn/tool/echo", {"a": 1}, headers=headers)
    assert answer.status == 202, answer
    assert answer.header("preference-applied") == "respond-async"
    assert answer.json == {"id": answer.header("x-dormouse-invocation"), "status": "queued"}
    function = store.functions.load("tool")
    assert function is not None
    done = services.background_calls.run_queued(function, answer.json["id"])
    assert (done.status, done.trigger, done.result["body"]) == ("succeeded", "http", '{"a": 1}')


def _by_rest(path: str) -> dict[str, Any]:
    """An event of a REST API, whose stage is called `api`."""
    return {
        "resource": "/fn/{name}/{proxy+}",
        "path": path,
        "httpMethod": "POST",
        "headers": {"Origin": "https://a.example", "Cookie": "c=1"},
        "multiValueHeaders": {"Origin": ["https://a.example"], "X-A": ["1", "2"]},
        "multiValueQueryStringParameters": {"q": ["1", "2"]},
        "pathParameters": {"name": "tool", "proxy": path.split("/", 3)[3]},
        "requestContext": {
            "stage": "api",
            "httpMethod": "POST",
            "identity": {"sourceIp": "1.1.1.1"},
        },
        "body": "eyJhIjogMX0=",
        "isBase64Encoded": True,
    }


def _by_http_api(path: str, host: str = "x.execute-api.us-east-1.amazonaws.com") -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "q=1&q=2",
        "headers": {"origin": "https://a.example", "x-a": "1,2"},
        "cookies": ["c=1"],
        "requestContext": {
            "stage": "$default",
            "domainName": host,
            "http": {"method": "POST", "sourceIp": "1.1.1.1"},
        },
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }


DOORS: dict[str, Callable[[str], dict[str, Any]]] = {
    "rest": _by_rest,
    "http": _by_http_api,
    "url": lambda path: _by_http_api(path, "abc.lambda-url.us-east-1.on.aws"),
}


@pytest.mark.parametrize("door", DOORS)
def test_behind_every_front_door_a_function_sees_and_says_the_same(world: World, door: str) -> None:
    event = DOORS[door]("/fn/tool/echo/x")
    answer = world.client._app(event, None)
    assert answer["statusCode"] == 200, answer
    seen = json.loads(answer["body"])
    assert (seen["rawPath"], seen["rawQueryString"]) == ("/fn/tool/echo/x", "q=1&q=2")
    assert (seen["queryStringParameters"], seen["headers"]["x-a"]) == ({"q": "1,2"}, "1,2")
    assert seen["requestContext"]["http"]["sourceIp"] == "1.1.1.1"
    kind = {"Content-Type": "application/json"}
    assert answer["headers"].items() >= (kind | {"Access-Control-Allow-Origin": "*"}).items()
    page = world.client._app(DOORS[door]("/fn/tool/page"), None)
    cookies = ["a=1; Path=/", "b=2"]
    if door == "rest":
        assert page["multiValueHeaders"] == {"Set-Cookie": cookies}
    else:
        assert page["cookies"] == cookies
    assert "own" not in page


def test_an_ordinary_server_hands_on_the_same(world: World) -> None:
    from app import app  # noqa: PLC0415  (reads the environment that the local AWS sets)

    def ask(path: str) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[Any] = []
        plain, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": "POST", "RAW_URI": path, "PATH_INFO": plain, "QUERY_STRING": query,
            "REMOTE_ADDR": "1.1.1.1", "HTTP_COOKIE": "c=1; d=2", "CONTENT_LENGTH": "2",
            "CONTENT_TYPE": "image/png", "wsgi.input": io.BytesIO(b"\xff\x00"),
        }  # fmt: skip
        content = wsgi.application(app)(environ, lambda *given: started.extend(given))
        return started[0], started[1], b"".join(content)

    seen = json.loads(ask("/fn/tool/echo/a%2Fb/?q=%C3%A9&q")[2])
    assert (seen["rawPath"], seen["rawQueryString"]) == ("/fn/tool/echo/a%2Fb/", "q=%C3%A9&q")
    assert (seen["cookies"], seen["body"]) == (["c=1", "d=2"], "/wA=")
    status, fields, content = ask("/fn/tool/page")
    assert (status, content.decode()) == ("203 Non-Authoritative Information", "<p>é</p>")
    assert [value for name, value in fields if name == "Set-Cookie"] == ["a=1; Path=/", "b=2"]


def test_a_cold_call_imports_nothing_slow(world: World, local_aws: LocalAws) -> None:
    event = _by_rest("/fn/tool/page") | {"headers": {"authorization": world.user}}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(event | {"multiValueHeaders": None})],
        env=subprocess_environment(local_aws), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout.splitlines()[-1])
    assert answer["status"] == 203
    assert sorted(n for n in answer["modules"] if n.partition(".")[0] in FORBIDDEN) == []
