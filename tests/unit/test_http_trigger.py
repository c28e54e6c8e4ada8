"""The event of a function that HTTP wakes, and what its result is as an answer."""

import base64
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.functions import http_event, http_result
from chalicelib.domain.functions.http_event import Request
from chalicelib.domain.functions.http_result import BadResultError
from chalicelib.routes import fn_answers
from chalicelib.web import gateway, own_reply, wsgi
from chalicelib.web.own_reply import OwnReply
from chalicelib.web.router import Router

NOW_MS = 1_583_348_638_390


def event_of(**values: Any) -> dict[str, Any]:
    request = Request(**{"method": "GET", "path": "/fn/hook", **values})
    return http_event.build(request, None, "id1", NOW_MS)


def test_the_event_is_that_of_a_function_url() -> None:
    request = Request(
        "POST",
        "/fn/hook/a/b%20c/",
        {"q": ["1", "2"], "e": [""]},
        "q=1&q=2&e=",
        {
            "host": "api.example.com",
            "content-type": "application/json",
            "user-agent": "curl/8",
            "cookie": "a=1; b=2",
        },
        body=b'{"x": 1}',
        ip="203.0.113.7",
    )
    auth = {"id": "u1", "collectionName": "users"}
    assert http_event.build(request, auth, "id1", NOW_MS) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/fn/hook/a/b%20c/",
        "rawQueryString": "q=1&q=2&e=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": "api.example.com",
            "content-type": "application/json",
            "user-agent": "curl/8",
        },
        "queryStringParameters": {"q": "1,2", "e": ""},
        "pathParameters": {"proxy": "a/b%20c/"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "dormouse",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/fn/hook/a/b%20c/",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8",
            },
            "requestId": "id1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": NOW_MS,
        },
        "body": '{"x": 1}',
        "isBase64Encoded": False,
        "auth": auth,
    }


def test_what_was_not_sent_is_left_out() -> None:
    event = event_of()
    assert not {"body", "cookies", "queryStringParameters", "pathParameters"} & event.keys()
    assert (event["rawQueryString"], event["isBase64Encoded"], event["auth"]) == ("", False, None)


@pytest.mark.parametrize(
    ("content_type", "body", "is_text"),
    [
        ("", b"plain", True),
        ("text/plain; charset=utf-8", "é".encode(), True),
        ("application/json", b"{}", True),
        ("Application/JSON", b"{}", True),
        ("application/vnd.api+json", b"{}", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("image/svg+xml", b"<svg/>", True),
        ("text/plain", b"\xff\xfe", False),
        ("application/octet-stream", b"looks like text", False),
        ("multipart/form-data; boundary=x", b"--x--", False),
        ("image/png", bytes(range(256)), False),
    ],
)
def test_a_body_is_text_if_its_type_says_so_and_it_is(
    content_type: str, body: bytes, is_text: bool
) -> None:
    event = event_of(headers={"content-type": content_type}, body=body)
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == (body.decode() if is_text else base64.b64encode(body).decode())


def test_a_query_that_the_front_door_read_is_written_again() -> None:
    assert event_of(query={"a b": ["é", "2"]})["rawQueryString"] == "a+b=%C3%A9&a+b=2"


def test_cookies_that_the_front_door_read_are_taken() -> None:
    assert event_of(cookies=["a=1"], headers={"cookie": "b=2"})["cookies"] == ["a=1"]


def answer(**values: Any) -> http_result.Answer:
    return http_result.of_proxy({"statusCode": 200, **values})


@pytest.mark.parametrize("result", [None, 1, "text", [1], {}, {"body": "x"}])
def test_a_result_without_a_status_is_the_body_itself(result: Any) -> None:
    assert not http_result.is_proxy(result)


def test_a_proxy_result_says_all_of_the_answer() -> None:
    made = answer(
        statusCode="201",
        headers={"X-Own": 5, "content-type": "text/plain", "x-flag": True},
        multiValueHeaders={"X-Several": ["1", "2"]},
        cookies=["a=1; HttpOnly", "b=2"],
        body="hello",
    )
    assert made.status == 201
    assert made.headers == [
        ("X-Own", "5"),
        ("content-type", "text/plain"),
        ("x-flag", "true"),
        ("X-Several", "1"),
        ("X-Several", "2"),
        ("Set-Cookie", "a=1; HttpOnly"),
        ("Set-Cookie", "b=2"),
    ]
    assert made.body == "hello"


def test_a_proxy_result_may_be_short() -> None:
    assert answer() == (200, [("Content-Type", "application/json")], "")
    assert answer(headers=None, body=None, cookies=None, multiValueHeaders=None) == answer()


def test_headers_of_the_connection_are_the_servers() -> None:
    given = {"Content-Length": "1", "Transfer-Encoding": "chunked", "Connection": "close"}
    assert answer(headers=given) == answer()


def test_a_body_in_base64_is_bytes() -> None:
    encoded = base64.b64encode(bytes(range(256))).decode()
    assert answer(body=encoded, isBase64Encoded=True).body == bytes(range(256))


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": None},
        {"statusCode": 99},
        {"statusCode": 101},
        {"statusCode": 600},
        {"statusCode": True},
        {"statusCode": 200.5},
        {"statusCode": "9" * 5000},
        {"statusCode": "\uff12\uff10\uff10"},
        {"body": {"a": 1}},
        {"body": 5},
        {"body": "no base64!", "isBase64Encoded": True},
        {"headers": []},
        {"headers": {"X-A": "1\r\nSet-Cookie: stolen=1"}},
        {"headers": {"X-A\r\nX-B": "1"}},
        {"headers": {"": "1"}},
        {"headers": {"X A": "1"}},
        {"headers": {"X-A": None}},
        {"headers": {"X-A": ["1"]}},
        {"multiValueHeaders": {"X-A": "1"}},
        {"multiValueHeaders": {"X-A": ["1\n"]}},
        {"cookies": "a=1"},
        {"cookies": ["a=1\r\n"]},
        {"cookies": [5, None]},
    ],
)
def test_what_is_no_http_answer_is_refused(result: dict[str, Any]) -> None:
    with pytest.raises(BadResultError):
        answer(**result)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PARTS = st.fixed_dictionaries(
    {"statusCode": st.integers(199, 600) | JSON},
    optional={
        "headers": st.dictionaries(st.text(), st.text() | JSON) | JSON,
        "multiValueHeaders": st.dictionaries(st.text(), st.lists(st.text())) | JSON,
        "cookies": st.lists(st.text()) | JSON,
        "body": st.text() | JSON,
        "isBase64Encoded": JSON,
    },
)


@given(PARTS)
def test_any_proxy_result_is_an_answer_or_refused(result: dict[str, Any]) -> None:
    try:
        made = http_result.of_proxy(result)
    except BadResultError:
        return
    assert 200 <= made.status <= 599
    assert isinstance(made.body, (str, bytes))
    for name, value in made.headers:
        assert name.isascii()
        assert name.isprintable()
        assert not {"\r", "\n", "\0"} & set(name + value)


def completed(own: list[tuple[str, str]], is_payload_2: bool = False) -> dict[str, Any]:
    made = OwnReply("x", 200, own).to_dict()
    own_reply.complete(made, {"origin": "https://a.example"}, is_payload_2)
    return made


def test_a_functions_headers_go_before_ours() -> None:
    own = [("access-control-allow-origin", "https://b.example"), ("x-frame-options", "DENY")]
    headers = completed(own)["headers"]
    assert headers["access-control-allow-origin"] == "https://b.example"
    assert headers["x-frame-options"] == "DENY"
    assert not {"Access-Control-Allow-Origin", "X-Frame-Options"} & headers.keys()
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_function_with_a_policy_of_its_own_may_be_framed() -> None:
    headers = completed([("content-security-policy", "frame-ancestors *")])["headers"]
    assert "X-Frame-Options" not in headers
    both = completed([("Content-Security-Policy", "x"), ("X-Frame-Options", "DENY")])["headers"]
    assert both["X-Frame-Options"] == "DENY"


def test_a_function_does_not_say_what_is_said_of_it() -> None:
    made = OwnReply("x", 200, [("X-Dormouse-Invocation", "forged"), ("X-A", "1")])
    made.headers["x-dormouse-invocation"] = "true"
    answer = made.to_dict()
    own_reply.complete(answer, {}, is_payload_2=False)
    told = {n.lower(): v for n, v in answer["headers"].items()}
    assert (told["x-dormouse-invocation"], told["x-a"]) == ("true", "1")


def test_several_values_leave_as_each_front_door_takes_them() -> None:
    own = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Link", "</a>"), ("link", "</b>")]
    first = completed(own)
    assert first["multiValueHeaders"] == {"Set-Cookie": ["a=1", "b=2"], "Link": ["</a>", "</b>"]}
    assert "cookies" not in first
    second = completed(own, is_payload_2=True)
    assert second["cookies"] == ["a=1", "b=2"]
    assert second["headers"]["Link"] == "</a>, </b>"
    assert second["multiValueHeaders"] == {}
    assert completed([("set-cookie", "a=1")])["headers"]["set-cookie"] == "a=1"
    assert completed([("set-cookie", "a=1")], is_payload_2=True)["cookies"] == ["a=1"]


@pytest.mark.parametrize("result", ["x" * 6_500_000, {"statusCode": 200, "body": "x" * 6_500_000}])
def test_in_lambda_an_answer_that_it_cannot_hand_on_is_told(
    monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    assert fn_answers._of_result(result).status_code == 200
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "dormouse")
    told = fn_answers._of_result(result)
    assert (told.status_code, "6 MB" in told.body["message"]) == (502, True)


ROUTES = ["/api/fn/{name}", "/api/fn/{name}/{proxy+}", "/api/health", "/{proxy+}"]


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/api/fn/hook", ROUTES[0]),
        ("/api/fn/hook/", ROUTES[1]),
        ("/api/fn/hook/a/b/", ROUTES[1]),
        ("/api/fn/hook//", ROUTES[1]),
        ("/api/fn/hook/%2F/%zz", ROUTES[1]),
        ("/api/health", "/api/health"),
    ],
)
def test_whatever_lies_below_a_function_is_its_own(path: str, pattern: str) -> None:
    match = Router(ROUTES).match(path)
    assert match is not None
    assert match.pattern == pattern
    assert match.parameters == ({"name": "hook"} if "fn" in path else {})


@pytest.mark.parametrize("path", ["/api/fn", "/api/fn/", "/api/fn//x", "/api/health/", "/"])
def test_what_names_no_function_has_no_route(path: str) -> None:
    assert Router(ROUTES).match(path) is None


def http_api(path: str, host: str = "x.execute-api.eu-central-1.amazonaws.com") -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "a=1&a=%C3%A9",
        "cookies": ["c=1"],
        "headers": {"x-a": "1,2"},
        "requestContext": {
            "domainName": host,
            "http": {"method": "PUT", "sourceIp": "1.2.3.4"},
            "stage": "$default",
        },
    }


@pytest.mark.parametrize("path", ["/fn/hook/a", "/api/fn/hook/a"])
def test_every_front_door_leads_to_the_same_path(path: str) -> None:
    routes = dict.fromkeys(ROUTES)
    edges = [
        gateway.read(http_api(path), routes, Router(routes)),
        gateway.read(
            {
                "resource": "/fn/{name}/{proxy+}",
                "path": "/fn/hook/a",
                "httpMethod": "PUT",
                "pathParameters": {"name": "hook", "proxy": "a"},
                "requestContext": {"stage": "api"},
            },
            routes,
            Router(routes),
        ),
        gateway.read(
            {"requestContext": {"httpMethod": "PUT", "path": path}}, routes, Router(routes)
        ),
    ]
    assert {(e.method, e.route, e.path) for e in edges} == {("PUT", ROUTES[1], "/api/fn/hook/a")}
    assert {e.parameters["name"] for e in edges} == {"hook"}


def test_payload_2_keeps_what_a_function_is_told() -> None:
    event = gateway.read(http_api("/fn/hook"), {}, Router(ROUTES)).event
    assert (event["rawQueryString"], event["cookies"]) == ("a=1&a=%C3%A9", ["c=1"])
    assert event["gateway"] == "http"
    url = http_api("/fn/hook", "abc.lambda-url.eu-central-1.on.aws")
    assert gateway.read(url, {}, Router(ROUTES)).event["gateway"] == "url"


def test_an_ordinary_server_sends_several_cookies_and_any_status() -> None:
    sent: list[tuple[str, list[tuple[str, str]]]] = []

    def answering(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
        made = OwnReply("x", 299, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]).to_dict()
        own_reply.complete(made, {}, is_payload_2=False)
        return made

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/fn/x", "wsgi.input": io.BytesIO()}
    serve = wsgi.application(answering)
    assert list(serve(environ, lambda *started: sent.append(started))) == [b"x"]
    ((status, fields),) = sent
    assert status == "299 Unknown"
    assert [value for name, value in fields if name == "Set-Cookie"] == ["a=1", "b=2"]


def test_the_event_is_json() -> None:
    made = event_of(headers={"content-type": "image/png"}, body=bytes(range(256)))
    assert json.loads(json.dumps(made)) == made
