"""A function's settings as people send and see them, against `Function`, which is stored.

    new      the function that a body describes
    changed  the function after a PATCH: settings that are not sent stay
    export   the settings as JSON; secrets are masked

All that is wrong is said at once, in PocketBase's shape: `data` maps a setting to its error. An
unknown setting is refused, since a typing error would else leave a limit unset. What the API
adds to a function (`READ_ONLY`) may be sent back and changes nothing.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib.domain import dates
from chalicelib.domain.collection import Schema
from chalicelib.domain.functions import invoke_rule, triggers
from chalicelib.domain.functions import specification_checks as checks
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.specification_checks import WrongError
from chalicelib.errors import BadRequestError, ErrorData, field_error


class Change(NamedTuple):
    """What a body asks for: the function, and the secrets to set (text) or remove (None)."""

    function: Function
    secrets: dict[str, str | None]


class _Setting(NamedTuple):
    attribute: str
    read: Callable[[Any], Any]


_SETTINGS = {
    "runtime": _Setting("runtime", checks.runtime),
    "handler": _Setting("handler", checks.handler),
    "memoryMb": _Setting("memory_mb", checks.whole(128, 10240)),
    "timeoutSeconds": _Setting("timeout_seconds", checks.whole(1, 900)),
    "environment": _Setting("environment", checks.environment),
    "invokeRule": _Setting("invoke_rule", invoke_rule.read),
    "description": _Setting("description", checks.description),
    "capUsd": _Setting("cap", checks.cap),
    "reservedConcurrency": _Setting("reserved_concurrency", checks.concurrency),
    "retryAttempts": _Setting("retry_attempts", checks.whole(0, 10)),
    "retryDelaySeconds": _Setting("retry_delay_seconds", checks.whole(1, 900)),
    "retentionDays": _Setting("retention_days", checks.whole(1, 365)),
    "redact": _Setting("redact", checks.texts),
    "rights": _Setting("rights", checks.texts),
}
KEYS = ("name", *_SETTINGS, "secrets", "triggers")
READ_ONLY = (
    "id",
    "created",
    "updated",
    "url",
    "state",
    "running",
    "lastWake",
    "calls",
    "coldShare",
    "waiting",
    "lastWakeMs",
    "problem",
    "costThisMonth",
    "costThisMonthUsd",
    "liveVersion",
    "latestVersion",
    "live",
    "latest",
)
"""Parts of an answer that are not settings."""

_DEFAULT_HANDLERS = {"python": "lambda_function.lambda_handler", "nodejs": "index.handler"}
"""What AWS's console names in a new function."""

_FAILED = {
    "create": "Failed to validate the new function.",
    "update": "Failed to validate the function.",
}


def new(
    body: Mapping[str, Any],
    function_id: str,
    now_text: str,
    url: str,
    *,
    schema: Schema | None = None,
) -> Change:
    """Return the function that `body` describes; it has no code yet.

    With `schema`, triggers on what it lacks are refused. Raises `BadRequestError`.
    """
    errors: ErrorData = {}
    name = _read(errors, "name", checks.name, body.get("name"))
    runtime = body.get("runtime")
    language = "nodejs" if str(runtime).startswith("nodejs") else "python"
    blank = Function(function_id, name or "", "", _DEFAULT_HANDLERS[language], created=now_text)
    given = {"runtime": runtime, **body}
    return _checked(given, blank, errors, now_text, url, schema, {}, _FAILED["create"])


def changed(
    function: Function,
    body: Mapping[str, Any],
    now_text: str,
    url: str,
    *,
    schema: Schema | None = None,
    stored_secrets: Mapping[str, str] = {},
) -> Change:
    """Return the function with what `body` has; lists and maps are replaced as a whole.

    Secrets are merged by name. `stored_secrets` are the values as they are: they count towards
    the size of the environment. Raises `BadRequestError`.
    """
    errors: ErrorData = {}
    if "name" in body and body["name"] != function.name:
        message = "A function keeps its name. Create another one under the new name"
        errors["name"] = field_error("validation_immutable", message)
    failed = _FAILED["update"]
    return _checked(body, function, errors, now_text, url, schema, stored_secrets, failed)


def export(function: Function) -> dict[str, Any]:
    """Return the settings as the API shows them."""
    shown = {key: getattr(function, setting.attribute) for key, setting in _SETTINGS.items()}
    cap = function.cap
    return {
        "id": function.id,
        "name": function.name,
        **shown,
        "environment": dict(function.environment),
        "secrets": dict.fromkeys(function.secret_names, checks.MASK),
        "triggers": [dict(trigger) for trigger in function.triggers],
        "capUsd": {"amount": _number(cap.amount), "per": cap.per} if cap else None,
        "redact": list(function.redact),
        "rights": list(function.rights),
        "liveVersion": function.live_version,
        "latestVersion": function.latest_version,
        "url": function.url,
        "created": function.created,
        "updated": function.updated,
    }


def _checked(
    body: Mapping[str, Any],
    before: Function,
    errors: ErrorData,
    now_text: str,
    url: str,
    schema: Schema | None,
    stored_secrets: Mapping[str, str],
    failed: str,
) -> Change:
    values = {
        setting.attribute: _read(errors, key, setting.read, body[key])
        for key, setting in _SETTINGS.items()
        if key in body
    }
    values["triggers"] = before.triggers
    if "triggers" in body:
        world = triggers.World(before.triggers, _moment(now_text), schema)
        values["triggers"] = _read(
            errors, "triggers", lambda given: triggers.check(given, world), body["triggers"]
        )
    secrets = _read(errors, "secrets", _secrets_of(before), body.get("secrets", {}))
    errors |= {key: checks.unknown_key(key, list(KEYS)) for key in body if not _is_known(key)}
    environment = values.get("environment", before.environment)
    if not errors:
        secret_names = _secret_names(before.secret_names, secrets)
        known = {**stored_secrets, **secrets}
        all_secrets = {name: known.get(name) or "" for name in secret_names}
        errors |= _environment_errors(environment, all_secrets, url)
    if errors:
        raise BadRequestError(failed, errors)
    values["secret_names"] = tuple(all_secrets)
    return Change(before._replace(**values, url=url, updated=now_text), secrets)


def _read(errors: ErrorData, key: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except WrongError as error:
        errors[key] = error.error
        return None


def _is_known(key: str) -> bool:
    return key in KEYS or key in READ_ONLY


def _secrets_of(before: Function) -> Callable[[Any], dict[str, str | None]]:
    return lambda value: checks.secrets(value, before.secret_names)


def _secret_names(before: tuple[str, ...], secrets: Mapping[str, str | None]) -> tuple[str, ...]:
    kept = dict.fromkeys((*before, *secrets))
    return tuple(sorted(name for name in kept if secrets.get(name, "") is not None))


def _environment_errors(
    environment: Mapping[str, str], secrets: Mapping[str, str], url: str
) -> ErrorData:
    """Return the errors of variables that clash, or are too large together."""
    both = sorted(environment.keys() & secrets.keys())
    if both:
        message = f"Also in the environment: {', '.join(both)}. Leave it out in one of the two"
        return {"secrets": field_error("validation_not_unique", message)}
    size_bytes = checks.environment_bytes({**environment, **secrets, "DORMOUSE_URL": url})
    if size_bytes <= checks.MAX_ENVIRONMENT_BYTES:
        return {}
    message = (
        f"The variables, secrets included, have {size_bytes} bytes as JSON, but a function may"
        f" have {checks.MAX_ENVIRONMENT_BYTES}"
    )
    return {"environment": field_error("validation_length_too_long", message)}


def _moment(now_text: str) -> datetime:
    return dates.to_datetime(now_text) or datetime.fromtimestamp(0, UTC)


def _number(amount: str) -> int | float:
    return float(amount) if "." in amount else int(amount)
