"""A call of a function by HTTP: the request as its trigger wants it, its result as an answer.

Imported with the first such call: the other routes do without what it needs.
"""

from typing import Any

from chalicelib import services
from chalicelib.domain.functions import http_result
from chalicelib.domain.functions.http_event import Request
from chalicelib.domain.functions.http_result import BadResultError
from chalicelib.domain.request import Call
from chalicelib.errors import ApiError, BadGatewayError
from chalicelib.services.http_trigger import Woken
from chalicelib.web import body, gateway, payload
from chalicelib.web.app import current_edge
from chalicelib.web.gateway import Edge
from chalicelib.web.own_reply import OwnReply
from chalicelib.web.reply import Reply, dumps, of_error

INVOCATION = "x-dormouse-invocation"


def wake(call: Call, name: str) -> Reply:
    """Return a function's answer, or 202 for one that is called in the background."""
    in_background = "respond-async" in call.headers.get("prefer", "").lower()
    request = request_of(current_edge())
    woken = services.http_trigger.wake(call, request, name, in_background=in_background)
    if in_background and not woken.error:
        return _waiting(woken)
    reply = of_error(woken.error) if woken.error else _of_result(woken.invocation.result)
    if woken.retry_after_seconds:
        reply.headers["Retry-After"] = str(woken.retry_after_seconds)
    reply.headers[INVOCATION] = woken.invocation.id
    return reply


def request_of(edge: Edge) -> Request:
    """Return a request as the HTTP trigger wants it. Raises `TooLargeError`."""
    event = edge.event
    several: dict[str, list[str]] = event.get("multiValueHeaders") or {}
    headers = edge.headers
    if several:
        headers = {name.lower(): ",".join(values) for name, values in several.items()}
    return Request(
        edge.method,
        edge.path.removeprefix(gateway.PREFIX),
        edge.query,
        event.get("rawQueryString"),
        headers,
        event.get("cookies"),
        body.raw_bytes(event),
        edge.ip,
        event.get("gateway") or ("rest" if "resource" in event else ""),
    )


def _of_result(result: Any) -> Reply:
    try:
        reply = _reply(result)
    except BadResultError as error:
        return of_error(BadGatewayError(f"The function's answer is no HTTP answer: {error}."))
    if payload.fits(reply.to_dict()):
        return reply
    return of_error(_too_large())


def _reply(result: Any) -> Reply:
    if not http_result.is_proxy(result):
        # As text: `?fields=` is the function's own here.
        return Reply(dumps(result), 200, {"Content-Type": http_result.JSON})
    answer = http_result.of_proxy(result)
    return OwnReply(answer.body, answer.status, answer.headers)


def _too_large() -> ApiError:
    return BadGatewayError(
        "The function's answer is larger than the 6 MB that Lambda can hand on."
        " Have it write a file and answer with its address."
    )


def _waiting(woken: Woken) -> Reply:
    made = woken.invocation
    headers = {INVOCATION: made.id, "Preference-Applied": "respond-async"}
    return Reply(dumps({"id": made.id, "status": made.status}), 202,
                 headers | {"Content-Type": http_result.JSON})  # fmt: skip
