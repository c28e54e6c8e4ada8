"""What is special about writing a record of an auth collection (users, superusers).

These checks come before those of the fields: while there are errors here, no others are
shown. `tokenKey` is what tokens are signed with beside the collection's secret, so renewing
it ends every token of the record. Measured on PocketBase 0.40.6.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.collection import Collection
from chalicelib.domain.fields import casting
from chalicelib.domain.request import Record
from chalicelib.errors import ErrorData, field_error

_KEYS = ("password", "passwordConfirm", "oldPassword")


class Clearing(NamedTuple):
    """Which rows about a record a change makes void."""

    otps: bool
    mfas_and_origins: bool
    external_auths: bool


class _Form(NamedTuple):
    password: str
    confirm: str
    old: str


def check_form(
    collection: Collection,
    original: Record | None,
    updated: Record,
    body: Mapping[str, Any],
    is_manager_or_superuser: bool,
    verify_old_password: Callable[[str], bool],
) -> dict[str, ErrorData]:
    """Return the errors of what a body may not do to an auth record, by its key.

    `updated` is the would-be record. `verify_old_password` is asked only when it matters:
    when someone who is no manager sets a password and says the old one.
    """
    if not collection.is_auth:
        return {}
    form = _Form(*(casting.to_text(body.get(name)) for name in _KEYS))
    errors = _password_errors(form, is_new=original is None)
    if not is_manager_or_superuser:
        errors |= _member_errors(original, updated)
        if original is not None and (form.password or form.confirm):
            errors |= _old_password_error(form.old, verify_old_password)
    return errors


def _password_errors(form: _Form, *, is_new: bool) -> dict[str, ErrorData]:
    errors = {}
    if not form.password and (is_new or form.confirm or form.old):
        errors["password"] = _required()
    if not form.confirm and (is_new or form.password or form.old):
        errors["passwordConfirm"] = _required()
    elif form.confirm != form.password:
        errors["passwordConfirm"] = _mismatch()
    return errors


def _member_errors(original: Record | None, updated: Record) -> dict[str, ErrorData]:
    """Nobody verifies themselves, and an e-mail address changes by a request of its own."""
    errors = {}
    if original is not None and updated["email"] != original["email"]:
        errors["email"] = _mismatch()
    if updated["verified"] != (original is not None and original["verified"]):
        errors["verified"] = _mismatch()
    return errors


def _old_password_error(old: str, verify: Callable[[str], bool]) -> dict[str, ErrorData]:
    if not old:
        return {"oldPassword": _required()}
    if verify(old):
        return {}
    message = "Missing or invalid old password."
    return {"oldPassword": field_error("validation_invalid_old_password", message)}


def _required() -> ErrorData:
    return field_error("validation_required", "Cannot be blank.")


def _mismatch() -> ErrorData:
    return field_error("validation_values_mismatch", "Values don't match.")


def side_effects(original: Record | None, updated: Record) -> Record:
    """Return the record to store, its passwords hashed already: with a new `tokenKey` if need be.

    A changed password or e-mail address renews it, unless the write itself sets it. Uses the
    system's random source.
    """
    if original is None or updated["tokenKey"] != original["tokenKey"]:
        return updated
    if not _is_other(original, updated, "password", "email"):
        return updated
    return updated | {"tokenKey": ids.token_key()}


def clearing(original: Record, updated: Record) -> Clearing:
    """Return what must be deleted along with a change of a stored record.

    With `external_auths`, a record that had such links gets a new `tokenKey`, too.
    """
    return Clearing(
        otps=_is_other(original, updated, "password", "email"),
        mfas_and_origins=_is_other(original, updated, "password"),
        external_auths=bool(updated["verified"] and not original["verified"]),
    )


def _is_other(original: Record, updated: Record, *names: str) -> bool:
    return any(original[name] != updated[name] for name in names)
