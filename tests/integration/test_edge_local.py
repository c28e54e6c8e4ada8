"""A real `chalice local`, spoken to in raw HTTP: nothing hangs, nothing is dropped.

The app is a small one of its own (`APP`), so that no database is needed.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

APP = """
import time
from typing import Any

from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint
from chalicelib.routes.health import health_api
from chalicelib.web.app import App, current_edge
from chalicelib.web.reply import Reply

api = ApiBlueprint(__name__)


@api.route("/api/echo/{id}", methods=["GET", "POST", "PATCH"])
def echo(call: Call, id: str) -> Any:
    body = call.body
    return {
        "id": id,
        "path": call.path,
        "query": call.query,
        "headers": call.headers,
        "data": body.data,
        "sizes": {name: [len(file.content) for file in body.files[name]] for name in body.files},
    }


@api.route("/api/slow/{id}")
def slow(call: Call, id: str) -> Any:
    time.sleep(0.3)
    return {"id": id, "still": current_edge().parameters["id"]}


@api.route("/api/bytes")
def some_bytes(call: Call) -> Reply:
    return Reply(bytes(range(256)) * 4096, 200, {"Content-Type": "image/png"})


@api.route("/api/html")
def html(call: Call) -> Reply:
    return Reply("<p>é</p>", 200, {"Content-Type": "text/html; charset=utf-8", "X-Odd": "日"})


@api.route("/api/broken")
def broken(call: Call) -> None:
    raise RuntimeError


@api.route("/api/nothing", methods=["DELETE"])
def nothing(call: Call) -> None:
    return None


app = App("edge")
app.register_blueprint(api)
app.register_blueprint(health_api)
"""


class Server(NamedTuple):
    port: int
    log: Path


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    project = tmp_path_factory.mktemp("edge")
    (project / ".chalice").mkdir()
    (project / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "edge"}')
    (project / "app.py").write_text(APP)
    port, log = _free_port(), project / "log"
    run = "from chalice.cli import main; main()"
    command = [sys.executable, "-c", run, "--project-dir", str(project), "local"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DORMOUSE_BODY_LIMIT_BYTES": "3000000",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--no-autoreload", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(port, process, log)
        yield Server(port, log)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def call(
    server: Server,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def raw(server: Server, request: bytes) -> bytes:
    """Return all that the server sends until it hangs up, as it was asked to."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def head(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([line, b"Host: x", *headers, b"Connection: close", b"", b""])


SECURITY = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "1; mode=block",
    "Vary": "Origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/health", 200),
        ("GET", "/api/broken", 500),
        ("GET", "/api/nope", 404),
        ("GET", "/", 404),
        ("GET", "/api/health/", 404),
        ("GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m", 404),
        ("GET", "/%zz", 404),
        ("POST", "/api/health", 404),
        ("PUT", "/api/echo/x", 404),
        ("PROPFIND", "/api/health", 404),
        ("TRACE", "/api/health", 404),
        ("DELETE", "/api/nothing", 204),
    ],
)
def test_every_answer_has_shape_and_headers(
    server: Server, method: str, path: str, status: int
) -> None:
    answer = call(server, method, path, headers={"Origin": "https://a.example"})
    assert answer.status == status
    expected = {**SECURITY, "Access-Control-Allow-Origin": "*"}
    assert expected.items() <= answer.headers.items()
    if status >= 400:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json.keys() == {"status", "message", "data"}
        assert answer.json["status"] == status
    if status == 204:
        assert answer.body == b""
        assert "Content-Length" not in answer.headers


def test_no_accept_header_is_needed(server: Server) -> None:
    received = raw(server, head(b"GET /api/bytes HTTP/1.1"))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(bytes(range(256)) * 4096)


@pytest.mark.parametrize("path", ["/api/health", "/api/nope", "/"])
def test_preflight_is_answered_everywhere(server: Server, path: str) -> None:
    answer = call(
        server,
        "OPTIONS",
        path,
        headers={
            "Origin": "https://a.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, x-own",
        },
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, x-own"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET,HEAD,PUT,PATCH,POST,DELETE"


def test_path_and_query_arrive_decoded(server: Server) -> None:
    answer = call(server, "GET", "/api/echo/a%40b%2Fc+d%25?q=%C3%A9+x&q=2&empty=").json
    assert answer["id"] == "a@b/c+d%"
    assert answer["query"] == {"q": "é x", "empty": ""}


def test_headers_arrive_as_utf8(server: Server) -> None:
    request = head(b"GET /api/echo/x HTTP/1.1", "Authorization: é".encode(), b"X-Bad: \xff")
    body = json.loads(raw(server, request).partition(b"\r\n\r\n")[2])
    assert body["headers"]["authorization"] == "é"
    assert body["headers"]["x-bad"] == "\ufffd"


def test_first_of_repeated_headers_counts(server: Server) -> None:
    request = head(b"GET /api/echo/x HTTP/1.1", b"X-A: 1", b"x-a: 2")
    body = json.loads(raw(server, request).partition(b"\r\n\r\n")[2])
    assert body["headers"]["x-a"] == "1"


def test_bytes_and_text_leave_as_they_are(server: Server) -> None:
    assert call(server, "GET", "/api/bytes").body == bytes(range(256)) * 4096
    answer = call(server, "GET", "/api/html")
    assert answer.body == "<p>é</p>".encode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_binary_upload_arrives_whole(server: Server) -> None:
    content = bytes(range(256)) * 4000
    body = (
        b'--XX\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        + content
        + b"\r\n--XX--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=XX"}
    answer = call(server, "POST", "/api/echo/x", body, headers)
    assert answer.json["sizes"] == {"f": [len(content)]}


def test_chunked_body_is_read_and_the_connection_goes_on(server: Server) -> None:
    first = (
        b"POST /api/echo/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b'Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\n{"a":\r\n3\r\n12}\r\n0\r\nTrailer: x\r\n\r\n'
    )
    received = raw(server, first + head(b"GET /api/health HTTP/1.1"))
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert b'"data":{"a":12}' in received


def test_head_sends_no_body_and_the_connection_goes_on(server: Server) -> None:
    first = b"HEAD /api/bytes HTTP/1.1\r\nHost: x\r\n\r\nHEAD /api/nope HTTP/1.1\r\nHost: x\r\n\r\n"
    received = raw(server, first + head(b"GET /api/health HTTP/1.1"))
    blocks = received.split(b"\r\n\r\n")
    assert [block.split(b"\r\n")[0] for block in blocks[:3]] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 404 Not Found",
        b"HTTP/1.1 200 OK",
    ]
    assert json.loads(blocks[3])["code"] == 200


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (head(b"POST /api/echo/x HTTP/1.1", b"Content-Length: abc"), 400),
        (head(b"POST /api/echo/x HTTP/1.1", b"Content-Length: -5"), 400),
        (head(b"POST /api/echo/x HTTP/1.1", b"Content-Length: " + b"9" * 5000), 400),
        (head(b"POST /api/echo/x HTTP/1.1", b"Transfer-Encoding: chunked") + b"zz\r\n", 400),
        (head(b"POST /api/echo/x HTTP/1.1", b"Transfer-Encoding: chunked") + b"-1\r\n", 413),
        (head(b"POST /api/echo/x HTTP/1.1", b"Transfer-Encoding: chunked") + b"fffffff\r\n", 413),
        (head(b"POST /api/echo/x HTTP/1.1", b"Content-Length: 4000000") + b"x" * 4_000_000, 413),
        (head(b"GET /api/health HTTP/1.1", b"X-Huge: " + b"a" * 2_000_000), 431),
        (head(b"GET /api/health HTTP/1.1", *(b"X-%d: a" % n for n in range(500))), 431),
        (head(b"GET /api/health?" + b"a" * 100_000 + b" HTTP/1.1"), 414),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / x y HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
    ],
)
def test_what_cannot_be_read_is_answered_before_hanging_up(
    server: Server, request_bytes: bytes, status: int
) -> None:
    received_head, _, body = raw(server, request_bytes).partition(b"\r\n\r\n")
    assert received_head.startswith(b"HTTP/1.1 %d " % status)
    assert b"X-Content-Type-Options: nosniff" in received_head
    assert b"Access-Control-Allow-Origin: *" in received_head
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"a":1} junk', "application/json", 200),
        (b"[1]", "application/json", 400),
        (b'{"a":NaN}', "application/json", 400),
        (b'{"j":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"x", "text/plain", 400),
        (b"a=%zz", "application/x-www-form-urlencoded", 400),
    ],
)
def test_bodies_are_judged_by_the_app(
    server: Server, body: bytes, content_type: str, status: int
) -> None:
    answer = call(server, "POST", "/api/echo/x", body, {"Content-Type": content_type})
    assert answer.status == status


def test_absolute_uri_of_a_proxy_is_understood(server: Server) -> None:
    received = raw(server, head(b"GET http://x/api/health?fields=code HTTP/1.1"))
    assert received.endswith(b'{"code":200}')
    assert raw(server, head(b"GET http://[ HTTP/1.1")).startswith(b"HTTP/1.1 404 ")


def test_path_that_is_not_encoded_is_read_as_utf8(server: Server) -> None:
    received = raw(server, head("GET /api/echo/é?q=日 HTTP/1.1".encode()))
    answer = json.loads(received.partition(b"\r\n\r\n")[2])
    assert (answer["id"], answer["query"]) == ("é", {"q": "日"})


def test_requests_in_parallel_keep_apart_and_none_is_dropped(server: Server) -> None:
    answers: dict[int, Any] = {}

    def ask(number: int) -> None:
        answers[number] = call(server, "GET", f"/api/slow/{number}").json

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: {"id": str(n), "still": str(n)} for n in range(40)}
    assert time.monotonic() - started < 6  # one after the other they would take 12 s


def test_keep_alive_does_not_wait_for_acknowledgements(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    started = time.monotonic()
    for _ in range(100):
        connection.request("GET", "/api/health")
        connection.getresponse().read()
    connection.close()
    # As shipped, Chalice takes 44 ms each; ours takes under 1 ms on an idle machine.
    assert time.monotonic() - started < 2


def test_caller_that_hangs_up_leaves_no_traceback(server: Server) -> None:
    tracebacks = server.log.read_text().count("Traceback")  # of /api/broken
    for request in (
        head(b"POST /api/echo/x HTTP/1.1", b"Content-Length: 1000") + b"x",
        head(b"GET /api/slow/1 HTTP/1.1"),
        b"GET /api/hea",
    ):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.sendall(request)
        connection.close()  # with a reset, as the SDK's auto-cancellation does
    time.sleep(0.6)
    assert call(server, "GET", "/api/health").status == 200
    log = server.log.read_text()
    assert "Exception" not in log
    assert log.count("Traceback") == tracebacks
