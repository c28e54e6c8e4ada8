"""What holds for every filter."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import errors
from chalicelib.domain import filters
from chalicelib.domain.collection import Collection
from chalicelib.domain.filters import search
from chalicelib.domain.request import Record
from tests.unit.filter_world import ALL, NONE, World

WORLD = World()
POSTS = WORLD.collections["fp"]

# Several filters over a dozen records each; the clock of a busy machine proves nothing.
examples = settings(max_examples=60, deadline=None)

NAMES = ["n", "v", "b", "d", "ms", "ms:each", "ms:length", "js", "js.k", "one", "one.n", "many.n",
         "many:each", "many.v", "selfs.n", "fb_via_p.n", "fb_via_ps.v", "@collection.fb.n",
         "@request.auth.id", "@request.auth.many.n", "@request.query.x"]  # fmt: skip
LITERALS = ["''", "'x'", "'p1'", "'Alpha'", "1", "0", "-1.5", "null", "true", "'a%'", "'2024'"]
SIGNS = ["=", "!=", "~", "!~", ">", "<=", "?=", "?!=", "?~", "?<"]

comparisons = st.builds(
    "{} {} {}".format,
    st.sampled_from(NAMES),
    st.sampled_from(SIGNS),
    st.sampled_from(NAMES + LITERALS),
)
expressions = st.recursive(
    comparisons,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
    max_leaves=4,
)
garbage = st.lists(
    st.sampled_from([*NAMES, *LITERALS, *SIGNS, "&&", "||", "(", ")", "f(", ",", "//", "\n", " ",
                     "'", '"', "\\", "é", "[", ";", "-", ".", "strftime(", "geoDistance("]),
    max_size=12,
).map(" ".join)  # fmt: skip


@examples
@given(st.one_of(st.text(max_size=40), garbage))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    try:
        filters.check_rule(text, POSTS, WORLD.schema)
    except filters.FilterError as refused:
        message = str(refused)
    else:
        message = "a filter"
    assert message


@examples
@given(expressions, expressions)
def test_and_and_or_commute(a: str, b: str) -> None:
    assert WORLD.ids(f"{a} && {b}", "u1") == WORLD.ids(f"{b} && {a}", "u1")
    assert WORLD.ids(f"{a} || {b}", "u1") == WORLD.ids(f"{b} || {a}", "u1")


@examples
@given(expressions, expressions)
def test_or_is_the_union_and_and_is_inside_the_intersection(a: str, b: str) -> None:
    in_a, in_b = set(WORLD.ids(a, "u1").split()), set(WORLD.ids(b, "u1").split())
    assert set(WORLD.ids(f"{a} || {b}", "u1").split()) == in_a | in_b
    # Inside only: with a path that both share, one row has to satisfy both.
    assert set(WORLD.ids(f"{a} && {b}", "u1").split()) <= in_a & in_b


@examples
@given(expressions)
def test_brackets_and_repetition_change_nothing(text: str) -> None:
    ids = WORLD.ids(text, "u2")
    assert WORLD.ids(f"(({text}))", "u2") == ids
    assert WORLD.ids(f"{text} || {text}", "u2") == ids
    assert WORLD.ids(f"{text} && 1 = 1", "u2") == ids
    assert WORLD.ids(f"{text} || 1 = 2", "u2") == ids


@examples
@given(comparisons)
def test_what_all_satisfy_some_satisfy(text: str) -> None:
    left, sign, right = text.split(" ", 2)
    plain = sign.lstrip("?")
    of_all = set(WORLD.ids(f"{left} {plain} {right}").split())
    of_any = set(WORLD.ids(f"{left} ?{plain} {right}").split())
    assert of_all <= of_any


@examples
@given(expressions)
def test_a_match_satisfies_what_the_planner_narrows_by(text: str) -> None:
    predicate = filters.compile_filter([(text, False)], POSTS, WORLD.schema)
    scope = WORLD.scope("u1", query={"x": "p1"})
    for record in WORLD.all(POSTS):
        if predicate.matches(record, scope):
            assert all(_satisfies(record, each, scope) for each in predicate.conjuncts())


def _satisfies(record: Record, conjunct: filters.Conjunct, scope: filters.Scope) -> bool:
    value, stored = conjunct.value_in(scope), record[conjunct.field]
    if value is None:
        return True
    outcomes: dict[str, bool] = {
        "?=": conjunct.operator == "?=" and value in stored,
        "=": stored == value,
        ">": conjunct.operator == ">" and stored > value,
        ">=": conjunct.operator == ">=" and stored >= value,
        "<": conjunct.operator == "<" and stored < value,
        "<=": conjunct.operator == "<=" and stored <= value,
    }
    return outcomes[conjunct.operator]


def test_the_fields_of_a_hop_are_loaded_level_by_level() -> None:
    world = World()
    posts = world.collections["fp"]
    text = "owner.one.n = 'Alpha' && many.n ?= 'beta'"
    predicate = filters.compile_filter([(text, False)], posts, world.schema)
    assert predicate.hops == (("many",), ("owner",), ("owner", "one"))
    predicate.prefetch([world.records["fp"][name] for name in ("p1", "p2", "p3")], world.scope())
    assert world.prefetched == [("fa", ["a1", "a2"]), ("fu", ["u1", "u2"]), ("fa", ["a1", "a2"])]


class Reluctant(World):
    """Knows how often it was asked."""

    asked = 0

    def get(self, collection: Collection, ids: Any) -> list[Record]:
        self.asked += 1
        return super().get(collection, ids)


def test_nothing_is_fetched_where_an_own_field_decides() -> None:
    world = Reluctant()
    assert world.ids("one.n = 'Alpha' && n = 'nobody'") == NONE
    assert world.ids("one.n != 'zz' || id != ''") == ALL
    assert world.asked == 0


def test_too_many_combinations_of_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_COMBINATIONS", 100)
    values = "@collection.fp:a.v ?{} @collection.fp:b.v"
    text = f"{values.format('=')} && {values.format('!=')}"
    with pytest.raises(errors.BadRequestError, match="joins more than 100 rows"):
        WORLD.ids(text)


def test_joins_that_have_nothing_to_do_with_each_other_are_searched_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Together they would be 12 x 12 x 12 rows.
    monkeypatch.setattr(search, "MAX_COMBINATIONS", 50)
    leaves = [f"@collection.fp:{alias}.n ?= 'nobody'" for alias in "abc"]
    assert WORLD.ids(" || ".join(leaves)) == NONE
    found = [f"@collection.fp:{alias}.n ?= '  1 '" for alias in "abc"]
    assert WORLD.ids(" && ".join(found)) == ALL
