"""Documents to records and back, and what a viewer sees."""

from typing import Any

import pytest

from chalicelib.domain import record
from chalicelib.domain.record import Viewer
from tests.unit.field_builders import collection, entry

THINGS = collection(
    entry("text", "title"),
    entry("number", "count"),
    entry("bool", "done"),
    entry("date", "due"),
    entry("json", "data"),
    entry("geoPoint", "place"),
    entry("select", "kind", values=["a", "b"]),
    entry("select", "tags", values=["a", "b"], maxSelect=2),
    entry("relation", "owner", collectionId="c"),
    entry("file", "files", maxSelect=2),
    entry("text", "note", hidden=True),
    entry("password", "code"),
)
ZEROS = {
    "id": "r",
    "title": "",
    "count": 0,
    "done": False,
    "due": "",
    "data": None,
    "place": {"lon": 0, "lat": 0},
    "kind": "",
    "tags": [],
    "owner": "",
    "files": [],
    "note": "",
    "code": "",
}
FULL = {
    "id": "r",
    "title": "x",
    "count": 2.5,
    "done": True,
    "due": "2022-01-01 00:00:00.000Z",
    "data": {"a": [1, None]},
    "place": {"lon": 1, "lat": 2},
    "kind": "a",
    "tags": ["b", "a"],
    "owner": "o",
    "files": ["f.txt"],
    "note": "n",
    "code": "$2a$hash",
}


def test_a_missing_value_is_zero() -> None:
    assert record.decode(THINGS, {}, "r") == ZEROS
    assert record.blank(THINGS) == ZEROS | {"id": ""}


def test_zero_values_and_the_id_are_not_stored() -> None:
    assert record.encode(THINGS, ZEROS) == {}


def test_values_are_stored_under_the_keys_of_fields() -> None:
    document = record.encode(THINGS, FULL)
    assert document == {f"key_{name}": value for name, value in FULL.items() if name != "id"}
    assert record.decode(THINGS, document, "r") == FULL


def test_zeros_of_two_records_are_separate() -> None:
    one, other = record.decode(THINGS, {}, "1"), record.decode(THINGS, {}, "2")
    one["tags"].append("a")
    one["place"]["lon"] = 5
    assert other["tags"] == []
    assert other["place"] == {"lon": 0, "lat": 0}


@pytest.mark.parametrize(
    ("stored", "single", "several"),
    [
        ("a", "a", ["a"]),
        (["a", "b"], "b", ["a", "b"]),  # the last one stays when maxSelect becomes 1
        ([], "", []),
        ("", "", []),
        (None, "", []),
    ],
)
def test_stored_values_follow_a_changed_max_select(
    stored: Any, single: str, several: list[str]
) -> None:
    found = record.decode(THINGS, {"key_kind": stored, "key_tags": stored}, "r")
    assert (found["kind"], found["tags"]) == (single, several)


def test_a_document_of_unknown_keys_is_no_trouble() -> None:
    assert record.decode(THINGS, {"key_deleted_field": 1}, "r") == ZEROS


def test_guests_see_neither_hidden_fields_nor_hashes() -> None:
    assert record.export(THINGS, FULL, Viewer()) == {
        **{name: value for name, value in FULL.items() if name != "note"},
        "code": "",
        "collectionId": "c",
        "collectionName": "things",
    }


def test_superusers_see_hidden_fields_but_no_hashes() -> None:
    shown = record.export(THINGS, FULL, Viewer(is_superuser=True))
    assert shown["note"] == "n"
    assert shown["code"] == ""


def test_export_leaves_the_record_as_it_is() -> None:
    before = dict(FULL)
    record.export(THINGS, before, Viewer())
    assert before == FULL


USERS = collection(
    entry("password", "password", hidden=True),
    entry("text", "tokenKey", hidden=True),
    entry("email", "email"),
    entry("bool", "emailVisibility"),
    entry("bool", "verified"),
    entry("password", "pin"),
    type_="auth",
)
USER = {
    "id": "u",
    "password": "$2a$x",
    "tokenKey": "k",
    "email": "a@b.co",
    "emailVisibility": False,
    "verified": True,
    "pin": "$2a$y",
}


@pytest.mark.parametrize(
    ("viewer", "is_public", "sees"),
    [
        (Viewer(), False, False),
        (Viewer(), True, True),
        (Viewer(sees_email=True), False, True),
        (Viewer(is_superuser=True, sees_email=True), False, True),
    ],
)
def test_who_sees_an_email_address(viewer: Viewer, is_public: bool, sees: bool) -> None:
    shown = record.export(USERS, USER | {"emailVisibility": is_public}, viewer)
    assert ("email" in shown) is sees


@pytest.mark.parametrize("is_superuser", [False, True])
def test_nobody_sees_the_password_and_the_token_key(is_superuser: bool) -> None:
    shown = record.export(USERS, USER, Viewer(is_superuser, sees_email=True))
    assert set(shown) == {
        "id",
        "email",
        "emailVisibility",
        "verified",
        "pin",
        "collectionId",
        "collectionName",
    }
    assert shown["pin"] == ""
