"""An HTTP proxy that stands between our client and a local AWS and spoils chosen exchanges.

Each request takes the next fault from `faults` (none left: it passes unharmed). A fault is a
function of the exchange; it decides whether the request reaches the server and what the client
gets to see. `received` and `forwarded` say what came in and what the server carried out.
"""

import http.client
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

HELD_SECONDS = 10.0
"""How long a fault waits for the client to hang up before it gives up."""


class Exchange:
    """One request with the connection it came on."""

    def __init__(
        self, proxy: "FaultProxy", client: socket.socket, head: bytes, body: bytes
    ) -> None:
        self.proxy = proxy
        self.client = client
        self.request = head + body
        self.is_head = head.startswith(b"HEAD ")
        self.operation = _operation(head)

    def forward(self) -> bytes:
        """Let the server carry the request out and return its whole answer."""
        self.proxy.count(self.proxy.forwarded, self.operation)
        with socket.create_connection(self.proxy.upstream, timeout=30) as server:
            server.sendall(self.request)
            response = http.client.HTTPResponse(server, method="HEAD" if self.is_head else "POST")
            response.begin()
            lines = [f"HTTP/1.1 {response.status} {response.reason}"]
            length = response.headers.get("content-length", "0")
            body = response.read()
            lines += [
                f"{name}: {value}"
                for name, value in response.getheaders()
                if name.lower() not in ("content-length", "transfer-encoding", "connection")
            ]
            lines.append(f"content-length: {length if self.is_head else len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def answer(self, content: bytes) -> None:
        self.client.sendall(content)

    def close(self) -> None:
        """Close as a server does that has had enough of an idle connection."""
        self.client.shutdown(socket.SHUT_RDWR)
        self.client.close()

    def reset(self) -> None:
        """Close with a TCP reset, so that the client's read or write fails."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()

    def wait_for_hang_up(self) -> None:
        """Return when the client has closed the connection."""
        self.client.settimeout(HELD_SECONDS)
        self.client.recv(1)


Fault = Callable[[Exchange], None]


def passes(exchange: Exchange) -> None:
    exchange.answer(exchange.forward())


def error(status: int, code: str = "", **more: Any) -> Fault:
    """Answer an error; the server never sees the request."""
    return lambda exchange: exchange.answer(_error(status, code, more))


def answers(body: dict[str, Any]) -> Fault:
    """Answer 200 with this body; the server never sees the request."""
    return lambda exchange: exchange.answer(_response(200, json.dumps(body).encode()))


def error_after(status: int, code: str = "") -> Fault:
    """Let the server carry the request out, then answer an error all the same."""

    def fault(exchange: Exchange) -> None:
        exchange.forward()
        exchange.answer(_error(status, code, {}))

    return fault


def page_of_a_balancer(exchange: Exchange) -> None:
    exchange.answer(_response(502, b"<html>Bad Gateway</html>"))


def nonsense(exchange: Exchange) -> None:
    exchange.answer(b"SSH-2.0-OpenSSH_9.6\r\n")
    exchange.close()


def reset_before(exchange: Exchange) -> None:
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.reset()


def close_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.close()


def cut_body(exchange: Exchange) -> None:
    """Carry it out, but end the connection before the last bytes of the answer."""
    exchange.answer(exchange.forward()[:-1])
    exchange.close()


def cut_headers(exchange: Exchange) -> None:
    exchange.answer(exchange.forward()[:40])
    exchange.close()


def silent(exchange: Exchange) -> None:
    """Swallow the request and say nothing until the client hangs up."""
    exchange.wait_for_hang_up()


def silent_after(exchange: Exchange) -> None:
    """Carry the request out and say nothing until the client hangs up."""
    exchange.forward()
    exchange.wait_for_hang_up()


def late(exchange: Exchange) -> None:
    """Carry the request out only after the client has hung up."""
    exchange.wait_for_hang_up()
    exchange.forward()


def then_closes(exchange: Exchange) -> None:
    """Answer well, then close the kept-alive connection without a word."""
    passes(exchange)
    exchange.close()


def then_resets(exchange: Exchange) -> None:
    passes(exchange)
    exchange.reset()


class FaultProxy:
    """Listens on a free port of 127.0.0.1 from `start` to `stop`."""

    def __init__(self, upstream_url: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(upstream_url)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.faults: deque[Fault] = deque()
        self.received: list[str] = []
        self.forwarded: list[str] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._clients: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        # shutdown wakes the accept that close alone would leave waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(HELD_SECONDS)
        for client in self._clients:
            client.close()

    def plan(self, faults: Iterable[Fault]) -> None:
        """Let these faults be met next, and forget what was counted so far."""
        with self._lock:
            self.faults = deque(faults)
            self.received.clear()
            self.forwarded.clear()
            self.connections = 0

    def count(self, operations: list[str], operation: str) -> None:
        with self._lock:
            operations.append(operation)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            while client.fileno() >= 0:
                request = _read_request(client)
                if request is None:
                    break
                exchange = Exchange(self, client, *request)
                with self._lock:
                    self.received.append(exchange.operation)
                    fault = self.faults.popleft() if self.faults else passes
                fault(exchange)
        except OSError:
            pass  # the client hung up, or stop() closed the connection
        finally:
            client.close()


def _read_request(client: socket.socket) -> tuple[bytes, bytes] | None:
    """Return the head and the body of the next request; None when the client is done."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(_header(head, b"content-length") or 0)
    while len(body) < length:
        body += client.recv(65_536)
    return head + b"\r\n\r\n", body


def _operation(head: bytes) -> str:
    """Return DynamoDB's operation, or the HTTP method."""
    target = _header(head, b"x-amz-target").decode()
    return target.rpartition(".")[2] or head.split(b" ", 1)[0].decode()


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip()
    return b""


def _error(status: int, code: str, more: dict[str, Any]) -> bytes:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "a fault", **more}
    return _response(status, json.dumps(body if code else more).encode())


def _response(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d Fault\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)
