"""Signing in: by password, by refreshing a token, by impersonation; and the first superuser.

A login reads the guard of a unique index and then the record; there is no session table, so
a refresh writes nothing and there is no logout. Order of the checks, messages and statuses:
measured on PocketBase 0.40.6. One-time passwords, OAuth2 and the mail flows are not served.
"""

import re
from collections.abc import Mapping
from typing import Any

from chalicelib import passwords, services, store
from chalicelib.domain import binding, index_values, tokens
from chalicelib.domain.collection import SUPERUSERS, Collection, Index
from chalicelib.domain.fields import email
from chalicelib.domain.request import Body, Call, Record
from chalicelib.errors import (
    BadRequestError,
    ErrorData,
    ForbiddenError,
    NotFoundError,
    field_error,
)
from chalicelib.services import rules
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session
from chalicelib.store.records import Stored

Answer = dict[str, Any]

_MAX_TEXT_BYTES = 255
_MAX_DURATION_SECONDS = 9_223_372_036
"""The longest that PocketBase can count, 292 years; a longer wish gets this."""

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)

_NO_COLLECTION = "Missing or invalid collection context."
_NO_AUTH_COLLECTION = "Missing or invalid auth collection context."
_UNREADABLE = "An error occurred while loading the submitted data."
_INVALID = "An error occurred while validating the submitted data."


def auth_methods(call: Call, collection_ref: str) -> Answer:
    """Return how one can sign in to a collection. Raises `NotFoundError`."""
    collection = _auth_collection(open_session(call), collection_ref)
    password, mfa, otp = (collection.auth[name] for name in ("passwordAuth", "mfa", "otp"))
    identity_fields = password["identityFields"] if password["enabled"] else []
    return {
        "password": {"identityFields": identity_fields, "enabled": password["enabled"]},
        # No provider is served yet, so none is offered.
        "oauth2": {"providers": [], "enabled": collection.auth["oauth2"]["enabled"]},
        "mfa": {"enabled": mfa["enabled"], "duration": mfa["duration"] if mfa["enabled"] else 0},
        "otp": {"enabled": otp["enabled"], "duration": otp["duration"] if otp["enabled"] else 0},
        "authProviders": [],
        "usernamePassword": "username" in identity_fields,
        "emailPassword": "email" in identity_fields,
    }


def auth_with_password(call: Call, collection_ref: str) -> Answer:
    """Return a record and a token for a right password.

    Raises `services.mfa.MfaRequiredError` if a second method is needed, `BadRequestError`
    (alike for an unknown account and a wrong password, and after as much work),
    `ForbiddenError` or `NotFoundError`.
    """

    def attempt() -> Answer:
        session = open_session(call)
        collection = _auth_collection(session, collection_ref)
        if not collection.auth["passwordAuth"]["enabled"]:
            message = "The collection is not configured to allow password authentication."
            raise ForbiddenError(message)
        record = _account(session, collection)
        _require_allowed(session, collection, record, "password")
        services.mfa.require(session, collection, record, "password")
        return _signed_in(session, collection, record, _new_token(session, collection, record))

    answer: Answer = services.records.retried(attempt)
    return answer


def auth_refresh(call: Call, collection_ref: str) -> Answer:
    """Return the caller's record with a new token, or with the same one if it is not renewable.

    Raises `UnauthorizedError`, `ForbiddenError` or `NotFoundError`.
    """
    session = open_session(call)
    collection = session.collection(collection_ref, _NO_COLLECTION)
    record = session.require_auth()
    own = session.auth_collection
    if own is not collection and own is not None:
        raise ForbiddenError(f"The request requires auth record from {own.name} collection.")
    _require_allowed(session, collection, record, "default")
    if tokens.is_refreshable(tokens.decode_unverified(call.token) or {}):
        return _signed_in(session, collection, record, _new_token(session, collection, record))
    return _signed_in(session, collection, record, call.token)


def impersonate(call: Call, collection_ref: str, record_id: str) -> Answer:
    """Return a record and a token for it that cannot be renewed. Superusers only.

    Raises `UnauthorizedError`, `ForbiddenError`, `NotFoundError` or `BadRequestError`.
    """
    session = open_session(call)
    session.require_superuser()
    collection = _auth_collection(session, collection_ref, _NO_AUTH_COLLECTION)
    if collection.is_functions:
        raise ForbiddenError("Functions alone hold tokens of their accounts.")
    stored = session.related.find(collection, record_id)
    if stored is None:
        raise NotFoundError
    seconds = _form(call, {"duration": int})["duration"]
    if seconds < 0:
        code = "validation_min_greater_equal_than_required"
        error = field_error(code, "Must be no less than 0.", {"threshold": 0})
        raise BadRequestError(_INVALID, {"duration": error})
    seconds = min(seconds, _MAX_DURATION_SECONDS)
    token = tokens.issue(
        tokens.AUTH, collection, stored.record, session.now, seconds, refreshable=False
    )
    return _signed_in(session, collection, stored.record, token)


def create_superuser(address: str, password: str) -> bool:
    """Make sure that a superuser has this e-mail and password; return whether it had to write.

    For whoever operates the deployment: no caller is asked for. A changed password ends the
    superuser's tokens. Raises `BadRequestError` for values that a superuser cannot have.
    """

    def attempt() -> bool:
        session = open_session(Call("POST", "", {}, {}, lambda: Body({}, {})))
        superusers = session.auth_collection = session.collection(SUPERUSERS)
        stored = _holder(session, superusers, "email", address)
        if stored is not None and passwords.matches(password, stored.record["password"]):
            return False
        secret = {"password": password, "passwordConfirm": password}
        if stored is None:
            body = Body({"email": address, "verified": True, **secret}, {})
            services.record_writes.stage_create(session, superusers, body, "default")
        else:
            body = Body(secret, {})
            known_id = stored.record["id"]
            services.record_writes.stage_update(session, superusers, known_id, body, "default")
        services.records.commit(session, "Failed to save the superuser.")
        return True

    has_written: bool = services.records.retried(attempt)
    return has_written


def _auth_collection(
    session: Session, collection_ref: str, missing: str = _NO_COLLECTION
) -> Collection:
    collection = session.collection(collection_ref, missing)
    if not collection.is_auth:
        raise NotFoundError(_NO_AUTH_COLLECTION)
    return collection


def _form(call: Call, shape: Mapping[str, type], tells_type: bool = False) -> dict[str, Any]:
    """Return the body's values. Raises `BadRequestError` for a body that cannot be read.

    A login alone says that it is the content type which cannot (`tells_type`).
    """
    try:
        return binding.read(call.body.data, shape, binding.is_form(call.headers))
    except (ValueError, BadRequestError) as error:
        if tells_type and str(error).startswith("Unsupported Content-Type"):
            raise
        raise BadRequestError(_UNREADABLE) from error


def _account(session: Session, collection: Collection) -> Record:
    """Return the record that the submitted identity and password belong to."""
    shape = {"identity": str, "password": str, "identityField": str}
    form = _form(session.call, shape, tells_type=True)
    allowed = collection.auth["passwordAuth"]["identityFields"]
    if errors := _login_errors(form, allowed):
        raise BadRequestError(_INVALID, errors)
    stored = _find(session, collection, form["identity"], form["identityField"])
    known_hash = stored.record.get("password") if stored else None
    cost = collection.field["password"].options.get("cost") or 0
    if not passwords.matches(form["password"], known_hash, cost) or stored is None:
        raise BadRequestError("Failed to authenticate.")
    return stored.record


def _login_errors(form: dict[str, str], allowed: list[str]) -> ErrorData:
    found = {name: _text_error(form[name]) for name in ("identity", "password")}
    wanted = form["identityField"]
    if wanted and wanted not in allowed:
        found["identityField"] = _text_error(wanted) or field_error(
            "validation_in_invalid", "Must be a valid value."
        )
    return {name: error for name, error in found.items() if error}


def _text_error(text: str) -> ErrorData | None:
    if not text:
        return field_error("validation_required", "Cannot be blank.")
    if len(text.encode(errors="surrogatepass")) <= _MAX_TEXT_BYTES:
        return None
    message = f"The length must be between 1 and {_MAX_TEXT_BYTES}."
    limits = {"min": 1, "max": _MAX_TEXT_BYTES}
    return field_error("validation_length_out_of_range", message, limits)


def _find(session: Session, collection: Collection, identity: str, wanted: str) -> Stored | None:
    """Return the account by one identity field, or by each in turn with `email` first."""
    names = [wanted] if wanted else collection.auth["passwordAuth"]["identityFields"]
    for name in sorted(names, key=lambda name: name != "email"):
        if name == "email" and not email.is_address(identity):
            continue
        if stored := _holder(session, collection, name, identity):
            return stored
    return None


def _holder(session: Session, collection: Collection, name: str, identity: str) -> Stored | None:
    """Return the record that has a unique value; NOCASE if the field's index is so."""
    index = collection.unique_index_on(name)
    value = _unique_value(index, collection, name, identity) if index else None
    if index is None or value is None:
        return None
    record_id = store.uniques.holder(collection, index, value)
    return session.related.find(collection, record_id) if record_id else None


def _unique_value(index: Index, collection: Collection, name: str, identity: str) -> str | None:
    value: str | float = identity
    if collection.field[name].type == "number":
        if not _NUMBER.fullmatch(identity):
            return None
        value = float(identity)
    # Its WHERE may name other fields. Which records it guards was decided when they were saved.
    return index_values.unique_value(index._replace(where=""), collection, {name: value})


def _require_allowed(
    session: Session, collection: Collection, record: Record, context: str
) -> None:
    """Raises `ForbiddenError` if the superusers' addresses or the authRule refuse."""
    if collection.is_superusers:
        services.settings.require_superuser_address(session.call)
    info = session.info(context, session.call.body.data)
    if not rules.holds(session, collection, collection.auth["authRule"], record, info):
        message = "The request doesn't satisfy the collection requirements to authenticate."
        raise ForbiddenError(message)


def _new_token(session: Session, collection: Collection, record: Record) -> str:
    return tokens.issue(tokens.AUTH, collection, record, session.now, refreshable=True)


def _signed_in(session: Session, collection: Collection, record: Record, token: str) -> Answer:
    """Return the answer of every sign-in: what the record may see of itself, and its token."""
    session.auth, session.auth_collection = record, collection
    return {
        "record": services.expand.enrich_one(session, collection, record),
        "token": token,
    }
