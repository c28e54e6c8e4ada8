"""What a query plan may narrow candidates by."""

from typing import Any

import pytest

from chalicelib.domain import filters
from tests.unit.filter_world import World

WORLD = World()
POSTS = WORLD.collections["fp"]

Found = list[tuple[str, str, Any]]


def narrowing(text: str, user: str = "u1", **parts: Any) -> Found:
    predicate = filters.compile_filter([(text, False)], POSTS, WORLD.schema)
    scope = WORLD.scope(user, **parts)
    return [(each.field, each.operator, each.value_in(scope)) for each in predicate.conjuncts()]


USED: list[tuple[str, Found]] = [
    ("n = 'x'", [("n", "=", "x")]),
    ("'x' = n", [("n", "=", "x")]),
    ("n ?= 'x'", [("n", "=", "x")]),
    ("n > 'x' && v <= 5", [("n", ">", "x"), ("v", "<=", 5)]),
    ("5 > v", [("v", "<", 5)]),
    ("v = '5'", [("v", "=", 5)]),
    ("n = 5", [("n", "=", "5.0")]),
    ("n = true", [("n", "=", "1")]),
    ("v = true", [("v", "=", 1)]),
    ("b = true", [("b", "=", True)]),
    ("b = 0", [("b", "=", False)]),
    ("id = 'p1'", [("id", "=", "p1")]),
    ("d >= '2024-01-02'", [("d", ">=", "2024-01-02")]),
    ("d < @todayStart", [("d", "<", "2026-11-23 00:00:00.000Z")]),
    ("one = 'a1'", [("one", "=", "a1")]),
    ("one.id = 'a1'", [("one", "=", "a1")]),
    ("owner = @request.auth.id", [("owner", "=", "u1")]),
    ("v > @request.auth.v", [("v", ">", 1)]),
    ("one = @request.auth.one", [("one", "=", "a1")]),
    ("many:each ?= 'a1'", [("many", "?=", "a1")]),
    ("many.id = 'a1'", [("many", "?=", "a1")]),
    ("ms:each ?= 'x'", [("ms", "?=", "x")]),
    ("n = 'x' && (v = 1 || v = 2)", [("n", "=", "x")]),
]


@pytest.mark.parametrize(("text", "found"), USED)
def test_a_plain_comparison_of_an_own_field_narrows(text: str, found: Found) -> None:
    assert narrowing(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "n = ''",
        "n = null",
        "n != 'x'",
        "n ~ 'x%'",
        "n = 'x' || v = 1",
        "v = 'x'",
        "b = 'true'",
        "b > 0",
        "b = 2",
        "n = v",
        "n:lower = 'x'",
        "js = 1",
        "js.k = 1",
        "ms = 'x'",
        "many.n ?= 'x'",
        "many:each ?> 'a'",
        "many:each ?= 5",
        "many:length = 1",
        "one.n = 'x'",
        "@collection.fa.n = 'x'",
        "d > strftime('%Y-%m-%d', 'now', '-1 day')",
        "d > strftime('%Y')",
        "g.lon = 1",
        "n ~ @now",
        "n = @request.query.x:isset",
        "n = @request.auth.one.n",
        "n = @collection.fa.n",
    ],
)
def test_anything_else_does_not(text: str) -> None:
    assert narrowing(text) == []


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("owner = @request.auth.id", ""),  # a guest: an empty relation is meant
        ("one = @request.auth.one", "u3"),
        ("n = @request.auth.v", "u1"),  # a number beside a text: never equal, yet no text
        ("v = @request.auth.name", "u1"),
        ("n = @request.query.x", "u1"),
        ("n = @request.auth.js", "u1"),
    ],
)
def test_a_value_of_the_request_may_turn_out_to_narrow_nothing(text: str, user: str) -> None:
    assert [value for _, _, value in narrowing(text, user)] == [None]


def test_a_number_field_takes_the_text_of_a_query_for_a_number() -> None:
    assert narrowing("v = @request.query.x", query={"x": "1"}) == [("v", "=", 1)]
    assert narrowing("v = @request.query.x", query={"x": "one"}) == [("v", "=", None)]


def test_rule_and_filter_narrow_together() -> None:
    predicate = filters.compile_filter([("b = true", False), ("v > 1", True)], POSTS, WORLD.schema)
    assert [each.field for each in predicate.conjuncts()] == ["b", "v"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("n = 'x'", 1),
        ("n = 'x' && v > 1 && b = true", 3),
        ("n = 'x' && v > 1 && n ~ 'x'", -1),
        ("n = 'x' || v > 1", -1),
        ("one.n = 'x' && v > 1", -1),
        ("many:each ?= 'a1'", -1),  # necessary, and not all that it says
    ],
)
def test_plain_terms_are_counted_where_the_conjuncts_say_it_all(text: str, count: int) -> None:
    assert filters.compile_filter([(text, False)], POSTS, WORLD.schema).plain_terms == count
