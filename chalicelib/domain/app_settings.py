"""The settings that superusers change while the app runs: their shape, defaults and merging.

They are one JSON object, PocketBase's own (0.40.6). `DEFAULTS` is its shape: a value's type
there is the only type a client may give it. The three secrets are stored and never shown.
What may be saved is checked in `app_settings_errors`; what only the deployment decides is in
`config`.
"""

import copy
from typing import Any

from chalicelib.domain import binding

AppSettings = dict[str, Any]

_S3: dict[str, Any] = {
    "enabled": False,
    "bucket": "",
    "region": "",
    "endpoint": "",
    "accessKey": "",
    "secret": "",
    "forcePathStyle": False,
}
RATE_LIMIT_RULE: dict[str, Any] = {"label": "", "audience": "", "duration": 0, "maxRequests": 0}

DEFAULTS: AppSettings = {
    "superuserIPs": [],
    "smtp": {
        "enabled": False,
        "port": 587,
        "host": "smtp.example.com",
        "username": "",
        "password": "",
        "authMethod": "",
        "tls": False,
        "localName": "",
    },
    "backups": {"cron": "", "cronMaxKeep": 3, "s3": _S3},
    "s3": _S3,
    "meta": {
        "accentColor": "#1055c9",
        "appName": "Acme",
        "appURL": "http://localhost:8090",
        "senderName": "Support",
        "senderAddress": "support@example.com",
        "hideControls": False,
    },
    "rateLimits": {
        "rules": [
            {"label": "*:auth", "audience": "", "duration": 3, "maxRequests": 2},
            {"label": "*:create", "audience": "", "duration": 5, "maxRequests": 20},
            {"label": "/api/batch", "audience": "", "duration": 1, "maxRequests": 3},
            {"label": "/api/", "audience": "", "duration": 10, "maxRequests": 300},
        ],
        "excludedIPs": [],
        "enabled": False,
    },
    "trustedProxy": {"headers": [], "useLeftmostIP": False},
    "batch": {"enabled": False, "maxRequests": 50, "timeout": 3, "maxBodySize": 0},
    "logs": {"maxDataSize": 0, "maxDays": 5, "minLevel": 0, "logIP": True, "logAuthId": False},
}

SECRETS = (("smtp", "password"), ("s3", "secret"), ("backups", "s3", "secret"))


def defaults() -> AppSettings:
    """Return the settings of a new installation, yours to change."""
    return copy.deepcopy(DEFAULTS)


def merge(current: AppSettings, patch: dict[str, Any]) -> AppSettings:
    """Return new settings: objects are merged, lists and values replaced, null empties.

    Keys match in any case and unknown ones are ignored (measured on PocketBase 0.40.6).
    Raises `ValueError` for a value of another type than its default's, and for a key that is
    given twice.
    """
    return _merged(DEFAULTS, current, patch)


def public(current: AppSettings) -> AppSettings:
    """Return the settings as superusers see them: without the secrets."""
    shown = copy.deepcopy(current)
    for path in SECRETS:
        holder = shown
        for name in path[:-1]:
            holder = holder[name]
        holder.pop(path[-1], None)
    return shown


def _merged(shape: dict[str, Any], current: dict[str, Any], patch: Any) -> dict[str, Any]:
    if not isinstance(patch, dict):
        raise ValueError("an object is expected")
    given = binding.by_name(shape, patch)
    return {
        name: _value(name, default, current.get(name, default), given[name])
        if name in given
        else copy.deepcopy(current.get(name, default))
        for name, default in shape.items()
    }


def _value(name: str, shape: Any, current: Any, given: Any) -> Any:
    if given is None:
        return _empty(shape)
    if isinstance(shape, dict):
        return _merged(shape, current, given)
    if isinstance(shape, list):
        return _list(name, given)
    return binding.typed(name, type(shape), given)


def _list(name: str, given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise ValueError(f"{name} has the wrong type")
    if name == "rules":
        return [_value(name, RATE_LIMIT_RULE, RATE_LIMIT_RULE, item) for item in given]
    return [_value(name, "", "", item) for item in given]


def _empty(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {name: _empty(value) for name, value in shape.items()}
    return type(shape)()
