"""Unique indexes, and what deleting a record does to those that refer to it."""

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import admin, create, delete, listing, update, view
from tests.conformance.scenario import Scenario
from tests.conformance.world import World, base, boolean, date, number, relation, select, text

WORLD = World(
    collections=(
        base(
            "un", text("a"), text("b"), text("c"), number("n"), text("part"), date("d"),
            select("ms", "x y", 2), boolean("flag"),
            indexes=[
                "CREATE UNIQUE INDEX un_a ON un (a) WHERE a != ''",
                "CREATE UNIQUE INDEX un_bc ON un (b, c) WHERE b != ''",
                "CREATE UNIQUE INDEX un_part ON un (part COLLATE NOCASE) WHERE part != ''",
                "CREATE UNIQUE INDEX un_n ON un (n) WHERE n > 0",
                "CREATE UNIQUE INDEX un_d ON un (d) WHERE d != '' AND flag = 1",
                "CREATE INDEX un_plain ON un (a, n DESC)",
            ],
        ),
        base(
            "un_full", text("a"), number("n"),
            indexes=["CREATE UNIQUE INDEX un_full_a ON un_full (a)"],
        ),
        base(
            "un_rel", relation("to", "un_full"),
            indexes=["CREATE UNIQUE INDEX un_rel_to ON un_rel (`to`) WHERE `to` != ''"],
        ),
        base("ca_target", text("n")),
        base("ca_plain", text("n"), relation("one", "ca_target"), relation("many", "ca_target", 5)),
        base("ca_cascade", text("n"), relation("one", "ca_target", cascadeDelete=True)),
        base("ca_many", text("n"), relation("many", "ca_target", 5, cascadeDelete=True)),
        base("ca_required", text("n"), relation("one", "ca_target", required=True)),
        base("ca_required_many", text("n"), relation("many", "ca_target", 5, required=True)),
        base("ca_both", text("n"), relation("one", "ca_target", required=True, cascadeDelete=True)),
        base("ca_second", text("n"), relation("up", "ca_cascade", cascadeDelete=True)),
        base("ca_third", text("n"), relation("up", "ca_second", required=True)),
    ),
    records=(
        (
            "un",
            {
                "id": "unrecord0000001", "a": "one", "b": "x", "c": "y", "n": 5, "part": "Part",
                "d": "2024-01-01", "flag": True,
            },
        ),
        ("un", {"id": "unrecord0000002", "a": "two"}),
        ("un_full", {"id": "unfull000000001", "a": "one"}),
    ),
)  # fmt: skip

UNIQUE = [
    Scenario("a taken value", create("un", {"a": "one"}), 400),
    Scenario("a taken pair flags both", create("un", {"b": "x", "c": "y"}), 400),
    Scenario("half a pair", create("un", {"b": "x", "c": "z"}), 200),
    Scenario("a NOCASE value", create("un", {"part": "pArT"}), 400),
    Scenario("NOCASE folds ASCII only", create("un", {"part": "Ünï"}), 200),
    Scenario("NOCASE keeps Ü from ü", create("un", {"part": "ünï"}), 200),
    Scenario("a case-sensitive value", create("un", {"a": "ONE"}), 200),
    Scenario("a number", create("un", {"n": 5}), 400),
    Scenario("the same number as text", create("un", {"n": "5.0"}), 400),
    Scenario("a number outside of the condition", create("un", {"n": 0}), 200),
    Scenario(
        "a negative number twice", create("un", {"n": -5}), 200, before=(create("un", {"n": -5}),),
    ),
    Scenario(
        "a date inside of the condition", create("un", {"d": "2024-01-01", "flag": True}), 400,
    ),
    Scenario(
        "a date outside of the condition", create("un", {"d": "2024-01-01", "flag": False}), 200,
    ),
    Scenario("empty values", create("un", {"a": "", "part": ""}), 200),
    Scenario("two indexes at once", create("un", {"a": "one", "n": 5}), 400),
    Scenario(
        "update to a taken value", update("un", "unrecord0000002", {"a": "one"}), 400,
        after=(view("un", "unrecord0000002"),),
    ),
    Scenario("update to its own value", update("un", "unrecord0000001", {"a": "one"}), 200),
    Scenario(
        "a value is free after a change", create("un", {"a": "freed"}), 200,
        before=(create("un", {"a": "freed"}), update("un", "{before.0.id}", {"a": "moved"})),
    ),
    Scenario(
        "a value is free after a delete", create("un", {"a": "gone"}), 200,
        before=(create("un", {"a": "gone"}), delete("un", "{before.0.id}")),
    ),
    Scenario(
        "two swap their values in turn", update("un", "{before.1.id}", {"a": "swap-1"}), 400,
        before=(create("un", {"a": "swap-1"}), create("un", {"a": "swap-2"})),
    ),
    Scenario(
        "an empty value may be taken too", create("un_full", {"a": ""}), 400,
        before=(create("un_full", {"a": "x"}), update("un_full", "unfull000000001", {"a": ""})),
    ),
    Scenario(
        "a unique relation", create("un_rel", {"to": "unfull000000001"}), 400,
        before=(create("un_rel", {"to": "unfull000000001"}),),
    ),
    Scenario("field errors come first", create("un", {"a": "one", "ms": ["zzz"]}), 400),
    Scenario("a taken id", create("un", {"id": "unrecord0000001"}), 400),
    Scenario(
        "a taken id and a taken value", create("un", {"id": "unrecord0000001", "a": "two"}), 400,
    ),
    Scenario("a filter on a unique value", listing("un", filter="a = 'two'"), 200),
    Scenario("a filter on a unique value that is gone", listing("un", filter="a = 'nobody'"), 200),
    Scenario("a filter on a NOCASE value", listing("un", filter="part = 'PART'"), 200),
    Scenario("a filter on an indexed pair", listing("un", filter="b = 'x' && c = 'y'"), 200),
    Scenario("a filter on part of a pair", listing("un", filter="b = 'x'", sort="c"), 200),
    Scenario(
        "a sort on an index", listing("un", filter="a = 'one' || a = 'two'", sort="a,-n"), 200,
    ),
    Scenario("a range on a unique number", listing("un", filter="n > 4 && n < 6"), 200),
]  # fmt: skip

T = "{before.0.id}"
MADE = create("ca_target", {"n": "t"})
OTHER = create("ca_target", {"n": "other"})
CASCADE = [
    Scenario(
        "an optional single relation is emptied", delete("ca_target", T), 204,
        before=(MADE, create("ca_plain", {"one": T})),
        after=(view("ca_plain", "{before.1.id}"), view("ca_target", T)),
    ),
    Scenario(
        "an optional multiple relation shrinks", delete("ca_target", T), 204,
        before=(MADE, OTHER, create("ca_plain", {"many": [T, "{before.1.id}"]})),
        after=(view("ca_plain", "{before.2.id}", fields="n,one"),),
    ),
    Scenario(
        "a cascade deletes", delete("ca_target", T), 204,
        before=(MADE, create("ca_cascade", {"one": T})),
        after=(view("ca_cascade", "{before.1.id}"),),
    ),
    Scenario(
        "a cascade of many waits for the last", delete("ca_target", T), 204,
        before=(MADE, OTHER, create("ca_many", {"many": [T, "{before.1.id}"]})),
        after=(view("ca_many", "{before.2.id}", fields="n"),),
    ),
    Scenario(
        "a cascade of many deletes with the last", delete("ca_target", T), 204,
        before=(MADE, create("ca_many", {"many": [T]})), after=(view("ca_many", "{before.1.id}"),),
    ),
    Scenario(
        "a required relation refuses", delete("ca_target", T), 400,
        before=(MADE, create("ca_required", {"one": T})),
        after=(view("ca_target", T), view("ca_required", "{before.1.id}", fields="n")),
    ),
    Scenario(
        "a required multiple relation refuses the last", delete("ca_target", T), 400,
        before=(MADE, create("ca_required_many", {"many": [T]})),
    ),
    Scenario(
        "a required multiple relation may shrink", delete("ca_target", T), 204,
        before=(MADE, OTHER, create("ca_required_many", {"many": [T, "{before.1.id}"]})),
        after=(view("ca_required_many", "{before.2.id}", fields="n"),),
    ),
    Scenario(
        "required and cascading deletes", delete("ca_target", T), 204,
        before=(MADE, create("ca_both", {"one": T})), after=(view("ca_both", "{before.1.id}"),),
    ),
    Scenario(
        "two levels", delete("ca_target", T), 204,
        before=(
            MADE, create("ca_cascade", {"one": T}), create("ca_second", {"up": "{before.1.id}"}),
        ),
        after=(view("ca_cascade", "{before.1.id}"), view("ca_second", "{before.2.id}")),
    ),
    Scenario(
        "a refusal deep below undoes all", delete("ca_target", T), 400,
        before=(
            MADE, create("ca_cascade", {"one": T}), create("ca_second", {"up": "{before.1.id}"}),
            create("ca_third", {"up": "{before.2.id}"}),
        ),
        after=(
            view("ca_cascade", "{before.1.id}", fields="n"),
            view("ca_second", "{before.2.id}", fields="n"),
        ),
    ),
    Scenario(
        "a cycle of two", delete("ca_cycle", "{before.0.id}"), 204,
        before=(
            create("ca_cycle", {}), create("ca_cycle", {"next": "{before.0.id}"}),
            update("ca_cycle", "{before.0.id}", {"next": "{before.1.id}"}),
        ),
        after=(view("ca_cycle", "{before.1.id}"),),
    ),
    Scenario(
        "a record that refers to itself", delete("ca_cycle", "{before.0.id}"), 204,
        before=(
            create("ca_cycle", {}), update("ca_cycle", "{before.0.id}", {"next": "{before.0.id}"}),
        ),
        after=(view("ca_cycle", "{before.0.id}"),),
    ),
    Scenario(
        "a record that refers to itself in a list", delete("ca_self", "{before.0.id}"), 204,
        before=(
            create("ca_self", {"id": "caself000000001", "n": "x", "up": []}, "super"),
            update("ca_self", "{before.0.id}", {"up": ["{before.0.id}"]}),
        ),
    ),
    Scenario(
        "a target with several referrers", delete("ca_target", T), 204,
        before=(
            MADE, create("ca_plain", {"one": T, "many": [T]}), create("ca_cascade", {"one": T}),
            create("ca_plain", {"many": [T]}),
        ),
        after=(
            view("ca_plain", "{before.1.id}"), view("ca_cascade", "{before.2.id}"),
            view("ca_plain", "{before.3.id}"),
        ),
    ),
    Scenario(
        "a collection that others refer to", admin("DELETE", "/api/collections/ca_target"), 400,
    ),
    Scenario(
        "truncate what is required elsewhere",
        admin("DELETE", "/api/collections/ca_target/truncate"), 400,
        before=(MADE, create("ca_required", {"one": T})),
    ),
]  # fmt: skip
CYCLE = base("ca_cycle", text("n"))
SELF = base("ca_self", text("n"))


@pytest.fixture(scope="module", autouse=True)
def _cycles(pair: Pair) -> None:
    """A relation to its own collection can only be added once the collection is there."""
    for side in (pair.theirs, pair.ours):
        for body, options in (
            (CYCLE, {"name": "next", "cascadeDelete": True}),
            (SELF, {"name": "up", "maxSelect": 3}),
        ):
            made = side.send(admin("POST", "/api/collections", body)).json
            fields = [*made["fields"], {"type": "relation", "collectionId": made["id"], **options}]
            answer = side.send(admin("PATCH", f"/api/collections/{made['id']}", {"fields": fields}))
            assert answer.status == 200, (side.name, answer.json)


@pytest.mark.parametrize("scenario", UNIQUE + CASCADE, ids=lambda scenario: scenario.name)
def test_uniques_and_references_hold_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
