"""The collections that are there from the start: PocketBase's own five, and `users`.

Ids, fields, rules and indexes as PocketBase 0.40.6 makes them, in its order.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain import dates, definition, definition_fields, definition_indexes
from chalicelib.domain.collection import FUNCTIONS, SUPERUSERS, Definition

OWNER_RULE = (
    "@request.auth.id != '' && recordRef = @request.auth.id && "
    "collectionRef = @request.auth.collectionId"
)
SUPERUSER_TOKEN_SECONDS = 86400
USERS_ID = "_pb_users_auth_"
_OWN_RULE = "id = @request.auth.id"

Entry = dict[str, Any]


def all_of(now: datetime) -> list[Definition]:
    """Return the definitions that a new deployment starts with, with fresh secrets.

    Each is a millisecond younger than the one before: their order is that of creation.
    """
    makers = (_mfas, _otps, _external_auths, _auth_origins, _superusers, _users)
    moments = (dates.now_text(now + timedelta(milliseconds=after)) for after in range(len(makers)))
    made = [make(moment) for make, moment in zip(makers, moments, strict=True)]
    for each in made:
        each["indexStates"] = definition_indexes.states(each, None, definition_indexes.READY)
    return made


def functions(now: datetime, taken_ids: Iterable[str]) -> Definition:
    """Return the definition of the collection of functions' accounts, with fresh secrets.

    Nobody signs in to it and nobody lists it; `services.service_accounts` alone writes it.
    """
    accounts = definition_fields.auth_fields()
    accounts = [
        each | {"required": False} if each["name"] in _UNUSED else each for each in accounts
    ]
    own = [_text("name"), {"type": "json", "name": "rights", "system": True}]
    entries = [*accounts, *own, *_dates(system=True)]
    body = {"name": FUNCTIONS, "type": "auth", "system": True, "fields": entries, "authRule": None}
    body["passwordAuth"] = {"enabled": False}
    body["authAlert"] = {"enabled": False}
    made = definition.create(body, taken_ids, dates.now_text(now))
    made["indexStates"] = definition_indexes.states(made, None, definition_indexes.READY)
    return made


_UNUSED = ("email", "password")


def _mfas(now: str) -> Definition:
    return _base("_mfas", now, [_text("method")], _read_by_owner(), _MFA_INDEXES)


def _otps(now: str) -> Definition:
    return _base("_otps", now, _otp_fields(), _read_by_owner(), _OTP_INDEXES)


def _external_auths(now: str) -> Definition:
    own = [_text("provider"), _text("providerId")]
    rules = _read_by_owner() | {"deleteRule": OWNER_RULE}
    return _base("_externalAuths", now, own, rules, _EXTERNAL_AUTH_INDEXES)


def _auth_origins(now: str) -> Definition:
    rules = _read_by_owner() | {"deleteRule": OWNER_RULE}
    return _base("_authOrigins", now, [_text("fingerprint")], rules, _AUTH_ORIGIN_INDEXES)


_MFA_INDEXES = (
    "CREATE INDEX `idx_mfas_collectionRef_recordRef` ON `_mfas` (collectionRef,recordRef)",
)
_OTP_INDEXES = (
    "CREATE INDEX `idx_otps_collectionRef_recordRef` ON `_otps` (collectionRef, recordRef)",
)
_EXTERNAL_AUTH_INDEXES = (
    "CREATE UNIQUE INDEX `idx_externalAuths_record_provider` ON `_externalAuths` "
    "(collectionRef, recordRef, provider)",
    "CREATE UNIQUE INDEX `idx_externalAuths_collection_provider` ON `_externalAuths` "
    "(collectionRef, provider, providerId)",
)
_AUTH_ORIGIN_INDEXES = (
    "CREATE UNIQUE INDEX `idx_authOrigins_unique_pairs` ON `_authOrigins` "
    "(collectionRef, recordRef, fingerprint)",
)


def _read_by_owner() -> dict[str, str]:
    return {"listRule": OWNER_RULE, "viewRule": OWNER_RULE}


def _text(name: str, **options: Any) -> Entry:
    return {"type": "text", "name": name, "system": True, "required": True, **options}


def _otp_fields() -> list[Entry]:
    return [
        {
            "type": "password",
            "name": "password",
            "system": True,
            "hidden": True,
            "required": True,
            "cost": 8,
        },
        _text("sentTo", hidden=True, required=False),
    ]


def _dates(system: bool) -> list[Entry]:
    return [
        {"type": "autodate", "name": "created", "system": system, "onCreate": True},
        {
            "type": "autodate",
            "name": "updated",
            "system": system,
            "onCreate": True,
            "onUpdate": True,
        },
    ]


def _base(
    name: str,
    now: str,
    own: list[Entry],
    rules: dict[str, str],
    index_texts: tuple[str, ...],
) -> Definition:
    entries = [_text("collectionRef"), _text("recordRef"), *own, *_dates(system=True)]
    body = {"name": name, "type": "base", "system": True, "fields": entries, **rules}
    return definition.create(body | {"indexes": list(index_texts)}, (), now)


def _superusers(now: str) -> Definition:
    entries = [*definition_fields.auth_fields(), *_dates(system=True)]
    body = {"name": SUPERUSERS, "type": "auth", "system": True, "fields": entries}
    return definition.create(body | {"authToken": {"duration": SUPERUSER_TOKEN_SECONDS}}, (), now)


def _users(now: str) -> Definition:
    image_types = ("jpeg", "png", "svg+xml", "gif", "webp")
    entries = [
        *definition_fields.auth_fields(),
        {"type": "text", "name": "name", "max": 255},
        {
            "type": "file",
            "name": "avatar",
            "maxSelect": 1,
            "mimeTypes": [f"image/{each}" for each in image_types],
        },
        *_dates(system=False),
    ]
    body = {
        "id": USERS_ID,
        "name": "users",
        "type": "auth",
        "fields": entries,
        "createRule": "",
        "oauth2": {"mappedFields": {"name": "name", "avatarURL": "avatar"}},
        **dict.fromkeys(("listRule", "viewRule", "updateRule", "deleteRule"), _OWN_RULE),
    }
    return definition.create(body, (), now)
