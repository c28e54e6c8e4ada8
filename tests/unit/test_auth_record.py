"""Who may change what of an auth record, and what follows from it (PocketBase 0.40.6)."""

from typing import Any

import pytest

from chalicelib.domain import auth_record, record, record_changes
from chalicelib.domain.collection import SUPERUSERS_ID
from chalicelib.domain.request import Body, Record
from tests.unit.field_builders import collection, entry
from tests.unit.test_record_changes import NOW

FIELDS = (
    entry("password", "password", hidden=True, required=True, min=8),
    entry("text", "tokenKey", hidden=True, required=True),
    entry("email", "email", required=True),
    entry("bool", "emailVisibility"),
    entry("bool", "verified"),
)
USERS = collection(*FIELDS, type_="auth")
STORED: Record = record.blank(USERS) | {
    "id": "u",
    "password": "$old",
    "tokenKey": "k" * 50,
    "email": "a@b.co",
}
PASSWORD = "12345678"

REQUIRED = "validation_required"
MISMATCH = "validation_values_mismatch"


def codes(data: dict[str, Any], original: Record | None, *, is_manager: bool) -> dict[str, str]:
    applied = record.apply(USERS, original, Body(data, {}), NOW, is_superuser=False)
    errors = auth_record.check_form(
        USERS, original, applied.record, data, is_manager, lambda old: old == PASSWORD
    )
    return {name: error["code"] for name, error in errors.items()}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, {"password": REQUIRED, "passwordConfirm": REQUIRED}),
        ({"email": "bad"}, {"password": REQUIRED, "passwordConfirm": REQUIRED}),
        ({"password": "x"}, {"passwordConfirm": REQUIRED}),
        ({"passwordConfirm": "x"}, {"password": REQUIRED, "passwordConfirm": MISMATCH}),
        ({"password": "x", "passwordConfirm": "y"}, {"passwordConfirm": MISMATCH}),
        ({"password": "5", "passwordConfirm": 5}, {}),  # both are cast
        (
            {"password": ["a"], "passwordConfirm": ["a"]},
            dict.fromkeys(("password", "passwordConfirm"), REQUIRED),
        ),
        ({"oldPassword": "x"}, {"password": REQUIRED, "passwordConfirm": REQUIRED}),
    ],
)
@pytest.mark.parametrize("is_manager", [False, True])
def test_create(data: dict[str, Any], expected: dict[str, str], is_manager: bool) -> None:
    assert codes(data, None, is_manager=is_manager) == expected


@pytest.mark.parametrize("verified", [True, "true"])
def test_only_managers_create_verified_records(verified: Any) -> None:
    data = {"password": "x", "passwordConfirm": "x", "verified": verified}
    assert codes(data, None, is_manager=False) == {"verified": MISMATCH}
    assert codes(data, None, is_manager=True) == {}


BOTH = {"password": "new", "passwordConfirm": "new"}


@pytest.mark.parametrize(
    ("data", "member", "manager"),
    [
        ({}, {}, {}),
        ({"email": "a@b.co", "verified": False}, {}, {}),
        ({"email": "c@d.co"}, {"email": MISMATCH}, {}),
        ({"email": ""}, {"email": MISMATCH}, {}),
        ({"verified": True}, {"verified": MISMATCH}, {}),
        ({"password": ""}, {}, {}),  # the field's own check refuses it
        (
            {"password": "new"},
            {"passwordConfirm": REQUIRED, "oldPassword": REQUIRED},
            {"passwordConfirm": REQUIRED},
        ),
        (BOTH, {"oldPassword": REQUIRED}, {}),
        (BOTH | {"oldPassword": "bad"}, {"oldPassword": "validation_invalid_old_password"}, {}),
        (BOTH | {"oldPassword": PASSWORD}, {}, {}),
        (
            {"oldPassword": PASSWORD},
            {"password": REQUIRED, "passwordConfirm": REQUIRED},
            {"password": REQUIRED, "passwordConfirm": REQUIRED},
        ),
    ],
)
def test_update(data: dict[str, Any], member: dict[str, str], manager: dict[str, str]) -> None:
    assert codes(data, STORED, is_manager=False) == member
    assert codes(data, STORED, is_manager=True) == manager


def test_the_old_password_is_verified_only_when_it_matters() -> None:
    def never(_: str) -> bool:
        raise AssertionError

    body = BOTH | {"oldPassword": "x"}
    assert auth_record.check_form(USERS, STORED, STORED, body, True, never) == {}
    assert auth_record.check_form(USERS, STORED, STORED, {}, False, never) == {}


def test_other_collections_have_no_such_checks() -> None:
    things = collection(entry("email", "email"))
    empty = record.blank(things)
    assert auth_record.check_form(things, None, empty, {"password": "x"}, False, bool) == {}


@pytest.mark.parametrize(
    ("change", "renews"),
    [
        ({}, False),
        ({"verified": True, "emailVisibility": True}, False),
        ({"password": "$new"}, True),
        ({"email": "c@d.co"}, True),
        ({"email": "A@B.CO"}, True),
    ],
)
def test_what_ends_every_token_of_a_record(change: dict[str, Any], renews: bool) -> None:
    stored = auth_record.side_effects(STORED, STORED | change)
    assert (stored["tokenKey"] != STORED["tokenKey"]) is renews
    assert stored | {"tokenKey": ""} == STORED | change | {"tokenKey": ""}
    assert len(stored["tokenKey"]) == 50


def test_a_token_key_that_the_write_sets_stays() -> None:
    updated = STORED | {"tokenKey": "mine", "password": "$new"}
    assert auth_record.side_effects(STORED, updated) == updated
    assert auth_record.side_effects(None, updated) == updated


def test_what_a_change_makes_void() -> None:
    clearing = auth_record.clearing
    assert clearing(STORED, STORED) == (False, False, False)
    assert clearing(STORED, STORED | {"email": "c@d.co"}) == (True, False, False)
    assert clearing(STORED, STORED | {"password": "$new"}) == (True, True, False)
    assert clearing(STORED, STORED | {"verified": True}) == (False, False, True)
    assert clearing(STORED | {"verified": True}, STORED) == (False, False, False)


def test_superusers_are_always_verified() -> None:
    superusers = collection(*FIELDS, type_="auth", id_=SUPERUSERS_ID)
    body = Body({"verified": False}, {})
    assert record.apply(superusers, None, body, NOW, is_superuser=True).record["verified"] is True


def test_a_password_that_cannot_be_hashed_is_noticed() -> None:
    for password, is_too_long in (("x" * 72, False), ("é" * 37, True)):
        body = Body({"password": password}, {})
        applied = record.apply(USERS, None, body, NOW, is_superuser=False)
        assert record_changes.has_unhashable_password(applied) is is_too_long
