"""What is to be done with Lambda so that a function is as it is wanted.

Each action may be done again without harm, and the plan is made anew from what Lambda has: so
whoever comes after a crash does what is left.
"""

from typing import NamedTuple

from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import ARCHITECTURE, Function
from chalicelib.domain.functions.version import SETTINGS, Code

CREATE = "create role and function"
UPDATE_CODE = "update code"
UPDATE_CONFIGURATION = "update configuration"
SET_CONCURRENCY = "set concurrency"
WAIT = "wait"
PUBLISH = "publish"


class Target(NamedTuple):
    """A function as it is wanted."""

    name: str
    code: Code
    code_key: str
    """Where in the bucket the zip lies."""
    runtime: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    environment: dict[str, str]
    """With the secrets."""
    concurrency: int | None
    publishes: bool
    architecture: str = ARCHITECTURE


class Actual(NamedTuple):
    """A function as Lambda has it."""

    sha256: str
    runtime: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    environment: dict[str, str]
    concurrency: int | None
    revision: str
    """Lambda's own: it changes with every change."""
    state: str
    """Pending, Active, Inactive or Failed."""
    update: str
    """Of the last change: InProgress, Successful or Failed."""
    reason: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether a change is not over."""
        return self.state == "Pending" or self.update == "InProgress"

    @property
    def has_failed(self) -> bool:
        return self.state == "Failed" or self.update == "Failed"


def target(
    prefix: str, function: Function, code: Code, secrets: dict[str, str], publishes: bool
) -> Target:
    """Return how a function is wanted; `secrets` may hold more than the function names."""
    return Target(
        name=names.lambda_function(prefix, function.name),
        code=code,
        code_key=names.code(function.id, code.sha256),
        runtime=function.runtime,
        handler=function.handler,
        memory_mb=function.memory_mb,
        timeout_seconds=function.timeout_seconds,
        environment=environment(function, secrets),
        concurrency=function.reserved_concurrency,
        publishes=publishes,
    )


def environment(function: Function, secrets: dict[str, str]) -> dict[str, str]:
    """Return the variables that a function finds."""
    named = {name: secrets[name] for name in function.secret_names if name in secrets}
    own = {"DORMOUSE_URL": function.url} if function.url else {}
    return {**own, **function.environment, **named}


def plan(wanted: Target, actual: Actual | None) -> tuple[str, ...]:
    """Return the actions that are left, in order; WAIT until Lambda is done with a change."""
    if actual is None:
        concurrency = () if wanted.concurrency is None else (SET_CONCURRENCY,)
        return (CREATE, WAIT, *concurrency, PUBLISH)
    actions = [WAIT] if actual.is_waiting else []
    if wanted.publishes:
        if wanted.code.sha256 != actual.sha256 or actual.has_failed:
            actions += [UPDATE_CODE, WAIT]
        if _configuration(wanted) != _configuration(actual):
            actions += [UPDATE_CONFIGURATION, WAIT]
    if wanted.concurrency != actual.concurrency:
        actions.append(SET_CONCURRENCY)
    if wanted.publishes:
        actions.append(PUBLISH)
    return tuple(actions)


def needs_version(before: Function, after: Function) -> bool:
    """Whether a change of settings makes a version: what Lambda runs is another."""
    frozen = (*SETTINGS, "secret_names")
    return any(getattr(before, name) != getattr(after, name) for name in frozen)


def _configuration(of: Target | Actual) -> tuple[str, str, int, int, dict[str, str]]:
    return of.runtime, of.handler, of.memory_mb, of.timeout_seconds, of.environment
