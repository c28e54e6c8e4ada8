"""Which changes wake which trigger, and what functions are told of them."""

from typing import Any

import pytest

from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.functions import matching, triggers
from chalicelib.domain.functions.function import Trigger
from chalicelib.domain.functions.matching import Change
from chalicelib.domain.functions.specification_checks import WrongError
from chalicelib.domain.request import Record
from tests.unit.filter_world import NOW


def collection(name: str, kind: str, *fields: dict[str, Any]) -> Collection:
    entries = [{"id": field["name"], "type": "text", **field} for field in fields]
    definition = {"id": f"pbc_{name}", "name": name, "type": kind, "storage": name}
    return Collection({**definition, "fields": entries})


POSTS = collection(
    "posts",
    "base",
    {"name": "id"},
    {"name": "status"},
    {"name": "views", "type": "number"},
    {"name": "tags", "type": "select", "maxSelect": 3},
    {"name": "picture", "type": "file"},
    {"name": "pages", "type": "file", "maxSelect": 9},
    {"name": "note", "hidden": True},
    {"name": "author", "type": "relation", "collectionId": "pbc_users", "maxSelect": 1},
)
USERS = collection(
    "users",
    "auth",
    {"name": "id"},
    {"name": "name"},
    {"name": "password", "type": "password", "hidden": True},
    {"name": "tokenKey", "hidden": True},
    {"name": "email"},
    {"name": "emailVisibility", "type": "bool"},
    {"name": "original"},
)
SCHEMA = Schema(
    -900, {("pbc_posts", "posts"): lambda: POSTS, ("pbc_users", "users"): lambda: USERS}
)
TIME_MS = int(NOW.timestamp() * 1000)
WORLD = triggers.World((), NOW, SCHEMA)

OLD: Record = {
    "id": "r1", "status": "draft", "views": 1, "tags": [], "picture": "", "pages": ["1.png"],
    "note": "n", "author": "u1",
}  # fmt: skip
NEW: Record = {
    **OLD, "status": "published", "views": 2, "tags": ["a"], "picture": "p.png",
    "pages": ["2.png", "1.png", "3.png"],
}  # fmt: skip
UPDATED = Change("c1", POSTS, NEW, OLD, TIME_MS)
CREATED = UPDATED._replace(original=None)
DELETED = UPDATED._replace(record=None)


def trigger(**given: Any) -> Trigger:
    return triggers.check([{"type": "record", "collection": "posts", **given}], WORLD)[0]


def matches(wanted: Trigger, change: Change) -> bool:
    return matching.matches(wanted, change, SCHEMA)


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_actions_decide(action: str) -> None:
    changes = {"create": CREATED, "update": UPDATED, "delete": DELETED}
    assert changes[action].action == action
    wanted = trigger(actions=[action])
    assert [name for name, change in changes.items() if matches(wanted, change)] == [action]


@pytest.mark.parametrize(
    ("rule", "on_update", "on_create", "on_delete"),
    [
        (None, True, True, True),
        ("", True, True, True),
        ("status = 'published'", True, True, False),  # a deleted one is judged as it was
        ("status = 'draft'", False, False, True),
        ("original.status = 'draft' && status = 'published'", True, False, False),
        ("original.status != status", True, True, False),
        ("original.views < views", True, False, False),
        ("original = null", False, True, False),
        ("original.id != null", True, False, True),
        ("tags:length > 0 && original.tags = '[]'", True, False, False),
        ("note = 'n'", True, True, True),  # superusers write it, so hidden fields count
    ],
)
def test_rule_sees_the_record_now_and_before(
    rule: str | None, on_update: bool, on_create: bool, on_delete: bool
) -> None:
    wanted = trigger(rule=rule)
    found = [matches(wanted, change) for change in (UPDATED, CREATED, DELETED)]
    assert found == [on_update, on_create, on_delete]


class Authors:
    """Reads the records of `users` for a rule that follows a relation."""

    def get(self, collection: Collection, ids: list[str]) -> list[Record]:
        known = {"u1": {"id": "u1", "name": "Ann", "email": "a@b.c"}}
        return [known[each] for each in ids if collection is USERS and each in known]


def test_rule_follows_relations() -> None:
    wanted = trigger(rule="author.name = 'Ann'")
    assert matching.matches(wanted, UPDATED, SCHEMA, Authors())
    other = UPDATED._replace(record={**NEW, "author": "u2"})
    assert not matching.matches(wanted, other, SCHEMA, Authors())


def test_own_field_named_original_stays_itself() -> None:
    wanted = trigger(collection="users", rule="original = 'mine'")
    user = {"id": "u1", "original": "mine", "email": "", "password": "", "tokenKey": ""}
    assert matches(wanted, Change("c2", USERS, user, None, TIME_MS))
    with pytest.raises(WrongError):
        trigger(collection="users", rule="original.name = 'x'")


@pytest.mark.parametrize(
    "given",
    [
        {"rule": "nope = 1"},
        {"rule": "original.status ="},
        {"rule": "@request.auth.id != ''"},
        {"collection": "nope"},
        {"type": "file", "field": "status", "actions": None},
        {"type": "file", "field": "nope"},
    ],
)
def test_what_the_collection_lacks_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(WrongError):
        trigger(**given)


def test_request_may_be_named_in_a_text() -> None:
    assert trigger(rule="status = '@request.auth.id'")["rule"] == "status = '@request.auth.id'"


def test_rule_of_a_field_that_is_gone_wakes_nobody() -> None:
    wanted = trigger(rule="views > 0")
    bare = Collection({**POSTS.definition, "fields": POSTS.definition["fields"][:2]})
    assert not matches(wanted, UPDATED._replace(collection=bare))
    assert matches({**wanted, "rule": None}, UPDATED._replace(collection=bare))


def test_renamed_collection_is_still_watched_and_another_of_the_name_is_not() -> None:
    wanted = trigger()
    renamed = Collection({**POSTS.definition, "name": "articles"})
    other = Collection({**POSTS.definition, "id": "pbc_other"})
    assert matches(wanted, UPDATED._replace(collection=renamed))
    assert not matches(wanted, UPDATED._replace(collection=other))


def test_change_before_the_trigger_does_not_count_but_one_in_its_second_does() -> None:
    wanted = {**trigger(), "since": TIME_MS // 1000 * 1000 + 999}
    assert matches(wanted, UPDATED._replace(time_ms=TIME_MS // 1000 * 1000))
    assert not matches(wanted, UPDATED._replace(time_ms=TIME_MS // 1000 * 1000 - 1000))


@pytest.mark.parametrize("kind", ["http", "schedule", "queue"])
def test_other_triggers_are_not_woken_by_changes(kind: str) -> None:
    assert not matches({"id": "x", "type": kind}, UPDATED)


def test_event_tells_both_records_as_superusers_see_them() -> None:
    (event,) = matching.events(trigger(), UPDATED)

    assert event["action"] == "update"
    assert (event["collection"], event["collectionId"]) == ("posts", "pbc_posts")
    assert (event["record"]["status"], event["original"]["status"]) == ("published", "draft")
    assert event["record"]["collectionName"] == "posts"
    assert event["record"]["note"] == "n"
    assert event["changeId"] == "c1"
    assert event["time"].endswith("Z")
    assert matching.events(trigger(), CREATED)[0]["original"] is None
    assert matching.events(trigger(), DELETED)[0]["record"] is None


def test_event_has_no_password_and_no_token_key() -> None:
    user = {"id": "u1", "name": "Ann", "password": "$2a$hash", "tokenKey": "tk", "email": "a@b.c",
            "emailVisibility": False, "original": ""}  # fmt: skip
    change = Change("c2", USERS, user, {**user, "name": "An"}, TIME_MS)
    (event,) = matching.events(trigger(collection="users"), change)

    assert "$2a$hash" not in repr(event)
    assert "tk" not in repr(event)
    assert event["record"]["email"] == "a@b.c"


def test_each_new_file_is_an_event() -> None:
    wanted = trigger(type="file", field="pages")
    assert matches(wanted, UPDATED)
    files = [event["file"] for event in matching.events(wanted, UPDATED)]
    assert files == [
        {"field": "pages", "name": "2.png", "url": "/api/files/pbc_posts/r1/2.png"},
        {"field": "pages", "name": "3.png", "url": "/api/files/pbc_posts/r1/3.png"},
    ]
    assert len(matching.events(wanted, CREATED)) == 3


def test_file_that_was_there_or_is_gone_is_no_event() -> None:
    wanted = trigger(type="file", field="picture")
    assert matches(wanted, UPDATED)
    assert not matches(wanted, UPDATED._replace(original=NEW))
    assert not matches(wanted, UPDATED._replace(record=OLD, original=NEW))
    assert not matches(wanted, DELETED)
