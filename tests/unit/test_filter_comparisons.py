"""What the signs mean between own fields and literals: ids measured on PocketBase 0.40.6."""

import pytest

from tests.unit.filter_world import ALL, NONE, World

WORLD = World()

# Empty and NULL.
EMPTY = [
    ("n = ''", "p3"),
    ("n = null", "p3"),
    ("n != ''", "p1 p2 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("one = ''", "p3 p7 p9 pa pb"),
    ("one.n = ''", "p3 p4 p7 p9 pa pb"),  # a missing relation and an empty text alike
    ("one.n != null", "p1 p2 p5 p6 p8 pc"),
    ("one.n != 'Alpha'", "p2 p3 p4 p5 p6 p7 p9 pa pb pc"),  # NULL counts as different
    ("'' = null", ALL),
    ("null = null", ALL),
    ("n = 'p1'", "p1"),
    ("n != 'p1'", "p2 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("v = ''", NONE),  # 0 is not empty
    ("v = null", NONE),
    ("v != null", ALL),
    ("b = null", NONE),
    ("d = ''", "p3 p6 p7 p8 pa pc"),
    ("d < '2024'", "p3 p6 p7 p8 p9 pa pc"),  # the empty date sorts before everything
    ("g != ''", ALL),
    ("n > one.n", "p1 p4"),  # unknown where there is no row
]


# What has a type turns the other side into it.
TYPED = [
    ("v = '1'", "p1"),
    ("v = '1x'", NONE),
    ("v < '1'", "p3 p4 p8 pa"),
    ("v < 'abc'", ALL),  # numbers sort before text
    ("v = true", "p1"),
    ("b = true", "p1 p4 p6 pc"),
    ("b = 1", "p1 p4 p6 pc"),
    ("b = '1'", "p1 p4 p6 pc"),
    ("b = 'true'", NONE),
    ("b != false", "p1 p4 p6 pc"),
    ("n = 1", "p8"),  # a number literal is a float: the text is 1.0
    ("n = 1.0", "p8"),
    ("n < 2", "p3 p6 p8 pc"),
    ("n = true", "p6"),  # but true is the integer 1
    ("v = n", NONE),  # = through COALESCE: nothing is converted
    ("v > n", "p6 pc"),  # > is not
    ("'1' = 1", NONE),
    ("2 < '10'", ALL),
    ("'2' < 10", NONE),
    ("1 = 1.0", ALL),
    ("1 = true", ALL),
    ("v = 1234567.891", "p9"),
    ("v = -0", "p3"),
]


# Text sorts by bytes.
ORDER = [
    ("n > 'Z'", "p1 p4 p5 p7 p9"),
    ("n > 'a'", "p1 p4 p5 p7 p9"),
    ("n >= 'p1'", "p1 p5"),
    ("d > '2024'", "p1 p2 p4 p5 pb"),
    ("d >= '2024-01-02 23:00:00.000Z'", "p2 p4 p5"),
    ("d <= '2024-01-02'", "p3 p6 p7 p8 p9 pa pc"),
]


# Like.
LIKE = [
    ("n ~ 'ALP'", "p2"),
    ("n ~ 'alp%'", "p2"),
    ("n ~ '%a'", "p2 p9 pa"),
    ("n !~ 'a'", "p1 p3 p5 p6 p7 p8 pb pc"),
    ("n ~ 'ün'", NONE),  # only ASCII ignores case
    ("n ~ 'Ün'", "p5"),
    ("n ~ '_1'", "p4"),  # without % an _ is itself
    ("n ~ '_1%'", "p1"),
    ("n ~ 'p_%'", "p1"),
    ("n ~ '100%'", NONE),
    ("n ~ '100\\%'", "p4"),
    ("n ~ ''", ALL),
    ("n ~ '%'", ALL),
    ("n ~ null", NONE),
    ("one.n !~ 'x'", "p1 p2 p4 p6 p8 pc"),  # NULL is not unlike anything
    ("v ~ 1", "p1 p4 p5 p6 p7 p8 p9 pa"),  # the literal is printed as 1
    ("v ~ '0.1'", "p8"),
    ("v ~ '1.0e+21'", "p7"),
    ("v ~ true", "p1 p4 p5 p6 p7 p8 p9 pa"),
    ("'Alpha beta' ~ n", "p2 p3 p9 pa"),
    ("n ~ one.n", "p4"),
    ('n ~ "it\'s"', "p7"),
    ("n ~ 'it\\'s'", "p7"),
    ("n ~ '\"q\"'", "p7"),
    ("ed ~ '\\\\'", "p7"),  # \\ in the filter is one backslash
    ("ed ~ 'back\\s'", "p7"),
    ("ed ~ 'back\\\\s%'", NONE),
    ("ed ~ '50% _'", NONE),
    ("ed ~ 'h 50\\% _'", "p7"),
]


@pytest.mark.parametrize(("text", "ids"), EMPTY)
def test_null_and_empty_text_are_one_but_for_numbers(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), TYPED)
def test_a_typed_side_converts_the_other(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), ORDER)
def test_text_sorts_by_bytes(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids


@pytest.mark.parametrize(("text", "ids"), LIKE)
def test_like_contains_unless_it_has_a_wildcard(text: str, ids: str) -> None:
    assert WORLD.ids(text) == ids
