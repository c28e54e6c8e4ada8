"""`@request.body.*` in createRules and updateRules: measured on PocketBase 0.40.6.

`body` is what was submitted after modifiers and casts; the record is the one that is to be.
"""

from typing import Any

import pytest

from chalicelib.domain import filters
from chalicelib.domain.request import Record
from tests.unit.filter_world import World

WORLD = World()
POSTS = WORLD.collections["fp"]
EMPTY: Record = {**WORLD.records["fp"]["p3"], "id": "new"}
BODY: dict[str, Any] = {
    "n": "x", "v": 5, "ms": ["x", "y"], "one": "a1", "many": ["a1", "a2"], "s1": "x",
    "js": {"a": 1}, "b": True, "other": "q", "d": "2024-01-02 00:00:00.000Z",
}  # fmt: skip


def created(rule: str, body: dict[str, Any]) -> bool:
    predicate = filters.compile_filter([(rule, False)], POSTS, WORLD.schema, is_new=True)
    record = EMPTY | {name: value for name, value in body.items() if name in EMPTY}
    return predicate.matches(record, WORLD.scope(method="POST", body=body))


CREATED = [
    ("@request.body.n = 'x'", True),
    ("@request.body.n:lower = 'x'", True),
    ("@request.body.n:isset = true", True),
    ("@request.body.n = @request.body.other", False),
    ("@request.body.v = 5", True),
    ("@request.body.v = '5'", False),
    ("@request.body.v ~ '5'", True),
    ("@request.body.v ~ '5.0'", True),  # a number of the body is a float
    ("@request.body.b = true", True),
    ("@request.body.b = 'true'", False),
    ("@request.body.d = d", True),
    ("@request.body.d = '2024-01-02'", False),
    ("@request.body.other = 'q'", True),
    ("@request.body.other:isset = true", True),
    ("@request.body.zz:isset = false", True),
    ("@request.body.zz = ''", True),
    ("@request.body.id:isset = false", True),
    ("@request.body.collectionId = ''", True),
    ("@request.body.n.x = ''", True),
    ("@request.body.js.a = 1", True),
    ("@request.body.js.a = '1'", False),
    ("@request.body.js.a:isset = true", True),
    ("@request.body.js.b:isset = false", True),
    ("@request.body.js.a.b = ''", True),
    ("@request.body.js = '{\"a\":1}'", True),
    ("js = @request.body.js", True),
    ("ms = @request.body.ms", True),
    ("ms ~ @request.body.n", True),
    ("@request.body.ms:each ?= 'x'", True),
    ("@request.body.ms:each = 'x'", False),
    ("@request.body.ms:each != 'z'", True),
    ("@request.body.ms:length = 2", True),
    ("@request.body.ms:length > 1", True),
    ("@request.body.ms:length = '2'", False),
    ("@request.body.many ~ 'a1'", True),
    ("@request.body.many:each ?= 'a1'", True),
    ("@request.body.one:length = 1", True),
    ("@request.body.one:each = 'a1'", True),
    ("@request.body.s1:each = 'x'", True),
    ("@request.body.one.n = 'Alpha'", True),
    ("@request.body.one.id = 'a1'", True),
    ("@request.body.one.hid = 'h1'", True),
    ("@request.body.one.nope = ''", True),
    ("@request.body.one.fb_via_a.n ?= 'x'", True),
    ("@request.body.many.n = 'Alpha'", False),
    ("@request.body.many.n ?= 'Alpha'", True),
    ("@request.body.many.v > 0", True),
    ("@request.body.many.id ?= 'a2'", True),
    ("@collection.fa.id ?= @request.body.one", True),
    ("@collection.fa.n ?= @request.body.n", False),
    ("many.n ?= 'beta'", True),
    ("one.n = 'Alpha'", True),
    ("one.v = '1'", True),  # a stored column has its type
    ("v = '5'", False),  # the columns of the new record have none
    ("v > '3'", False),
    ("v ~ '5.0'", True),
    ("b = '1'", False),
    ("b:lower = '1'", True),
    ("v:lower = '5.0'", True),
    ("n = @request.body.v", False),
    # What is to be stored is already there, so nothing has changed.
    ("@request.body.n:changed = false", True),
    ("@request.body.v:changed = true", False),
    ("@request.body.n:changed = 1", False),
    ("@request.body.n:changed != true", True),
    ("@request.body.n:changed != ''", True),
    ("@request.body.n:changed > 0", False),
    ("true = @request.body.n:changed", False),
]


@pytest.mark.parametrize(("rule", "holds"), CREATED)
def test_a_create_rule_looks_at_the_body(rule: str, holds: bool) -> None:
    assert created(rule, BODY) is holds


# The rule, the body and whether it holds.
PARTIAL: list[tuple[str, dict[str, Any], bool]] = [
    ("@request.body.n = null", {}, True),
    ("@request.body.one.n = ''", {}, True),
    ("@request.body.many.n = ''", {}, True),
    ("@request.body.ms:length = 0", {}, True),
    ("@request.body.s1:length = 0", {}, True),
    ("@request.body.s1:length = 1", {"s1": ""}, True),  # sent, and a list of one
    ("@request.body.ms:each = ''", {}, False),  # PocketBase compares with SQL's = there
    ("@request.body.ms:each ?= ''", {}, False),
    ("@request.body.ms:each ?!= ''", {}, True),
    ("@request.body.ms:each != ''", {}, False),
    ("@request.body.ms:each != 'x'", {}, True),
    ("@request.body.ms:each ?= n", {}, False),
    ("@request.body.s1:each != @request.body.one.nope", {}, True),
    ("@request.body.n:lower = ''", {}, True),
    ("'' ?< @request.body.n:lower", {}, False),
    ("@request.body.v = 5", {"v": "5"}, True),  # a form's text for a number field
    ("@request.body.v = 5", {"v": "5x"}, False),
    ("@request.body.other = 5", {"other": "5"}, False),
    ("@request.body.other = n", {"other": 5, "n": "5"}, False),
    ("@request.body.js.v = 5", {"js": {"v": "5"}}, True),  # by its name alone
    ("@request.body.js.0 = 1", {"js": [1, "x"]}, True),
    ("@request.body.js:changed = true", {"js": None}, True),  # the text null is not NULL
    ("@request.body.js:changed = true", {"js": {"a": 1}}, False),
    ("n = 'hé'", {"n": "hé"}, True),
    ("one.n = ''", {}, True),
]


@pytest.mark.parametrize(("rule", "body", "holds"), PARTIAL)
def test_a_create_rule_looks_at_what_was_not_sent(
    rule: str, body: dict[str, Any], holds: bool
) -> None:
    assert created(rule, body) is holds


# The rule, the body and whether it holds for p1: n='p1', v=1, b=true, ms=[x,y], one=a1.
UPDATED: list[tuple[str, dict[str, Any], bool]] = [
    ("@request.body.n:changed = true", {"n": "p1"}, False),
    ("@request.body.n:changed = true", {"n": "other"}, True),
    ("@request.body.n:changed = true", {}, False),
    ("@request.body.n:changed = false", {"n": "p1"}, True),
    ("@request.body.v:changed = true", {"v": 1}, False),
    ("@request.body.v:changed = true", {"v": "1"}, False),
    ("@request.body.v:changed = true", {"v": 2}, True),
    ("@request.body.ms:changed = true", {"ms": ["x", "y"]}, False),
    ("@request.body.ms:changed = true", {"ms": ["y"]}, True),
    ("@request.body.b:changed = true", {"b": True}, False),
    ("@request.body.b:changed = true", {"b": False}, True),
    ("@request.body.one:changed = true", {"one": "a1"}, False),
    ("@request.body.one:changed = true", {"one": ""}, True),
    ("@request.body.js:changed = true", {"js": None}, True),
    ("n = 'p1'", {"n": "other"}, True),  # plain names are the stored record
    ("@request.body.n != n", {"n": "p1"}, False),
    ("@request.body.n != n", {}, True),
]


@pytest.mark.parametrize(("rule", "body", "holds"), UPDATED)
def test_an_update_rule_compares_with_the_stored_record(
    rule: str, body: dict[str, Any], holds: bool
) -> None:
    predicate = filters.compile_filter([(rule, False)], POSTS, WORLD.schema)
    scope = WORLD.scope(method="PATCH", body=body)
    assert predicate.matches(WORLD.records["fp"]["p1"], scope) is holds


def test_a_submitted_list_is_no_pattern() -> None:
    with pytest.raises(filters.FilterError):
        created("'x' ~ @request.body.ms:each", {"ms": ["x"]})
