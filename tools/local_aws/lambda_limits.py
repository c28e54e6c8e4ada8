"""What Lambda refuses: settings out of range, runtimes it lacks, payloads over 6 MB.

ministack takes all of it, and answers calls of Java and Ruby functions with a made-up 200. The
local AWS has Python and Node only. Sources: "Lambda quotas" and the errors of CreateFunction,
UpdateFunctionConfiguration and Invoke in Lambda's API reference.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json

from tools.local_aws.lambda_environment import RESERVED
from tools.local_aws.lambda_versions import MIB

RUNTIMES = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14",
            "nodejs20.x", "nodejs22.x", "nodejs24.x")  # fmt: skip
ENVIRONMENT_BYTES = 4 * 1024
PAYLOAD_BYTES = {"RequestResponse": 6 * MIB, "Event": MIB}
CONTEXT_CHARACTERS = 3_583
UPLOAD_BYTES = 70_167_211
"""Of a request that carries a zip of 50 MB in base64."""
_RANGES = {
    "Timeout": (1, 900, "timeout"),
    "MemorySize": (128, 10_240, "memorySize"),
}
_STORAGE_MB = (512, 10_240)
_VARIABLE = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")

_Document = dict[str, Any]
_INVALID, _VALIDATION = "InvalidParameterValueException", "ValidationException"


def refusal(settings: _Document) -> tuple[str, str] | None:
    """Return code and message of the error for a function's settings, None if they will do."""
    checks: tuple[Callable[[_Document], tuple[str, str] | None], ...] = (
        _kind_refusal, _runtime_refusal, _range_refusal, _environment_refusal,
    )  # fmt: skip
    return next((found for check in checks if (found := check(settings))), None)


def payload_refusal(invocation_type: str, size_bytes: int) -> Any:
    """Return the answer to a call with too large a payload, None for one that fits."""
    limit = PAYLOAD_BYTES.get(invocation_type)
    if limit is None or size_bytes <= limit:
        return None
    text = (
        f"{size_bytes} byte payload is too large for the {invocation_type} invocation type "
        f"(limit {limit} bytes)"
    )
    return error_response_json("RequestEntityTooLargeException", text, 413)


def _kind_refusal(settings: _Document) -> tuple[str, str] | None:
    code = settings.get("Code")
    if settings.get("PackageType") == "Image" or (isinstance(code, dict) and "ImageUri" in code):
        return _INVALID, "The local AWS runs functions of zip files, not of images"
    return None


def _runtime_refusal(settings: _Document) -> tuple[str, str] | None:
    runtime = settings.get("Runtime")
    if runtime is None or runtime in RUNTIMES:
        return None
    values = ", ".join(RUNTIMES)
    text = (
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum "
        f"value set: [{values}] or be a valid ARN"
    )
    return _INVALID, text


def _range_refusal(settings: _Document) -> tuple[str, str] | None:
    for name, (least, most, label) in _RANGES.items():
        value = settings.get(name)
        if value is not None and not least <= int(value) <= most:
            bound = f"less than or equal to {most}"
            if int(value) < least:
                bound = f"greater than or equal to {least}"
            text = f"1 validation error detected: Value '{value}' at '{label}' failed to satisfy"
            return _VALIDATION, f"{text} constraint: Member must have value {bound}"
    size_mb = (settings.get("EphemeralStorage") or {}).get("Size")
    if size_mb is not None and not _STORAGE_MB[0] <= int(size_mb) <= _STORAGE_MB[1]:
        return _VALIDATION, "Value at 'ephemeralStorage.size' must be from 512 to 10240"
    return None


def _environment_refusal(settings: _Document) -> tuple[str, str] | None:
    given = (settings.get("Environment") or {}).get("Variables") or {}
    begin = "Lambda was unable to configure your environment variables because the environment"
    bad = [name for name in given if not _VARIABLE.fullmatch(name)]
    if bad:
        text = f"Value '{bad[0]}' at 'environment.variables' failed to satisfy constraint"
        return _VALIDATION, f"1 validation error detected: {text}"
    reserved = sorted(RESERVED & set(given))
    if reserved:
        text = "variables you have provided contains reserved keys that are currently not supported"
        names = ", ".join(reserved)
        return _INVALID, f"{begin} {text} for modification. Reserved keys used: {names}"
    measured = json.dumps(given, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_BYTES:
        return _INVALID, f"{begin} variables you have provided exceeded the 4KB limit."
    return None
