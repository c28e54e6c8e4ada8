"""How a request begins on the wire."""

import socket
from http.client import HTTPConnection
from typing import Any

import pytest

from chalicelib.aws.connections import LONG_WAIT_SECONDS, Endpoint, _Connection, _head, exchange


def test_a_head_has_what_a_server_needs() -> None:
    head = _head("PUT", "/a%20b?x=1", {"host": "h", "x-odd": "ü"}, 7)
    assert head == (
        b"PUT /a%20b?x=1 HTTP/1.1\r\ncontent-length: 7\r\nhost: h\r\nx-odd: \xfc\r\n"
        b"accept-encoding: identity\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "value"),
    [("/", "a\r\nx: y"), ("/", "a\nb"), ("/", "a\rb"), ("/a b", "v"), ("/\r\n\r\nGET /", "v")],
)
def test_nothing_ends_a_line_too_early(target: str, value: str) -> None:
    with pytest.raises(ValueError, match="end of line"):
        _head("GET", target, {"host": "h", "x": value}, 0)


@pytest.mark.parametrize(("seconds", "kept_alive"), [(8.0, 0), (LONG_WAIT_SECONDS + 1, 1)])
def test_a_long_wait_keeps_its_connection_alive(seconds: float, kept_alive: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = _Connection(*server.getsockname())
        connection.prepare(seconds)
        connection.connect()
        found = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        timeout = connection.sock.gettimeout()
        connection.close()
    assert (found, timeout) == (kept_alive, seconds)


def test_whoever_replaced_the_ways_of_http_client_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Canned:
        status = 200

        def read(self) -> bytes:
            return b"canned"

    def request(_self: Any, *given: Any) -> None:
        asked.append(given)

    monkeypatch.setattr(HTTPConnection, "request", request)
    monkeypatch.setattr(HTTPConnection, "getresponse", lambda _self: Canned())
    reply = exchange(Endpoint(False, "127.0.0.1:9"), "POST", "/", (b"a", b"b"), {"host": "h"}, 1.0)
    assert (reply.status, reply.body) == (200, b"canned")
    assert asked == [("POST", "/", b"ab", {"host": "h"})]
