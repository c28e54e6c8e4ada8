"""The collections API: shapes, ids, defaults, updates, renames, import, truncate, scaffolds."""

from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import admin, create, listing, view
from tests.conformance.scenario import NOTHING, Expected, Scenario, Step
from tests.conformance.world import Person, World, auth, base, number, relation, text

COLLECTIONS = "/api/collections"
ALL_TYPES: list[dict[str, Any]] = [
    {"name": kind, "type": kind}
    for kind in (
        "text", "number", "bool", "email", "url", "editor", "date", "json", "geoPoint", "file",
    )
] + [
    {"name": "password", "type": "password"},
    {"name": "autodate", "type": "autodate", "onCreate": True},
    {"name": "select", "type": "select", "values": ["a", "b"]},
    {"name": "relation", "type": "relation", "collectionId": "{collection.co_base}"},
]  # fmt: skip

WORLD = World(
    collections=(
        auth("co_users"),
        base("co_base", text("n"), number("v"), indexes=["CREATE INDEX co_n ON co_base (n)"]),
        base("co_ref", text("n"), relation("to", "co_base")),
    ),
    people={"user": Person("co_users", "couser000000001", "couser@example.com")},
    records=(("co_base", {"id": "corecord0000001", "n": "x", "v": 5}),),
)


def make(body: Any = NOTHING, who: str = "super", **query: Any) -> Step:
    return Step("POST", COLLECTIONS, who, query, json=body)


def change(collection: str, body: Any = NOTHING, who: str = "super") -> Step:
    return Step("PATCH", f"{COLLECTIONS}/{collection}", who, json=body)


def show(collection: str, **query: Any) -> Step:
    return admin("GET", f"{COLLECTIONS}/{collection}", **query)


def drop(collection: str) -> Step:
    return admin("DELETE", f"{COLLECTIONS}/{collection}")


def load(*collections: Any, **more: Any) -> Step:
    return admin("PUT", f"{COLLECTIONS}/import", {"collections": list(collections), **more})


def simple(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "fields": [text("n")], **more}


ACCESS = [
    Scenario(
        f"{who} {method} {path}",
        Step(method, path, who, json={} if method in ("POST", "PATCH", "PUT") else NOTHING), status,
    )
    for who, status in (("guest", 401), ("user", 403))
    for method, path in (
        ("GET", COLLECTIONS), ("POST", COLLECTIONS), ("GET", f"{COLLECTIONS}/co_base"),
        ("PATCH", f"{COLLECTIONS}/co_base"), ("DELETE", f"{COLLECTIONS}/co_base"),
        ("DELETE", f"{COLLECTIONS}/co_base/truncate"), ("PUT", f"{COLLECTIONS}/import"),
        ("GET", f"{COLLECTIONS}/meta/scaffolds"), ("GET", f"{COLLECTIONS}/co_zzz"),
    )
]  # fmt: skip
LISTS = [
    Scenario(
        "all system collections and users",
        admin("GET", COLLECTIONS, filter="system = true || name = 'users'", sort="name"), 200,
    ),
    Scenario(
        "by type",
        admin("GET", COLLECTIONS, filter="type = 'auth' && name ~ 'co_'", fields="name,id"), 200,
    ),
    Scenario(
        "by id", admin("GET", COLLECTIONS, filter="id = '_pb_users_auth_'", fields="name,id"), 200,
    ),
    Scenario(
        "sorted", admin("GET", COLLECTIONS, filter="name ~ 'co\\_%'", sort="-name", fields="name"),
        200,
    ),
    Scenario(
        "sorted by created",
        admin("GET", COLLECTIONS, filter="name ~ 'co\\_%'", sort="created,name", fields="name"),
        200,
    ),
    Scenario(
        "paged",
        admin(
            "GET", COLLECTIONS, filter="system = true", sort="name", perPage=2, page=2,
            fields="name",
        ),
        200,
    ),
    Scenario(
        "skipTotal",
        admin("GET", COLLECTIONS, filter="system = true", sort="name", skipTotal=1, fields="name"),
        200,
    ),
    Scenario("by another field", admin("GET", COLLECTIONS, filter="listRule = ''"), 400),
    Scenario("by fields", admin("GET", COLLECTIONS, filter="fields ~ 'x'"), 400),
    Scenario("sorted by another field", admin("GET", COLLECTIONS, sort="indexes"), 400),
    Scenario("a broken filter", admin("GET", COLLECTIONS, filter="name ="), 400),
    Scenario("view by name", show("co_base"), 200),
    Scenario("view by id", show("{collection.co_base}"), 200),
    Scenario("view by NAME", show("CO_BASE"), 200), Scenario("view auth", show("co_users"), 200),
    Scenario("view the default users", show("users"), 200),
    Scenario("view superusers", show("_superusers"), 200),
    Scenario("view a missing one", show("co_zzz"), 404),
    Scenario("view with fields", show("co_base", fields="name,fields.name"), 200),
    Scenario("scaffolds", admin("GET", f"{COLLECTIONS}/meta/scaffolds"), 200),
]  # fmt: skip
CREATES = [
    Scenario("only a name", make({"name": "co_only"}), 200),
    Scenario("only a name, auth", make({"name": "co_only_auth", "type": "auth"}), 200),
    Scenario(
        "every field type with defaults", make({"name": "co_types", "fields": ALL_TYPES}), 200,
    ),
    Scenario(
        "auth with a field", make({"name": "co_auth2", "type": "auth", "fields": [text("n")]}), 200,
    ),
    Scenario(
        "auth with options",
        make(
            {
                "name": "co_auth3", "type": "auth", "authToken": {"duration": 100},
                "mfa": {"enabled": False}, "passwordAuth": {"enabled": False}, "authRule": None,
                "manageRule": "@request.auth.id = id", "otp": {"length": 6},
            },
        ),
        200,
    ),
    Scenario("a chosen id", make({"name": "co_chosen", "id": "my_chosen_id"}), 200),
    Scenario(
        "field options",
        make(
            {
                "name": "co_options",
                "fields": [
                    text(
                        "t", min=1, max=5, pattern="^x", required=True, presentable=True,
                        hidden=True, help="helps",
                    ),
                    number("v", min=1, max=2, onlyInt=True),
                    {"name": "s", "type": "select", "values": ["a", "b"], "maxSelect": 2},
                ],
            },
        ),
        200,
    ),
    Scenario(
        "a chosen field id", make({"name": "co_fid", "fields": [text("t", id="custom1")]}), 200,
    ),
    Scenario(
        "an id field of one's own",
        make(
            {
                "name": "co_pk",
                "fields": [
                    {
                        "name": "id", "type": "text", "primaryKey": True, "required": True,
                        "system": True, "min": 3, "max": 30, "pattern": "^[a-z]+$",
                        "autogeneratePattern": "[a-z]{10}",
                    },
                ],
            },
        ),
        200,
    ),
    Scenario(
        "indexes",
        make(
            {
                "name": "co_idx", "fields": [text("a"), text("b")],
                "indexes": [
                    "create unique index IF NOT EXISTS co_i1 on anything (a)",
                    "CREATE INDEX `co_i2` ON `co_idx` (`a`, `b` DESC)",
                    "CREATE INDEX co_i3 ON co_idx (b COLLATE NOCASE) WHERE b != ''",
                ],
            },
        ),
        200,
    ),
    Scenario(
        "autodate fields",
        make(
            {
                "name": "co_dates",
                "fields": [
                    {"name": "created", "type": "autodate", "onCreate": True},
                    {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
                ],
            },
        ),
        200,
    ),
    Scenario(
        "rules", make(base("co_rules", text("n"), rule="n = 'x' && @request.auth.id != ''")), 200,
    ),
    Scenario(
        "unknown keys are ignored",
        make({"name": "co_unknown", "zzz": 1, "fields": [{"name": "t", "type": "text", "zzz": 2}]}),
        200,
    ),
    Scenario(
        "created is given",
        make(
            {
                "name": "co_given", "created": "2000-01-01 00:00:00.000Z",
                "updated": "2000-01-01 00:00:00.000Z",
            },
        ),
        200,
    ),
    Scenario("with fields picked", make({"name": "co_picked"}, fields="name,type"), 200),
    Scenario(
        "a relation to itself fails",
        make(
            {
                "name": "co_self",
                "fields": [{"name": "r", "type": "relation", "collectionId": "co_self"}],
            },
        ),
        400,
    ),
    Scenario("the name's case is kept", make({"name": "co_CamelCase"}), 200),
    Scenario("a number as name", make({"name": "12345"}), 200),
    Scenario("system: true", make({"name": "co_system", "system": True}), 200),
    Scenario(
        "a view",
        make({"name": "co_view", "type": "view", "viewQuery": "SELECT id, n FROM co_base"}), 200,
        differs="view-collections", ours=Expected(400, ("View collections",)),
    ),
]  # fmt: skip
FIELDS_AFTER = show("{before.0.id}")


def remade(
    name: str,
    body: dict[str, Any],
    patch: dict[str, Any],
    status: int,
    *after: Step,
    data: Any = None,
) -> Scenario:
    """Create a collection (and a record), then change the collection."""
    before = [make(body)]
    if data is not None:
        before.append(create("{before.0.id}", data, "super"))
    record = (view("{before.0.id}", "{before.1.id}", "super"),) if data is not None else ()
    return Scenario(
        name, change("{before.0.id}", patch), status, before=tuple(before),
        after=(FIELDS_AFTER, *record, *after),
    )  # fmt: skip


UPDATES = [
    Scenario("nothing changes", change("co_ref", {}), 200),
    Scenario("a missing collection", change("co_zzz", {}), 404),
    remade(
        "a rename keeps the id", simple("co_u1"), {"name": "co_u1b"}, 200,
        listing("co_u1b", "super"), listing("co_u1", "super"), data={"n": "x"},
    ),
    remade("a rename to a taken name", simple("co_u2"), {"name": "co_base"}, 400),
    remade("a rename of case only", simple("co_u3"), {"name": "CO_U3"}, 200),
    remade("rules change", simple("co_u4"), {"listRule": "", "viewRule": "n = 'x'"}, 200),
    remade("a rule back to null", simple("co_u5", listRule=""), {"listRule": None}, 200),
    remade(
        "a field is added", simple("co_u6"), {"fields": [text("n"), number("v")]}, 200,
        data={"n": "x"},
    ),
    remade(
        "a field is dropped with its data", simple("co_u7"), {"fields": []}, 200, data={"n": "x"},
    ),
    remade(
        "a field is renamed by its id", {"name": "co_u8", "fields": [text("n", id="f1")]},
        {"fields": [text("m", id="f1")]}, 200, data={"n": "x"},
    ),
    remade(
        "a field is replaced by one of a new id", {"name": "co_u9", "fields": [text("n", id="f1")]},
        {"fields": [text("n", id="f2")]}, 200, data={"n": "x"},
    ),
    remade(
        "fields swap names", {"name": "co_u10", "fields": [text("a", id="f1"), text("b", id="f2")]},
        {"fields": [text("b", id="f1"), text("a", id="f2")]}, 200, data={"a": "1", "b": "2"},
    ),
    remade(
        "a type cannot change", {"name": "co_u11", "fields": [text("n", id="f1")]},
        {"fields": [number("n", id="f1")]}, 400, data={"n": "5"},
    ),
    remade(
        "a type changes under the same name with a new id",
        {"name": "co_u12", "fields": [text("n", id="f1")]}, {"fields": [number("n", id="f2")]}, 200,
        data={"n": "5"},
    ),
    remade(
        "a type under the same name without an id", {"name": "co_u13", "fields": [text("n")]},
        {"fields": [number("n")]}, 200, data={"n": "5"},
    ),
    remade(
        "single select to multiple",
        {
            "name": "co_u14",
            "fields": [{"id": "f1", "name": "s", "type": "select", "values": ["a", "b"]}],
        },
        {
            "fields": [
                {"id": "f1", "name": "s", "type": "select", "values": ["a", "b"], "maxSelect": 2},
            ],
        },
        200, data={"s": "a"},
    ),
    remade(
        "multiple select to single",
        {
            "name": "co_u15",
            "fields": [
                {"id": "f1", "name": "s", "type": "select", "values": ["a", "b"], "maxSelect": 2},
            ],
        },
        {
            "fields": [
                {"id": "f1", "name": "s", "type": "select", "values": ["a", "b"], "maxSelect": 1},
            ],
        },
        200, data={"s": ["a", "b"]},
    ),
    remade(
        "an empty multiple select to single",
        {
            "name": "co_u16",
            "fields": [
                {"id": "f1", "name": "s", "type": "select", "values": ["a", "b"], "maxSelect": 2},
            ],
        },
        {"fields": [{"id": "f1", "name": "s", "type": "select", "values": ["a"]}]}, 200, data={},
    ),
    remade(
        "a select value is taken away",
        {
            "name": "co_u17",
            "fields": [{"id": "f1", "name": "s", "type": "select", "values": ["a", "b"]}],
        },
        {"fields": [{"id": "f1", "name": "s", "type": "select", "values": ["a"]}]}, 200,
        data={"s": "b"},
    ),
    remade(
        "a stricter option leaves records", {"name": "co_u18", "fields": [text("n", id="f1")]},
        {"fields": [text("n", id="f1", max=1)]}, 200, data={"n": "long"},
    ),
    remade("the type of a collection", simple("co_u19"), {"type": "auth"}, 400),
    remade("the id of a collection", simple("co_u20"), {"id": "other_id"}, 400),
    remade("the system flag", simple("co_u21"), {"system": True}, 400),
    remade(
        "an index is added", simple("co_u22"),
        {"indexes": ["CREATE UNIQUE INDEX co_u22_n ON co_u22 (n)"]}, 200,
        create("co_u22", {"n": "x"}, "super"), data={"n": "x"},
    ),
    remade(
        "an index follows a rename",
        simple("co_u23", indexes=["CREATE INDEX co_u23_n ON co_u23 (n)"]), {"name": "co_u23b"}, 200,
    ),
    remade(
        "a renamed field without its index",
        {
            "name": "co_u24", "fields": [text("n", id="f1")],
            "indexes": ["CREATE INDEX co_u24_n ON co_u24 (n)"],
        },
        {"fields": [text("m", id="f1")]}, 400,
    ),
    remade(
        "a dropped field without its index",
        {
            "name": "co_u25", "fields": [text("n", id="f1")],
            "indexes": ["CREATE INDEX co_u25_n ON co_u25 (n)"],
        },
        {"fields": []}, 400,
    ),
    remade("a dropped field in a rule", simple("co_u26", listRule="n = 'x'"), {"fields": []}, 400),
    remade("fields: null", simple("co_u27"), {"fields": None}, 200, data={"n": "x"}),
    remade(
        "indexes: null", simple("co_u28", indexes=["CREATE INDEX co_u28_n ON co_u28 (n)"]),
        {"indexes": None}, 200,
    ),
    remade(
        "auth options merge", {"name": "co_u29", "type": "auth", "authToken": {"duration": 100}},
        {"authToken": {"duration": 200}, "otp": {"length": 5}}, 200,
    ),
    remade(
        "an auth field is hidden from an update",
        {"name": "co_u30", "type": "auth", "fields": [text("n")]}, {"fields": [text("n")]}, 200,
    ),
    remade(
        "a hidden field", {"name": "co_u31", "fields": [text("n", id="f1")]},
        {"fields": [text("n", id="f1", hidden=True)]}, 200, data={"n": "x"},
    ),
    remade(
        "a broken field changes nothing", {"name": "co_u32", "fields": [text("n", id="f1")]},
        {"name": "co_u32b", "fields": [text("n", id="f1"), text("")]}, 400,
    ),
    remade(
        "an id field is kept when left out", {"name": "co_u33", "fields": [text("n")]},
        {"fields": [text("z")]}, 200,
    ),
    Scenario("a system collection's rule", change("_superusers", {"listRule": ""}), 400),
    Scenario("a system collection's name", change("_otps", {"name": "otps"}), 400),
    Scenario(
        "a unique index over duplicates",
        change("{before.0.id}", {"indexes": ["CREATE UNIQUE INDEX co_dup_n ON co_dup (n)"]}), 400,
        before=(
            make(simple("co_dup")), create("co_dup", {"n": "x"}, "super"),
            create("co_dup", {"n": "x"}, "super"),
        ),
        after=(FIELDS_AFTER,),
    ),
]  # fmt: skip
DELETES = [
    Scenario(
        "delete", drop("co_d1"), 204,
        before=(make(simple("co_d1")), create("co_d1", {"n": "x"}, "super")),
        after=(show("co_d1"), listing("co_d1", "super")),
    ),
    Scenario(
        "delete and make again: no old records", make(simple("co_d2")), 200,
        before=(make(simple("co_d2")), create("co_d2", {"n": "x"}, "super"), drop("co_d2")),
        after=(listing("co_d2", "super"),),
    ),
    Scenario("delete a missing one", drop("co_zzz"), 404),
    Scenario("delete a system collection", drop("_superusers"), 400),
    Scenario("delete what is referred to", drop("co_base"), 400),
    Scenario(
        "truncate", admin("DELETE", f"{COLLECTIONS}/co_t1/truncate"), 204,
        before=(
            make(simple("co_t1")), create("co_t1", {"n": "x"}, "super"),
            create("co_t1", {"n": "y"}, "super"),
        ),
        after=(listing("co_t1", "super"),),
    ),
    Scenario("truncate a missing one", admin("DELETE", f"{COLLECTIONS}/co_zzz/truncate"), 404),
    Scenario(
        "truncate an empty one", admin("DELETE", f"{COLLECTIONS}/co_t2/truncate"), 204,
        before=(make(simple("co_t2")),),
    ),
    Scenario(
        "truncate frees unique values", admin("DELETE", f"{COLLECTIONS}/co_t3/truncate"), 204,
        before=(
            make(simple("co_t3", indexes=["CREATE UNIQUE INDEX co_t3_n ON co_t3 (n)"])),
            create("co_t3", {"n": "x"}, "super"),
        ),
        after=(create("co_t3", {"n": "x"}, "super"),),
    ),
]  # fmt: skip
IMPORTS = [
    Scenario("import nothing", admin("PUT", f"{COLLECTIONS}/import", {"collections": []}), 400),
    Scenario("import no body", admin("PUT", f"{COLLECTIONS}/import", {}), 400),
    Scenario(
        "import something else", admin("PUT", f"{COLLECTIONS}/import", {"collections": "x"}), 400,
    ),
    Scenario("import a new one", load(simple("co_m1", listRule="")), 204, after=(show("co_m1"),)),
    Scenario(
        "import two that refer to each other",
        load(
            {
                "name": "co_m2", "id": "co_m2_id",
                "fields": [{"name": "r", "type": "relation", "collectionId": "co_m3_id"}],
            },
            {
                "name": "co_m3", "id": "co_m3_id",
                "fields": [{"name": "r", "type": "relation", "collectionId": "co_m2_id"}],
            },
        ),
        204, after=(show("co_m2"), show("co_m3")),
    ),
    Scenario(
        "import one that exists", load({"name": "co_m4", "listRule": "n = 'y'"}), 204,
        before=(make(simple("co_m4", viewRule="")),), after=(show("co_m4"),),
    ),
    Scenario(
        "import adds fields and keeps others", load({"name": "co_m5", "fields": [number("v")]}),
        204, before=(make(simple("co_m5")),), after=(show("co_m5"),),
    ),
    Scenario(
        "import by id renames",
        load({"id": "{before.0.id}", "name": "co_m6b", "fields": [text("n")]}), 204,
        before=(make(simple("co_m6")),), after=(show("co_m6b"), show("co_m6")),
    ),
    Scenario(
        "import is all or nothing",
        load(
            simple("co_m7"),
            {
                "name": "co_m8",
                "fields": [{"name": "x", "type": "relation", "collectionId": "none"}],
            },
        ),
        400, after=(show("co_m7"), show("co_m8")),
    ),
    Scenario("import a bad name", load({"name": "bad name"}), 400),
    Scenario("import an unknown type", load({"name": "co_m9", "type": "zzz"}), 400),
    Scenario(
        "import an unknown field type",
        load({"name": "co_m10", "fields": [{"name": "x", "type": "zzz"}]}), 400,
    ),
    Scenario("import without a name", load({"fields": []}), 400),
]  # fmt: skip


@pytest.mark.parametrize(
    "scenario",
    ACCESS + LISTS + CREATES + UPDATES + DELETES + IMPORTS,
    ids=lambda scenario: scenario.name,
)
def test_collections_are_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
