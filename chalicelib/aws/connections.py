"""Kept-alive HTTP connections to AWS: one per thread and endpoint, made by `http.client`.

Requests are written and answers read here (`lean_response`), since http.client's own ways cost
0.2 ms of CPU for each exchange, as much as all else in a small call. A small request leaves in
one segment; a large one piece by piece, because joining them would hold the body in memory twice.
Whoever has replaced `HTTPConnection.request` and `getresponse`, to trace, record or answer calls,
is asked all the same.

The endpoint is AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL, else AWS's own. Failures
are of two kinds, because a write may only be repeated blindly after the first:

NotConnectedError       the request never left
BrokenConnectionError   it may have arrived: reset, timeout, an answer cut short
"""

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from chalicelib.aws.lean_response import LeanResponse

CONNECT_SECONDS = 3.0
IDLE_SECONDS = 50.0
"""A connection unused for longer is not trusted: a frozen Lambda misses the server's close."""
ONE_SEGMENT_BYTES = 256 * 1024
"""Requests up to this size are joined and sent at once."""
LONG_WAIT_SECONDS = 60.0
"""For a longer answer the connection is kept alive on the way: gateways forget a silent one after
350 s, and then it would be waited for in vain (a function may run for 900 s)."""


class NotConnectedError(Exception):
    """No connection could be made, so the request was not sent."""


class BrokenConnectionError(Exception):
    """The connection failed after the request, or some of it, was sent."""


class Endpoint(NamedTuple):
    secure: bool
    host: str
    """As in the `host` header: with the port, unless it is the scheme's own."""


class Reply(NamedTuple):
    status: int
    body: bytes
    response: LeanResponse | HTTPResponse
    """For its headers."""


def endpoint(service: str, region: str) -> Endpoint:
    """Return where a service is reached. Raises `ValueError` if the variable holds no URL."""
    url = os.environ.get("AWS_ENDPOINT_URL_" + service.upper()) or os.environ.get(
        "AWS_ENDPOINT_URL"
    )
    return _parse(url) if url else _aws(service, region)


@cache
def _parse(url: str) -> Endpoint:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"AWS_ENDPOINT_URL has to be like http://localhost:4566, not {url!r}")
    host = parts.netloc.rpartition("@")[2]
    own_port = ":443" if parts.scheme == "https" else ":80"
    return Endpoint(parts.scheme == "https", host.removesuffix(own_port))


@cache
def _aws(service: str, region: str) -> Endpoint:
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return Endpoint(True, f"{service}.{region}.{domain}")


def exchange(
    to: Endpoint,
    method: str,
    target: str,
    body: bytes | Sequence[bytes],
    headers: Mapping[str, str],
    timeout_seconds: float,
) -> Reply:
    """Send one request and return its whole answer, whatever the status.

    A body in pieces is sent without being joined. `timeout_seconds` bounds every wait of the
    exchange. Raises `NotConnectedError` or `BrokenConnectionError`.
    """
    connection = _connection(to)
    connection.prepare(timeout_seconds)
    pieces = (body,) if isinstance(body, bytes) else body
    try:
        response = connection.ask(method, target, pieces, headers)
        content = response.read()
        if isinstance(response, LeanResponse) and (response.will_close or response.has_surplus):
            connection.close()
    except (OSError, HTTPException) as error:
        connection.close()
        raise BrokenConnectionError(f"{type(error).__name__}: {error}") from error
    except BaseException:
        # Half an exchange is on the wire: the next request must not read its answer.
        connection.close()
        raise
    connection.last_used = time.monotonic()
    return Reply(response.status, content, response)


_PLAIN = HTTPConnection.request, HTTPConnection.getresponse


class _Connection(HTTPConnection):
    """An HTTPConnection that notices a dead socket, and writes and reads by itself."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.last_used = 0.0
        self.answer_seconds = 0.0

    def prepare(self, timeout_seconds: float) -> None:
        """Make ready for one exchange: set its timeout, drop a socket that has gone stale."""
        self.answer_seconds = timeout_seconds
        if self.sock is None:
            return
        if time.monotonic() - self.last_used > IDLE_SECONDS or _has_input(self.sock):
            self.close()
        else:
            self._set_wait(timeout_seconds)

    def connect(self) -> None:
        self.timeout = min(CONNECT_SECONDS, self.answer_seconds)
        try:
            super().connect()
        except OSError as error:
            self.close()
            raise NotConnectedError(f"{self.host}:{self.port}: {error}") from error
        self._set_wait(self.answer_seconds)

    def _set_wait(self, seconds: float) -> None:
        self.sock.settimeout(seconds)
        if seconds > LONG_WAIT_SECONDS:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_KEEPIDLE"):
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)

    def ask(
        self, method: str, target: str, pieces: Sequence[bytes], headers: Mapping[str, str]
    ) -> LeanResponse | HTTPResponse:
        """Send a request and return its answer up to the body."""
        if (HTTPConnection.request, HTTPConnection.getresponse) != _PLAIN:
            self.request(method, target, b"".join(pieces), dict(headers))
            return self.getresponse()
        size_bytes = sum(map(len, pieces))
        head = _head(method, target, headers, size_bytes)
        if len(head) + size_bytes <= ONE_SEGMENT_BYTES:
            pieces = (b"".join((head, *pieces)),)
        else:
            pieces = (head, *pieces)
        for piece in pieces:
            self.send(piece)  # connects first, if need be
        response = LeanResponse(self.sock, method)
        response.begin()
        return response

    def __del__(self) -> None:
        """Close the socket of a thread that ended: Python would warn that nobody did."""
        self.close()


def _head(method: str, target: str, headers: Mapping[str, str], size_bytes: int) -> bytes:
    """Return the bytes before a body. Raises `ValueError` for what would end a line too early."""
    lines = [f"{method} {target} HTTP/1.1", f"content-length: {size_bytes}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if "accept-encoding" not in headers:
        lines.append("accept-encoding: identity")
    text = "\r\n".join(lines)
    if text.count("\n") >= len(lines) or text.count("\r") >= len(lines) or " " in target:
        raise ValueError("a header or the target of a request holds a blank or an end of line")
    return text.encode("latin-1") + b"\r\n\r\n"


class _SecureConnection(_Connection, HTTPSConnection):
    pass


_per_thread = threading.local()


def forget() -> None:
    """Close this thread's connections; the next exchange opens new ones."""
    for connection in vars(_per_thread).pop("connections", {}).values():
        connection.close()


if hasattr(os, "register_at_fork"):
    # Two processes on one connection would read each other's answers.
    os.register_at_fork(after_in_child=forget)


def _connection(to: Endpoint) -> _Connection:
    connections: dict[Endpoint, _Connection] = vars(_per_thread).setdefault("connections", {})
    connection = connections.get(to)
    if connection is None:
        if to.secure:
            connection = _SecureConnection(to.host, context=_tls())
        else:
            connection = _Connection(to.host)
        connections[to] = connection
    return connection


@cache
def _tls() -> ssl.SSLContext:
    """Return the one TLS context: reading the certificates for each would cost 10 ms."""
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)


def _has_input(sock: socket.socket) -> bool:
    """Return whether an idle socket can be read: the server closed it, or speaks unasked."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
