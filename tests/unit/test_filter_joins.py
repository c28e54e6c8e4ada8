"""Relations, back relations and @collection: ids measured on PocketBase 0.40.6."""

import pytest

from tests.unit.filter_world import ALL, NONE, World

WORLD = World()

# A single relation joins one row, or a NULL one.
SINGLE = [
    ("one = 'a1'", "p1 p8"),
    ("one.id = 'a1'", "p1 p8"),  # the same as one
    ("one.id ~ 'a'", "p1 p2 p4 p5 p6 p8 pc"),
    ("one.id:lower = 'a1'", "p1 p8"),
    ("one.n = 'Alpha'", "p1 p8"),
    ("one.n != 'beta'", "p1 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("one.v > 1", "p2 p6 pc"),
    ("one.b = true", "p1 p5 p8"),
    ("one.b != true", "p2 p3 p4 p6 p7 p9 pa pb pc"),
    ("one.hid = 'h1'", "p1 p8"),
    ("owner.one.n = 'Alpha'", "p1 p5 pa"),
    ("owner.many.n ?= 'beta'", "p1 p5 pa"),
    ("self.n = 'p1'", "p2"),
    ("self.self.n != ''", "p5"),
    ("self.js.k = 1", "p2"),
    ("self.js.k = null", "p1 p3 p4 p5 p6 p7 p8 pa pb pc"),
    ("self.self.self.self.self.self.n = ''", "p1 p2 p3 p4 p6 p7 p8 p9 pa pb pc"),
    ("lone.n = 'x'", "p1"),
    ("hone.n = 'Alpha'", "p1"),
    ("hid = 'H1'", "p1"),
    ("owner.email = 'u2@x.io'", "p2 p6"),
]


# A multiple relation asks for all, with ? for any.
MULTIPLE = [
    ("many.n = 'Alpha'", "p2"),
    ("many.n ?= 'Alpha'", "p1 p2 p6 pb"),
    ("many.n != 'Alpha'", "p3 p4 p5 p7 p8 p9 pa pc"),
    ("many.n ?!= 'Alpha'", "p1 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("many.n = ''", "p3 p4 p7 p9 pa pc"),
    ("many.n != ''", "p1 p2 p6 p8"),
    ("many.id = null", "p3 p7 p9 pa pc"),
    ("many.v > 0", "p1 p2 p6 p8"),
    ("many.v ?> 4", "p6 p8 pb"),
    ("many.n ~ 'a'", "p1 p2"),
    ("many.n ?~ 'a'", "p1 p2 p5 p6 p8 pb"),
    ("many.n !~ 'x'", "p1 p2 p4 p6 p8"),
    ("many.n:lower ?= 'alpha'", "p1 p2 p6 pb"),
    ("many.id = 'a1'", "p2"),
    ("many.id ?= 'a1'", "p1 p2 p6 pb"),
    ("many.b ?= true", "p1 p2 p5 p6 pb"),
    ("selfs.n ?= ''", "p1 p3 p4 p6 p7 p8 p9 pb pc"),
    ("selfs.one.n ?= 'Alpha'", "p2 p4 p5 pa"),
    ("selfs.many.n = 'Alpha'", NONE),
    ("selfs.many:each ?= 'a2'", "p2 p4 p5 pa"),
    ("selfs.ms:each = 'x'", NONE),
    ("selfs.ms:each ?= 'x'", "p2 p4 p5 pa"),
    ("selfs.ms:length ?= 2", "p2 p4 p5"),
    ("selfs.ms = '[\"x\"]'", NONE),
    ("selfs.js.k = 1", "p2"),
    ("selfs.js.k = null", "p1 p3 p6 p7 p8 p9 pb pc"),
    ("selfs.js.k ?= 1", "p2 p4 p5"),
    ("selfs.g.lon ?> 20", "p2 p4 p5"),
    ("selfs.selfs.n ?= 'p1'", "p4 p5"),
    ("owners.tag:each ?= 'z'", "p1 p2"),
    ("owners.tag:length > 1", "p5"),
    ("owners.name ?= 'bob'", "p1 p2"),
    ("owners.many.n ?= 'beta'", "p1 p5 p6"),
]


# Both sides.
BOTH = [
    ("one.n = many.n", "p3 p4 p7 p9 pa"),
    ("many.n = one.n", "p3 p4 p7 p9 pa"),
    ("many.n ?= one.n", "p1 p3 p4 p5 p6 p7 p9 pa pb"),
    ("many.n != one.n", "p2 p8 pc"),
    ("many.n = many.id", "p3 p7 p9 pa pc"),
    ("many.n != many.id", "p1 p2 p4 p5 p6 p8 pb"),
    ("many.id = many.id", "p2 p3 p4 p7 p9 pa pc"),
    ("selfs.v = many.v", "p2 p3 p7 p9 pc"),
    ("selfs.v != many.v", "p1 p5 p6 p8 pa pb"),
    ("selfs.v ?< many.v", "p5"),
    ("many.n = js.s", "p3 p7 p9 pa pc"),  # beside many values a JSON side unites NULL and ''
    ("js.k = selfs.js.k", "p3 p6 p7 p9 pb pc"),
    ("js.k != selfs.js.k", "p1 p2 p8"),
    ("many:each ?= one", "p1 p3 p4 p5 p6 p7 p9 pa"),
    ("many.n ?~ one.n", "p1 p4 p5 p6"),
    ("selfs.selfs:each ?= id", "p5"),
]


# One path is one join: these mean the same row.
SHARED = [
    ("many.n ?= 'Alpha' && many.v ?= 1", "p1 p2 p6 pb"),
    ("many.n ?= 'Alpha' && many.v ?= 2", NONE),
    ("many.id ?= 'a1' && many.n ?= 'beta'", NONE),
    ("many:each ?= 'a1' && many.n ?= 'beta'", NONE),  # :each goes through the same rows
    ("many:each ?= 'a1' && many:each ?= 'a2'", NONE),
    ("many.n ?= 'Alpha' || many.v ?= 2", "p1 p2 p5 p6 p8 pb"),
    ("(many.n ?= 'Alpha' || v = 3) && many.v ?= 2", "pb"),
    ("many.n ?= 'Alpha' && selfs.n ?= 'p1'", "p2"),
    ("fb_via_ps.n ?= 'x' && fb_via_ps.v ?> 1", "p1 p4 p5"),
]


# Back relations.
BACK = [
    ("fb_via_p.n = 'x'", "p4"),
    ("fb_via_p.n ?= 'x'", "p1 p4"),
    ("fb_via_p.n != 'x'", "p2 p3 p5 p6 p7 p8 p9 pa pb pc"),
    ("fb_via_p.id != ''", "p1 p2 p4 p6"),
    ("fb_via_p.id = ''", "p3 p5 p7 p8 p9 pa pb pc"),
    ("fb_via_ps.n != 'x'", "p3 p6 p7 p8 p9 pa pb pc"),
    ("fb_via_ps.n ?!= 'x'", "p2 p3 p6 p7 p8 p9 pa pb pc"),
    ("fb_via_ps.a.n ?= 'beta'", "p2"),
    ("fb_via_p.ps.n ?= 'Alpha'", "p1"),
    ("fb_via_p.ps:each ?= 'p2'", "p1"),
    ("fb_via_uq.n = 'x'", "p1 p6"),  # a unique index: one row at most
    ("fb_via_uq.v > 3", "p6"),
    ("fb_via_uq.n != 'x'", "p2 p3 p4 p5 p7 p8 p9 pa pb pc"),
    ("fb_via_uq.ps.n ?= 'Alpha'", "p1 p2"),
    ("fb_via_hp.n = 'x'", "p1"),
    ("one.fb_via_a.n ?= 'y'", "p2"),
    ("fp_via_self.n = 'Alpha'", "p1"),
    ("fp_via_selfs.n ?= 'Alpha'", "p1"),
    ("owner.fp_via_owner.n ?= 'BETA'", "p1 p5 pa"),
]


# @collection joins every row.
COLLECTION = [
    ("@collection.fb.p = id", NONE),
    ("@collection.fb.p ?= id", "p1 p2 p4 p6"),
    ("@collection.fb.p ?= id && @collection.fb.n ?= 'x'", "p1 p4"),
    ("@collection.fb:a.p ?= id && @collection.fb:b.n ?= 'zzz'", NONE),
    ("@collection.fb:a.p ?= id && @collection.fb:b.n ?= 'z'", "p1 p2 p4 p6"),
    ("@collection.FB.n ?= n", "p1 p3"),  # a collection's name in any case
    ("@collection.fb.a.n ?= n", "p2 p3 p9"),
    ("@collection.fb.ps:each ?= id", "p1 p2 p4 p5 p6"),
    ("@collection.fa.v ?> v", "p1 p2 p3 p4 p5 p8 pa pb"),
    ("@collection.fa.v > v", "pa"),
    ("@collection.fa.n ?= @collection.fb.n", ALL),
]


@pytest.mark.parametrize(("text", "ids"), SINGLE)
def test_a_single_relation_joins_one_row(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), MULTIPLE)
def test_a_multiple_relation_asks_for_all(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), BOTH)
def test_both_sides_may_have_many_values(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), SHARED)
def test_one_path_is_one_join(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), BACK)
def test_back_relations_join_what_refers_here(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), COLLECTION)
def test_other_collections_are_joined_whole(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids
