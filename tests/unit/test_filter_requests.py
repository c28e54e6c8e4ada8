"""`@request.*` and macros in rules: ids measured on PocketBase 0.40.6."""

from typing import Any

import pytest

from chalicelib.domain import filters
from tests.unit.filter_world import ALL, NONE, World

WORLD = World()
GUEST = ""
NO_OWNER = "p3 p7 p8 p9 pb pc"
NO_ONE = "p3 p7 p9 pa pb"

# The rule, the caller and the ids.
AUTH = [
    ("owner = @request.auth.id", "u1", "p1 p5 pa"),
    ("owner = @request.auth.id", "u2", "p2 p6"),
    ("owner = @request.auth.id", GUEST, NO_OWNER),  # a guest's NULL is the empty relation
    ("@request.auth.id != '' && owner = @request.auth.id", GUEST, NONE),
    ("@request.auth.id:lower = owner", "u1", "p1 p5 pa"),
    ("n = @request.auth.v", "u1", NONE),  # a column beside a column: nothing is converted
    ("v = @request.auth.v", "u1", "p1"),
    ("v > @request.auth.v", "u1", "p2 p5 p6 p7 p9 pb pc"),
    ("n = @request.auth.nope", "u1", "p3"),
    ("n = @request.auth.nope.x", "u1", "p3"),
    ("n = @request.auth.one.nope", "u1", "p3"),
    ("n = @request.auth.v.x", GUEST, "p3"),
    ("n = @request.auth.id:foo", GUEST, "p3"),
    ("@request.auth.name:lower = 'ann'", "u1", ALL),
    ("@request.auth.name:isset = true", "u1", NONE),  # means nothing there
    ("@request.auth.collectionName = 'fu'", "u1", ALL),
    ("@request.auth.collectionName = 'fu'", GUEST, NONE),
    ("@request.auth.verified = true", "u1", ALL),
    ("@request.auth.verified = true", "u2", NONE),
    ("@request.auth.verified != ''", "u2", ALL),  # false is not empty
    ("@request.auth.verified != ''", GUEST, NONE),
    ("@request.auth.email = 'u2@x.io'", "u2", ALL),  # the own e-mail needs no visibility
    ("@request.auth.hid = 'q'", "u1", ALL),
    ("@request.auth.one = one", "u1", "p1 p8"),
    ("@request.auth.one = one", "u3", NO_ONE),
    ("@request.auth.one = one", GUEST, NO_ONE),
    ("@request.auth.one.n = n", "u1", "p2"),
    ("@request.auth.one.n = n", "u2", "p9"),
    ("@request.auth.many.n ?= n", "u1", "p2 p9"),
    ("@request.auth.many.n ?= n", "u2", "p3"),
    ("@request.auth.many.n = 'Alpha'", "u1", NONE),
    ("@request.auth.many ~ one", "u1", "p1 p2 p3 p7 p8 p9 pa pb"),
    ("@request.auth.many ~ one", GUEST, NONE),
    ("@request.auth.tag:each ?= s1", "u1", "p1 p2 p6"),
    ("@request.auth.tag:each ?= s1", GUEST, "p3 p5 p7 p8 p9 pa pb pc"),
    ("@request.auth.tag:each = s1", "u1", NONE),
    ("@request.auth.tag:each = s1", "u2", "p4"),
    ("@request.auth.tag:length = 2", "u1", ALL),
    ("@request.auth.js.k = 1", "u1", ALL),
    ("@request.auth.js.k = 1", GUEST, NONE),
    ("@request.auth.fp_via_owner.id ?= id", "u1", "p1 p5 pa"),
    ("@request.auth.fp_via_owner.n = n", "u3", "p4"),
]


@pytest.mark.parametrize(("rule", "user", "ids"), AUTH)
def test_a_rule_looks_at_the_caller(rule: str, user: str, ids: str) -> None:
    assert WORLD.ids(rule, user) == ids


@pytest.mark.parametrize(
    "rule",
    [
        "n = @request.auth.v.x",  # no relation
        "n = @request.auth.one.n.x",
        "n = @request.auth.id:foo",
    ],
)
def test_a_rule_that_does_not_fit_the_caller_is_an_error(rule: str) -> None:
    with pytest.raises(filters.FilterError):
        WORLD.ids(rule, "u1")


# The rule, the query and the ids.
QUERY: list[tuple[str, dict[str, str], str]] = [
    ("@request.query.x = n", {"x": "p1"}, "p1"),
    ("@request.query.x = v", {"x": "1"}, "p1"),  # beside a number column it is one
    ("@request.query.v = n", {"v": "1"}, "p8"),  # a name like a number field's makes 1.0 of it
    ("@request.query.x = ''", {"x": "p1"}, NONE),
    ("@request.query.x = ''", {}, ALL),
    ("@request.query.x.y = ''", {"x": "p1"}, ALL),
    ("@request.query.x:isset = true", {"x": ""}, ALL),
    ("@request.query.x:isset = true", {}, NONE),
    ("@request.query.x:lower = 'p'", {"x": "P"}, ALL),
    ("n ~ @request.query.x", {"x": "p%"}, "p1"),
    ("n ~ @request.query.x", {"x": "_"}, "p4"),  # without % it is contained as it is
    ("@request.query.x != b", {"x": "1"}, "p2 p3 p5 p7 p8 p9 pa pb"),
    ("b = @request.query.x:isset", {"x": "1"}, "p1 p4 p6 pc"),
    ("v = @request.query.x:isset", {"x": "1"}, "p1"),
    ("v != @request.query.x:isset", {"x": "1"}, "p3"),  # SQL's IS NOT TRUE asks for truth
    ("@request.query.x:isset != v", {"x": "1"}, "p2 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("js.k != @request.query.x:isset", {"x": "1"}, "p2 p3 p4 p5 p6 p7 p9 pa pb pc"),
    ("n != @request.query.x:isset", {}, "p6 p8 pb pc"),
    ("@request.query.zz != @request.query.x:isset", {}, NONE),
    ("one.n != @request.query.x:isset", {}, "p3 p6 p7 p9 pa pb pc"),
]


@pytest.mark.parametrize(("rule", "query", "ids"), QUERY)
def test_a_rule_looks_at_the_query(rule: str, query: dict[str, str], ids: str) -> None:
    assert WORLD.ids(rule, query=query) == ids


def test_a_rule_looks_at_headers_method_and_context() -> None:
    parts: dict[str, Any] = {"headers": {"x_test": "a"}, "method": "POST", "context": "batch"}
    assert WORLD.ids("@request.headers.x_test = 'a'", **parts) == ALL
    assert WORLD.ids("@request.headers.X_Test = 'a'", **parts) == NONE
    assert WORLD.ids("@request.method = 'POST' && @request.context = 'batch'", **parts) == ALL


# What NOW is: 2026-11-23 04:05:06.789, a Monday. PocketBase's clock cannot be set: these are
# the definitions of the macros, checked there with the clock's own values.
MACROS = [
    ("@now", "2026-11-23 04:05:06.789Z"),
    ("@yesterday", "2026-11-22 04:05:06.789Z"),
    ("@tomorrow", "2026-11-24 04:05:06.789Z"),
    ("@todayStart", "2026-11-23 00:00:00.000Z"),
    ("@todayEnd", "2026-11-23 23:59:59.999Z"),
    ("@monthStart", "2026-11-01 00:00:00.000Z"),
    ("@monthEnd", "2026-11-30 23:59:59.999Z"),
    ("@yearStart", "2026-01-01 00:00:00.000Z"),
    ("@yearEnd", "2026-12-31 23:59:59.999Z"),
]


@pytest.mark.parametrize(("macro", "text"), MACROS)
def test_macros_of_moments_are_date_texts(macro: str, text: str) -> None:
    assert WORLD.ids(f"{macro} = '{text}'") == ALL


def test_macros_of_parts_are_integers() -> None:
    parts = {"second": 6, "minute": 5, "hour": 4, "day": 23, "month": 11, "year": 2026}
    for name, value in {**parts, "weekday": 1}.items():
        assert WORLD.ids(f"@{name} = {value}") == ALL
    assert WORLD.ids("n < @month") == "p3 p6 p8 pc"  # as the text 11, where 11 would be 11.0


def test_dates_of_the_future_and_the_empty_date() -> None:
    assert WORLD.ids("d > @now") == "p4"
    assert WORLD.ids("d < @now") == "p1 p2 p3 p5 p6 p7 p8 p9 pa pb pc"


def test_strftime_of_one_argument_is_of_now() -> None:
    assert WORLD.ids("strftime('%Y-%m-%d %H') = '2026-11-23 04'") == ALL
    assert WORLD.ids("strftime('%d', 'now', '-1 day') = '22'") == ALL
