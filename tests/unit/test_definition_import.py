"""Imports: many collections at once, all or none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain import definition_changes, system_collections
from chalicelib.errors import BadRequestError

NOW = "2026-01-02 03:04:05.678Z"
USERS = "_pb_users_auth_"

Definitions = dict[str, dict[str, Any]]


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"type": "text", "name": name, **options}


def relation(name: str, target: str) -> dict[str, Any]:
    return {"type": "relation", "name": name, "collectionId": target}


@pytest.fixture
def there() -> Definitions:
    return {
        each["id"]: each for each in system_collections.all_of(datetime(2026, 1, 2, tzinfo=UTC))
    }


def run(there: Definitions, *collections: Any, delete_missing: bool = False) -> Definitions:
    """Import and return the collections written, by name."""
    body = {"collections": list(collections), "deleteMissing": delete_missing}
    done = definition_changes.imported(body, there, NOW)
    for collection_id in done.deletes:
        del there[collection_id]
    there.update({each["id"]: each for each in done.puts})
    return {each["name"]: each for each in done.puts}


def names(made: dict[str, Any]) -> list[str]:
    return [each["name"] for each in made["fields"]]


def reason(there: Definitions, *collections: Any, **options: Any) -> str:
    before = dict(there)
    with pytest.raises(BadRequestError, match="Failed to import collections") as caught:
        run(there, *collections, **options)
    assert there == before
    error = caught.value.data["collections"]
    assert error["code"] == "validation_collections_import_failure"
    message: str = error["message"]
    return message


@pytest.mark.parametrize("body", [{}, {"collections": []}, {"collections": None}])
def test_an_empty_import_is_refused(there: Definitions, body: Any) -> None:
    with pytest.raises(BadRequestError, match="while validating") as caught:
        definition_changes.imported(body, there, NOW)
    assert caught.value.data["collections"]["code"] == "validation_required"


@pytest.mark.parametrize(
    "body",
    [[], {"collections": "x"}, {"collections": [1]}, {"collections": [{}], "deleteMissing": 1}],
)
def test_a_wrongly_typed_import_is_refused(there: Definitions, body: Any) -> None:
    with pytest.raises(BadRequestError, match="while loading the submitted data") as caught:
        definition_changes.imported(body, there, NOW)
    assert caught.value.data == {}


def test_fields_that_are_not_mentioned_stay_behind_those_that_are(there: Definitions) -> None:
    made = run(there, {"name": "t", "fields": [text("a")], "listRule": ""})["t"]
    assert names(made) == ["id", "a"]
    again = run(there, {"name": "t", "fields": [text("b")]})["t"]
    assert names(again) == ["b", "id", "a"]
    assert (again["id"], again["listRule"], again["storage"]) == (made["id"], "", made["storage"])


def test_only_system_fields_stay_when_missing_ones_are_deleted(there: Definitions) -> None:
    made = run(there, {"id": USERS, "fields": [text("keep")]}, delete_missing=True)["users"]
    assert names(made) == [
        "keep", "id", "password", "tokenKey", "email", "emailVisibility", "verified",
    ]  # fmt: skip
    assert set(made["droppedKeys"]) == {"name", "avatar", "created", "updated"}


def test_collections_that_are_missing_are_deleted_but_for_system_ones(there: Definitions) -> None:
    run(there, {"name": "t"})
    run(there, {"name": "u"}, delete_missing=True)
    assert [each["name"] for each in there.values() if not each["system"]] == ["u"]
    assert "_superusers" in [each["name"] for each in there.values()]


def test_collections_may_point_to_each_other_and_to_themselves(there: Definitions) -> None:
    made = run(
        there,
        {"name": "a", "id": "aid", "fields": [relation("b", "bid"), relation("own", "aid")]},
        {"name": "b", "id": "bid", "fields": [relation("a", "aid")]},
    )
    assert names(made["a"]) == ["id", "b", "own"]


def test_an_id_is_matched_before_a_name(there: Definitions) -> None:
    run(there, {"name": "t", "id": "tid", "indexes": ["create index ti on t (id)"]})
    made = run(there, {"name": "u", "id": "tid"})["u"]
    assert made["indexes"] == ["CREATE INDEX `ti` ON `u` (`id`)"]
    assert "already" not in reason(there, {"name": "a b"})
    assert "must be unique" in reason(there, {"name": "u", "id": "other"})


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"name": "a b"}, '("a b"|"name": "must be in a valid format")'),
        ({}, '"name": "cannot be blank"'),
        ({"name": "t", "type": "foo"}, '"type": "must be a valid value"'),
        ({"name": "users", "type": "base"}, '"type": "Collection type cannot be changed."'),
        ({"name": "_mfas", "listRule": ""}, '"listRule": "System collection API rule cannot'),
        ({"name": "t", "listRule": 5}, "wrongly formatted"),
        ({"name": "t", "fields": [{"type": "foo"}]}, "wrongly formatted"),
        ({"name": "t", "fields": [relation("r", "nope")]}, "The relation collection doesn't exist"),
    ],
)
def test_one_refusal_refuses_all(there: Definitions, sent: Any, said: str) -> None:
    import re  # noqa: PLC0415 - only this test looks for a pattern

    assert re.search(said, reason(there, {"name": "fine"}, sent))


def test_a_collection_that_is_needed_is_not_deleted(there: Definitions) -> None:
    run(there, {"name": "t", "id": "tid"})
    sent = {"name": "u", "fields": [relation("r", "tid")]}
    run(there, sent)
    assert "relation collection doesn't exist" in reason(there, sent, delete_missing=True)


def test_two_entries_for_one_collection_are_refused(there: Definitions) -> None:
    assert "twice" in reason(there, {"name": "t", "id": "x1"}, {"name": "u", "id": "x1"})
    assert "must be unique" in reason(there, {"name": "t"}, {"name": "T"})


def test_index_problems_are_told_by_position(there: Definitions) -> None:
    with pytest.raises(BadRequestError) as caught:
        run(there, {"name": "t", "indexes": ["CREATE INDEX i ON t (nope)"]})
    assert caught.value.data["indexes"]["0"]["code"] == "validation_invalid_index_expression"
