"""Lists, JSON and points inside one field, and precedence: ids measured on PocketBase 0.40.6."""

import pytest

from tests.unit.filter_world import ALL, NONE, World

WORLD = World()

# Lists are JSON text, except through :each and :length.
LISTS = [
    ("ms = 'x'", NONE),
    ("ms = '[\"x\"]'", "p2"),
    ('ms = \'["x","y"]\'', "p1"),
    ("ms = '[]'", "p3 p5 p7 p9 pa pb"),
    ("ms = ''", NONE),
    ("ms ~ 'x'", "p1 p2 p8"),
    ("ms ~ '<&>'", "p4 pc"),
    ("ms:each = 'x'", "p2"),
    ("ms:each ?= 'x'", "p1 p2 p8"),
    ("ms:each != 'x'", "p3 p4 p5 p6 p7 p9 pa pb pc"),
    ("ms:each ?!= 'x'", "p1 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("ms:each = ''", "p3 p5 p7 p9 pa pb"),
    ("ms:each = null", "p3 p5 p7 p9 pa pb"),
    ("ms:each ~ 'y'", NONE),
    ("ms:each ?~ 'Y'", "p1 p6 p8"),
    ("ms:length = 0", "p3 p5 p7 p9 pa pb"),
    ("ms:length > 1", "p1 p4 p6 p8"),
    ("ms:length = '2'", NONE),  # a number and a text are different
    ("many:each = 'a1'", "p2"),
    ("many = 'a1'", NONE),
    ("many ~ 'a1'", "p1 p2 p6 pb"),
    ("many:length = one", NONE),  # a column of text makes a text of the number
    ("many:length > one", "p3 p7 p9 pa pb"),
    ("s1:each = 'x'", "p1 p6"),  # a single value is a list of one
    ("s1:length = 0", "p3 p5 p7 p8 p9 pa pb pc"),
    ("one:length = 1", "p1 p2 p4 p5 p6 p8 pc"),
    ("fm:length = 0", ALL),
    ("n:length = 'p1'", "p1"),  # means nothing on a text
    ("n:each = 'p1'", "p1"),
    ("b:isset = true", "p1 p4 p6 pc"),
    ("b:changed = true", "p1 p4 p6 pc"),
    ("n:lower = 'beta'", "p9 pa"),
    ("n:lower = 'Beta'", NONE),
    ("v:lower = '1'", "p1"),
    ("b:lower = '1'", "p1 p4 p6 pc"),
    ("many:lower ~ 'a1'", "p1 p2 p6 pb"),
]


# JSON keeps its types, and NULL is not ''.
JSON = [
    ("js = 5", "p5"),
    ("js = '5'", NONE),
    ("js = 'text'", "p4"),
    ("js = ''", "p7"),
    ("js = null", "p3"),
    ("js != null", "p1 p2 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("js = '[1,2,3]'", "p2"),
    ("js = '[]'", "p9"),
    ("js ~ '1'", "p1 p2 p6 p8 pb pc"),
    ("js.k = 1", "p1"),
    ("js.k = '1'", "p8"),
    ("js.k > 0", "p1 p8"),
    ("js.k > '0'", "p8"),
    ("js.k != 1", "p2 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("js.k = null", "p2 p3 p4 p5 p6 p7 p9 pa pb pc"),
    ("js.n = ''", NONE),
    ("js.e = ''", "p1"),
    ("js.b = true", "p1"),
    ("js.b = 'true'", NONE),
    ("js.a.0 = 1", "p1"),
    ("js.a.1 = '2'", "p1"),
    ("js.a.2 ~ 'z'", "p1"),
    ('js.a = \'[1,"2",{"z":null}]\'', "p1"),
    ("js.0 = 1", "p2"),
    ("js.0 = 'zero'", NONE),  # a number is the index of an array, never a key
    ("js.f > 1", "p1"),
    ("js.k:length = 1", NONE),  # the colon is dropped: a key named klength
    ("js:lower = 'text'", "p4"),
    ("js:length = 3", NONE),
    ("js = n", "p6"),
    ("g.lon > 20", "p1 p5"),
    ("g.lon = 0", "p3 p4 p6 p7 p8 p9 pa pb pc"),
    ("g.lat = 90", "p5"),
    ("g.foo = null", ALL),
    ("g.lon.x = null", ALL),
    ('g = \'{"lon":0,"lat":0}\'', "p3 p4 p6 p7 p8 p9 pa pb pc"),
    ("g ~ '23.3'", "p1"),
]


# Precedence and groups.
GROUPS = [
    ("n = 'p1' || n = 'p2' && v = 1", "p1"),
    ("(n = 'p1' || n = 'Alpha') && v = 2", "p2"),
    ("n='p1' (v=1)", "p1"),  # a group may follow without a join
    (
        "n = 'p1' || (v=2) (b=false)",
        "p1 p2 p3 p5 p7 p8 p9 pa pb",
    ),  # repeating the join before
    ("n = (v = 1)", "p1"),  # and throws away a comparison it interrupts
    ("n = 'p1' // the rest is a comment", "p1"),
    ("TRUE = b", "p1 p4 p6 pc"),
    ("Null = d", "p3 p6 p7 p8 pa pc"),
]


@pytest.mark.parametrize(("text", "ids"), LISTS)
def test_lists_are_json_text_but_through_modifiers(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), JSON)
def test_json_keeps_its_types(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), GROUPS)
def test_groups_and_precedence(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids
