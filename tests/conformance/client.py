"""One keep-alive HTTP connection to a server, and the bodies that scenarios send."""

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

BOUNDARY = "----conformance-boundary"


class Part(NamedTuple):
    """One part of a multipart body; a file when it has a file name."""

    name: str
    value: str | bytes
    filename: str = ""
    content_type: str = "application/octet-stream"


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """Lower-case names; repeated headers joined with a comma."""
    content: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON, None if it is empty, the text if it is not JSON."""
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return self.content.decode("utf-8", "replace")


class Client:
    """Not for several threads: each writer of a load test has its own."""

    def __init__(self, base_url: str, timeout_seconds: float = 40.0) -> None:
        parts = urlsplit(base_url)
        self.base_url = base_url.rstrip("/")
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._timeout_seconds = timeout_seconds
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; a connection that the server closed while idle is opened again."""
        for attempt in (1, 2):
            connection = self._open()
            try:
                connection.request(method, path, body=content, headers=dict(headers or {}))
                return _read(connection.getresponse())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if attempt == 2:
                    raise
            except OSError:
                self.close()
                raise
        raise AssertionError("unreachable")

    def json(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = "",
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send a JSON body as the SDK does: with its content type even if there is no body."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = token
        content = None if body is None else json.dumps(body).encode()
        return self.request(method, with_query(path, query), content, headers)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=self._timeout_seconds
            )
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection


def with_query(path: str, query: Mapping[str, Any] | None) -> str:
    """Return `path` with the query encoded as a browser's `encodeURIComponent` would."""
    if not query:
        return path
    return f"{path}?{urlencode(query, quote_via=quote, safe='')}"


def multipart(parts: tuple[Part, ...]) -> tuple[bytes, str]:
    """Return a multipart body and its content type."""
    chunks = []
    for part in parts:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part.name}"'
        if part.filename:
            head += f'; filename="{part.filename}"\r\nContent-Type: {part.content_type}'
        value = part.value if isinstance(part.value, bytes) else part.value.encode()
        chunks.append(head.encode() + b"\r\n\r\n" + value + b"\r\n")
    chunks.append(f"--{BOUNDARY}--\r\n".encode())
    return b"".join(chunks), f"multipart/form-data; boundary={BOUNDARY}"


def _read(response: http.client.HTTPResponse) -> Answer:
    content = response.read()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return Answer(response.status, headers, content)
