"""An HTTP response whose headers are a plain dict.

http.client reads headers with the e-mail parser, which took 40 % of the CPU time of a small
call to DynamoDB. This one reads what AWS sends: HTTP/1.1, one line for each header.
"""

from http.client import BadStatusLine, HTTPException, HTTPResponse, RemoteDisconnected
from socket import socket
from typing import Any, cast

_LONGEST_LINE = 65_536
_MOST_HEADERS = 200
_NO_BODY_STATUSES = (204, 304)


class LeanResponse(HTTPResponse):
    """`headers` maps lower-case names to values; a repeated header keeps its last value."""

    def __init__(
        self, sock: socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._has_no_body = method == "HEAD"

    def begin(self) -> None:
        """Read the status line and the headers; http.client calls it once."""
        version, status = self._status_line()
        while status == 100:
            self._header_lines()
            version, status = self._status_line()
        headers = self._header_lines()
        self.code = self.status = status
        self.reason = ""
        self.version = 10 if version == b"HTTP/1.0" else 11
        self.headers = self.msg = cast("Any", headers)
        self._frame(headers)

    def _status_line(self) -> tuple[bytes, int]:
        line: bytes = self.fp.readline(_LONGEST_LINE)
        if not line:
            raise RemoteDisconnected("closed without an answer")
        parts = line.split(None, 2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
            raise BadStatusLine(repr(line[:100]))
        return parts[0], int(parts[1])

    def _header_lines(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        readline = self.fp.readline
        while (line := readline(_LONGEST_LINE)) not in (b"\r\n", b"\n"):
            name, colon, value = line.partition(b":")
            if not colon or not line.endswith(b"\n") or len(headers) >= _MOST_HEADERS:
                raise HTTPException("the headers of the answer are cut short or malformed")
            headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()
        return headers

    def _frame(self, headers: dict[str, str]) -> None:
        """Work out where the body ends (RFC 9112, 6.3) and if the connection stays open."""
        self.chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        length = headers.get("content-length", "")
        self.length = int(length) if length.isdigit() and not self.chunked else None
        if self._has_no_body or self.status in _NO_BODY_STATUSES:
            self.length = 0
        connection = headers.get("connection", "").lower()
        stays = "keep-alive" in connection if self.version == 10 else "close" not in connection
        self.will_close = not stays or (not self.chunked and self.length is None)
