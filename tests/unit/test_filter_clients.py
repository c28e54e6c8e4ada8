"""What a client's filter and sort may see: ids measured on PocketBase 0.40.6."""

import pytest

from chalicelib.domain import filters
from tests.unit.filter_world import ALL, NONE, World

OPEN = World()

REFUSED = [
    "hid = 'H1'",
    "hone = 'a1'",
    "hone.n = 'Alpha'",
    "one.hid = ''",
    "fb_via_hp.n = 'x'",
    "owner.password = ''",
    "owner.tokenKey = ''",
    "lone.n = 'x'",  # fl has no listRule
]


@pytest.mark.parametrize("text", REFUSED)
def test_a_client_may_not_filter_by(text: str) -> None:
    OPEN.ids(text)
    with pytest.raises(filters.FilterError):
        OPEN.ids(text, client=True)


def test_a_client_may_filter_by_the_id_of_a_relation_it_may_not_follow() -> None:
    assert OPEN.ids("lone.id = 'l1'", client=True) == "p1"
    assert OPEN.ids("lone = 'l1'", client=True) == "p1"


@pytest.mark.parametrize(
    ("text", "client", "superuser"),
    [
        ("owner.email = 'u1@x.io'", "p1 p5 pa", "p1 p5 pa"),
        ("owner.email = 'u2@x.io'", NONE, "p2 p6"),
        ("owner.email != 'zz'", "p1 p4 p5 pa", ALL),
        ("owners.email ?!= 'zz'", "p1 p5 p6", ALL),
        ("owners.email = 'u1@x.io'", "p5", "p5"),
    ],
)
def test_a_client_reads_only_public_e_mail_addresses(
    text: str, client: str, superuser: str
) -> None:
    assert OPEN.ids(text, "u2", client=True) == client  # the owner of one is no exception
    assert OPEN.ids(text) == superuser


# The listRule of fa, the caller, the filter and the ids.
JOINED = [
    ("n = 'Alpha'", "", "one.n != '' || n = 'p1'", "p1 p8"),
    ("n = 'Alpha'", "", "one.n != '' || n = 'p4'", "p1 p8"),  # p4's row may not be seen
    ("n = 'Alpha'", "", "one.id != ''", "p1 p2 p4 p5 p6 p8 pc"),  # which joins nothing
    ("n = 'Alpha'", "", "many.n ?= 'beta'", NONE),
    ("n = 'Alpha'", "", "many.n = 'beta' || n = 'p3' || n = 'p2'", NONE),
    ("n = 'Alpha'", "", "many:each ?= 'a2'", "p1 p5 p8 pb"),
    ("n = 'Alpha'", "", "owner.one.n != 'zz'", "p1 p3 p4 p5 p7 p8 p9 pa pb pc"),
    ("n = 'Alpha'", "", "many.n != 'zz'", "p1 p2 p3 p6 p7 p9 pa pb pc"),
    ("@request.auth.id != ''", "u1", "many.n != 'zz'", ALL),
    ("@request.auth.id != ''", "", "many.n != 'zz'", "p3 p7 p9 pa pc"),
    ("b = true && n != ''", "", "many.n != 'zz'", "p1 p2 p3 p5 p6 p7 p9 pa pb pc"),
    ("fb_via_a.n ?= 'x'", "", "one.n != 'zz'", "p1 p3 p7 p8 p9 pa pb"),
    ("fb_via_a.n ?= 'x'", "", "many.n ?!= 'zz'", "p1 p2 p3 p6 p7 p9 pa pb pc"),
    ("@request.auth.one = id", "u2", "one.n != 'zz'", "p2 p3 p7 p9 pa pb"),
    ("@request.auth.one.n = n", "", "one.n != 'zz'", "p3 p4 p7 p9 pa pb"),
    ("@collection.fl.n ?= 'x' && n='Alpha'", "", "one.n != 'zz'", "p1 p3 p7 p8 p9 pa pb"),
    # Each row's rule has rows of @collection for itself.
    ("@collection.fl.v ?= v", "", "many.n != 'zz' && one.v != 1.5", "p1 p2 p3 p7 p8 p9 pa pb"),
]


@pytest.mark.parametrize(("rule", "user", "text", "ids"), JOINED)
def test_rows_that_a_client_joins_must_be_listable_by_it(
    rule: str, user: str, text: str, ids: str
) -> None:
    world = World(fa=rule)
    assert world.ids(text, user, client=True) == ids


def test_rows_that_a_rule_joins_need_not_be_listable() -> None:
    rules = {"fa": "n = 'Alpha'", "fp": "one.n != 'zz'"}
    assert World(**rules).ids("") == ALL
    # But a client's own filter asks for the same rows, and for their rule.
    assert World(**rules).ids("one.n != 'zz'", client=True) == "p1 p3 p7 p8 p9 pa pb"


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("one", ALL),
        ("one.n,id", "p1 p3 p7 p8 p9 pa pb"),
        ("many.n", "p1 p2 p3 p6 p7 p9 pa pb pc"),
    ],
)
def test_a_clients_sort_joins_like_its_filter(sort: str, ids: str) -> None:
    assert World(fa="n = 'Alpha'").ids("", sort=sort) == ids


@pytest.mark.parametrize("sort", ["hid", "one.hid", "lone.n", "owner.tokenKey"])
def test_a_client_may_not_sort_by(sort: str) -> None:
    posts = OPEN.collections["fp"]
    filters.compile_sort(sort, posts, OPEN.schema, False)
    with pytest.raises(filters.FilterError):
        filters.compile_sort(sort, posts, OPEN.schema, True)


def test_a_clients_filter_has_3500_bytes_at_most() -> None:
    text = "n = 'é'"
    OPEN.ids(text + " " * (3500 - len(text.encode())), client=True)
    with pytest.raises(filters.FilterError):
        OPEN.ids(text + " " * (3501 - len(text.encode())), client=True)
