"""What `@request.*` means in the rules of each action, and rules across collections."""

import pytest

from tests.conformance.client import Part
from tests.conformance.pair import Pair
from tests.conformance.requests import create, delete, listing, records, update, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import Person, World, auth, base, number, relation, select, text

USER, OTHER, BOSS = "ruuser000000001", "ruuser000000002", "ruboss000000001"
# name -> (rule of create and update, fields are always the same)
RULES = {
    "isset": "@request.body.n:isset = true", "notset": "@request.body.n:isset = false",
    "changed": "@request.body.n:changed = true", "unchanged": "@request.body.n:changed = false",
    "length": "@request.body.ms:length <= 2", "each": "@request.body.ms:each ~ 'x%'",
    "each_any": "@request.body.ms:each ?= 'x1'", "empty": "@request.body.n = ''",
    "null": "@request.body.n = null", "body_v": "@request.body.v > 5",
    "body_own": "@request.body.n = n", "body_rel": "@request.body.owner.name = 'U'",
    "body_rels": "@request.body.owners.name ?= 'U'",
    "body_rels_all": "@request.body.owners.name = 'U'", "body_unknown": "@request.body.zzz = 'x'",
    "body_hidden": "@request.body.hid = 'x'", "body_hidden_isset": "@request.body.hid:isset = true",
    "body_lower": "@request.body.n:lower = 'x'", "body_json": "@request.body.j.a = 1",
    "own": "owner = @request.auth.id",
    "own_safe": "@request.auth.id != '' && owner = @request.auth.id",
    "own_each": "owners:each ?= @request.auth.id", "own_id": "owners.id ?= @request.auth.id",
    "role": "@request.auth.role = 'boss'", "role_null": "@request.auth.role != 'boss'",
    "roles": "@request.auth.roles:each ?= 'a'", "roles_all": "@request.auth.roles:each = 'a'",
    "roles_length": "@request.auth.roles:length = 2", "friend": "@request.auth.friend.name = 'O'",
    "friends": "@request.auth.friends.name ?= 'O'",
    "auth_back": "@request.auth.ru_notes_via_owner.n ?= 'note'",
    "auth_email": "@request.auth.email ~ 'ruuser'",
    "auth_collection": "@request.auth.collectionName = 'ru_users'",
    "auth_zzz": "@request.auth.zzz = ''", "verified": "@request.auth.verified = true",
    "header": "@request.headers.x_test = 'yes'", "header_none": "@request.headers.x_none = ''",
    "header_auth": "@request.headers.authorization != ''", "query": "@request.query.q = 'yes'",
    "query_number": "@request.query.q = 5", "method_post": "@request.method = 'POST'",
    "method_patch": "@request.method = 'PATCH'", "context": "@request.context = 'default'",
    "collection": "@collection.ru_notes.owner ?= @request.auth.id",
    "collection_body": "@collection.ru_notes.n ?= @request.body.n",
    "collection_two":
        "@collection.ru_notes.owner ?= @request.auth.id && @collection.ru_notes.n ?= n",
    "stored": "n = 'x'", "stored_or_body": "n = 'stored' || @request.body.n = 'x'",
    "relation": "owner.name = 'U'", "new_id": "id != ''", "id_given": "id = 'rugiven00000001'",
    "created": "created != ''", "select": "ms:each ?= 'x1'", "select_length": "ms:length = 2",
    "malformed": "'x1' ~ @request.body.ms:each",
}  # fmt: skip
FIELDS = (
    text("n"), number("v"), select("ms", "x1 x2 y1", 3), relation("owner", "ru_users"),
    relation("owners", "ru_users", 3), text("hid", hidden=True), {"name": "j", "type": "json"},
    {"name": "created", "type": "autodate", "onCreate": True},
)  # fmt: skip

WORLD = World(
    collections=(
        auth("ru_users", text("name"), select("role", "staff boss"), select("roles", "a b", 2)),
        base("ru_notes", text("n"), relation("owner", "ru_users")),
        *(
            base(
                f"ru_{name}", *FIELDS, rule="", createRule=rule, updateRule=rule, deleteRule=rule,
                viewRule=rule, listRule=rule,
            )
            for name, rule in RULES.items()
            if "friend" not in name
        ),
    ),
    people={
        "user": Person(
            "ru_users", USER, "ruuser@example.com",
            {"name": "U", "role": "staff", "roles": ["a", "b"]},
        ),
        "other": Person(
            "ru_users", OTHER, "ruother@example.com",
            {"name": "O", "roles": ["a"], "verified": True},
        ),
        "boss": Person("ru_users", BOSS, "ruboss@example.com", {"name": "B", "role": "boss"}),
    },
    records=(("ru_notes", {"id": "runote000000001", "n": "note", "owner": USER}),),
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _friends(pair: Pair) -> None:
    """Relations of users to users need the collection first; then the rules that use them."""
    for side in (pair.theirs, pair.ours):
        users = side.send(Step("GET", "/api/collections/ru_users", "super")).json
        fields = [
            *users["fields"],
            {"name": "friend", "type": "relation", "collectionId": users["id"]},
            {"name": "friends", "type": "relation", "collectionId": users["id"], "maxSelect": 5},
        ]
        steps = [
            Step("PATCH", "/api/collections/ru_users", "super", json={"fields": fields}),
            update("ru_users", USER, {"friend": OTHER, "friends": [OTHER, BOSS]}, "super"),
        ]
        for name in ("friend", "friends"):
            body = base(f"ru_{name}", *FIELDS, rule=RULES[name])
            steps.append(Step("POST", "/api/collections", "super", json=body))
        for step in steps:
            answer = side.send(step)
            assert answer.status == 200, (side.name, answer.json)


def _create(name: str, body: object, status: int, who: str = "guest", **query: str) -> Scenario:
    return Scenario(
        f"{name}: {who} creates {body} {query or ''}", create(f"ru_{name}", body, who, **query),
        status,
    )  # fmt: skip


STORED = {"n": "stored", "v": 1, "ms": ["x1"], "owner": USER, "owners": [USER, OTHER]}


def _update(name: str, body: object, status: int, who: str = "guest") -> Scenario:
    return Scenario(
        f"{name}: {who} updates with {body}",
        update(f"ru_{name}", "{before.0.id}", body, who),
        status,
        before=(create(f"ru_{name}", STORED, "super"),),
    )


CREATES = [
    _create("isset", {"n": "x"}, 200), _create("isset", {"n": ""}, 200),
    _create("isset", {"n": None}, 200), _create("isset", {}, 400),
    _create("isset", {"N": "x"}, 400), _create("notset", {}, 200),
    _create("notset", {"n": ""}, 400), _create("changed", {"n": "x"}, 400),
    _create("changed", {"n": ""}, 400), _create("changed", {}, 400), _create("unchanged", {}, 200),
    _create("length", {"ms": ["x1", "x2"]}, 200),
    _create("length", {"ms": ["x1", "x2", "y1"]}, 400), _create("length", {}, 200),
    _create("length", {"ms": "x1"}, 200), _create("each", {"ms": ["x1", "x2"]}, 200),
    _create("each", {"ms": ["x1", "y1"]}, 400), _create("each", {"ms": []}, 400),
    _create("each", {}, 400), _create("each_any", {"ms": ["y1", "x1"]}, 200),
    _create("each_any", {"ms": ["y1"]}, 400), _create("empty", {}, 200),
    _create("empty", {"n": ""}, 200), _create("empty", {"n": "x"}, 400),
    _create("null", {"n": ""}, 200), _create("null", {"n": "x"}, 400),
    _create("body_v", {"v": 6}, 200), _create("body_v", {"v": "6"}, 200),
    _create("body_v", {"v": 5}, 400), _create("body_v", {}, 400), _create("body_v", {"v+": 6}, 200),
    _create("body_own", {"n": "x"}, 200), _create("body_own", {}, 200),
    _create("body_rel", {"owner": USER}, 200), _create("body_rel", {"owner": OTHER}, 400),
    _create("body_rel", {"owner": "missing00000001"}, 400), _create("body_rel", {}, 400),
    _create("body_rels", {"owners": [OTHER, USER]}, 200),
    _create("body_rels", {"owners": [OTHER]}, 400),
    _create("body_rels_all", {"owners": [OTHER, USER]}, 400),
    _create("body_rels_all", {"owners": [USER]}, 200), _create("body_unknown", {"zzz": "x"}, 200),
    _create("body_unknown", {}, 400), _create("body_hidden", {"hid": "x"}, 400),
    _create("body_hidden", {"hid": "x"}, 200, "super"),
    _create("body_hidden_isset", {"hid": "x"}, 400), _create("body_lower", {"n": "X"}, 200),
    _create("body_json", {"j": {"a": 1}}, 200), _create("body_json", {"j": {"a": 2}}, 400),
    _create("own", {"owner": USER}, 200, "user"), _create("own", {"owner": OTHER}, 400, "user"),
    _create("own", {}, 200), _create("own", {"owner": USER}, 400), _create("own_safe", {}, 400),
    _create("own_safe", {"owner": USER}, 200, "user"),
    _create("own_each", {"owners": [OTHER, USER]}, 200, "user"),
    _create("own_each", {"owners": [OTHER]}, 400, "user"), _create("own_each", {}, 200),
    _create("own_id", {"owners": [USER]}, 200, "user"), _create("own_id", {}, 200),
    _create("role", {}, 200, "boss"), _create("role", {}, 400, "user"), _create("role", {}, 400),
    _create("role_null", {}, 200), _create("role_null", {}, 400, "boss"),
    _create("roles", {}, 200, "user"), _create("roles", {}, 400, "boss"),
    _create("roles_all", {}, 200, "other"), _create("roles_all", {}, 400, "user"),
    _create("roles_length", {}, 200, "user"), _create("roles_length", {}, 400),
    _create("friend", {}, 200, "user"), _create("friend", {}, 400, "other"),
    _create("friend", {}, 400), _create("friends", {}, 200, "user"),
    _create("friends", {}, 400, "boss"), _create("auth_back", {}, 200, "user"),
    _create("auth_back", {}, 400, "other"), _create("auth_back", {}, 400),
    _create("auth_email", {}, 200, "user"), _create("auth_email", {}, 400, "other"),
    _create("auth_collection", {}, 200, "user"), _create("auth_collection", {}, 400),
    _create("auth_zzz", {}, 200, "user"), _create("auth_zzz", {}, 200),
    _create("verified", {}, 200, "other"), _create("verified", {}, 400, "user"),
    _create("header_none", {}, 200), _create("header", {}, 400),
    _create("header_auth", {}, 200, "user"), _create("header_auth", {}, 400),
    _create("query", {}, 200, q="yes"), _create("query", {}, 400, q="no"),
    _create("query", {}, 400), _create("query_number", {}, 400, q="5"),
    _create("method_post", {}, 200), _create("method_patch", {}, 400), _create("context", {}, 200),
    _create("collection", {}, 200, "user"), _create("collection", {}, 400, "other"),
    _create("collection_body", {"n": "note"}, 200), _create("collection_body", {"n": "x"}, 400),
    _create("collection_two", {"n": "note"}, 200, "user"),
    _create("collection_two", {"n": "x"}, 400, "user"), _create("stored", {"n": "x"}, 200),
    _create("stored", {"n": "y"}, 400), _create("stored_or_body", {"n": "x"}, 200),
    _create("relation", {"owner": USER}, 200), _create("relation", {"owner": OTHER}, 400),
    _create("new_id", {}, 200), _create("id_given", {"id": "rugiven00000001"}, 200),
    _create("id_given", {}, 400), _create("created", {}, 400),
    _create("select", {"ms": ["x1"]}, 200), _create("select", {"ms": ["x2"]}, 400),
    _create("select_length", {"ms": ["x1", "x2"]}, 200),
    Scenario(
        "header: yes", Step("POST", records("ru_header"), json={}, headers={"X-Test": "yes"}), 200,
    ),
    Scenario(
        "header: no", Step("POST", records("ru_header"), json={}, headers={"X-Test": "no"}), 400,
    ),
    Scenario("isset in a form", Step("POST", records("ru_isset"), parts=(Part("n", ""),)), 200),
    Scenario("body_v in a form", Step("POST", records("ru_body_v"), parts=(Part("v", "6"),)), 200),
    Scenario(
        "body_v in @jsonPayload",
        Step("POST", records("ru_body_v"), parts=(Part("@jsonPayload", '{"v":6}'),)), 200,
    ),
]  # fmt: skip
UPDATES = [
    _update("isset", {"n": "x"}, 200), _update("isset", {}, 404),
    _update("changed", {"n": "x"}, 200), _update("changed", {"n": "stored"}, 404),
    _update("changed", {}, 404), _update("unchanged", {"n": "stored"}, 200),
    _update("unchanged", {"n": "x"}, 404), _update("length", {"ms+": "x2"}, 200),
    _update("length", {"ms+": ["x2", "y1"]}, 404), _update("each", {"ms+": "x2"}, 200),
    _update("each", {"ms+": "y1"}, 404), _update("each", {}, 404),
    _update("each_any", {"ms-": "x1"}, 404), _update("each_any", {"ms+": "y1"}, 200),
    _update("empty", {}, 200), _update("body_v", {"v+": 5}, 200), _update("body_v", {"v+": 4}, 404),
    _update("body_own", {"n": "stored"}, 200), _update("body_own", {"n": "x"}, 404),
    _update("body_rel", {"owner": USER}, 200), _update("body_rel", {"owner": OTHER}, 404),
    _update("body_rels", {"owners-": USER}, 404), _update("body_rels", {"owners+": USER}, 200),
    _update("own", {"owner": OTHER}, 200, "user"), _update("own", {"n": "x"}, 404, "other"),
    _update("own_safe", {}, 404), _update("own_each", {}, 200, "other"),
    _update("own_each", {}, 404, "boss"), _update("own_id", {}, 200, "user"),
    _update("own_id", {}, 404), _update("stored", {"n": "x"}, 404),
    _update("stored_or_body", {"n": "zzz"}, 200), _update("relation", {"owner": OTHER}, 200),
    _update("method_patch", {}, 200), _update("method_post", {}, 404),
    _update("role", {}, 200, "boss"), _update("role", {}, 404, "user"),
    _update("body_hidden", {"hid": "x"}, 404), _update("collection_two", {}, 404, "user"),
    _update("select", {"ms": ["y1"]}, 200), _update("select_length", {"ms": ["x1", "x2"]}, 404),
    _update("created", {}, 200),
]  # fmt: skip
GONE = base("ru_gone", text("n"))
LEFT = base("ru_left", text("n"), rule="@collection.ru_gone.n ?= n || n = 'x'")
BROKEN = (
    Step("POST", "/api/collections", "super", json=GONE),
    Step("POST", "/api/collections", "super", json=LEFT),
    create("ru_left", {"id": "ruleft000000001", "n": "x"}, "super"),
    Step("DELETE", "/api/collections/ru_gone", "super"),
)
AT_WORK = [
    Scenario(
        "a rule whose other collection is gone", listing("ru_left"), 400, before=BROKEN,
        after=(
            view("ru_left", "ruleft000000001"), create("ru_left", {"n": "x"}),
            update("ru_left", "ruleft000000001", {"n": "y"}), delete("ru_left", "ruleft000000001"),
            listing("ru_left", "super"), view("ru_left", "ruleft000000001", "super"),
        ),
    ),
    Scenario(
        "a rule that fails on what is not sent", listing("ru_malformed"), 400,
        before=(create("ru_malformed", {"id": "rumalf000000001", "ms": ["x1"]}, "super"),),
        after=(
            view("ru_malformed", "rumalf000000001"), create("ru_malformed", {}),
            create("ru_malformed", {"ms": ["x1"]}),
            update("ru_malformed", "rumalf000000001", {"n": "y"}),
            update("ru_malformed", "rumalf000000001", {"n": "y", "ms": ["x1"]}),
            delete("ru_malformed", "rumalf000000001"),
        ),
    ),
]  # fmt: skip
READS = [
    Scenario("a list by the owner", listing("ru_own", "user"), 200),
    Scenario("a list by a guest", listing("ru_own"), 200),
    Scenario("a list under isset", listing("ru_isset"), 200),
    Scenario("a list under notset", listing("ru_notset", perPage=1, fields="n"), 200),
    Scenario("a list under a query rule", listing("ru_query", q="yes", fields="n"), 200),
    Scenario("a list under a method rule", listing("ru_method_post"), 200),
    Scenario("a list with rule and filter", listing("ru_own", "user", filter="n = 'stored'"), 200),
    Scenario(
        "a list with rule, filter and sort",
        listing("ru_own_id", "user", filter="owner.name = 'U'", sort="n,id", fields="n"), 200,
    ),
    Scenario(
        "a list whose rule joins another collection", listing("ru_collection", "user", fields="n"),
        200,
    ),
    Scenario(
        "view by the owner", view("ru_own", "{before.0.id}", "user"), 200,
        before=(create("ru_own", STORED, "super"),),
    ),
    Scenario(
        "view by another", view("ru_own", "{before.0.id}", "other"), 404,
        before=(create("ru_own", STORED, "super"),),
    ),
    Scenario(
        "delete by the owner", delete("ru_own", "{before.0.id}", "user"), 204,
        before=(create("ru_own", STORED, "super"),),
    ),
    Scenario(
        "delete by another", delete("ru_own", "{before.0.id}", "other"), 404,
        before=(create("ru_own", STORED, "super"),),
    ),
    Scenario(
        "delete by one of several", delete("ru_own_each", "{before.0.id}", "other"), 204,
        before=(create("ru_own_each", STORED, "super"),),
    ),
    Scenario(
        "delete under isset", delete("ru_isset", "{before.0.id}"), 404,
        before=(create("ru_isset", STORED, "super"),),
    ),
    Scenario(
        "an answer to a create that may not be viewed", create("ru_method_post", {"n": "x"}), 200,
    ),
    Scenario(
        "a rule that changes is obeyed at once", listing("ru_changing", fields="n"), 403,
        before=(
            Step("POST", "/api/collections", "super", json=base("ru_changing", text("n"))),
            listing("ru_changing"),
            Step("PATCH", "/api/collections/ru_changing", "super", json={"listRule": None}),
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    "scenario", CREATES + UPDATES + READS + AT_WORK, ids=lambda scenario: scenario.name
)
def test_rules_mean_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
