"""boto3 for the control road: making and changing functions, which nobody's cold start waits for.

ControlError           AWS refused, with its code and words: for the log, not for callers
├── RefusedError       what was asked for is invalid or over a quota; the words may be shown
├── MissingError       there is no such thing
├── ExistsError        there is one already
└── NotYetError        another change is not over, or has come first: read and try again

IAM: none of its own.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from chalicelib.config import settings

_CONNECT_SECONDS = 3
_READ_SECONDS = 20
_ATTEMPTS = 4


class ControlError(Exception):
    pass


class RefusedError(ControlError):
    pass


class MissingError(ControlError):
    pass


class ExistsError(ControlError):
    pass


class NotYetError(ControlError):
    pass


_KINDS: dict[str, type[ControlError]] = {
    "ResourceNotFoundException": MissingError,
    "NoSuchEntity": MissingError,
    "ParameterNotFound": MissingError,
    "EntityAlreadyExists": ExistsError,
    "ResourceAlreadyExistsException": ExistsError,
    "ConflictException": ExistsError,
    "ResourceConflictException": NotYetError,
    "ResourceInUseException": NotYetError,
    "PreconditionFailedException": NotYetError,
    "ConcurrentModification": NotYetError,
    "OperationAbortedException": NotYetError,
    "InvalidParameterValueException": RefusedError,
    "ValidationException": RefusedError,
    "ValidationError": RefusedError,
    "CodeStorageExceededException": RefusedError,
    "RequestEntityTooLargeException": RefusedError,
    "LimitExceeded": RefusedError,
    "LimitExceededException": RefusedError,
    "ParameterLimitExceeded": RefusedError,
}
_NEW_ROLE = ("cannot be assumed by Lambda", "CreateGrant")
"""Parts of Lambda's words for a role that IAM has not told it of yet: some seconds."""


_lock = threading.Lock()
"""botocore's session must not make two clients at once; the clients may be shared."""


def client(service: str) -> Any:
    """Return a service's client, made once per process and endpoint."""
    with _lock:
        return _client(service, settings().region, os.environ.get("AWS_ENDPOINT_URL"))


@cache
def _client(service: str, region: str, _endpoint: str | None) -> Any:
    import boto3  # noqa: PLC0415  (lazy: 150 ms, on the control road only)
    from botocore.config import Config  # noqa: PLC0415  (likewise)

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "max_attempts": _ATTEMPTS},
    )
    return boto3.client(service, region_name=region, config=config)


@contextmanager
def translated() -> Iterator[None]:
    """Turn botocore's errors inside into those above."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (lazy, as above)

    try:
        yield
    except ClientError as error:
        raise _error(error.response["Error"]) from error
    except BotoCoreError as error:
        raise ControlError(f"{type(error).__name__}: {error}") from error


def _error(answer: dict[str, str]) -> ControlError:
    code, message = answer.get("Code", ""), answer.get("Message", "")
    kind = _KINDS.get(code, ControlError)
    if kind is RefusedError and any(words in message for words in _NEW_ROLE):
        kind = NotYetError
    return kind(f"{code}: {message}")
