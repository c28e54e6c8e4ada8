"""The status of each action by rule and caller: 4 rules x 3 callers x 5 actions, and more."""

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import create, delete, listing, update, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import Person, World, auth, base, text

RULES = {"null": None, "open": "", "false": "n = 'no such'", "true": "n != 'no such'"}
CALLERS = ("guest", "user", "super")
ACTIONS = ("list", "view", "create", "update", "delete")
# What a caller who is not a superuser gets, by rule and in the order of ACTIONS.
STATUSES = {
    "null": (403, 403, 403, 403, 403),
    "open": (200, 200, 200, 200, 204),
    "false": (200, 404, 400, 404, 404),
    "true": (200, 200, 200, 200, 204),
}
SUPERUSER_STATUSES = (200, 200, 200, 200, 204)

WORLD = World(
    collections=(
        auth("sm_users"),
        *(base(f"sm_{name}", text("n"), rule=rule) for name, rule in RULES.items()),
    ),
    people={"user": Person("sm_users", "smuser000000001", "user@example.com")},
    records=tuple((f"sm_{name}", {"id": "keeper000000001", "n": "kept"}) for name in RULES),
)


def _step(rule: str, caller: str, action: str) -> Step:
    name = f"sm_{rule}"
    match action:
        case "list":
            return listing(name, caller)
        case "view":
            return view(name, "keeper000000001", caller)
        case "create":
            return create(name, {"n": "made"}, caller)
        case "update":
            return update(name, "{before.0.id}", {"n": "changed"}, caller)
        case _:
            return delete(name, "{before.0.id}", caller)


def _matrix() -> list[Scenario]:
    rows = []
    for rule in RULES:
        for caller in CALLERS:
            statuses = SUPERUSER_STATUSES if caller == "super" else STATUSES[rule]
            for action, status in zip(ACTIONS, statuses, strict=True):
                needs_record = action in ("update", "delete")
                before = (create(f"sm_{rule}", {"n": "x"}, "super"),) if needs_record else ()
                rows.append(
                    Scenario(
                        f"{caller} {action}s under the rule {rule}",
                        _step(rule, caller, action),
                        status,
                        before=before,
                    )
                )
    return rows


MISSING = "missing00000001"
EDGES = [
    Scenario("view a missing record", view("sm_open", MISSING), 404),
    Scenario("update a missing record", update("sm_open", MISSING, {"n": "x"}), 404),
    Scenario("delete a missing record", delete("sm_open", MISSING), 404),
    Scenario("view a missing record under null", view("sm_null", MISSING), 403),
    Scenario("superuser views a missing record", view("sm_null", MISSING, "super"), 404),
    Scenario("superuser deletes a missing record", delete("sm_null", MISSING, "super"), 404),
    Scenario("superuser updates a missing record", update("sm_null", MISSING, {}, "super"), 404),
    Scenario("list a missing collection", listing("sm_nope"), 404),
    Scenario("view in a missing collection", view("sm_nope", MISSING), 404),
    Scenario("create in a missing collection", create("sm_nope", {}), 404),
    Scenario("update in a missing collection", update("sm_nope", MISSING, {}), 404),
    Scenario("delete in a missing collection", delete("sm_nope", MISSING), 404),
    Scenario("superuser lists a missing collection", listing("sm_nope", "super"), 404),
    Scenario("a collection's name ignores case", listing("SM_Open"), 200),
    Scenario("a collection is found by its id", listing("{collection.sm_open}"), 200),
    Scenario("a record id is exact", view("sm_open", "KEEPER000000001"), 404),
    Scenario(
        "an invalid body under a false rule tells nothing",
        create("sm_false", {"id": "bad id"}),
        400,
    ),
    Scenario("a bad filter under a null rule", listing("sm_null", filter="("), 403),
    Scenario("a bad filter under an open rule", listing("sm_open", filter="("), 400),
    Scenario("a rule that needs a value of the caller", listing("sm_users", "user"), 200),
]


@pytest.mark.parametrize("scenario", _matrix() + EDGES, ids=lambda scenario: scenario.name)
def test_rules_decide_the_status(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
