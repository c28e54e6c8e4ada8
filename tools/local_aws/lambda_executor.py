"""Run the local AWS's functions in our own workers, with Lambda's limits, instead of ministack's.

Whatever wakes a function (Invoke, API Gateway, event source mappings, EventBridge, ...) comes to
`_execute_function_dispatch` in ministack, after it has counted concurrency. Reserved concurrency,
retries, destinations and metrics stay its own.
"""

import base64
import binascii
import json
import secrets
import time
import zipfile
from contextvars import ContextVar
from typing import Any, NamedTuple

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json, new_uuid
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from tools.local_aws import lambda_limits, lambda_logs, lambda_versions
from tools.local_aws.lambda_pool import Pool
from tools.local_aws.lambda_versions import Key, Version
from tools.local_aws.lambda_worker import Outcome, Request, Worker

_Document = dict[str, Any]

_POOL = Pool()


class _Call(NamedTuple):
    """What the request for a call says beyond ministack's arguments."""

    id: str
    payload: bytes | None = None
    client_context: Any = None
    wants_bytes: bool = False
    """Whether the function's answer goes out as it is."""


_call: ContextVar[_Call | None] = ContextVar("call", default=None)

_dispatch_plain = lambda_svc._execute_function_dispatch
_handle_plain = lambda_svc.handle_request
_retrying_plain = lambda_svc.invoke_async_with_retry
_invalidate_plain = lambda_svc.invalidate_worker
_reset_plain = lambda_runtime.reset
_create_plain = lambda_svc._create_function
_update_plain = lambda_svc._update_config
_reserved_plain = lambda_svc._reserved_concurrency

CHANGE_SECONDS = 0.05
"""How long a function is being made or changed: here nothing has to be made ready."""


def install() -> None:
    lambda_svc._execute_function_dispatch = _dispatch
    lambda_svc.handle_request = _handle_request
    lambda_svc.invoke_async_with_retry = _invoke_with_retries
    lambda_svc.invalidate_worker = _invalidate
    lambda_runtime.reset = _reset
    lambda_runtime.get_or_create_worker = _WebSocketWorker
    lambda_svc.acquire_worker = _SnapStart.acquired
    lambda_svc.ensure_spawned = _SnapStart.ensure_spawned
    lambda_svc.release_worker = _SnapStart.released
    lambda_svc._create_function = _create
    lambda_svc._update_config = _update
    lambda_svc._reserved_concurrency = _reserved
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = CHANGE_SECONDS
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    handlers["create"] = _refusing(handlers["create"], 1)
    handlers["update"] = _refusing(handlers["update"], 2)
    handlers["delete"] = _retiring(handlers["delete"])


def _dispatch(
    function: _Document, config: _Document, event: Any, request_id: str, started: float
) -> _Document:
    if lambda_svc._proxy_url_for(config):
        plain: _Document = _dispatch_plain(function, config, event, request_id, started)
        return plain
    call = _call.get() or _Call(request_id)
    version = lambda_versions.of(function, config)
    if not version.code:
        return _failure("Runtime.InvalidEntrypoint", "the function has no code")
    worker = _POOL.lease(version)
    if not worker:
        reason = "ConcurrentInvocationLimitExceeded"
        text = "Rate Exceeded: this machine has no memory for another worker"
        throttled: _Document = lambda_svc._throttle_response(reason_code=reason, msg=text)
        return throttled
    return _run(worker, _request(call, config, event), call.wants_bytes)


def _run(worker: Worker, request: Request, wants_bytes: bool) -> _Document:
    try:
        outcome = worker.run(request)
    except (OSError, ValueError, zipfile.BadZipFile) as error:  # no node; a zip that is none
        worker.is_done = True
        return _failure("Runtime.InvalidEntrypoint", str(error))
    except BaseException:
        worker.is_done = True
        raise
    finally:
        _POOL.release(worker)
    if not worker.is_aborted:
        lambda_logs.write(worker.version, worker.stream, outcome.log)
    return _result(outcome, wants_bytes)


def _request(call: _Call, config: _Document, event: Any) -> Request:
    payload = call.payload
    if payload is None or lambda_svc._durable_ctx.get():
        payload = json.dumps(event).encode()
    environment = {"_X_AMZN_TRACE_ID": _trace_id(config)}
    if config.get("DurableConfig"):
        overlay = lambda_svc._durable_env_overlay()
        environment |= {name: overlay.get(name, "") for name in lambda_runtime.DURABLE_ENV_VARS}
    return Request(call.id, payload, config["FunctionArn"], call.client_context, environment)


def _trace_id(config: _Document) -> str:
    """Return the trace of a call. Its Lineage is how AWS (and we) count calls in circles."""
    given = lambda_svc._xray_trace_id_for_invocation(config)
    if not given:
        root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        given = f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
    return f"{given};Lineage=1:{binascii.crc32(config['FunctionArn'].encode()):08x}:{_depth()}"


def _depth() -> int:
    return int(lambda_svc._invoke_depth.get())


def _reserved(function: _Document, config: _Document) -> int | None:
    """Return the function's own limit for its versions too, which ministack lets run without."""
    most: int | None = _reserved_plain(
        lambda_svc._functions.get(config["FunctionName"]) or function, config
    )
    return most


def _failure(error_type: str, text: str) -> _Document:
    body = {"errorType": error_type, "errorMessage": text}
    return {"body": body, "error": True, "function_error": "Unhandled", "log": ""}


def _result(outcome: Outcome, wants_bytes: bool) -> _Document:
    """Return what ministack's executors return."""
    if outcome.is_error:
        body = json.loads(outcome.payload)
        return {"body": body, "error": True, "function_error": "Unhandled", "log": outcome.log}
    if wants_bytes:
        return {"body": outcome.payload, "log": outcome.log}
    try:
        return {"body": json.loads(outcome.payload), "log": outcome.log}
    except ValueError:  # the handler returned bytes
        text = outcome.payload.decode("utf-8", "replace")
        return {"body": text, "raw_payload": True, "log": outcome.log}


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
    call = _Call(new_uuid(), body or b"{}", context, kind == "RequestResponse")
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
    token = _call.set(_call.get() or _Call(new_uuid()))
    try:
        _retrying_plain(function, event)
    finally:
        _call.reset(token)


def _invalidate(
    func_name: str,
    qualifier: str | None = None,
    account: str | None = None,
    region: str | None = None,
) -> None:
    wanted = (account, region, func_name, qualifier)

    def is_old(key: Key) -> bool:
        return all(each in (None, part) for each, part in zip(wanted, key, strict=True))

    _POOL.retire(is_old)
    _invalidate_plain(func_name, qualifier=qualifier, account=account, region=region)


def _reset() -> None:
    _POOL.reset()
    _reset_plain()


class _WebSocketWorker:
    """What ministack's WebSocket APIs take for a worker: they pass by the dispatcher otherwise."""

    def __init__(self, func_name: str, config: _Document, code_zip: bytes, **_: Any) -> None:
        self._record = {"config": config, "code_zip": code_zip}

    def invoke(self, event: Any, request_id: str) -> _Document:
        result = lambda_svc._execute_function(self._record, event)
        if result.get("error"):
            return {"status": "error", "error": json.dumps(result["body"])}
        return {"status": "ok", "result": result["body"]}


class _SnapStart:
    """A version that PublishVersion initialises ahead of its first call."""

    def __init__(self, version: Version) -> None:
        self.version = version

    @classmethod
    def acquired(
        cls, func_name: str, config: _Document, code_zip: bytes, **_: Any
    ) -> tuple["_SnapStart", str]:
        record = {"config": config, "code_zip": code_zip}
        return cls(lambda_versions.of(record, config)), "spawn"

    def ensure_spawned(self) -> None:
        """Raises `RuntimeError` if init fails: the version is unusable then."""
        worker = _POOL.lease(self.version)
        if worker:
            try:
                reason = worker.prepare()
            finally:
                _POOL.release(worker)
            if reason:
                raise RuntimeError(reason)

    def released(self) -> None:
        """Nothing is held."""


def _create(data: _Document) -> Any:
    refused = lambda_limits.refusal(data)
    return error_response_json(*refused, 400) if refused else _create_plain(data)


def _update(name: str, data: _Document) -> Any:
    refused = lambda_limits.refusal(data)
    return error_response_json(*refused, 400) if refused else _update_plain(name, data)


def _refusing(handler: Any, position: int) -> Any:
    """Return a resource handler of CloudFormation that checks the properties at `position`."""

    def checked(*arguments: Any, **options: Any) -> Any:
        properties = arguments[position]
        refused = lambda_limits.refusal(properties)
        if refused:
            raise ValueError(refused[1])
        return handler(*arguments, **options)

    return checked


def _retiring(handler: Any) -> Any:
    def deleted(physical_id: str, *arguments: Any, **options: Any) -> Any:
        _POOL.retire(lambda key: key.name == physical_id)
        return handler(physical_id, *arguments, **options)

    return deleted
