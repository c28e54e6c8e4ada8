"""`field+`, `field-`, `+field` and `:autogenerate`, on create and on update."""

from typing import Any

import pytest

from tests.conformance.client import Part
from tests.conformance.pair import Pair
from tests.conformance.requests import create, records, update, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import World, base, boolean, json_field, number, relation, select, text

A, B, C = "motarget000000a", "motarget000000b", "motarget000000c"

WORLD = World(
    collections=(
        base("mo_targets", text("n")),
        base(
            "mo",
            text("t"),
            text("auto", autogeneratePattern="[0-9]{4}"),
            number("n", max=100),
            boolean("b"),
            select("s", "a b c"),
            select("ms", "a b c", 3),
            relation("one", "mo_targets"),
            relation("many", "mo_targets", 3),
            json_field("j"),
        ),
        base("mo_ruled", number("n"), select("ms", "a b", 2), updateRule="@request.body.n < 10"),
        base("mo_isset", number("n"), createRule="@request.body.n:isset = true"),
        base("mo_plus", number("n"), createRule="@request.body.n = 5"),
    ),
    records=tuple(("mo_targets", {"id": record_id}) for record_id in (A, B, C)),
)
START: dict[str, Any] = {
    "id": "", "t": "text", "n": 10, "s": "a", "ms": ["a", "b"], "one": A, "many": [A, B], "j": 1,
}  # fmt: skip

UPDATES: tuple[dict[str, Any], ...] = (
    {"n+": 5}, {"n+": -5}, {"n-": 3}, {"n-": -3}, {"n+": "7"}, {"n+": "abc"}, {"n+": None},
    {"n+": 0.5}, {"n+": True}, {"n": 1, "n+": 2}, {"n+": 2, "n-": 1}, {"n": 50, "n-": 20, "n+": 1},
    {"+n": 5}, {"ms+": "c"}, {"ms+": ["c"]}, {"ms+": "a"}, {"ms+": ["b", "c"]}, {"+ms": "c"},
    {"+ms": ["c", "a"]}, {"ms-": "a"}, {"ms-": ["a", "b"]}, {"ms-": "zzz"}, {"ms-": []},
    {"ms+": ""}, {"ms+": None}, {"ms": ["c"], "ms+": "a"}, {"ms": [], "+ms": "b"},
    {"ms-": "a", "ms+": "c"}, {"ms+": "c", "+ms": "c"}, {"s+": "b"}, {"s-": "a"}, {"s-": "b"},
    {"+s": "b"}, {"s+": ""}, {"many+": C}, {"many+": [C]}, {"+many": C}, {"many-": A},
    {"many-": [A, B]}, {"many-": C}, {"many+": A}, {"many": [C], "many+": B}, {"one+": B},
    {"one-": A}, {"one-": B}, {"+one": B}, {"t+": "x"}, {"t-": "x"}, {"b+": True}, {"j+": 1},
    {"t:autogenerate": "x"}, {"unknown+": 1}, {"id+": "x"}, {"ms+": '["c"]'}, {"many-": f'["{A}"]'},
)  # fmt: skip
REFUSED: tuple[dict[str, Any], ...] = (
    {"n+": 91},
    {"ms+": "zzz"},
    {"many+": "missing00000001"},
    {"s+": "zzz"},
    {"ms": ["a", "b"], "ms+": ["c", "zzz"]},
)
CREATES: tuple[dict[str, Any], ...] = (
    {"n+": 5}, {"n-": 5}, {"ms+": ["a"]}, {"+ms": "b"}, {"ms-": "a"},
    {"ms": ["a", "b"], "ms-": "a"}, {"many+": A}, {"one+": A}, {"n": 3, "n+": 4}, {"+many": [B, A]},
)  # fmt: skip


def _rows() -> list[Scenario]:
    rows = []
    for bodies, status in ((UPDATES, 200), (REFUSED, 400)):
        for body in bodies:
            rows.append(
                Scenario(
                    f"update {body}",
                    update("mo", "{before.0.id}", body),
                    status,
                    before=(create("mo", {**START, "auto": "given"}),),
                    after=(view("mo", "{before.0.id}"),),
                )
            )
    rows += [
        Scenario(f"create {body}", create("mo", {"auto": "x", **body}), 200)
        for body in CREATES
    ]  # fmt: skip
    return rows


OTHERS = [
    Scenario("text is generated on create", create("mo", {}), 200, ignore=("auto",)),
    Scenario(
        "autogenerate on create takes a prefix", create("mo", {"auto:autogenerate": "pre-"}), 200,
        ignore=("auto",),
    ),
    Scenario(
        "autogenerate on update", update("mo", "{before.0.id}", {"auto:autogenerate": ""}), 200,
        before=(create("mo", {}),), ignore=("auto",),
    ),
    Scenario(
        "text is not generated on update", update("mo", "{before.0.id}", {"auto": ""}), 200,
        before=(create("mo", {}),),
    ),
    Scenario(
        "a rule sees the resolved value", update("mo_ruled", "{before.0.id}", {"n+": 3}), 200,
        before=(create("mo_ruled", {"n": 5}),),
    ),
    Scenario(
        "a rule refuses the resolved value", update("mo_ruled", "{before.0.id}", {"n+": 5}), 404,
        before=(create("mo_ruled", {"n": 5}),), after=(view("mo_ruled", "{before.0.id}"),),
    ),
    Scenario("isset holds for n+", create("mo_isset", {"n+": 1}), 200),
    Scenario("isset does not hold for others", create("mo_isset", {"m+": 1}), 400),
    Scenario("@request.body.n is n+ resolved", create("mo_plus", {"n": 2, "n+": 3}), 200),
    Scenario("@request.body.n is n+ resolved wrongly", create("mo_plus", {"n": 2, "n+": 4}), 400),
    Scenario(
        "modifiers in a form",
        Step(
            "PATCH", records("mo", "{before.0.id}"),
            parts=(Part("n+", "5"), Part("ms+", "c"), Part("many-", A)),
        ),
        200, before=(create("mo", {**START, "auto": "x"}),),
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", _rows() + OTHERS, ids=lambda scenario: scenario.name)
def test_modifiers_resolve_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
