"""The app's door: whatever comes in, an answer in PocketBase's shape goes out."""

import base64
import json
import threading
import time
from typing import Any

import pytest
from chalice import Response

from chalicelib.aws import dynamodb
from chalicelib.domain.request import Call
from chalicelib.errors import BadRequestError, field_error
from chalicelib.routes.api import ApiBlueprint
from chalicelib.web import gateway, headers
from chalicelib.web.app import App
from chalicelib.web.reply import Reply

api = ApiBlueprint(__name__)
seen: list[Any] = []


class Context:
    """Lambda's, as far as it matters."""

    def __init__(self, seconds_left: float = 29) -> None:
        self.seconds_left = seconds_left

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


@api.route("/api/things/{collection}", methods=["GET", "POST"])
def show(call: Call, collection: str) -> Any:
    seen.append(call)
    return {"method": call.method, "path": call.path, "of": collection, "query": call.query}


@api.route("/api/things", methods=["DELETE"])
def nothing(call: Call) -> None:
    return None


@api.route("/api/reply")
def own_reply(call: Call) -> Reply:
    return Reply(b"\x00\x01", 206, {"Content-Type": "image/png", "X-Own": "1"})


@api.route("/api/created", methods=["POST"])
def created(call: Call) -> Reply:
    return Reply({"a": 1, "b": 2}, 201)


@api.route("/api/echo", methods=["POST"])
def echo(call: Call) -> Any:
    return call.body.data


@api.route("/api/refused")
def refused(call: Call) -> None:
    data = {"title": field_error("validation_required", "Cannot be blank.")}
    raise BadRequestError("failed to create record", data)


@api.route("/api/broken")
def broken(call: Call) -> None:
    raise RuntimeError("secret detail")


@api.route("/api/deadline")
def deadline(call: Call) -> float:
    return (dynamodb.deadline.get() or 0) - time.monotonic()


@pytest.fixture
def app() -> App:
    app = App("test")
    app.register_blueprint(api)
    return app


def event(method: str, path: str, **more: Any) -> dict[str, Any]:
    """An event that API Gateway's fallback route hands on."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Origin": "https://example.com"},
        "requestContext": {"resourcePath": "/{proxy+}", "httpMethod": method},
        "body": None,
        **more,
    }


def body_of(answer: dict[str, Any]) -> Any:
    return json.loads(answer["body"])


ENVELOPE_404 = {"status": 404, "message": "The requested resource wasn't found.", "data": {}}


def test_view_gets_the_call_and_its_variables(app: App) -> None:
    query = {"a": ["1", "2"]}
    answer = app(
        event("GET", "/api/things/posts", multiValueQueryStringParameters=query), Context()
    )
    assert body_of(answer) == {
        "method": "GET",
        "path": "/api/things/posts",
        "of": "posts",
        "query": {"a": "1"},
    }
    assert seen[-1].headers == {"origin": "https://example.com"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/things/x", 200),
        ("HEAD", "/api/things/x", 200),
        ("DELETE", "/api/things", 204),
        ("GET", "/api/reply", 206),
        ("GET", "/api/refused", 400),
        ("GET", "/api/broken", 500),
        ("GET", "/api/nope", 404),
        ("PATCH", "/api/things/x", 404),  # PocketBase never answers 405
        ("PROPFIND", "/api/things/x", 404),
        ("GET", "/", 404),
        ("GET", "", 404),
    ],
)
def test_every_answer_carries_the_headers(app: App, method: str, path: str, status: int) -> None:
    answer = app(event(method, path), Context())
    assert answer["statusCode"] == status
    expected = {**headers.SECURITY, "Access-Control-Allow-Origin": "*"}
    assert expected.items() <= answer["headers"].items()


@pytest.mark.parametrize("path", ["/api/things/x", "/api/nope", "/"])
def test_preflight_is_answered_everywhere(app: App, path: str) -> None:
    answer = app(event("OPTIONS", path), Context())
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert answer["headers"] == headers.of_preflight({"origin": "x"})


def test_head_is_get_without_the_body(app: App) -> None:
    for path in ("/api/things/x", "/api/reply", "/api/nope"):
        head, get = (app(event(method, path), Context()) for method in ("HEAD", "GET"))
        assert (head["body"], head["isBase64Encoded"]) == ("", False)
        assert head["headers"] == get["headers"]
        assert head["statusCode"] == get["statusCode"]


def test_head_is_known_to_rules_as_head(app: App) -> None:
    app(event("HEAD", "/api/things/x"), Context())
    assert seen[-1].method == "HEAD"


def test_unknown_path_is_not_found(app: App) -> None:
    assert body_of(app(event("POST", "/api/nope"), Context())) == ENVELOPE_404
    # PocketBase looks for a file where no route takes a GET.
    message = body_of(app(event("GET", "/api/nope"), Context()))["message"]
    assert message == "File not found."


def test_api_error_is_enveloped(app: App) -> None:
    assert body_of(app(event("GET", "/api/refused"), Context())) == {
        "status": 400,
        "message": "Failed to create record.",
        "data": {"title": {"code": "validation_required", "message": "Cannot be blank."}},
    }


def test_bug_is_enveloped_and_tells_nothing(app: App, caplog: pytest.LogCaptureFixture) -> None:
    answer = app(event("GET", "/api/broken"), Context())
    assert body_of(answer) == {
        "status": 500,
        "message": "Something went wrong while processing your request.",
        "data": {},
    }
    assert "secret detail" in caplog.text  # in the log it is


def test_bytes_leave_in_base64(app: App) -> None:
    answer = app(event("GET", "/api/reply"), Context())
    assert (answer["body"], answer["isBase64Encoded"]) == ("AAE=", True)
    assert (answer["headers"]["Content-Type"], answer["headers"]["X-Own"]) == ("image/png", "1")


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "body"),
    [
        ("GET", "/api/things/x", "of", 200, {"of": "x"}),
        ("POST", "/api/created", "a", 201, {"a": 1}),
        ("GET", "/api/refused", "status", 400, None),  # never applied to errors
        ("GET", "/api/things/x", "of:bad", 400, None),
        ("GET", "/api/things/x", "", 200, None),
        ("GET", "/api/reply", "a", 206, None),
        ("DELETE", "/api/things", "a:bad", 204, None),
    ],
)
def test_fields_pick_from_every_json_success(
    app: App, method: str, path: str, fields: str, status: int, body: Any
) -> None:
    answer = app(event(method, path, queryStringParameters={"fields": fields}), Context())
    assert answer["statusCode"] == status
    if body is not None:
        assert body_of(answer) == body
    elif status == 400:
        assert body_of(answer).keys() == {"status", "message", "data"}


def test_body_is_parsed_when_asked_for(app: App) -> None:
    request = {"headers": {"Content-Type": "application/json"}, "body": "{bad"}
    assert app(event("POST", "/api/created", **request), Context())["statusCode"] == 201
    assert app(event("POST", "/api/echo", **request), Context())["statusCode"] == 400


@pytest.mark.parametrize(
    "broken_event",
    [
        {},
        {"requestContext": None},
        {"requestContext": {"httpMethod": "GET", "path": "/%ff%zz"}},
        {"path": "/x", "headers": {"a": None}, "multiValueHeaders": {"b": []}},
        {"headers": {"Origin": 5}, "path": "/api/echo", "httpMethod": "POST", "body": 7},
        {"version": "2.0"},
        {"path": 5},
    ],
)
def test_even_a_broken_event_is_answered(app: App, broken_event: dict[str, Any]) -> None:
    answer = app(broken_event, None)
    assert answer["statusCode"] in (404, 500)
    assert body_of(answer)["status"] == answer["statusCode"]
    assert headers.SECURITY.items() <= answer["headers"].items()


@pytest.mark.parametrize(
    ("seconds_left", "expected"),
    [(29, 28.0), (300, 28.0), (5, 4.5), (0.2, -0.3)],  # half a second is kept to answer
)
def test_deadline_follows_the_platforms(app: App, seconds_left: float, expected: float) -> None:
    answer = app(event("GET", "/api/deadline"), Context(seconds_left))
    assert body_of(answer) == pytest.approx(expected, abs=0.1)


def test_deadline_without_a_platform_is_our_own(app: App) -> None:
    assert body_of(app(event("GET", "/api/deadline"), None)) == pytest.approx(28.0, abs=0.1)


def test_plain_chalice_views_and_middleware_still_work(app: App) -> None:
    @app.route("/api/plain/{name}")
    def plain(name: str) -> Any:
        request, context = app.current_request, app.lambda_context
        return Response({"name": name, "path": request.path, "left": context.seconds_left})

    @app.route("/api/plain-error")
    def plain_error() -> Any:
        raise RuntimeError("secret detail")

    answer = app(event("GET", "/api/plain/a"), Context(7))
    assert json.loads(_text(answer)) == {"name": "a", "path": "/api/plain/{name}", "left": 7}
    answer = app(event("GET", "/api/plain-error"), Context())
    assert (answer["statusCode"], body_of(answer)["status"]) == (500, 500)

    @app.middleware("http")
    def mark(request: Any, get_response: Any) -> Any:
        response = get_response(request)
        response.headers["X-Marked"] = "1"
        return response

    answer = app(event("GET", "/api/things/x"), Context())
    assert answer["headers"]["X-Marked"] == "1"
    assert body_of(answer)["of"] == "x"


def _text(answer: dict[str, Any]) -> str:
    return base64.b64decode(answer["body"]).decode()  # Chalice's own replies are all base64


def test_threads_do_not_share_the_request(app: App) -> None:
    barrier, paths = threading.Barrier(8), {}

    @app.route("/api/waiting/{name}")
    def waiting(name: str) -> Any:
        barrier.wait(timeout=10)
        request = app.current_request
        paths[name] = (request.uri_params["name"], app.lambda_context.seconds_left)
        return {}

    def call(number: int) -> None:
        app(event("GET", f"/api/waiting/{number}"), Context(number))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == {str(number): (str(number), number) for number in range(8)}


def test_packaging_leaves_the_prefix_to_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CHALICE_CLI_MODE", "true")
    monkeypatch.setattr("sys.argv", ["chalice", "package", "out"])
    packaged = App("test")
    packaged.register_blueprint(api)
    assert "/things/{collection}" in packaged.routes
    assert not any(route.startswith("/api") for route in packaged.routes)
    assert {"GET", "HEAD", "POST", "OPTIONS"} == set(packaged.routes["/things/{collection}"])


def late_app() -> tuple[App, list[str]]:
    """Return an app that leaves two routes for later, and the list that tells of their loading."""
    app, loaded = App("late"), []

    @app.later("rare", "odd")
    def rare() -> list[ApiBlueprint]:
        loaded.append("rare")
        blueprint = ApiBlueprint(__name__)
        blueprint.route("/api/rare/{name}")(lambda call, name: name)
        blueprint.route("/api/odd")(lambda call: "odd")
        return [blueprint]

    app.register_blueprint(api)
    return app, loaded


@pytest.mark.parametrize(
    ("path", "status", "is_loaded"),
    [
        ("/api/rare/one", 200, True),
        ("/api/%72are/one", 200, True),
        ("/rare/one", 200, True),  # as a stage called api shows it
        ("/api/odd", 200, True),
        ("/api/rare", 404, True),
        ("/api/things/rare", 200, False),
        ("/api/rarely", 404, False),
        ("/", 404, False),
    ],
)
def test_routes_left_for_later_come_with_the_first_path_of_theirs(
    path: str, status: int, is_loaded: bool
) -> None:
    app, loaded = late_app()
    statuses = [app(event("GET", path), Context())["statusCode"] for _ in range(2)]
    assert statuses == [status, status]
    assert loaded == ["rare"] * is_loaded


def test_many_first_requests_at_once_all_find_their_route() -> None:
    app, loaded = late_app()
    ready = threading.Barrier(16)
    statuses: list[int] = []

    def ask(number: int) -> None:
        ready.wait()
        path = "/api/odd" if number % 2 else "/api/rare/one"
        statuses.append(app(event("GET", path), Context())["statusCode"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 16
    assert loaded == ["rare"]


def test_a_route_that_another_request_loads_meanwhile_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, _ = late_app()
    plain = gateway.read

    def read(*given: Any) -> gateway.Edge:
        edge = plain(*given)
        app.load_late()  # the other one is just that much faster
        return edge

    monkeypatch.setattr(gateway, "read", read)
    assert app(event("GET", "/api/odd"), Context())["statusCode"] == 200


def test_nothing_is_left_for_later_while_chalice_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CHALICE_CLI_MODE", "true")
    assert "/api/odd" in late_app()[0].routes
