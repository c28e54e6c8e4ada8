"""Run the local AWS's functions in our own workers, with Lambda's limits, instead of ministack's.

Whatever wakes a function (Invoke, API Gateway, event source mappings, EventBridge, ...) comes to
`_execute_function_dispatch` in ministack, after it has counted concurrency. Reserved concurrency,
retries, destinations and metrics stay its own.
"""

import json
import zipfile
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from tools.local_aws import lambda_logs, lambda_requests, lambda_settings, lambda_versions
from tools.local_aws.lambda_pool import Pool
from tools.local_aws.lambda_requests import Call
from tools.local_aws.lambda_versions import Key, Version
from tools.local_aws.lambda_worker import Outcome, Request, Worker

_Document = dict[str, Any]

_POOL = Pool()

_dispatch_plain = lambda_svc._execute_function_dispatch
_invalidate_plain = lambda_svc.invalidate_worker
_reset_plain = lambda_runtime.reset
_reserved_plain = lambda_svc._reserved_concurrency

CHANGE_SECONDS = 0.05
"""How long a function is being made or changed: here nothing has to be made ready."""


def install() -> None:
    lambda_svc._execute_function_dispatch = _dispatch
    lambda_requests.install()
    lambda_settings.install()
    lambda_svc.invalidate_worker = _invalidate
    lambda_runtime.reset = _reset
    lambda_runtime.get_or_create_worker = _WebSocketWorker
    lambda_svc.acquire_worker = _SnapStart.acquired
    lambda_svc.ensure_spawned = _SnapStart.ensure_spawned
    lambda_svc.release_worker = _SnapStart.released
    lambda_svc._reserved_concurrency = _reserved
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = CHANGE_SECONDS
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    handlers["delete"] = _retiring(handlers["delete"])


def _dispatch(
    function: _Document, config: _Document, event: Any, request_id: str, started: float
) -> _Document:
    if lambda_svc._proxy_url_for(config):
        plain: _Document = _dispatch_plain(function, config, event, request_id, started)
        return plain
    call = lambda_requests.current(request_id)
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


def _request(call: Call, config: _Document, event: Any) -> Request:
    payload = call.payload
    if payload is None or lambda_svc._durable_ctx.get():
        payload = json.dumps(event).encode()
    environment = {"_X_AMZN_TRACE_ID": lambda_requests.trace_id(config)}
    if config.get("DurableConfig"):
        overlay = lambda_svc._durable_env_overlay()
        environment |= {name: overlay.get(name, "") for name in lambda_runtime.DURABLE_ENV_VARS}
    return Request(call.id, payload, config["FunctionArn"], call.client_context, environment)


def _failure(error_type: str, text: str) -> _Document:
    body = {"errorType": error_type, "errorMessage": text}
    return {"body": body, "error": True, "function_error": "Unhandled", "log": ""}


def _reserved(function: _Document, config: _Document) -> int | None:
    """Return the function's own limit for its versions too, which ministack lets run without."""
    most: int | None = _reserved_plain(
        lambda_svc._functions.get(config["FunctionName"]) or function, config
    )
    return most


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


def _retiring(handler: Any) -> Any:
    def deleted(physical_id: str, *arguments: Any, **options: Any) -> Any:
        _POOL.retire(lambda key: key.name == physical_id)
        return handler(physical_id, *arguments, **options)

    return deleted
