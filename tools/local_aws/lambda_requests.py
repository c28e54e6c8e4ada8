"""Requests that call a function: what they carry beyond the event, and what ministack drops of it.

ClientContext, one request id from the answer's header to the log and through all retries, errors
for payloads that are none, and the count of calls in circles (in AWS's own trace header).
"""

import base64
import binascii
import json
import secrets
import time
from contextvars import ContextVar
from typing import Any, NamedTuple

from ministack.core.responses import error_response_json, new_uuid
from ministack.services import lambda_svc

from tools.local_aws import lambda_limits

_Document = dict[str, Any]

_handle_plain = lambda_svc.handle_request
_retrying_plain = lambda_svc.invoke_async_with_retry


class Call(NamedTuple):
    """What the request for a call says beyond ministack's arguments."""

    id: str
    payload: bytes | None = None
    client_context: Any = None
    wants_bytes: bool = False
    """Whether the function's answer goes out as it is."""


_call: ContextVar[Call | None] = ContextVar("call", default=None)


def install() -> None:
    lambda_svc.handle_request = _handle_request
    lambda_svc.invoke_async_with_retry = _invoke_with_retries


def current(request_id: str) -> Call:
    """Return the call being made; it has the given id if nothing is known of its request."""
    return _call.get() or Call(request_id)


def trace_id(config: _Document) -> str:
    """Return the trace of a call. Its Lineage is how AWS (and we) count calls in circles."""
    given = lambda_svc._xray_trace_id_for_invocation(config)
    if not given:
        root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        given = f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
    return f"{given};Lineage=1:{binascii.crc32(config['FunctionArn'].encode()):08x}:{_depth()}"


def _depth() -> int:
    return int(lambda_svc._invoke_depth.get())


async def _handle_request(
    method: str, path: str, headers: _Document, body: bytes, query: _Document
) -> Any:
    if method != "POST" or not path.rstrip("/").endswith("/invocations"):
        if len(body) > lambda_limits.UPLOAD_BYTES:
            text = f"Request must be smaller than {lambda_limits.UPLOAD_BYTES} bytes"
            return error_response_json("RequestEntityTooLargeException", text, 413)
        return await _handle_plain(method, path, headers, body, query)
    kind = headers.get("x-amz-invocation-type") or "RequestResponse"
    refused = lambda_limits.payload_refusal(kind, len(body)) or _unreadable(body)
    if refused:
        return refused
    try:
        context = _client_context(headers) if kind == "RequestResponse" else None
    except ValueError:
        text = "Client context must be a valid Base64-encoded JSON object."
        return error_response_json("InvalidRequestContentException", text, 400)
    call = Call(new_uuid(), body or b"{}", context, kind == "RequestResponse")
    token = _call.set(call)
    try:
        answer = await _handle_plain(method, path, _with_depth(headers), body, query)
    finally:
        _call.reset(token)
    return answer[0], _CallHeaders(answer[1], call.id), answer[2]


class _CallHeaders(dict[str, str]):
    """Headers of an answer that keep the id of the call where ministack sets the request's."""

    def __init__(self, headers: _Document, call_id: str) -> None:
        super().__init__(headers)
        self._call_id = call_id

    def update(self, *arguments: Any, **options: Any) -> None:
        super().update(*arguments, **options)
        self["x-amzn-requestid"] = self._call_id


def _unreadable(body: bytes) -> Any:
    try:
        json.loads(body or b"{}")
    except ValueError as error:
        text = f"Could not parse request body into json: {error}"
        return error_response_json("InvalidRequestContentException", text, 400)
    return None


def _client_context(headers: _Document) -> Any:
    """Return the caller's context. Raises `ValueError`."""
    given = headers.get("x-amz-client-context")
    if not given:
        return None
    if len(given) > lambda_limits.CONTEXT_CHARACTERS:
        raise ValueError(given)
    context = json.loads(base64.b64decode(given, validate=True))
    if not isinstance(context, dict):
        raise ValueError(given)
    return context


def _with_depth(headers: _Document) -> _Document:
    """Tell ministack's guard against loops how many calls are behind this one."""
    lineage = str(headers.get("x-amzn-trace-id", "")).partition("Lineage=")[2].partition(";")[0]
    depth = lineage.rpartition(":")[2]
    return {**headers, lambda_svc._INVOKE_DEPTH_HEADER: depth} if depth.isdigit() else headers


def _invoke_with_retries(function: _Document, event: Any) -> None:
    """Retry under one request id, as AWS does."""
    token = _call.set(_call.get() or Call(new_uuid()))
    try:
        _retrying_plain(function, event)
    finally:
        _call.reset(token)
