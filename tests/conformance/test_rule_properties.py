"""Random rules: both servers save the same ones and then let the same callers do the same.

Each example sets one random expression as every rule of a collection; then a guest and a user
list, create and update under it. `CONFORMANCE_EXAMPLES` searches further (test_properties.py).
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.normalise import level
from tests.conformance.pair import Pair
from tests.conformance.requests import create, delete, listing, update, view
from tests.conformance.scenario import Step
from tests.conformance.test_properties import FIELDS, LITERALS, SIGNS, fewer, joined
from tests.conformance.world import RULES, Person, Side, World, auth, base, relation, select, text

USER = "rpuser000000001"
TARGETS = ("rptarget0000001", "rptarget0000002")
RECORD = "rprecord0000001"
STORED: dict[str, Any] = {
    "t": "a", "u": "ab", "n": 1, "m": 0.5, "b": True, "d": "2024-01-01 00:00:00.000Z", "s": "x",
    "ms": ["x", "y"], "j": {"k": 1}, "g": {"lon": 10, "lat": 50}, "owner": USER,
    "many": list(TARGETS),
}  # fmt: skip

WORLD = World(
    collections=(
        auth("rp_users", text("t"), select("ms", "x y z", 3)),
        base("rp_targets", *FIELDS, relation("user", "rp_users")),
        base(
            "rp", *FIELDS, text("hid", hidden=True), relation("owner", "rp_users"),
            relation("many", "rp_targets", 3),
        ),
    ),
    people={"user": Person("rp_users", USER, "rpuser@example.com", {"t": "a", "ms": ["x", "y"]})},
    records=(
        ("rp_targets", {"id": TARGETS[0], "t": "a", "n": 1, "ms": ["x"], "user": USER}),
        ("rp_targets", {"id": TARGETS[1], "t": "b", "n": 2, "ms": ["y", "z"]}),
        ("rp", {"id": RECORD, **STORED}),
        ("rp", {"id": "rprecord0000002", "t": "", "n": -1, "many": [TARGETS[0]]}),
        ("rp", {"id": "rprecord0000003", "t": "x", "n": 10, "ms": ["z"], "j": "x"}),
    ),
)  # fmt: skip

OWN = ("t", "n", "b", "d", "s", "ms", "j", "j.k", "ms:each", "ms:length", "t:lower", "many", "id",
       "owner", "owner.t", "owner.ms:each", "many.t", "many.n", "many.ms:each", "many.user.t",
       "many:each", "many:length", "hid")  # fmt: skip
BODY = ("t", "n", "b", "d", "ms", "j", "j.k", "ms:each", "ms:length", "t:isset", "ms:isset",
        "t:changed", "n:changed", "ms:changed", "t:lower", "owner", "owner.t", "many.t",
        "many:each", "many:length", "zzz", "hid", "id", "many")  # fmt: skip
AUTH = ("id", "t", "ms", "ms:each", "ms:length", "zzz", "collectionName", "rp_via_owner.t",
        "rp_targets_via_user.n", "id:isset")  # fmt: skip
OTHERS = ("@request.method", "@request.context", "@request.query.q", "@request.headers.x_a",
          "@collection.rp_targets.t", "@collection.rp_targets.n", "@collection.rp_targets:x.user",
          "@collection.rp_users.ms:each")  # fmt: skip
PATHS = (
    *OWN, *(f"@request.body.{name}" for name in BODY), *(f"@request.auth.{name}" for name in AUTH),
    *OTHERS,
)  # fmt: skip

signs = st.one_of(st.sampled_from(SIGNS), st.sampled_from(SIGNS).map(lambda sign: f"?{sign}"))
paths = st.sampled_from(PATHS)
values = st.sampled_from((*LITERALS, "'GET'", "'POST'", f"'{USER}'", f"'{TARGETS[1]}'", "2"))
leaves = st.one_of(
    st.builds("{} {} {}".format, paths, signs, st.one_of(values, paths)),
    st.builds("{} {} {}".format, values, signs, paths),
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "t": st.sampled_from(("", "a", "A", "x", 1)),
        "n": st.sampled_from((0, 1, 10, "1", None)),
        "n+": st.sampled_from((1, -1)),
        "b": st.booleans(),
        "d": st.sampled_from(("", "2024-01-01", "bad")),
        "ms": st.sampled_from(([], ["x"], ["x", "y"], "z", None)),
        "ms+": st.sampled_from(("z", ["x"])),
        "j": st.sampled_from((None, 1, "x", {"k": 1}, {"k": "x"}, [1, "x"])),
        "owner": st.sampled_from((USER, "")),
        "many": st.sampled_from(([], list(TARGETS), [TARGETS[1]])),
        "many-": st.sampled_from(TARGETS),
        "zzz": st.sampled_from(("x", 1)),
        "hid": st.just("x"),
    },
)


@fewer
@given(rule=joined(leaves), body=bodies, who=st.sampled_from(("guest", "user")))
def test_random_rules_allow_the_same(pair: Pair, rule: str, body: dict[str, Any], who: str) -> None:
    theirs, ours = (_outcome(side, rule, body, who) for side in (pair.theirs, pair.ours))
    assert ours == theirs, (rule, body, who)


def _outcome(side: Side, rule: str, body: dict[str, Any], who: str) -> list[Any]:
    """Return what each action answers, and leave the records as they were."""
    rules = dict.fromkeys(RULES, rule)
    saved = side.send(Step("PATCH", "/api/collections/rp", "super", json=rules))
    if saved.status != 200:
        return [saved.status]
    listed = side.send(listing("rp", who, fields="id", sort="id"))
    seen = side.send(view("rp", RECORD, who))
    created = side.send(create("rp", body, who))
    if created.status == 200:
        assert side.send(delete("rp", created.json["id"], "super")).status == 204
    changed = side.send(update("rp", RECORD, body, who))
    if changed.status == 200:
        assert side.send(update("rp", RECORD, STORED, "super")).status == 200
    return [
        (answer.status, level(answer.json, is_sorted=True, ignore=(), known=frozenset({RECORD})))
        for answer in (listed, seen, created, changed)
    ]


pytestmark = pytest.mark.timeout(600)
