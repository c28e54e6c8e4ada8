"""One call of DynamoDB's API: sign, send, read, try again, count.

`dynamodb_reads` and `dynamodb_writes` build the arguments; nothing else should need this.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from chalicelib.aws import connections, credentials, sigv4
from chalicelib.aws.dynamodb_errors import (
    BrokenError,
    ConditionFailedError,
    InvalidRequestError,
    PassingError,
    ThrottledError,
    of_answer,
)
from chalicelib.aws.retries import OutcomeUnknownError, Patience
from chalicelib.config import settings
from chalicelib.light_orjson import orjson

Key = dict[str, dict[str, Any]]
Values = Mapping[str, dict[str, Any]]
Names = Mapping[str, str]

_READS = frozenset(("GetItem", "BatchGetItem", "Query"))


class Meter:
    """What the calls of a `with` block consumed, in this thread or task."""

    __slots__ = ("_outer", "calls", "items_read", "read_units", "write_units")

    def __init__(self) -> None:
        self.calls = 0
        self.items_read = 0
        self.read_units = 0.0
        self.write_units = 0.0
        self._outer: Meter | None = None

    def __enter__(self) -> "Meter":
        self._outer = _meter.get()
        _meter.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        outer = self._outer
        _meter.set(outer)
        if outer is not None:
            outer.calls += self.calls
            outer.items_read += self.items_read
            outer.read_units += self.read_units
            outer.write_units += self.write_units

    def add(self, operation: str, answer: dict[str, Any]) -> None:
        """Count one successful call."""
        consumed = answer.get("ConsumedCapacity") or []
        units = sum(
            table.get("CapacityUnits", 0.0)
            for table in (consumed if isinstance(consumed, list) else [consumed])
        )
        self.calls += 1
        if operation in _READS:
            self.read_units += units
            self.items_read += _items_read(answer)
        else:
            self.write_units += units


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


def _items_read(answer: dict[str, Any]) -> int:
    if "ScannedCount" in answer:
        return int(answer["ScannedCount"])
    if "Responses" in answer:
        return sum(len(items) for items in answer["Responses"].values())
    return 1 if "Item" in answer else 0


def call(
    operation: str,
    arguments: dict[str, Any],
    patience: Patience | None = None,
    *,
    may_repeat: bool = True,
) -> dict[str, Any]:
    """Return the answer to one operation, tried again while that helps.

    `may_repeat=False` is for a write that must not be made twice: when it may have been
    made, `OutcomeUnknownError` is raised at once. Otherwise raises `DynamoError`s other
    than `PassingError`, or `UnavailableError` when the attempts or the time are used up.
    """
    meter = _meter.get()
    if meter is not None:
        arguments["ReturnConsumedCapacity"] = "TOTAL"
    body = _encode(arguments)
    patience = patience or Patience()
    is_write = operation not in _READS
    in_doubt = False
    while True:
        try:
            answer = _attempt(operation, body, patience.attempt_seconds())
            break
        except PassingError as error:
            in_doubt = in_doubt or (is_write and isinstance(error, BrokenError))
            if in_doubt and not may_repeat:
                raise OutcomeUnknownError from error
            patience.pause(error, in_doubt=in_doubt)
        except ConditionFailedError as error:
            error.in_doubt = in_doubt
            raise
    if meter is not None:
        meter.add(operation, answer)
    return answer


def _encode(arguments: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(arguments)
    except TypeError as error:  # orjson's own error is a TypeError
        raise InvalidRequestError(f"The request cannot be written as JSON: {error}") from error


def _attempt(operation: str, body: bytes, timeout_seconds: float) -> dict[str, Any]:
    region = settings().region
    to = connections.endpoint("dynamodb", region)
    scope = sigv4.Scope(region, "dynamodb")
    action = "DynamoDB_20120810." + operation
    headers = sigv4.json_headers(to.host, action, body, credentials.current(), scope)
    try:
        status, content, _ = connections.exchange(to, "POST", "/", body, headers, timeout_seconds)
    except connections.NotConnectedError as error:
        raise ThrottledError(str(error)) from error
    except connections.BrokenConnectionError as error:
        raise BrokenError(str(error)) from error
    answer = _decode(content)
    if status == 200 and answer is not None:
        return answer
    raise of_answer(status if status != 200 else 500, answer or {}, settings().table_name)


def _decode(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object of an answer; None if it is none (a proxy's error page)."""
    try:
        answer = orjson.loads(content)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def identity(key: Key) -> tuple[tuple[str, str], ...]:
    """Return a key as something to tell it from others by: batches take each only once."""
    return tuple((name, value["S"]) for name, value in sorted(key.items()))
