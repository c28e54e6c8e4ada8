"""The options of an auth collection: their shape, defaults, checks and secrets.

Secrets (`<kind>Token.secret`, a provider's `clientSecret`) are stored and never exported.
Codes, limits and the order of the checks: measured on PocketBase 0.40.6.
"""

import copy
from typing import Any

from chalicelib.domain import definition_shape as shape
from chalicelib.domain import email_templates, ids, indexes, oauth2_providers
from chalicelib.domain.collection import SUPERUSERS_ID, Definition
from chalicelib.domain.definition_errors import (
    BLANK,
    Errors,
    at_least,
    length_between,
    within,
)
from chalicelib.domain.fields import url
from chalicelib.errors import ErrorData, field_error

TOKENS = (
    "authToken",
    "passwordResetToken",
    "emailChangeToken",
    "verificationToken",
    "fileToken",
)
TEMPLATES = ("verificationTemplate", "resetPasswordTemplate", "confirmEmailChangeTemplate")
MAX_TOKEN_SECONDS = 94670856
SECRET_LENGTH = 50

_TEMPLATE = shape.struct({"subject": shape.text, "body": shape.text})
_TOKEN = shape.struct({"duration": shape.integer, "secret": shape.text})
_PROVIDER = shape.struct(
    {
        "pkce": shape.nullable_boolean,
        "name": shape.text,
        "clientId": shape.text,
        "clientSecret": shape.text,
        "authURL": shape.text,
        "tokenURL": shape.text,
        "userInfoURL": shape.text,
        "displayName": shape.text,
        "extra": shape.free_object,
    }
)


def _providers(value: Any, present: Any) -> list[dict[str, Any]]:
    """The list is replaced; a provider keeps what was stored under its name and is not sent."""
    if value is not None and not isinstance(value, list):
        raise shape.FormatError
    stored = {each["name"]: each for each in present or ()}
    return [
        _PROVIDER(raw, stored.get(raw.get("name")) if isinstance(raw, dict) else None)
        for raw in value or ()
    ]


READERS: dict[str, shape.Reader] = {
    "authRule": shape.nullable_text,
    "manageRule": shape.nullable_text,
    "authAlert": shape.struct({"enabled": shape.boolean, "emailTemplate": _TEMPLATE}),
    "oauth2": shape.struct(
        {
            "providers": _providers,
            "mappedFields": shape.struct(
                dict.fromkeys(("id", "name", "username", "avatarURL"), shape.text)
            ),
            "enabled": shape.boolean,
        }
    ),
    "passwordAuth": shape.struct({"enabled": shape.boolean, "identityFields": shape.texts}),
    "mfa": shape.struct({"enabled": shape.boolean, "duration": shape.integer, "rule": shape.text}),
    "otp": shape.struct(
        {
            "enabled": shape.boolean,
            "duration": shape.integer,
            "length": shape.integer,
            "emailTemplate": _TEMPLATE,
        }
    ),
    **dict.fromkeys(TOKENS, _TOKEN),
    **dict.fromkeys(TEMPLATES, _TEMPLATE),
}


def defaults() -> dict[str, Any]:
    """Return the options of a new auth collection, with fresh secrets."""
    durations = (432000, 1800, 1800, 86400, 180)
    return {
        "authRule": "",
        "manageRule": None,
        "authAlert": {"enabled": True, "emailTemplate": email_templates.auth_alert()},
        "oauth2": {
            "providers": [],
            "mappedFields": {"id": "", "name": "", "username": "", "avatarURL": ""},
            "enabled": False,
        },
        "passwordAuth": {"enabled": True, "identityFields": ["email"]},
        "mfa": {"enabled": False, "duration": 600, "rule": ""},
        "otp": {
            "enabled": False,
            "duration": 180,
            "length": 8,
            "emailTemplate": email_templates.otp(),
        },
        **{
            name: {"duration": seconds, "secret": new_secret()}
            for name, seconds in zip(TOKENS, durations, strict=True)
        },
        "verificationTemplate": email_templates.verification(),
        "resetPasswordTemplate": email_templates.password_reset(),
        "confirmEmailChangeTemplate": email_templates.email_change(),
    }


def new_secret() -> str:
    """Return a fresh token secret: 50 random characters."""
    return ids.random_text(SECRET_LENGTH)


def settle(definition: Definition, before: Definition | None) -> None:
    """Bring the options in line with the fields and with what PocketBase forces."""
    known = {entry["name"] for entry in definition["fields"]}
    mapped = definition["oauth2"]["mappedFields"]
    definition["oauth2"]["mappedFields"] = {
        name: field if field in known else "" for name, field in mapped.items()
    }
    if definition["id"] == SUPERUSERS_ID:
        if not definition["passwordAuth"]["enabled"]:
            definition["passwordAuth"] = {"enabled": True, "identityFields": ["email"]}
        definition["oauth2"] |= {"enabled": False, "providers": []}
        if definition["otp"]["enabled"]:
            definition["mfa"]["enabled"] = True
    if before is None or "authToken" not in before:
        return
    same_secret = before["authToken"]["secret"] == definition["authToken"]["secret"]
    if same_secret and before.get("authRule") != definition["authRule"]:
        definition["authToken"]["secret"] = new_secret()


def without_secrets(options: dict[str, Any]) -> dict[str, Any]:
    """Return the auth options as a client may see them."""
    shown = copy.deepcopy({name: options[name] for name in READERS if name in options})
    for name in TOKENS:
        shown.get(name, {}).pop("secret", None)
    for provider in shown.get("oauth2", {}).get("providers", ()):
        provider.pop("clientSecret", None)
    return shown


def check(definition: Definition) -> Errors:
    """Return the errors of every option by itself; rules need the schema."""
    errors: Errors = {}
    for name in TEMPLATES:
        errors[name] = _check_template(definition[name])
    for name in TOKENS:
        errors[name] = _check_token(definition[name])
    errors["authAlert"] = _nested(
        "emailTemplate", _check_template(definition["authAlert"]["emailTemplate"])
    )
    errors["otp"] = _check_otp(definition["otp"])
    errors["mfa"] = _check_mfa(definition["mfa"])
    errors["passwordAuth"] = _check_password_auth(definition["passwordAuth"])
    errors["oauth2"] = _check_oauth2(definition["oauth2"])
    return {name: error for name, error in errors.items() if error}


def check_mfa_methods(definition: Definition) -> Errors:
    """Return an error if MFA is on with less than two ways to sign in."""
    if not definition["mfa"]["enabled"]:
        return {}
    ways = sum(definition[name]["enabled"] for name in ("passwordAuth", "oauth2", "otp"))
    if ways >= 2:
        return {}
    message = "MFA requires at least 2 auth methods to be enabled."
    return {"mfa": {"enabled": field_error("validation_mfa_not_enough_auths", message)}}


def _nested(name: str, error: Errors) -> Errors:
    return {name: error} if error else {}


def _check_template(template: dict[str, str]) -> Errors:
    return {name: BLANK for name in ("subject", "body") if not template[name]}


def _check_token(token: dict[str, Any]) -> Errors:
    errors: Errors = {}
    duration = within(token["duration"], 10, MAX_TOKEN_SECONDS)
    if duration:
        errors["duration"] = duration
    secret = length_between(token["secret"], 30, 255)
    if secret:
        errors["secret"] = secret
    return errors


def _check_otp(otp: dict[str, Any]) -> Errors:
    errors = _nested("emailTemplate", _check_template(otp["emailTemplate"]))
    if not otp["enabled"]:
        return errors
    checks = {"duration": within(otp["duration"], 10, 86400), "length": _otp_length(otp["length"])}
    return errors | {name: error for name, error in checks.items() if error}


def _otp_length(length: int) -> ErrorData | None:
    if not length:
        return BLANK
    return at_least(4) if length < 4 else None


def _check_mfa(mfa: dict[str, Any]) -> Errors:
    error = within(mfa["duration"], 10, 86400) if mfa["enabled"] else None
    return {"duration": error} if error else {}


def _check_password_auth(options: dict[str, Any]) -> Errors:
    is_blank = options["enabled"] and not options["identityFields"]
    return {"identityFields": BLANK} if is_blank else {}


def check_identity_fields(definition: Definition) -> Errors:
    """Return the error of the first field to sign in by that is missing or not unique."""
    options = definition["passwordAuth"]
    known = {entry["name"] for entry in definition["fields"]}
    for name in options["identityFields"] if options["enabled"] else ():
        error = _identity_error(name, known, definition["indexes"])
        if error:
            return {"passwordAuth": {"identityFields": error}}
    return {}


def _identity_error(name: str, known: set[str], index_texts: list[str]) -> ErrorData | None:
    params = {"fieldName": name}
    if name not in known:
        return field_error("validation_missing_field", f"Invalid or missing field {name}", params)
    if not indexes.unique_column(index_texts, name):
        message = f"The field {name} doesn't have a UNIQUE constraint"
        return field_error("validation_missing_unique_constraint", message, params)
    return None


def _check_oauth2(options: dict[str, Any]) -> Errors:
    if not options["enabled"]:
        return {}
    errors: Errors = {}
    seen: set[str] = set()
    for position, provider in enumerate(options["providers"]):
        error = _duplicate(provider["name"], seen) or _check_provider(provider)
        seen.add(provider["name"])
        if error:
            errors[str(position)] = error
    return {"providers": errors} if errors else {}


def _duplicate(name: str, seen: set[str]) -> Errors:
    if not name or name not in seen:
        return {}
    message = f"The provider {name} is already registered"
    return {"name": field_error("validation_duplicated_provider", message, {"name": name})}


def _check_provider(provider: dict[str, Any]) -> Errors:
    errors: Errors = {
        name: BLANK for name in ("name", "clientId", "clientSecret") if not provider[name]
    }
    name = provider["name"]
    if name and name not in oauth2_providers.DISPLAY_NAMES:
        message = f"Invalid or missing provider with name {name}"
        errors["name"] = field_error("validation_missing_provider", message, {"name": name})
    for option in ("authURL", "tokenURL", "userInfoURL"):
        if provider[option] and not url.is_url(provider[option]):
            errors[option] = field_error("validation_is_url", "Must be a valid URL")
    return errors
