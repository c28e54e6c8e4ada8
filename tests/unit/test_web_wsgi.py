"""The app behind an ordinary server. wsgiref's validator watches both sides."""

import io
import json
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from chalicelib.config import settings
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint
from chalicelib.web import limits, wsgi
from chalicelib.web.app import App
from chalicelib.web.reply import Reply

api = ApiBlueprint(__name__)


@api.route("/api/echo/{name}", methods=["GET", "POST"])
def echo(call: Call, name: str) -> Any:
    return {
        "name": name,
        "query": call.query,
        "body": call.body.data,
        "ip": call.ip,
        "header": call.headers.get("x-own"),
    }


@api.route("/api/binary")
def binary(call: Call) -> Reply:
    return Reply(b"\x00\xff", 200, {"Content-Type": "image/png", "X-Odd": "日"})


@api.route("/api/nothing", methods=["DELETE"])
def nothing(call: Call) -> None:
    return None


@pytest.fixture
def application() -> wsgi.Application:
    app = App("test")
    app.register_blueprint(api)
    return validator(wsgi.application(app))  # type: ignore[return-value]


def call(
    application: wsgi.Application, method: str, path: str, body: bytes = b"", **environ: Any
) -> tuple[str, dict[str, str], bytes]:
    """Return status line, headers and body of the answer."""
    full = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "192.0.2.9",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        **environ,
    }
    setup_testing_defaults(full)
    full["wsgi.input"] = io.BytesIO(body)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        started.extend([status, dict(headers)])
        return lambda data: None

    chunks = application(full, start_response)
    content = b"".join(chunks)
    chunks.close()  # type: ignore[attr-defined]
    return started[0], started[1], content


def test_request_arrives_whole(application: wsgi.Application) -> None:
    status, headers, body = call(
        application,
        "POST",
        "/api/echo/a@b",
        b'{"n":1} ',
        QUERY_STRING="q=%C3%A9&q=2&empty=",
        HTTP_X_OWN="é".encode().decode("latin-1"),
    )
    assert status == "200 OK"
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(body))
    assert json.loads(body) == {
        "name": "a@b",
        "query": {"q": "é", "empty": ""},
        "body": {"n": 1},
        "ip": "192.0.2.9",
        "header": "é",
    }


@pytest.mark.parametrize(
    "environ",
    [
        {"RAW_URI": "/api/echo/a%2Fb?x=1"},  # gunicorn
        {"REQUEST_URI": "/api/echo/a%2Fb"},  # uWSGI
    ],
)
def test_encoded_slash_survives_where_the_server_shows_it(
    application: wsgi.Application, environ: dict[str, str]
) -> None:
    _, _, body = call(application, "GET", "/api/echo/a/b", b"", **environ)
    assert json.loads(body)["name"] == "a/b"


def test_bytes_and_odd_headers_leave(application: wsgi.Application) -> None:
    status, headers, body = call(application, "GET", "/api/binary")
    assert (status, body) == ("200 OK", b"\x00\xff")
    assert (headers["Content-Type"], headers["X-Odd"]) == ("image/png", "?")


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/api/binary"), ("HEAD", "/nope")])
def test_head_has_no_body(application: wsgi.Application, method: str, path: str) -> None:
    assert call(application, method, path)[2] == b""


def test_errors_and_headers_are_those_of_the_app(application: wsgi.Application) -> None:
    status, headers, body = call(application, "GET", "/nope", HTTP_ORIGIN="https://a.example")
    assert status == "404 Not Found"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert json.loads(body)["status"] == 404


def test_body_over_the_limit_is_refused_unread(
    application: wsgi.Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = settings()._replace(body_limit_bytes=10)
    monkeypatch.setattr(limits, "settings", lambda: limited)
    status, headers, body = call(application, "POST", "/api/echo/a", b'{"a": 123456}')
    assert status == "413 Request Entity Too Large"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert json.loads(body)["status"] == 413


@pytest.mark.parametrize("length", ["", "x", "-1"])
def test_odd_content_length_reads_nothing(length: str) -> None:
    environ = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(b"body")}
    assert wsgi._body(environ) == b""
