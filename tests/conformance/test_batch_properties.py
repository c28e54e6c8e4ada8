"""Random batches: both servers answer the same, and the same records are there afterwards.

Few ids and few values, so that parts of one batch meet: unique values that move, records that
are made, changed and deleted again, references that cascade, block or shrink.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.normalise import level
from tests.conformance.pair import Pair
from tests.conformance.requests import admin, listing
from tests.conformance.scenario import Step
from tests.conformance.test_properties import fewer
from tests.conformance.world import Side, World, base, number, relation, text

TARGETS = ("bptarget0000001", "bptarget0000002")
NODES = ("bpnode000000001", "bpnode000000002", "bpnode000000003")
COLLECTIONS = ("bp_blocks", "bp_nodes", "bp_targets")
KNOWN = frozenset({*TARGETS, *NODES, "bpblock00000001"})

WORLD = World(
    settings={"batch": {"enabled": True, "maxRequests": 60, "timeout": 30}},
    collections=(
        base("bp_targets", text("n", max=3), number("v")),
        base(
            "bp_nodes", text("u"), number("v"), relation("one", "bp_targets", cascadeDelete=True),
            relation("many", "bp_targets", 3),
            indexes=["CREATE UNIQUE INDEX bp_nodes_u ON bp_nodes (u) WHERE u != ''"],
        ),
        base("bp_blocks", relation("node", "bp_nodes", required=True), text("n")),
    ),
)  # fmt: skip

records = st.one_of(
    st.tuples(st.just("bp_targets"), st.sampled_from(TARGETS)),
    st.tuples(st.just("bp_nodes"), st.sampled_from(NODES)),
    st.tuples(st.just("bp_nodes"), st.sampled_from(NODES)),
    st.just(("bp_blocks", "bpblock00000001")),
)
BODIES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "bp_targets": st.fixed_dictionaries(
        {}, optional={"n": st.sampled_from(("", "a", "long")), "v+": st.sampled_from((1, -1))}
    ),
    "bp_nodes": st.fixed_dictionaries(
        {},
        optional={
            "u": st.sampled_from(("", "x", "y")),
            "v": st.sampled_from((0, 5)),
            "v+": st.just(1),
            "one": st.sampled_from(("", *TARGETS)),
            "many": st.sampled_from(([], [TARGETS[0]], list(TARGETS))),
            "many-": st.sampled_from(TARGETS),
        },
    ),
    "bp_blocks": st.fixed_dictionaries({"node": st.sampled_from(NODES)}),
}


def _part(kind: str, place: tuple[str, str], body: dict[str, Any]) -> dict[str, Any]:
    collection, record_id = place
    path = f"/api/collections/{collection}/records"
    match kind:
        case "create":
            return {"method": "POST", "url": path, "body": {**body, "id": record_id}}
        case "upsert":
            return {"method": "PUT", "url": path, "body": {**body, "id": record_id}}
        case "update":
            return {"method": "PATCH", "url": f"{path}/{record_id}", "body": body}
        case _:
            return {"method": "DELETE", "url": f"{path}/{record_id}"}


parts = records.flatmap(
    lambda place: st.builds(
        _part,
        st.sampled_from(("create", "upsert", "upsert", "update", "delete")),
        st.just(place),
        BODIES[place[0]],
    )
)
batches = st.lists(st.lists(parts, min_size=1, max_size=6), min_size=1, max_size=3)

pytestmark = pytest.mark.timeout(600)


@fewer
@given(batches=batches)
def test_random_batches_do_the_same(pair: Pair, batches: list[list[dict[str, Any]]]) -> None:
    theirs, ours = (_outcome(side, batches) for side in (pair.theirs, pair.ours))
    for mine, other in zip(ours, theirs, strict=True):
        assert _are_same(other, mine), (batches, other, mine)


def _outcome(side: Side, batches: list[list[dict[str, Any]]]) -> list[Any]:
    """Return the answer to each batch and what is there after it."""
    for collection in COLLECTIONS:
        answer = side.send(admin("DELETE", f"/api/collections/{collection}/truncate"))
        assert answer.status == 204, answer
    seen = []
    for batch in batches:
        body = {"requests": [{**part} for part in batch]}
        answer = side.send(Step("POST", "/api/batch", "super", json=body))
        seen.append([answer.status, _level(answer.json)])
        seen += [_level(side.send(listing(name, "super")).json) for name in COLLECTIONS]
    return seen


def _are_same(theirs: Any, ours: Any) -> bool:
    """Row `batch-blame` of docs/compatibility.md: which part met a taken value may differ."""
    is_taken = "validation_not_unique" in f"{theirs}{ours}"
    return bool(theirs == ours or (is_taken and theirs[0] == ours[0] == 400))


def _level(body: Any) -> Any:
    return level(body, is_sorted=False, ignore=(), known=KNOWN)
