"""Filters through relations, back relations and other collections; limits of a client's filter."""

from collections.abc import Mapping

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import found_row, listing
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import Person, World, auth, base, date, number, relation, select, text

A1, A2, A3 = "rfauthor000000a", "rfauthor000000b", "rfauthor000000c"
P = [f"rfpost00000000{digit}" for digit in range(8)]
COLLATED = "CREATE UNIQUE INDEX rf_cards_owner ON rf_cards (owner)"


def _post(number_: int, **values: object) -> tuple[str, dict[str, object]]:
    return "rf_posts", {"id": P[number_], "k": str(number_), **values}


WORLD = World(
    collections=(
        auth("rf_users", text("name"), select("roles", "a b c", 3)),
        base("rf_groups", text("k"), text("n")),
        base(
            "rf_authors", text("k"), text("n"), number("v"), select("ms", "x y", 2),
            relation("group", "rf_groups"), relation("groups", "rf_groups", 5),
            relation("user", "rf_users"), text("hid", hidden=True), listRule="n != 'hidden'",
        ),
        base(
            "rf_posts", text("k"), text("n"), date("d"), relation("one", "rf_authors"),
            relation("many", "rf_authors", 5), relation("owner", "rf_users"),
            relation("secret", "rf_authors", hidden=True), relation("locked", "rf_groups"),
        ),
        base(
            "rf_notes", text("k"), text("n"), number("v"), relation("post", "rf_posts"),
            relation("posts", "rf_posts", 5),
        ),
        base("rf_cards", text("k"), text("n"), relation("owner", "rf_authors"), indexes=[COLLATED]),
        base("rf_sealed", text("k"), relation("one", "rf_authors"), rule=None),
        base(
            "rf_to_sealed", text("k"), relation("sealed", "rf_sealed"),
            relation("ones", "rf_sealed", 3),
        ),
    ),
    people={
        "user": Person(
            "rf_users", "rfuser000000001", "rfuser@example.com",
            {"name": "U", "roles": ["a", "b"], "emailVisibility": False},
        ),
        "seen": Person(
            "rf_users", "rfuser000000002", "rfseen@example.com",
            {"name": "S", "emailVisibility": True},
        ),
    },
    records=(
        ("rf_groups", {"id": "rfgroup00000001", "k": "x", "n": "red"}),
        ("rf_groups", {"id": "rfgroup00000002", "k": "y", "n": "blue"}),
        (
            "rf_authors",
            {
                "id": A1, "k": "a", "n": "Alpha", "v": 1, "ms": ["x", "y"],
                "group": "rfgroup00000001", "groups": ["rfgroup00000001", "rfgroup00000002"],
                "user": "rfuser000000001", "hid": "h1",
            },
        ),
        (
            "rf_authors",
            {"id": A2, "k": "b", "n": "beta", "v": 2, "ms": ["x"], "groups": ["rfgroup00000002"]},
        ),
        (
            "rf_authors",
            {
                "id": A3, "k": "c", "n": "hidden", "v": 3, "group": "rfgroup00000002",
                "user": "rfuser000000002",
            },
        ),
        _post(0, n="p0"),
        _post(1, n="p1", one=A1, many=[A1, A2], owner="rfuser000000001", d="2024-01-01", secret=A1),
        _post(2, n="p2", one=A2, many=[A1], owner="rfuser000000002", locked="rfgroup00000001"),
        _post(3, n="p3", one=A3, many=[A3, A2], owner="rfuser000000001"),
        _post(4, n="Alpha", many=[A3]), _post(5, n="beta", one=A1),
        (
            "rf_notes",
            {
                "id": "rfnote000000001", "k": "m", "n": "first", "v": 5, "post": P[1],
                "posts": [P[1], P[2]],
            },
        ),
        (
            "rf_notes",
            {
                "id": "rfnote000000002", "k": "n", "n": "second", "v": 7, "post": P[1],
                "posts": [P[3]],
            },
        ),
        ("rf_notes", {"id": "rfnote000000003", "k": "o", "n": "first", "v": 0, "post": P[2]}),
        ("rf_notes", {"id": "rfnote000000004", "k": "p", "n": "", "v": 1}),
        ("rf_cards", {"id": "rfcard000000001", "k": "1", "n": "card one", "owner": A1}),
        ("rf_cards", {"id": "rfcard000000002", "k": "2", "n": "card two", "owner": A2}),
        ("rf_cards", {"id": "rfcard000000003", "k": "3", "n": "card none"}),
        ("rf_sealed", {"id": "rfsealed0000001", "k": "s", "one": A1}),
        (
            "rf_to_sealed",
            {
                "id": "rftosealed00001", "k": "t", "sealed": "rfsealed0000001",
                "ones": ["rfsealed0000001"],
            },
        ),
    ),
)  # fmt: skip

# As superuser on rf_posts.
POSTS: dict[str, str | None] = {
    f"one = '{A1}'": "15", "one = ''": "04", "one != ''": "1235", "one = null": "04",
    "one.id = ''": "04", f"one.id = '{A1}'": "15", "one.n = 'Alpha'": "15",
    "one.n != 'Alpha'": "0234", "one.n = ''": "04", "one.n != ''": "1235", "one.n = null": "04",
    "one.v > 1": "23", "one.v < 2": "15", "one.v = 0": "", "one.v != 0": "012345",
    "one.v = ''": "04", "one.v != 1": "0234", "one.n ~ 'a'": "125", "one.n !~ 'a'": "3",
    "one.n ?= 'Alpha'": "15", "one.n = n": "", "one.n != n": "012345", "one.group.n = 'red'": "15",
    "one.group.n != 'red'": "0234", "one.group = ''": "024", "one.groups.n = 'blue'": "2",
    "one.groups.n ?= 'blue'": "125", "one.groups.n ?= 'red'": "15", "one.groups.n != 'red'": "0234",
    "one.groups.n ?!= 'red'": "012345", "one.ms:each = 'x'": "2", "one.ms:each ?= 'y'": "15",
    "one.ms:length = 2": "15", "one.ms:length = 0": "034", "one.ms ~ 'y'": "15",
    "one.user.name = 'U'": "15", "one.user.email ~ 'rf'": "135", "one.hid = 'h1'": "15",
    "one.zzz = 1": None, "one.n.x = 1": None, "n.one = 1": None, f"one.id != '{A1}'": "0234",
    "one ~ 'author'": "1235", f"one > '{A1}'": "23", "one:length = 1": "1235",
    f"one:each = '{A1}'": "15", "many = ''": "", "many = '[]'": "05", f"many = '{A1}'": "",
    f"many ?= '{A1}'": "", f"many ~ '{A1}'": "12", f"many !~ '{A1}'": "0345",
    f"many:each = '{A1}'": "2", f"many:each ?= '{A1}'": "12", f"many:each != '{A1}'": "0345",
    f"many:each ?!= '{A1}'": "01345", "many:length = 2": "13", "many:length = 0": "05",
    "many:length > 0": "1234", f"many.id = '{A1}'": "2", f"many.id ?= '{A1}'": "12",
    f"many.id != '{A1}'": "0345", f"many.id ?!= '{A1}'": "01345", "many.id = ''": "05",
    "many.id = null": "05", "many.id != ''": "1234", "many.n = 'Alpha'": "2",
    "many.n ?= 'Alpha'": "12", "many.n != 'Alpha'": "0345", "many.n ?!= 'Alpha'": "01345",
    "many.n = ''": "05", "many.n != ''": "1234", "many.n ~ 'a'": "12", "many.n ?~ 'alp'": "12",
    "many.n !~ 'alp'": "34", "many.n ?!~ 'alp'": "134", "many.v > 1": "34", "many.v ?> 1": "134",
    "many.v > 0": "1234", "many.v < 2": "2", "many.v ?< 2": "12", "many.v >= 2": "34",
    "many.v = 0": "", "many.v != 0": "012345", "many.v ?!= 1": "01345", "many.n = n": "",
    "many.n ?= n": "", "n = many.n": "", "n ?= many.n": "",
    "many.n ?= 'Alpha' && many.n ?= 'beta'": "", "many.n ?= 'Alpha' && many.v ?= 2": "",
    "many.n ?= 'Alpha' && many.v ?= 1": "12", "many.n = 'Alpha' || many.n = 'hidden'": "24",
    "many.n ?= 'Alpha' || one.n = 'hidden'": "123", "many.n ?= 'beta' && one.n = 'Alpha'": "1",
    "many.group.n = 'red'": "12", "many.group.n ?= 'red'": "12", "many.group.n != 'red'": "0345",
    "many.groups.n ?= 'blue'": "123", "many.groups.n = 'blue'": "3",
    "many.groups.n != 'red'": "0345", "many.groups.k ?> 'x'": "123",
    "many.groups:length ?= 2": "12", "many.ms:each ?= 'y'": "12", "many.ms:each = 'x'": "3",
    "many.ms:length = 1": "", "many.ms:length ?= 1": "13", "many.ms ~ 'y'": "2",
    "many.ms ?~ 'y'": "12", "many.user.name ?= 'S'": "34", "many.user.name = ''": "05",
    "one.n = many.n": "0", "one.n ?= many.n": "013", "many.n ?= one.n": "013",
    "many.id ?= one": "013", "one ?= many.id": "013", "one.id ?= many.id": "013",
    "many.v > one.v": "", "many.n:lower ?= 'alpha'": "12", "one.n:lower = 'alpha'": "15",
    "many.v ?= many.v": "012345", "many.v = many.v": "0245",
    # back relations
    "rf_notes_via_post.n = 'first'": "2", "rf_notes_via_post.n ?= 'first'": "12",
    "rf_notes_via_post.n != 'first'": "0345", "rf_notes_via_post.n ?!= 'first'": "01345",
    "rf_notes_via_post.id = ''": "0345", "rf_notes_via_post.id != ''": "12",
    "rf_notes_via_post.id ?!= ''": "12", "rf_notes_via_post.v > 4": "1",
    "rf_notes_via_post.v ?> 6": "1", "rf_notes_via_post.v > 0": "1",
    "rf_notes_via_post.v ?= 0": "2", "rf_notes_via_post.n ~ 's'": "12",
    "rf_notes_via_posts.n ?= 'first'": "12", "rf_notes_via_posts.n = 'first'": "12",
    "rf_notes_via_posts.id = ''": "045", "rf_notes_via_posts.v ?>= 5": "123",
    "rf_notes_via_post.posts.n ?= 'p2'": "1", "rf_notes_via_post.posts.one.n ?= 'beta'": "1",
    "rf_notes_via_post.posts:length ?= 2": "1", "one.rf_cards_via_owner.n = 'card one'": "15",
    "one.rf_cards_via_owner.n != 'card one'": "0234", "one.rf_cards_via_owner.id = ''": "034",
    "many.rf_cards_via_owner.n ?= 'card two'": "13", "many.rf_cards_via_owner.n = 'card two'": "3",
    "one.rf_posts_via_one.n ?= 'beta'": "15", "one.rf_posts_via_one.n = 'beta'": "",
    "one.rf_posts_via_one.n ?!= n": "0145", "one.rf_posts_via_many.n ?= 'p2'": "15",
    "rf_notes_via_post = ''": None, "rf_notes_via_n.n = 'x'": None,
    "rf_notes_via_zzz.n = 'x'": None, "zzz_via_post.n = 'x'": None,
    "rf_cards_via_owner.n = 'x'": None, "rf_notes_via_post.zzz = 1": None,
    "rf_notes_via_post.post.n ?= n": "12",
    # other collections
    "@collection.rf_notes.n ?= 'first'": "012345", "@collection.rf_notes.n = 'first'": "",
    "@collection.rf_notes.post ?= id": "12", "@collection.rf_notes.post = id": "",
    "@collection.rf_notes.post ?= id && @collection.rf_notes.n ?= 'second'": "1",
    "@collection.rf_notes.post ?= id && @collection.rf_notes:b.n ?= 'second'": "12",
    "@collection.rf_notes.post.n ?= n": "12", "@collection.rf_notes.posts.id ?= id": "123",
    "@collection.rf_notes.posts:each ?= id": "123",
    "@collection.rf_notes.v ?> 6 && one.n = 'Alpha'": "15",
    "@collection.rf_cards.owner ?= one": "01245", "@collection.rf_cards.owner ?= one.id": "01245",
    "@collection.rf_notes.id = ''": "", "@collection.rf_notes.v >= 0": "012345",
    "@collection.rf_notes:a.n ?= @collection.rf_notes:b.n": "012345",
    "@collection.rf_posts.n ?= n": "012345", "@collection.rf_authors.n ?= n": "45",
    "@collection.rf_authors.n != n": "0123",
    "@collection.rf_to_sealed.sealed.one.n ?= 'Alpha'": "012345",
    # deep
    "one.group.rf_authors_via_group.n ?= 'Alpha'": "15",
    "one.rf_posts_via_one.many.n ?= 'beta'": "135",
    "one.group.rf_authors_via_group.rf_posts_via_one.n ?= 'p1'": "15",
    "one.rf_posts_via_one.one.rf_posts_via_one.one.n ?= 'Alpha'": "15",
    "one.rf_posts_via_one.one.rf_posts_via_one.one.rf_posts_via_one.one.n ?= 'Alpha'": None,
    ".".join(["one.rf_posts_via_one"] * 4) + ".n ?= 'p1'": None,
    # three-valued logic and sharing of joins
    "one.n != '' || n = 'p0'": "01235", "one.v > 0 || one.v = 0": "1235",
    "one.v > 0 || one.v <= 0": "1235", "many.n ?!= '' && many.v ?> 2": "34", "one = many.id": "0",
    "one.id != many.id": "245", "one.n > many.n": "2", "many.n ?> one.n": "1",
    "one.n ?< many.n": "1", "owner = @request.auth.id": "", "owner != @request.auth.id": "012345",
    "owner.name = 'U'": "13", "owner.roles:each ?= 'a'": "13", "owner.email ~ 'example'": "123",
    "owner.password = ''": "045", "owner.tokenKey != ''": "123", "d = one.group": "024",
    "d >= '2024' && one.n = 'Alpha'": "1",
}  # fmt: skip

# As a guest on rf_posts: no hidden fields, e-mails guarded, list rules of joined collections.
AS_GUEST: dict[str, str | int | None] = {
    "n = 'p1'": "1", "one.n = 'hidden'": "", "one.n != ''": "125", "one.n != '' || n = 'p3'": "125",
    "one.v > 0": "125", "many.v ?> 2": "", "many.v > 0": "123", "many.n != 'zzz'": "01235",
    f"one = '{A3}'": "3", f"one.id = '{A3}'": "3", f"many.id ?= '{A3}'": "", "one.hid = 'h1'": None,
    "secret = ''": None, "secret.n = ''": None, "owner.email ~ 'rf'": "2", "owner.email != ''": "2",
    "owner.email = 'rfuser@example.com'": "", "owner.email = 'rfseen@example.com'": "2",
    "owner.name = 'U'": "13", "owner.tokenKey = ''": None, "owner.password = ''": None,
    "owner.verified = false": "123", "owner.emailVisibility = true": "2",
    "@request.auth.id = ''": 403, "@collection.rf_notes.id != ''": 403, "n = '@request.x'": 403,
    "n = '@collection.x'": 403, "n = '@now'": "", "d < @now": "012345",
    "rf_notes_via_post.n ?= 'first'": "12", "rf_notes_via_post.v > 0": "1",
    "one.rf_posts_via_secret.n ?= 'x'": None, "one.rf_posts_via_one.n ?= 'p1'": "15",
    "zzz = 1": None, "one.group.n = 'red'": "15", "locked.n = 'red'": "2",
    "one.user.email ~ 'x'": "", "one.user.name ?= 'S'": "",
    "many.user.email ?= 'rfseen@example.com'": "", "@request": None, "@now = '@request.'": 403,
    "id != '' // @request.": 403, "owner.email = ''": "", "owner.id != ''": "123",
}  # fmt: skip
AS_GUEST_SEALED: dict[str, str | int | None] = {
    "sealed = 'rfsealed0000001'": "t", "sealed.id = 'rfsealed0000001'": "t", "sealed.k = 's'": None,
    "sealed.one.n = 'Alpha'": None, "ones.id ?= 'rfsealed0000001'": None,
    "ones:each ?= 'rfsealed0000001'": "t", "ones.k ?= 's'": None, "ones:length = 1": "t",
    "ones ~ 'rfsealed'": "t", "k = 't' || sealed.k = 's'": None,
}  # fmt: skip
AS_USER: dict[str, str | int | None] = {
    "email = 'rfuser@example.com'": "", "email = 'rfseen@example.com'": "S", "email != ''": "S",
    "name = 'U'": "U", "roles:each ?= 'a'": "U", "tokenKey = 'x'": None, "password = ''": None,
    "verified = false": "SU", "emailVisibility = true": "S",
    "email:lower = 'rfuser@example.com'": "", "id = 'rfuser000000001'": "U",
    "@request.auth.id = id": 403, "rf_posts_via_owner.n ?= 'p1'": "U",
    "rf_authors_via_user.n ?= 'hidden'": "", "email ~ 'rf' || name = 'U'": "SU",
}  # fmt: skip
TABLES: dict[str, Mapping[str, str | int | None]] = {
    "POSTS": POSTS, "AS_GUEST": AS_GUEST, "AS_GUEST_SEALED": AS_GUEST_SEALED, "AS_USER": AS_USER,
}  # fmt: skip
WHERE = {
    "POSTS": ("rf_posts", "super", "k"),
    "AS_GUEST": ("rf_posts", "guest", "k"),
    "AS_GUEST_SEALED": ("rf_to_sealed", "guest", "k"),
    "AS_USER": ("rf_users", "user", "name"),
}


def row_step(table: str, expression: str) -> Step:
    collection, who, key = WHERE[table]
    return listing(collection, who, filter=expression, fields=key, sort=key)


def _rows() -> list[Scenario]:
    return [
        found_row(row_step(name, expression), f"{name}: {expression}", found, key=WHERE[name][2])
        for name, table in TABLES.items()
        for expression, found in table.items()
    ]


@pytest.mark.parametrize("scenario", _rows(), ids=lambda scenario: scenario.name)
def test_relation_filters_find_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
