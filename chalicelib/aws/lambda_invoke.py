"""Lambda's Invoke, lean: run a version of a function and wait for its answer.

It is not boto3 because `/fn/{name}` would pay 200 ms of a cold start for it (see `dynamodb`).

What may be repeated: running somebody's function twice is worse than not knowing, so only
what certainly did not run is tried again, and that is a refused connection or a function that
is still being made ready. Everything else is the caller's to decide, by the error's class:

InvokeError
├── NotRunError               Lambda says that it did not run the function
│   ├── MissingVersionError   no such function or version
│   ├── ThrottledError        a limit of concurrency or rate; `reason` is Lambda's word for it
│   └── PayloadTooLargeError  over 6 MB
└── OutcomeUnknownError       nobody can say: it may have run, it may still be running

Sources: "Invoke" in Lambda's API reference; "Retry behavior in AWS Lambda" in its guide.

IAM: lambda:InvokeFunction on the users' functions.
"""

import base64
import time
from typing import Any, NamedTuple

from chalicelib.aws import connections, credentials, sigv4
from chalicelib.aws.retries import Patience
from chalicelib.config import settings
from chalicelib.errors import UnavailableError
from chalicelib.light_orjson import orjson

LONGEST_INIT_SECONDS = 10.0
"""A function may take so long to come up, beside its timeout. Source: Lambda's quotas."""
NETWORK_SECONDS = 5.0

MOST_CONTEXT_BYTES = 3583
"""Of the client context, in base64."""

_NOT_READY = frozenset(("ResourceConflictException", "ResourceNotReadyException",
                        "SnapStartNotReadyException"))  # fmt: skip

Headers = dict[str, str]


class InvokeError(Exception):
    """The function gave no answer; `code` is Lambda's name of the trouble."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotRunError(InvokeError):
    pass


class MissingVersionError(NotRunError):
    pass


class PayloadTooLargeError(NotRunError):
    pass


class ThrottledError(NotRunError):
    def __init__(self, code: str, message: str, reason: str) -> None:
        super().__init__(code, message)
        self.reason = reason


class OutcomeUnknownError(InvokeError):
    pass


class Answer(NamedTuple):
    """What came back from a function that ran."""

    payload: bytes
    """JSON: what it returned, or Lambda's error document."""
    function_error: str
    """"" if it returned; else Unhandled or Handled."""
    log_tail: str
    """The last 4 KB of its log, with the platform's REPORT line."""
    request_id: str


def longest_wait_seconds(timeout_seconds: int) -> float:
    """Return after how long a call of a function with this timeout must have been answered."""
    return timeout_seconds + LONGEST_INIT_SECONDS + NETWORK_SECONDS


def invoke(
    name: str,
    qualifier: str,
    payload: bytes,
    wait_seconds: float,
    client_context: dict[str, Any] | None = None,
) -> Answer:
    """Run a version (or alias) of a function with a JSON payload; return what came back.

    `wait_seconds` bounds all of it, `client_context` is what the function finds in its context.
    Raises `InvokeError`s, and `UnavailableError` if Lambda could not be reached, so that nothing
    ran.
    """
    path = f"/2015-03-31/functions/{sigv4.encode_path(name)}/invocations"
    query = sigv4.canonical_query((("Qualifier", qualifier),))
    headers = {"content-type": "application/json", "x-amz-invocation-type": "RequestResponse",
               "x-amz-log-type": "Tail"}  # fmt: skip
    if client_context is not None:
        headers["x-amz-client-context"] = _context(client_context)
    digest = sigv4.sha256(payload)
    patience, until = Patience(), time.monotonic() + wait_seconds
    patience.deadline = min(patience.deadline, until)
    while True:
        request = sigv4.Request("POST", path, query, headers, digest)
        try:
            return _attempt(request, payload, max(until - time.monotonic(), 0.1))
        except _AgainError as error:
            try:
                patience.pause(error)
            except UnavailableError:
                if error.refusal is not None:
                    raise error.refusal from None
                raise UnavailableError("Lambda could not be reached. Nothing was run.") from error


class _AgainError(Exception):
    """Certainly not run, and worth another attempt; callers never see it."""

    def __init__(self, message: str, refusal: NotRunError | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


def _context(values: dict[str, Any]) -> str:
    text = base64.b64encode(orjson.dumps(values)).decode()
    if len(text) > MOST_CONTEXT_BYTES:
        raise ValueError(f"the client context has {len(text)} of {MOST_CONTEXT_BYTES} bytes")
    return text


def _attempt(request: sigv4.Request, payload: bytes, wait_seconds: float) -> Answer:
    to = connections.endpoint("lambda", settings().region)
    headers = _signed(request, to.host)
    target = f"{request.path}?{request.query}"
    try:
        reply = connections.exchange(to, "POST", target, payload, headers, wait_seconds)
    except connections.NotConnectedError as error:
        raise _AgainError(str(error)) from error
    except connections.BrokenConnectionError as error:
        raise OutcomeUnknownError("Dormouse.OutcomeUnknown", str(error)) from error
    answered: Any = reply.response.headers
    if 200 <= reply.status < 300:
        return _answer(reply.body, answered)
    raise refusal(reply.status, reply.body, answered)


def _signed(request: sigv4.Request, host: str) -> Headers:
    keys = credentials.current()
    headers = {**request.headers, "host": host, "x-amz-date": sigv4.timestamp(time.time())}
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    scope = sigv4.Scope(settings().region, "lambda")
    headers["authorization"] = sigv4.authorization(request._replace(headers=headers), keys, scope)
    return headers


def _answer(body: bytes, headers: Headers) -> Answer:
    tail = base64.b64decode(headers.get("x-amz-log-result", ""))
    return Answer(
        body,
        headers.get("x-amz-function-error", ""),
        tail.decode("utf-8", "replace"),
        headers.get("x-amzn-requestid", ""),
    )


def refusal(status: int, body: bytes, headers: Headers) -> Exception:
    """Return the error that an answer other than 2xx means; `headers` by lower-case names."""
    document = _document(body)
    code = str(headers.get("x-amzn-errortype") or document.get("__type") or "")
    code = code.partition(":")[0].rpartition("#")[2] or f"HTTP {status}"
    message = str(document.get("Message") or document.get("message") or code)
    if status == 429:
        return ThrottledError(code, message, str(document.get("Reason") or code))
    if status == 404:
        return MissingVersionError(code, message)
    if status == 413:
        return PayloadTooLargeError(code, message)
    if code in _NOT_READY:
        return _AgainError(message, NotRunError(code, message))
    if status < 500 or code in _FAILED_BEFORE_RUNNING:
        return NotRunError(code, message)
    return OutcomeUnknownError(code, message)


_FAILED_BEFORE_RUNNING = frozenset((
    "EC2AccessDeniedException", "EC2ThrottledException", "EC2UnexpectedException",
    "ENILimitReachedException", "InvalidRuntimeException", "InvalidSecurityGroupIDException",
    "InvalidSubnetIDException", "InvalidZipFileException", "KMSAccessDeniedException",
    "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException",
    "SubnetIPAddressLimitReachedException",
))  # fmt: skip
"""5xx answers about making an instance ready: the function's code never began."""


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
