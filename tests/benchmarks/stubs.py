"""DynamoDB answered from memory: what a call costs without its sockets.

The answer to each operation is taken once from the real thing, then given again. Signing,
writing the request and reading the answer still run, so what is left is our code and client
(or boto3 and botocore). Import it after the handler, so that it finds the client in use.
"""

import sys
from typing import Any

TARGET = "x-amz-target"


class Canned:
    """As much of a `LeanResponse` as the client looks at on success."""

    status = 200
    will_close = has_surplus = False

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> bytes:
        return self._body


def install() -> None:
    """Answer from memory from the second time on that an operation is asked for."""
    if "botocore" in sys.modules:
        _botocore()
    else:
        _connections()


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


def _connections() -> None:
    from chalicelib.aws.connections import _Connection  # noqa: PLC0415 (only where it is measured)

    ask, known = _Connection.ask, {}

    def answer(self: Any, method: str, target: str, pieces: Any, headers: Any) -> Canned:
        operation = headers[TARGET]
        if operation not in known:
            known[operation] = Canned(ask(self, method, target, pieces, headers).read())
        return known[operation]

    _Connection.ask = answer  # type: ignore[method-assign, assignment]
