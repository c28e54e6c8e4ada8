"""The HTTP trigger: who may wake a function by `/fn/{name}`, with what event, and what came of it.

One round trip reads the function, its account and the caller's record. A function without an
`http` trigger looks absent. The rule is asked before anything else happens.
"""

import re
from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.domain import record as records
from chalicelib.domain import tokens
from chalicelib.domain.functions import http_event, names
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.http_event import Request
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.domain.record import Viewer
from chalicelib.domain.request import Call
from chalicelib.errors import (
    ApiError,
    BadGatewayError,
    GatewayTimeoutError,
    NotFoundError,
    TooManyRequestsError,
)
from chalicelib.services import invoking_outcome, rules
from chalicelib.services.invoking_attempt import now_ms
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session
from chalicelib.store import keys

THROTTLED_SECONDS = 1
_MOST_PATH_CHARACTERS = 1024
_AROUND_TOKENS = re.compile(r"[^\w.-]+", re.ASCII)

_ids: dict[str, str] = {}
"""Ids of functions seen by this process. A wrong one costs a round trip and nothing else."""


class Woken(NamedTuple):
    """A call that was made, and why there is no result, if there is none."""

    invocation: Invocation
    error: ApiError | None = None
    retry_after_seconds: int = 0


def wake(call: Call, request: Request, name: str, *, in_background: bool = False) -> Woken:
    """Wake a function on a caller's behalf; return what came of it.

    In the background: the invocation as it waits. Raises `NotFoundError`, `ForbiddenError`,
    `BadRequestError` (no code yet), `TooLargeError`, `UnavailableError`.
    """
    if not names.FUNCTION_NAME.fullmatch(name):
        raise NotFoundError
    key = keys.function(name)
    session = open_session(call, lambda schema: _account(schema, name), [key])
    function = store.functions.of_item(session.items.get((key["PK"]["S"], key["SK"]["S"])))
    if function is None or not any(each["type"] == "http" for each in function.triggers):
        raise NotFoundError
    _ids[name] = function.id
    rules.require_call(session, function.invoke_rule)
    event, wanted = _call_of(session, request)
    if in_background:
        queued = services.background_calls.queue(function, event, **wanted)
        over = queued.status in invocations.FINISHED  # refused: a cap, a loop
        return _outcome(function, queued) if over else Woken(queued)
    with services.service_accounts.prepared(session, function.id):
        done = services.invoking.run(function, event, gateway=request.gateway, **wanted)
    return _outcome(function, done)


def _account(schema: Any, name: str) -> Any:
    return services.service_accounts.wanted(schema, _ids.get(name, ""))


def _call_of(session: Session, request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the event, and what else is to be known of the call."""
    invocation_id = services.invoking.new_id()
    told = _stripped(session, request)
    event = http_event.build(told, _caller(session), invocation_id, now_ms())
    source = {"method": request.method, "path": request.path[:_MOST_PATH_CHARACTERS]}
    wanted = {"trigger": invocations.HTTP, "source": source, "depth": session.depth + 1}
    return event, wanted | {"invocation_id": invocation_id}


def _stripped(session: Session, request: Request) -> Request:
    """Return the request without a token of ours: user code gets the caller's record instead.

    Whatever its kind, however old, and whatever stands around it. What is not ours, such as a
    webhook's, is handed on.
    """
    sent = request.headers.get("authorization", "")
    if not any(_is_ours(session, each) for each in _AROUND_TOKENS.split(sent)):
        return request
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    return request._replace(headers=headers)


def _is_ours(session: Session, text: str) -> bool:
    claims = tokens.decode_unverified(text) if text else None
    return claims is not None and session.schema.find(str(claims.get("collectionId"))) is not None


def _caller(session: Session) -> dict[str, Any] | None:
    """Return the caller's record as they see it themselves, without hidden fields."""
    if session.auth is None or session.auth_collection is None:
        return None
    return records.export(session.auth_collection, session.auth, Viewer(sees_email=True))


def _outcome(function: Function, done: Invocation) -> Woken:
    if done.status == invocations.SUCCEEDED:
        return Woken(done)
    if done.status == invocations.THROTTLED:
        message = "The function runs as often at once as it may. Please try again."
        return Woken(done, TooManyRequestsError(message), THROTTLED_SECONDS)
    if done.status == invocations.CAPPED:
        message = f"The function has reached its cost cap for this {_period(function)}."
        seconds = services.invoking_money.seconds_to_next_period(function, now_ms())
        return Woken(done, TooManyRequestsError(message), seconds)
    return Woken(done, _failure(function, done))


def _failure(function: Function, done: Invocation) -> ApiError:
    """Return the error for a function that ran and gave no result; the log says why."""
    kind = (done.error or {}).get("type")
    if done.status == invocations.TIMED_OUT:
        return GatewayTimeoutError(f"The function ran for {function.timeout_seconds} s and ended.")
    if kind == invoking_outcome.OUTCOME_UNKNOWN:
        return GatewayTimeoutError(
            "The function did not answer while the request could wait, and may still be running."
            " Send `Prefer: respond-async` to have it called in the background."
        )
    if kind == invoking_outcome.LOOP_STOPPED:
        return BadGatewayError("Too many functions woke one another. The function was not run.")
    return BadGatewayError()


def _period(function: Function) -> str:
    return function.cap.per if function.cap else "day"
