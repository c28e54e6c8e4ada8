"""Bodies on records: modifiers, hidden fields, autodates, uploads, and all checks together."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain import modifiers, patterns, record
from chalicelib.domain.record_changes import Applied
from chalicelib.domain.request import Body, Record, UploadedFile
from tests.unit.field_builders import collection, entry

NOW = datetime(2024, 5, 6, 7, 8, 9, 10_000, tzinfo=UTC)
NOW_TEXT = "2024-05-06 07:08:09.010Z"
EARLIER = "2020-01-01 00:00:00.000Z"

THINGS = collection(
    entry("text", "title", required=True),
    entry("text", "slug", autogeneratePattern="[a-z]{5}"),
    entry("number", "count", max=100),
    entry("select", "tags", values=["a", "b", "c"], maxSelect=3),
    entry("relation", "owner", collectionId="c"),
    entry("file", "files", maxSelect=2),
    entry("file", "cover"),
    entry("json", "data"),
    entry("date", "due"),
    entry("text", "note", hidden=True),
    entry("password", "code"),
    entry("password", "pin", hidden=True),
    entry("autodate", "created", onCreate=True),
    entry("autodate", "updated", onCreate=True, onUpdate=True),
)
STORED: Record = record.blank(THINGS) | {
    "id": "r12345678901234",
    "title": "t",
    "count": 5,
    "tags": ["a"],
    "files": ["old.txt"],
    "note": "kept",
    "code": "$hash",
    "created": EARLIER,
    "updated": EARLIER,
}


def apply(
    data: dict[str, Any],
    original: Record | None = STORED,
    *,
    is_superuser: bool = True,
    **files: list[UploadedFile],
) -> Applied:
    return record.apply(THINGS, original, Body(data, files), NOW, is_superuser=is_superuser)


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        ({"title": 5}, "title", "5"),
        ({"count": "7"}, "count", 7),
        ({"count+": 2}, "count", 7),
        ({"count-": 2}, "count", 3),
        ({"count+": 2, "count": 1}, "count", 3),  # the plain key first, whatever the order
        ({"tags+": "b"}, "tags", ["a", "b"]),
        ({"+tags": ["c", "b"]}, "tags", ["c", "b", "a"]),
        ({"tags-": "a"}, "tags", []),
        ({"tags": ["c"], "tags+": "b"}, "tags", ["c", "b"]),
        ({"tags": None}, "tags", []),
        ({"title": None}, "title", ""),
        ({"data": '{"a":1}'}, "data", {"a": 1}),
        ({"due": "2022-01-01"}, "due", "2022-01-01 00:00:00.000Z"),
        ({"slug:autogenerate": "x", "slug": "y"}, "slug", "x....."),
        ({"created": EARLIER, "updated": EARLIER}, "created", EARLIER),
        ({"unknown": 1, "expand": {}, "collectionId": "x", "title+": "x"}, "title", "t"),
    ],
)
def test_keys_of_a_body(data: dict[str, Any], name: str, value: Any) -> None:
    found = apply(data).record[name]
    if name == "slug":
        assert patterns.search(f"^{value}$", found)
    else:
        assert found == value


def test_the_original_stays_as_it_is() -> None:
    before = {name: list(v) if isinstance(v, list) else v for name, v in STORED.items()}
    apply({"title": "new", "tags+": "b", "count+": 1})
    assert before == STORED


def test_what_rules_see_of_a_body_are_final_values_under_plain_names() -> None:
    found = apply({"count+": 2, "tags-": "a", "other": [1], "code": "1234", "title": 5})
    assert found.submitted == {"count": 7, "tags": [], "other": [1], "code": "1234", "title": "5"}


def test_autodates_are_the_servers() -> None:
    created = apply({"created": EARLIER}, None)
    assert (created.record["created"], created.record["updated"]) == (NOW_TEXT, NOW_TEXT)
    updated = apply({})
    assert (updated.record["created"], updated.record["updated"]) == (EARLIER, NOW_TEXT)
    assert created.submitted["created"] == ""


def test_only_superusers_write_hidden_fields() -> None:
    body = {"note": "x", "pin": "1234"}
    mine = apply(body)
    assert (mine.record["note"], mine.plain_passwords) == ("x", {"pin": "1234"})
    theirs = apply(body, is_superuser=False)
    assert (theirs.record["note"], theirs.plain_passwords) == ("kept", {})
    assert theirs.submitted == {}


def test_a_hidden_field_cannot_be_reached_by_a_modifier_either() -> None:
    hidden = collection(entry("number", "secret", hidden=True))
    found = record.apply(hidden, None, Body({"secret+": 5}, {}), NOW, is_superuser=False)
    assert (found.record["secret"], found.submitted) == (0, {})


def test_a_plain_password_is_kept_beside_the_record() -> None:
    found = apply({"code": "new"})
    assert (found.record["code"], found.plain_passwords) == ("$hash", {"code": "new"})


def test_an_empty_password_clears_the_hash() -> None:
    found = apply({"code": None})
    assert (found.record["code"], found.plain_passwords) == ("", {})


def upload(name: str) -> UploadedFile:
    return UploadedFile(name, "text/plain", b"x")


@pytest.mark.parametrize(
    ("data", "key", "before", "after"),
    [
        ({}, "files", [], []),  # a plain name replaces
        ({"files": "old.txt"}, "files", ["old.txt"], []),  # and keeps what is named beside it
        ({}, "files+", ["old.txt"], []),
        ({}, "+files", [], ["old.txt"]),
        ({"files-": "old.txt"}, "files+", [], []),
    ],
)
def test_uploads(data: dict[str, Any], key: str, before: list[str], after: list[str]) -> None:
    files = {key: [upload("new.txt")]}
    found = record.apply(THINGS, STORED, Body(data, files), NOW, is_superuser=True)
    (file,) = found.new_files["files"]
    assert patterns.search("^new_[a-z0-9]{10}.txt$", file.name)
    assert found.record["files"] == [*before, file.name, *after]
    assert found.submitted["files"] == found.record["files"]


def test_a_single_file_field_keeps_the_last_upload() -> None:
    found = apply({}, cover=[upload("one.txt"), upload("two.txt")])
    assert [file.upload.name for file in found.new_files["cover"]] == ["two.txt"]
    assert found.record["cover"] == found.new_files["cover"][0].name


def test_uploads_for_no_field_are_dropped() -> None:
    assert apply({}, nothing=[upload("new.txt")]).new_files == {}


def test_a_new_record_gets_an_id_and_generated_texts() -> None:
    made = record.autogenerate(THINGS, apply({"title": "x"}, None).record)
    assert patterns.search("^[a-z0-9]{15}$", made["id"])
    assert patterns.search("^[a-z]{5}$", made["slug"])
    assert made["title"] == "x"


def test_generated_texts_do_not_replace_given_ones() -> None:
    given = apply({"id": "mine", "slug": "mine"}, None).record
    made = record.autogenerate(THINGS, given)
    assert (made["id"], made["slug"]) == ("mine", "mine")


def test_all_errors_are_told_together() -> None:
    applied = apply({"title": "", "count": 101, "owner": "nobody", "id": "other"})
    errors = record.check(THINGS, applied.record, STORED, missing_relations={"owner": "records"})
    assert {name: error["code"] for name, error in errors.items()} == {
        "id": "validation_pk_change",
        "title": "validation_required",
        "count": "validation_max_number_constraint",
        "owner": "validation_missing_rel_records",
    }


def test_a_record_without_faults_has_no_errors() -> None:
    made = record.autogenerate(THINGS, apply({"title": "x"}, None).record)
    assert record.check(THINGS, made) == {}


def test_the_create_rule_sees_a_record_before_anything_is_generated() -> None:
    judged = record.judged(THINGS, apply({"title": "x", "code": "1234"}, None))
    assert judged["id"].startswith("__pb_create__")
    assert (judged["created"], judged["slug"]) == ("", "")
    assert judged["code"] != ""
    assert record.judged(THINGS, apply({"id": "mine"}, None))["id"] == "mine"


def test_a_later_field_cannot_take_the_key_of_an_earlier_one() -> None:
    targets = modifiers.targets(THINGS)
    assert targets["count+"].modifier == "f+"
    assert "title+" not in targets
    assert "slug:autogenerate" in targets
