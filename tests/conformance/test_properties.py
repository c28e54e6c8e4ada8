"""Random filters and sorts over random records: both servers find the same ids.

The records are one fixed random set per run of the module (made once, since a create costs more
than a list); hypothesis then draws filters and sorts. Derandomized, so a failure repeats.
"""

import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.normalise import level
from tests.conformance.pair import Pair
from tests.conformance.requests import listing
from tests.conformance.world import (
    Side,
    World,
    base,
    boolean,
    date,
    field_of,
    json_field,
    number,
    relation,
    select,
    text,
)

# Set it to search further: then the examples are other ones each time.
WANTED_EXAMPLES = os.environ.get("CONFORMANCE_EXAMPLES", "")
EXAMPLES = int(WANTED_EXAMPLES or 150)
TARGETS = [f"prtarget000000{digit}" for digit in range(5)]
_random = random.Random(20_260)

WORDS = (
    "", "a", "A", "ab", "Ab%", "b_c", "ü", "10", "1", "-1", "0", "x", "x'y", " a", "\\", "1.0",
    "null",
)  # fmt: skip
NUMBERS = (0, 1, -1, 10, 0.5, 1.5, 100, 1e21)
DATES = (
    "", "2024-01-01 00:00:00.000Z", "2024-01-01 10:00:00.000Z", "1999-12-31 23:59:59.999Z",
    "2050-06-01",
)  # fmt: skip
JSONS: tuple[Any, ...] = (
    None, 0, 1, "x", "", True, False, [], {}, {"k": 1}, {"k": "x"}, {"k": None}, {"k": [1, "x"]},
    ["x", 1], {"k": {"l": 1.5}}, "10",
)  # fmt: skip


def _values() -> dict[str, Any]:
    return {
        "t": _random.choice(WORDS), "u": _random.choice(WORDS), "n": _random.choice(NUMBERS),
        "m": _random.choice(NUMBERS), "b": _random.random() < 0.5, "d": _random.choice(DATES),
        "s": _random.choice(("", "x", "y")),
        "ms": _random.sample(["x", "y", "z"], _random.randrange(4)), "j": _random.choice(JSONS),
        "g": {"lon": _random.choice((0, 10, -10.5)), "lat": _random.choice((0, 50, -5))},
    }  # fmt: skip


def _targets() -> list[tuple[str, dict[str, Any]]]:
    return [("pr_targets", {"id": record_id, **_values()}) for record_id in TARGETS]


def _records() -> list[tuple[str, dict[str, Any]]]:
    rows = []
    for i in range(40):
        links = {
            "one": _random.choice(["", *TARGETS]),
            "many": _random.sample(TARGETS, _random.randrange(4)),
        }
        rows.append(("pr", {"id": f"prrecord00000{i:02}", **_values(), **links}))
    return rows


FIELDS = (
    text("t"), text("u"), number("n"), number("m"), boolean("b"), date("d"), select("s", "x y"),
    select("ms", "x y z", 3), json_field("j"), field_of("geoPoint", "g"),
)  # fmt: skip
WORLD = World(
    collections=(
        base("pr_targets", *FIELDS),
        base("pr", *FIELDS, relation("one", "pr_targets"), relation("many", "pr_targets", 5)),
    ),
    records=(*_targets(), *_records()),
)

PLAIN = (
    "t", "u", "n", "m", "b", "d", "s", "ms", "j", "j.k", "j.0", "j.k.l", "g.lon", "g.lat", "id",
)  # fmt: skip
PATHS = (
    *PLAIN, "t:lower", "n:lower", "ms:length", "ms:each", "s:each", "one", "one.id", "many",
    "many.id", "many:each", "many:length", *(f"one.{name}" for name in PLAIN),
    *(f"many.{name}" for name in PLAIN), "one.ms:each", "many.ms:each", "many.ms:length",
    "one.t:lower", "pr_via_many.t",
)  # fmt: skip
LITERALS = (
    *(
        f"'{word}'"
        for word in (
            "", "a", "A", "ab", "%b%", "a%", "b_c", "ü", "10", "1", "-1", "x", "[]", '["x"]',
            "2024", "null", " a", TARGETS[0],
        )
    ),
    *("0", "1", "-1", "10", "0.5", "1.5", "100", "null", "true", "false", "@now", "@year"),
)  # fmt: skip
SIGNS = ("=", "!=", ">", ">=", "<", "<=", "~", "!~")

signs = st.one_of(st.sampled_from(SIGNS), st.sampled_from(SIGNS).map(lambda sign: f"?{sign}"))
own = st.sampled_from([path for path in PATHS if not path.startswith("pr_via")])
operands = st.one_of(own, st.sampled_from(LITERALS))
leaves = st.builds("{} {} {}".format, own, signs, operands)
flipped = st.builds("{} {} {}".format, st.sampled_from(LITERALS), signs, own)
back = st.builds(
    "pr_via_{}.{} {} {}".format, st.sampled_from(("one", "many")), st.sampled_from(PLAIN), signs,
    operands,
)  # fmt: skip


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions of up to 3 parts, some in parentheses."""
    joins = st.sampled_from((" && ", " || "))
    pairs = st.builds("{}{}{}".format, parts, joins, parts)
    nested = st.builds("({}){}{}".format, pairs, joins, parts)
    return st.one_of(parts, pairs, nested)


sort_keys = st.builds(
    "{}{}".format, st.sampled_from(("", "-")),
    st.sampled_from(
        (
            "t", "u", "n", "m", "b", "d", "s", "ms", "j.k", "g.lon", "one", "one.t", "one.n",
            "t:lower", "ms:length",
        ),
    ),
)  # fmt: skip
sorts = st.lists(sort_keys, min_size=1, max_size=3).map(lambda keys: ",".join((*keys, "id")))

bounded = settings(
    max_examples=EXAMPLES,
    derandomize=not WANTED_EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _found(side: Side, collection: str, **query: str) -> Any:
    answer = side.send(listing(collection, "super", perPage=200, fields="id", **query))
    if answer.status != 200:
        return answer.status
    return [item["id"] for item in answer.json["items"]]


def _same(pair: Pair, collection: str, **query: str) -> None:
    theirs, ours = (_found(side, collection, **query) for side in (pair.theirs, pair.ours))
    assert ours == theirs, query


# For examples of many requests each.
fewer = settings(bounded, max_examples=EXAMPLES // 4)


@bounded
@given(expression=joined(st.one_of(leaves, leaves, flipped)))
def test_random_filters_find_the_same(pair: Pair, expression: str) -> None:
    _same(pair, "pr", filter=expression, sort="id")


@bounded
@given(expression=joined(back))
def test_random_filters_through_back_relations_find_the_same(pair: Pair, expression: str) -> None:
    _same(pair, "pr_targets", filter=expression, sort="id")


@bounded
@given(sort=sorts, expression=leaves)
def test_random_sorts_give_the_same_order(pair: Pair, sort: str, expression: str) -> None:
    _same(pair, "pr", filter=expression, sort=sort)


# Row `negative-zero` of docs/compatibility.md: adding 0 makes -0.0 a 0.0.
no_negative_zero = st.floats(-1e9, 1e9).map(lambda number: number + 0.0)
values = st.fixed_dictionaries(
    {},
    optional={
        "t": st.text(max_size=10),
        "u": st.one_of(st.integers(-(10**20), 10**20), st.booleans(), no_negative_zero),
        "n": st.one_of(
            st.integers(-(2**60), 2**60), st.floats(-1e30, 1e30),
            st.text("0123456789.-+e ", max_size=6), st.none(),
        ),
        "b": st.one_of(st.booleans(), st.sampled_from(("true", "1", "no", 0, 2, None, "T"))),
        "d": st.one_of(
            st.datetimes().map(str), st.dates().map(str),
            st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        ),
        "ms": st.lists(st.sampled_from(("x", "y", "z", "")), max_size=4),
        "j": st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        "g": st.fixed_dictionaries({"lon": st.floats(-180, 180), "lat": st.floats(-90, 90)}),
        "many": st.lists(st.sampled_from(TARGETS), max_size=4),
        "one": st.sampled_from(["", *TARGETS]),
    },
)  # fmt: skip


@bounded
@given(body=values)
def test_random_records_are_stored_the_same(pair: Pair, body: dict[str, Any]) -> None:
    answers = []
    for side in (pair.theirs, pair.ours):
        answer = side.client.json(
            "POST", "/api/collections/pr_targets_written/records", body,
            side.names["token"]["super"],
        )  # fmt: skip
        levelled = level({**answer.json, "id": ""}, is_sorted=True, ignore=(), known=frozenset())
        answers.append((answer.status, levelled))
    assert answers[0] == answers[1], body


@pytest.fixture(scope="module", autouse=True)
def _written(pair: Pair) -> None:
    """A collection for the records that the last test writes, so that lists stay as they are."""
    fields = (*FIELDS, relation("one", "pr_targets"), relation("many", "pr_targets", 5))
    for side in (pair.theirs, pair.ours):
        side.build(World(collections=(base("pr_targets_written", *fields),)))
