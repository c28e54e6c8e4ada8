"""What may be saved as settings: every check that PocketBase 0.40.6 makes, with its codes.

Each check returns the error of one value or None; `errors` gathers them in the shape of the
settings, so that `data.meta.appName` names the field of a form.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_interface
from typing import Any

from chalicelib.domain import cron
from chalicelib.domain.app_settings import AppSettings
from chalicelib.domain.fields import email, url
from chalicelib.errors import ErrorData, field_error

Check = Callable[[Any], ErrorData | None]

_LABEL = re.compile(r"(\w+ )?/[\w/-]*|(\w+|\*):\w+|\w+", re.ASCII)
_DNS_NAME = re.compile(r"\w[\w-]{0,62}(\.\w[\w-]{0,62})*[._]?", re.ASCII)
_HEX_COLOR = re.compile(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_BITS = re.compile(r"|0|[1-9][0-9]*")
_MAX_NAME_BYTES = 255
_MAX_DNS_NAME_CHARS = 255


def errors(wanted: AppSettings) -> ErrorData:
    """Return what is wrong, nested as the settings are; empty if they may be saved."""
    return _tree(
        superuserIPs=_each(wanted["superuserIPs"], _address),
        smtp=_smtp(wanted["smtp"]),
        backups=_backups(wanted["backups"]),
        s3=_s3(wanted["s3"]),
        meta=_meta(wanted["meta"]),
        rateLimits=_rate_limits(wanted["rateLimits"]),
        batch=_batch(wanted["batch"]),
        logs=_logs(wanted["logs"]),
    )


def _meta(meta: dict[str, Any]) -> ErrorData:
    return _tree(
        appName=_first(meta["appName"], _required, _name_length),
        appURL=_first(meta["appURL"], _required, _is_url),
        senderName=_first(meta["senderName"], _required, _name_length),
        senderAddress=_first(meta["senderAddress"], _required, _is_email),
        accentColor=_first(meta["accentColor"], _color),
    )


def _smtp(smtp: dict[str, Any]) -> ErrorData:
    needed = _required if smtp["enabled"] else _anything
    return _tree(
        host=_first(smtp["host"], needed, _is_host),
        port=_first(smtp["port"], needed, _at_least(0)),
        authMethod=_first(smtp["authMethod"], _one_of("LOGIN", "PLAIN")),
        localName=_first(smtp["localName"], _is_host),
    )


def _backups(backups: dict[str, Any]) -> ErrorData:
    needed = _required if backups["cron"] else _anything
    return _tree(
        cron=_first(backups["cron"], _cron),
        cronMaxKeep=_first(backups["cronMaxKeep"], needed, _at_least(1)),
        s3=_s3(backups["s3"]),
    )


def _s3(s3: dict[str, Any]) -> ErrorData:
    needed = _required if s3["enabled"] else _anything
    names = ("bucket", "region", "accessKey", "secret")
    return _tree(
        endpoint=_first(s3["endpoint"], needed, _is_url),
        **{name: _first(s3[name], needed) for name in names},
    )


def _batch(batch: dict[str, Any]) -> ErrorData:
    needed = _required if batch["enabled"] else _anything
    return _tree(
        maxRequests=_first(batch["maxRequests"], needed, _at_least(0)),
        timeout=_first(batch["timeout"], needed, _at_least(0)),
        maxBodySize=_first(batch["maxBodySize"], _at_least(0)),
    )


def _logs(logs: dict[str, Any]) -> ErrorData:
    return _tree(
        maxDays=_first(logs["maxDays"], _at_least(0)),
        maxDataSize=_first(logs["maxDataSize"], _at_least(0)),
    )


def _rate_limits(limits: dict[str, Any]) -> ErrorData:
    rules = limits["rules"]
    missing = _required(rules) if limits["enabled"] else None
    return _tree(
        rules=missing or _each(rules, _rate_limit_rule) or _conflict(rules),
        excludedIPs=_each(limits["excludedIPs"], _address),
    )


def _rate_limit_rule(rule: dict[str, Any]) -> ErrorData:
    return _tree(
        label=_first(rule["label"], _required, _label),
        audience=_first(rule["audience"], _one_of("@guest", "@auth")),
        duration=_first(rule["duration"], _required, _at_least(1)),
        maxRequests=_first(rule["maxRequests"], _required, _at_least(1)),
    )


def _conflict(rules: list[dict[str, Any]]) -> ErrorData:
    """Return the first rule whose label another has, for an audience that overlaps."""
    seen: dict[str, set[str]] = {}
    for position, rule in enumerate(rules):
        label, audience = rule["label"], rule["audience"]
        others = seen.setdefault(label, set())
        if others and (audience == "" or others & {"", audience}):
            message = (
                f"Rate limit rule configuration with label {label} already exists or conflicts"
                " with another rule."
            )
            code = "validation_conflicting_rate_limit_rule"
            return {str(position): {"label": field_error(code, message, {"label": label})}}
        others.add(audience)
    return {}


def _tree(**found: ErrorData | None) -> ErrorData:
    return {name: error for name, error in found.items() if error}


def _each(values: Iterable[Any], check: Check) -> ErrorData:
    found = ((str(position), check(value)) for position, value in enumerate(values))
    return {position: error for position, error in found if error}


def _first(value: Any, *checks: Check) -> ErrorData | None:
    """Return the first error; a value that is empty passes every check but `_required`."""
    for check in checks if value else (check for check in checks if check is _required):
        if error := check(value):
            return error
    return None


def _anything(_value: Any) -> None:
    return None


def _required(value: Any) -> ErrorData | None:
    return None if value else field_error("validation_required", "Cannot be blank.")


def _name_length(value: str) -> ErrorData | None:
    if len(value.encode()) <= _MAX_NAME_BYTES:
        return None
    limits = {"min": 1, "max": _MAX_NAME_BYTES}
    message = f"The length must be between 1 and {_MAX_NAME_BYTES}."
    return field_error("validation_length_out_of_range", message, limits)


def _at_least(threshold: int) -> Check:
    def check(value: int) -> ErrorData | None:
        if value >= threshold:
            return None
        code = "validation_min_greater_equal_than_required"
        return field_error(code, f"Must be no less than {threshold}.", {"threshold": threshold})

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: str) -> ErrorData | None:
        if value in allowed:
            return None
        return field_error("validation_in_invalid", "Must be a valid value.")

    return check


def _is_url(value: str) -> ErrorData | None:
    if url.is_url(value):
        return None
    return field_error("validation_is_url", "Must be a valid URL.")


def _is_email(value: str) -> ErrorData | None:
    if email.is_address(value):
        return None
    return field_error("validation_is_email", "Must be a valid email address.")


def _is_host(value: str) -> ErrorData | None:
    short = len(value.replace(".", "")) <= _MAX_DNS_NAME_CHARS
    if (short and _DNS_NAME.fullmatch(value)) or _is_address(value):
        return None
    return field_error("validation_is_host", "Must be a valid IP address or DNS name.")


def _is_address(value: str) -> bool:
    return "/" not in value and "%" not in value and _is_address_or_subnet(value)


def _address(value: str) -> ErrorData | None:
    if not value:
        return _required(value)
    if _is_address_or_subnet(value):
        return None
    # The code is spelt as PocketBase spells it.
    return field_error("validation_invlaid_ip_or_subnet", "Invalid IP or CIDR subnet.")


def _is_address_or_subnet(value: str) -> bool:
    if not _BITS.fullmatch(value.partition("/")[2]):
        return False  # Python also takes a netmask there
    try:
        ip_interface(value)
    except ValueError:
        return False
    return True


def _label(value: str) -> ErrorData | None:
    if _LABEL.fullmatch(value):
        return None
    return field_error("validation_match_invalid", "Must be in a valid format.")


def _color(value: str) -> ErrorData | None:
    if len(value.encode()) != len("#rrggbb"):
        message, limits = "The length must be exactly 7.", {"min": 7, "max": 7}
        return field_error("validation_length_invalid", message, limits)
    if _HEX_COLOR.fullmatch(value):
        return None
    message = "Must be a valid hexadecimal color code."
    return field_error("validation_is_hex_color", message)


def _cron(value: str) -> ErrorData | None:
    try:
        cron.parse(value)
    except ValueError as error:
        return field_error("validation_invalid_cron", str(error))
    return None
