"""A version: code and settings of a function as Lambda published them, never changed again.

Our numbers are Lambda's own, so an invocation's version is its qualifier.
"""

from typing import Any, NamedTuple

from chalicelib.domain.functions.function import Function

SETTINGS = ("runtime", "handler", "memory_mb", "timeout_seconds", "environment")
"""What of a function is frozen in a version, beside its secrets' values."""


class Code(NamedTuple):
    """A zip in the bucket (`names.code`)."""

    sha256: str
    """In hexadecimal."""
    size_bytes: int


class Version(NamedTuple):
    """One version as it is stored."""

    number: int
    code: Code
    runtime: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    environment: dict[str, str]
    secret_names: tuple[str, ...] = ()
    created: str = ""


def of_function(function: Function, number: int, code: Code, now: str) -> Version:
    """Return the version that a function's settings and a zip make."""
    settings = {name: getattr(function, name) for name in SETTINGS}
    return Version(
        number=number, code=code, secret_names=function.secret_names, created=now, **settings
    )


def settings_of(version: Version, function: Function) -> Function:
    """Return the function as it runs in one of its versions: its memory, its timeout, ..."""
    settings = {name: getattr(version, name) for name in SETTINGS}
    return function._replace(live_version=version.number, **settings)


def of_document(document: dict[str, Any]) -> Version:
    """Return the version of a stored document."""
    values = {**document, "code": Code(*document["code"])}
    values["secret_names"] = tuple(values.get("secret_names", ()))
    return Version(**values)


def export(version: Version, live_version: int) -> dict[str, Any]:
    """Return a version as the API has it."""
    return {
        "version": version.number,
        "live": version.number == live_version,
        "sha256": version.code.sha256,
        "sizeBytes": version.code.size_bytes,
        "runtime": version.runtime,
        "handler": version.handler,
        "memoryMb": version.memory_mb,
        "timeoutSeconds": version.timeout_seconds,
        "environment": version.environment,
        "secrets": dict.fromkeys(version.secret_names, "******"),
        "created": version.created,
    }
