"""The answer to an HTTP request, read from its socket in as few steps as can be.

http.client reads headers with the e-mail parser and each line by itself, through two layers of
files: more than DynamoDB's answers cost to understand. This reads what AWS sends, HTTP/1.1 with
one line for each header, and frames the body as http.client does (tests/unit compares them).
"""

import re
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from socket import socket

_MOST_HEAD_BYTES = 65_536
_MOST_HEADERS = 200
_MOST_LINE_BYTES = 1024
"""Of the line that begins a chunk."""
_RECEIVED_BYTES = 65_536
_NO_BODY_STATUSES = (204, 304)


class LeanResponse:
    """`headers` maps lower-case names to values; a repeated header keeps its last value."""

    __slots__ = ("_buffer", "_chunked", "_left", "_method", "_sock", "headers", "status",
                 "version", "will_close")  # fmt: skip

    def __init__(self, sock: socket, method: str | None = None) -> None:
        self._sock = sock
        self._method = method
        self._buffer = b""
        self._chunked = False
        self._left: int | None = None
        """How much of the body is to come; None: as much as comes until the server closes."""
        self.status = 0
        self.version = 0
        self.headers: dict[str, str] = {}
        self.will_close = True

    @property
    def has_surplus(self) -> bool:
        """Whether more came than the answer: nothing after it can be trusted."""
        return bool(self._buffer)

    def begin(self) -> None:
        """Read the status line and the headers. Raises `HTTPException`, `OSError`."""
        version, lines = self._head()
        while self.status == 100:
            version, lines = self._head()
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise HTTPException("the headers of the answer are malformed")
            headers[name.lower()] = value.strip()
        self.version = 10 if version == "HTTP/1.0" else 11
        self.headers = headers
        self._frame(headers)

    def read(self) -> bytes:
        """Return the whole body. Raises `HTTPException` for one that is cut short, `OSError`."""
        if self._chunked:
            return b"".join(iter(self._chunk, b""))
        if self._left is None:
            return self._rest()
        content = self._exactly(self._left)
        self._left = 0
        return content

    def isclosed(self) -> bool:
        """Return whether the body was read, or there is none."""
        return self._left == 0

    def _head(self) -> tuple[str, list[str]]:
        """Set the status; return the version and the header lines."""
        data = self._buffer or self._received()
        while (end := _END_OF_HEAD.search(data)) is None:
            if len(data) > _MOST_HEAD_BYTES:
                raise HTTPException("the headers of the answer are too long")
            more = self._sock.recv(_RECEIVED_BYTES)
            if not more:
                raise _cut_short(data)
            data += more
        self._buffer = data[end.end() :]
        first, *lines = data[: end.start()].decode("latin-1").split("\n")
        parts = first.split(None, 2)
        if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
            raise BadStatusLine(repr(first[:100]))
        if len(lines) > _MOST_HEADERS:
            raise HTTPException("the answer has too many headers")
        self.status = int(parts[1])
        return parts[0], lines

    def _frame(self, headers: dict[str, str]) -> None:
        """Work out where the body ends (RFC 9112, 6.3) and if the connection stays open."""
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = headers.get("content-length", "")
        self._left = int(length) if length.isdigit() and not self._chunked else None
        if self._method == "HEAD" or self.status in _NO_BODY_STATUSES:
            self._left, self._chunked = 0, False
        connection = headers.get("connection", "").lower()
        stays = "keep-alive" in connection if self.version == 10 else "close" not in connection
        self.will_close = not stays or (not self._chunked and self._left is None)

    def _received(self) -> bytes:
        data = self._sock.recv(_RECEIVED_BYTES)
        if not data:
            raise RemoteDisconnected("closed without an answer")
        return data

    def _exactly(self, count: int) -> bytes:
        """Return the next bytes."""
        data = self._buffer
        if len(data) >= count:
            self._buffer = data[count:]
            return data[:count]
        self._buffer = b""
        pieces, missing = [data], count - len(data)
        while missing:
            piece = self._sock.recv(min(missing, 16 * _RECEIVED_BYTES))
            if not piece:
                raise IncompleteRead(b"".join(pieces), missing)
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _rest(self) -> bytes:
        pieces, self._buffer = [self._buffer], b""
        while piece := self._sock.recv(_RECEIVED_BYTES):
            pieces.append(piece)
        self._left = 0
        return b"".join(pieces)

    def _chunk(self) -> bytes:
        """Return the next chunk of the body, empty after the last."""
        size = self._line().partition(b";")[0].strip()
        if not size or not set(size) <= _HEX_DIGITS:
            raise HTTPException(f"no size of a chunk: {size[:20]!r}")
        content = self._exactly(int(size, 16))
        if content:
            if self._line().strip():
                raise HTTPException("a chunk has no end")
            return content
        while self._line().strip():  # trailers
            pass
        self._chunked, self._left = False, 0
        return b""

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            more = self._sock.recv(_RECEIVED_BYTES)
            if not more or len(self._buffer) > _MOST_LINE_BYTES:
                raise IncompleteRead(self._buffer)
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


_END_OF_HEAD = re.compile(rb"\n\r?\n")
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")


def _cut_short(data: bytes) -> HTTPException:
    if not data.startswith(b"HTTP/1."):
        return BadStatusLine(repr(data[:100]))
    return HTTPException("the headers of the answer are cut short")
