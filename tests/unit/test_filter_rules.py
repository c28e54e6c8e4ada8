"""Which names a rule may use, as judged when it is saved: measured on PocketBase 0.40.6."""

import pytest

from chalicelib.domain import filters
from tests.unit.filter_world import World

WORLD = World()
POSTS = WORLD.collections["fp"]
USERS = WORLD.collections["fu"]

LEGAL = [
    "@request.auth.nope.x.y = 1",  # whoever asks may have it
    "@request.auth.id:foo = 1",
    "@request.body.nope = 1",
    "@request.body.nope:isset = true",
    "@request.body.one.nope = 'x'",
    "@request.body.n.nope = 'x'",
    "@request.body.ms:each = 1",
    "@request.body.ms:length = 1",
    "@request.body.n:changed = true",
    "@request.context = 'x'",
    "@request.query.a.b = 'x'",
    "@collection.fa:x.n = 1",
    "@collection.FA.n = 1",
    "one.fb_via_a.n = 1",
    "hid = 'x'",  # a rule may look at hidden fields
    "hone.hid = 'x'",
    "lone.n = 'x'",  # and into collections that only superusers list
    "n:isset = 1",
    "@now = @weekday",
    "TRUE = n",
    "self.self.self.self.self.self.n = ''",
]


@pytest.mark.parametrize("text", LEGAL)
def test_a_rule_may_say(text: str) -> None:
    filters.check_rule(text, POSTS, WORLD.schema)


def left(name: str, message: str) -> str:
    return f'invalid left operand "{name}" - {message}'


def unresolved(name: str) -> str:
    return left(name, f'failed to resolve field "{name}"')


ILLEGAL = [
    ("nope = 1", left("nope", 'unknown field "nope"')),
    ("n = nope", 'invalid right operand "nope" - unknown field "nope"'),
    ("Id = 1", left("Id", 'unknown field "Id"')),
    ("collectionId = 1", left("collectionId", 'unknown field "collectionId"')),
    ("n.x = 1", left("n.x", 'field "n" is not a valid relation')),
    ("one.n.x = 1", left("one.n.x", 'field "n" is not a valid relation')),
    ("one.nope = 1", left("one.nope", 'unknown field "nope"')),
    ("nope.x = 1", left("nope.x", 'failed to resolve field "nope"')),
    ("one..n = 1", left("one..n", 'failed to resolve field ""')),
    ("fb_via_p = 1", left("fb_via_p", 'unknown field "fb_via_p"')),
    ("fb_via_p:each = 1", left("fb_via_p:each", 'unknown field "fb_via_p"')),
    ("fb_via_nope.n = 1", left("fb_via_nope.n", 'missing back relation field "nope"')),
    ("fb_via_n.n = 1", left("fb_via_n.n", 'invalid back relation field "n"')),
    (
        "fb_via_a.n = 1",
        left("fb_via_a.n", 'invalid collection reference of a back relation field "a"'),
    ),
    (
        "zz_via_p.n = 1",
        left("zz_via_p.n", 'failed to load back relation field "zz_via_p" collection'),
    ),
    (
        "@collection.zz.n = 1",
        left(
            "@collection.zz.n",
            'failed to load collection "zz" from field path "@collection.zz.n"',
        ),
    ),
    ("@collection.fa.zz = 1", left("@collection.fa.zz", 'unknown field "zz"')),
    ("@collection.fa = 1", unresolved("@collection.fa")),
    ("@collection.fa:x:y.n = 1", unresolved("@collection.fa:x:y.n")),
    ("@request.foo = 1", unresolved("@request.foo")),
    ("@request.data.x = 1", unresolved("@request.data.x")),
    ("@request.context.x = 1", unresolved("@request.context.x")),
    ("@request.method:lower = 1", unresolved("@request.method:lower")),
    ("@request.auth = 1", unresolved("@request.auth")),
    ("@rowid = 1", unresolved("@rowid")),
    ("@nowx = 1", unresolved("@nowx")),
    ("#x = 1", unresolved("#x")),
    ("n:foo = 1", left("n:foo", 'unknown modifier in "n:foo"')),
    ("n:lower:lower = 1", left("n:lower:lower", 'unknown field "n:lower:lower"')),
    (
        "@request.body.n:length = 1",
        left("@request.body.n:length", 'field "n" doesn\'t support multivalue operations'),
    ),
    (
        "@request.body.nope:each = 1",
        left("@request.body.nope:each", "invalid modifier sequence nope:each"),
    ),
    (
        "@request.query.x:length = 1",
        left("@request.query.x:length", "invalid modifier sequence x:length"),
    ),
    (
        "self.self.self.self.self.self.self.n = ''",
        left(
            "self.self.self.self.self.self.self.n",
            'max nested relations reached for field "self"',
        ),
    ),
    ("foo(1) = 1", left("foo", 'unknown function "foo"')),
    (
        "strftime(1, n) = 1",
        left("strftime", "[strftime] expects the first argument to be a format string"),
    ),
    (
        "strftime('%Y', foo(1)) = 1",
        left(
            "strftime",
            "[strftime] expects the second argument to be of a valid time-value type",
        ),
    ),
    (
        "strftime('%Y', 1, 2) = 1",
        left("strftime", "[strftime] invalid modifier argument 0 - can be only string"),
    ),
    ("geoDistance(1,2,3) = 1", left("geoDistance", "[geoDistance] expected 4 arguments, got 3")),
    (
        "geoDistance(1,2,3,'4') = 1",
        left("geoDistance", "[geoDistance] argument 3 must be an identifier or number"),
    ),
    (
        "geoDistance(1,2,3,nope) = 1",
        left("geoDistance", '[geoDistance] failed to resolve argument 3: unknown field "nope"'),
    ),
]


@pytest.mark.parametrize(("text", "message"), ILLEGAL)
def test_a_rule_may_not_say(text: str, message: str) -> None:
    with pytest.raises(filters.FilterError) as refused:
        filters.check_rule(text, POSTS, WORLD.schema)
    assert str(refused.value) == message


def test_strftime_takes_ten_arguments_at_most() -> None:
    days = ", '+1 day'"
    filters.check_rule(f"strftime('%Y', d{days * 8}) = '2024'", POSTS, WORLD.schema)
    with pytest.raises(filters.FilterError):
        filters.check_rule(f"strftime('%Y', d{days * 9}) = '2024'", POSTS, WORLD.schema)


def test_an_empty_step_in_a_json_path_is_refused() -> None:
    with pytest.raises(filters.FilterError):
        filters.check_rule("js.a..b = 1", POSTS, WORLD.schema)


def test_a_predicate_is_compiled_once_for_a_schema() -> None:
    parts = [("n = 'x'", False)]
    first = filters.compile_filter(parts, POSTS, WORLD.schema)
    assert filters.compile_filter(parts, POSTS, WORLD.schema) is first
    other = World()
    assert filters.compile_filter(parts, other.collections["fp"], other.schema) is not first
