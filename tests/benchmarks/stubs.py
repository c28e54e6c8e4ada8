"""DynamoDB answered from memory: what a call costs without its sockets.

The answer to each operation is taken once from the real thing, then given again. Signing,
writing the request and reading the answer still run, so what is left is our code and client
(or boto3 and botocore). Import it after the handler, so that it finds the client in use.
"""

import http.client
import sys
from typing import Any

TARGET = "x-amz-target"


class Canned:
    """As much of an HTTPResponse as a client looks at on success."""

    status = 200

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> bytes:
        return self._body


def install() -> None:
    """Answer from memory from the second time on that an operation is asked for."""
    if "botocore" in sys.modules:
        _botocore()
    else:
        _http_client()


def _botocore() -> None:
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415 (only where boto3 is measured)
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415 (likewise)

    real, known = URLLib3Session.send, {}

    def send(self: Any, request: Any) -> Any:
        operation = next(v for name, v in request.headers.items() if name.lower() == TARGET)
        if operation not in known:
            answer = real(self, request)
            known[operation] = (answer.status_code, answer.headers, answer.content)
        status, headers, body = known[operation]
        given = AWSResponse(request.url, status, headers, None)
        given._content = body
        return given

    URLLib3Session.send = send


def _http_client() -> None:
    plain: Any = http.client.HTTPConnection
    request, getresponse, known = plain.request, plain.getresponse, {}

    def ask(self: Any, method: str, url: str, body: Any, headers: Any) -> None:
        self.asked = headers[TARGET]
        if self.asked not in known:
            request(self, method, url, body, headers)

    def answer(self: Any) -> Canned:
        if self.asked not in known:
            known[self.asked] = getresponse(self).read()
        return Canned(known[self.asked])

    plain.request, plain.getresponse = ask, answer
