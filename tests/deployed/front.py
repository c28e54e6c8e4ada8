"""A front for one host of the local AWS: an address of its own, as a deployed API has.

The local API Gateway tells APIs apart by the Host header (`ID.execute-api.localhost`), which a
client that is given a base URL cannot set.
"""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NOT_FORWARDED = {"connection", "transfer-encoding", "keep-alive", "content-length", "host"}


class Front:
    """Forwards every request to `target` under another Host; a context manager."""

    def __init__(self, target: str, host: str) -> None:
        where = {"host": host, "port": urlsplit(target).port or 80}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), where))
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Front":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    host: str
    port: int
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed:  # any method: a gateway takes all of them
            setattr(self, f"do_{self.command}", self._forward)
        return parsed

    def _forward(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._send(connection, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self._answer(answer, content)

    def _send(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        # Piece by piece, because `request` would add headers that the client did not send.
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", f"{self.host}:{self.port}")
        for name, value in self.headers.items():
            if name.lower() not in NOT_FORWARDED:
                connection.putheader(name, value)
        if "Content-Length" in self.headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)

    def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        has_body = answer.status not in (204, 304)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in NOT_FORWARDED:
                self.send_header(name, value)
        if has_body:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
        pass
