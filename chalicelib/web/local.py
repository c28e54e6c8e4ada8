"""What `chalice local` lacks, put right in its own classes (Chalice 1.34.0, development only).

Nothing here runs in Lambda. What each change cures, as measured:

* each answer left in two segments, and Nagle's algorithm held the second for 40 ms
* a path without a route was refused before the app saw it, a verb nobody serves likewise
* a chunked body was not read, and the rest of it taken for the next request
* a bad Content-Length, a non-ASCII header or a caller gone away ended in a traceback
* a backlog of 5 dropped bursts of connections
"""

import base64
import logging
import socket
import sys
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from chalicelib.errors import ApiError
from chalicelib.web import gateway, headers, limits
from chalicelib.web.headers import ALL_METHODS
from chalicelib.web.reply import of_error

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger("dormouse")

DRAIN_BYTES = 256 * 1024 * 1024
DRAIN_SECONDS = 2.0


def level() -> None:
    """Change the loaded `chalice.local`."""
    local: Any = sys.modules["chalice.local"]
    local.RouteMatcher = _every_path(local.MatchResult)
    local.ThreadedHTTPServer.request_queue_size = 128
    local.ThreadedHTTPServer.handle_error = _handle_error
    for name, value in vars(_Handling).items():
        if name == "__getattr__" or not name.startswith("__"):
            setattr(local.ChaliceRequestHandler, name, value)
    for verb in ALL_METHODS:
        setattr(local.ChaliceRequestHandler, f"do_{verb}", _Handling._generic_handle)


def _every_path(match_result: Any) -> Any:
    """Return a matcher that sends every path to the fallback: `web.gateway` finds the route."""

    class EveryPath:
        def __init__(self, route_urls: "Iterable[str]") -> None:
            pass

        def match_route(self, url: str) -> Any:
            query = parse_qs(url.partition("?")[2], keep_blank_values=True)
            return match_result(gateway.FALLBACK, {}, query)

    return EveryPath


def _handle_error(_server: Any, _request: Any, _address: Any) -> None:
    if not isinstance(sys.exception(), OSError):  # a caller that went away is no news
        log.exception("no answer")


class _RefusedError(Exception):
    """The request cannot be read; the status is its argument."""


class _Handling(BaseHTTPRequestHandler):
    """The methods that `level` puts into Chalice's request handler."""

    wbufsize = -1
    disable_nagle_algorithm = True
    server_version = "Dormouse"
    sys_version = ""
    local_gateway: Any

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any verb at all: the app answers 404
            return self._generic_handle
        raise AttributeError(name)

    def _generic_handle(self) -> None:
        try:
            body = self._body()
        except _RefusedError as refused:
            self.send_error(refused.args[0])
            return
        answer = self.local_gateway.handle_request(
            method=self.command,
            path=_text(self.path if self.path.startswith("/") else _origin_form(self.path)),
            headers={name.lower(): _text(value) for name, value in reversed(self.headers.items())},
            body=body,
        )
        content = answer["body"]
        if answer.get("isBase64Encoded"):
            content = base64.b64decode(content)
        elif isinstance(content, str):
            content = content.encode("utf-8", "replace")
        fields = [*answer["headers"].items()]
        for name, values in answer["multiValueHeaders"].items():
            fields += [(name, value) for value in values]
        self._send(answer["statusCode"], fields, content)

    def _send(self, status: int, fields: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, str(value).encode("latin-1", "replace").decode("latin-1"))
        has_no_body = self.command == "HEAD" or status in (204, 304)
        if not has_no_body:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not has_no_body:
            self.wfile.write(content)

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunked()
        given = self.headers.get("Content-Length", "0")
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            raise _RefusedError(400)
        if int(given) > limits.most_bytes():
            raise _RefusedError(413)
        body = self.rfile.read(int(given))
        if len(body) != int(given):
            raise ConnectionAbortedError("the body ended early")
        return body or None

    def _chunked(self) -> bytes:
        body = bytearray()
        while True:
            size = self._chunk_size()
            body += self.rfile.read(size)
            if len(body) > limits.most_bytes():
                raise _RefusedError(413)
            if size == 0:
                break
            self.rfile.readline(64)
        while self.rfile.readline(65536).strip():  # trailers
            pass
        return bytes(body)

    def _chunk_size(self) -> int:
        try:
            size = int(self.rfile.readline(1024).partition(b";")[0], 16)
        except ValueError:
            raise _RefusedError(400) from None
        if not 0 <= size <= limits.most_bytes():
            raise _RefusedError(413)
        return size

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what never reached the app, in PocketBase's envelope, and hang up."""
        phrase = self.responses[code][0] if code in self.responses else ""
        error = limits.too_large() if code == 413 else ApiError(phrase)
        error.status = code
        answer = of_error(error).to_dict()
        # Whether there was an Origin is perhaps not known: as if there had been one.
        fields = {**answer["headers"], **headers.of_answer({"origin": ""}), "Connection": "close"}
        self.close_connection = True
        # A request line that could not be read left these unset, or at HTTP/0.9's: no headers.
        self.request_version = "HTTP/1.1"
        self.command = getattr(self, "command", None) or ""
        self._send(code, [*fields.items()], answer["body"].encode())
        self._linger()

    def _linger(self) -> None:
        """Read on until the caller has sent all: closing earlier would reset the connection,
        and the caller would never see the answer."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(DRAIN_SECONDS)
        left = DRAIN_BYTES
        while left > 0 and (data := self.rfile.read1(65536)):
            left -= len(data)


def _origin_form(url: str) -> str:
    """Return path and query of `http://host/path?query`; proxies send that."""
    return "/" + url.partition("://")[2].partition("/")[2]


def _text(value: str) -> str:
    """Return a header's value or a path, its bytes read as UTF-8, as PocketBase reads them."""
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")
