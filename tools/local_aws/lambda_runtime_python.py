"""The process in which a Python function of the local AWS lives: it calls the handler, and waits.

`lambda_process` starts it as `python -I -S -B -u -X utf8 FILE FD`, in the function's environment
and nothing else, so it imports nothing of ours. What a handler sees (context, error shapes, log
format) follows AWS's `awslambdaric` 4.2.2. That package itself is not used: it wants an HTTP
server, a compiler where there is no wheel, and has no counterpart that installs for Node 20. One
protocol of our own serves both languages.

A frame on the socket is: length of the header, length of the body (4 bytes each), header (JSON),
body. Header kinds from here: ready, result, error, initError.
"""

import decimal
import importlib
import json
import logging
import os
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

_Document = dict[str, Any]
_Handler = Callable[[Any, Any], Any]

_LENGTHS = struct.Struct(">II")


class Channel:
    """The socket to the local AWS."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)

    def read(self) -> tuple[_Document, bytes]:
        """Return header and body of the next frame; end this process if there will be none."""
        header_bytes, body_bytes = _LENGTHS.unpack(self._exactly(_LENGTHS.size))
        return json.loads(self._exactly(header_bytes)), self._exactly(body_bytes)

    def write(self, kind: str, body: bytes = b"", error_type: str = "") -> None:
        header = json.dumps({"kind": kind, "errorType": error_type}).encode()
        self._socket.sendall(_LENGTHS.pack(len(header), len(body)) + header + body)

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._socket.recv(size)
            if not part:
                os._exit(0)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class FaultError(Exception):
    """Something between the platform and the handler went wrong; `type` is Lambda's name for it."""

    def __init__(self, type_: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.type = type_
        self.trace = trace or []


class ClientContext:
    """What the caller said of itself."""

    def __init__(self, given: _Document) -> None:
        self.custom = given.get("custom")
        self.env = given.get("env")
        client = given.get("client")
        self.client = None if client is None else Client(client)


class Client:
    def __init__(self, given: _Document) -> None:
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code",
                     "app_package_name"):  # fmt: skip
            setattr(self, name, given.get(name))


class CognitoIdentity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class LambdaContext:
    """The handler's second argument."""

    def __init__(self, call: _Document) -> None:
        self.aws_request_id = call["requestId"]
        self.invoked_function_arn = call["arn"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        given = call.get("clientContext")
        self.client_context = None if given is None else ClientContext(given)
        self.identity = CognitoIdentity()
        self.tenant_id = None
        self._deadline_ms = call["deadlineMs"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, message: object) -> None:
        sys.stdout.write(str(message))


class _Encoder(json.JSONEncoder):
    def default(self, value: object) -> Any:
        if isinstance(value, decimal.Decimal):
            return int(value) if value == value.to_integral_value() else float(value)
        return super().default(value)


class _RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = _RequestIdFilter.request_id
        return True


def main() -> None:
    channel = Channel(int(sys.argv.pop()))
    setup, _ = channel.read()
    _become(setup)
    _set_up_logging()
    handler = _initialised(channel, setup)
    encoder = _Encoder(ensure_ascii=setup["isAscii"])
    channel.write("ready")
    while True:
        call, body = channel.read()
        _set_call_environment(call)
        _RequestIdFilter.request_id = call["requestId"]
        _serve(channel, handler, call, body, encoder, setup["responseLimitBytes"])


def _become(setup: _Document) -> None:
    """Take the function's user and import path."""
    if setup["uid"]:
        os.setgroups([])
        os.setgid(setup["uid"])
        os.setuid(setup["uid"])
    if not setup["hasLocale"]:
        os.environ.pop("LC_CTYPE", None)  # which Python itself put there
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [*setup["paths"], *filter(None, own), *sys.path, *setup["runtimePaths"]]


def _set_up_logging() -> None:
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.terminator = ""
    handler.setFormatter(
        logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
            "%Y-%m-%dT%H:%M:%S",
        )
    )
    handler.addFilter(_RequestIdFilter())
    logging.getLogger().addHandler(handler)


def _initialised(channel: Channel, setup: _Document) -> _Handler:
    """Return the handler; end this process if there is none."""
    try:
        handler = _load(setup["handler"])
        if setup["isSnapStart"]:
            _run_snapshot_hooks()
    except Exception as error:  # noqa: BLE001 (whatever the function's module raises)
        payload = _error_payload(error, "")
        _log_error(payload)
        channel.write("initError", _encoded(payload), payload["errorType"])
        sys.exit(1)
    return handler


def _load(name: str) -> _Handler:
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        reason = "not enough values to unpack (expected 2, got 1)"
        raise FaultError("Runtime.MalformedHandlerName", f"Bad handler '{name}': {reason}")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        raise FaultError("Runtime.ImportModuleError", text) from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        text = f"Syntax error in module '{module_name}': {error}"
        raise FaultError("Runtime.UserCodeSyntaxError", text, [place]) from error
    if not hasattr(module, function_name):
        text = f"Handler '{function_name}' missing on module '{module_name}'"
        raise FaultError("Runtime.HandlerNotFound", text)
    handler: _Handler = getattr(module, function_name)
    return handler


def _run_snapshot_hooks() -> None:
    """Run what the function registered for its snapshot, if it brings AWS's library for it."""
    try:
        hooks = importlib.import_module("snapshot_restore_py")
    except ImportError:
        return
    for function, arguments, options in reversed(hooks.get_before_snapshot()):
        function(*arguments, **options)
    for function, arguments, options in hooks.get_after_restore():
        function(*arguments, **options)


def _set_call_environment(call: _Document) -> None:
    for name, value in call["environment"].items():
        if value:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)


def _serve(
    channel: Channel, handler: _Handler, call: _Document, body: bytes,
    encoder: json.JSONEncoder, limit_bytes: int,
) -> None:  # fmt: skip
    try:
        answer = _marshalled(handler(json.loads(body), LambdaContext(call)), encoder)
        if len(answer) > limit_bytes:
            text = "Response payload size exceeded maximum allowed payload size"
            text += f" ({limit_bytes} bytes)."
            payload = {"errorMessage": text, "errorType": "Function.ResponseSizeTooLarge"}
            channel.write("error", _encoded(payload), payload["errorType"])
            return
    except Exception as error:  # noqa: BLE001 (whatever the handler raises)
        payload = _error_payload(error, call["requestId"])
        _log_error(payload)
        channel.write("error", _encoded(payload), payload["errorType"])
        return
    channel.write("result", answer)


def _marshalled(value: object, encoder: json.JSONEncoder) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return encoder.encode(value).encode()
    except Exception as error:
        text = f"Unable to marshal response: {error}"
        raise FaultError("Runtime.MarshalError", text) from error


def _error_payload(error: Exception, request_id: str) -> _Document:
    fault = error if isinstance(error, FaultError) else None
    return {
        "errorMessage": str(error),
        "errorType": fault.type if fault else type(error).__name__,
        "requestId": request_id,
        "stackTrace": fault.trace if fault else _trace(error),
    }


def _trace(error: Exception) -> list[str]:
    """Return the function's own frames."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__]
    return traceback.format_list(own)


def _log_error(payload: _Document) -> None:
    lines = [f"[ERROR] {payload['errorType']}: {payload['errorMessage']}"]
    lines.append("Traceback (most recent call last):")
    lines += [entry.rstrip("\n") for entry in payload["stackTrace"]]
    sys.stdout.write("\n".join(lines) + "\n")


def _encoded(payload: _Document) -> bytes:
    return json.dumps(payload).encode()


if __name__ == "__main__":
    main()
