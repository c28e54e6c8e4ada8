"""Sort keys: orders measured on PocketBase 0.40.6."""

import pytest

from chalicelib.domain import filters
from chalicelib.domain.filters import SortKey
from tests.unit.filter_world import World

WORLD = World()
POSTS = WORLD.collections["fp"]


def keys(text: str, *, is_client: bool = False) -> tuple[SortKey, ...]:
    return filters.compile_sort(text, POSTS, WORLD.schema, is_client)


def ordered(text: str) -> str:
    """Return the ids as a caller sorts them: by the last key first, each sort being stable."""
    scope, records = WORLD.scope(), WORLD.all(POSTS)
    for key in reversed(keys(text)):
        records.sort(key=lambda record, key=key: key.key(record, scope), reverse=key.descending)  # type: ignore[misc]
    return " ".join(record["id"] for record in records)


ORDERS = [
    ("id", "p1 p2 p3 p4 p5 p6 p7 p8 p9 pa pb pc"),
    ("-id", "pc pb pa p9 p8 p7 p6 p5 p4 p3 p2 p1"),
    ("n,id", "p3 pc p6 p8 pb p2 pa p9 p4 p7 p1 p5"),  # by bytes: Alpha, BETA, beta, Ünï
    ("-n,id", "p5 p1 p7 p4 p9 pa p2 pb p8 p6 pc p3"),
    ("v,id", "pa p4 p3 p8 p1 p5 p2 pb pc p6 p9 p7"),
    ("-b,-id", "pc p6 p4 p1 pb pa p9 p8 p7 p5 p3 p2"),
    ("d,id", "p3 p6 p7 p8 pa pc p9 pb p1 p5 p2 p4"),
    ("js,id", "p3 pc p6 p5 p7 pb p2 p9 p4 pa p1 p8"),  # NULL, numbers, text
    ("js.k,-id", "pc pb pa p9 p7 p6 p5 p4 p3 p2 p1 p8"),
    ("ms,id", "pc p8 p1 p2 p6 p4 p3 p5 p7 p9 pa pb"),  # as JSON text
    ("-ms:length,id", "p8 p1 p4 p6 p2 pc p3 p5 p7 p9 pa pb"),
    ("n:lower,id", "p3 pc p6 p8 pb p2 p9 pa p4 p7 p1 p5"),
    ("one.n,id", "p3 p7 p9 pa pb p4 p6 pc p1 p8 p2 p5"),
    ("-one.v,id", "p6 pc p2 p1 p8 p4 p5 p3 p7 p9 pa pb"),
    ("self.n,id", "p1 p3 p6 p7 p8 pa pb pc p4 p9 p2 p5"),
    ("g.lon,id", "p2 p3 p4 p6 p7 p8 p9 pa pb pc p1 p5"),
    ("+s1,-id", "pc pb pa p9 p8 p7 p5 p3 p6 p1 p2 p4"),
    ("s1 , id", "p3 p5 p7 p8 p9 pa pb pc p1 p6 p2 p4"),
    ("owner.email,id", "p3 p7 p8 p9 pb pc p4 p1 p5 pa p2 p6"),
    ("hid,id", "p3 p4 p5 p6 p7 p8 p9 pa pb pc p1 p2"),
]


@pytest.mark.parametrize(("text", "ids"), ORDERS)
def test_sorts(text: str, ids: str) -> None:
    assert ordered(text) == ids


def test_of_many_rows_the_first_one_counts() -> None:
    assert [key.key(WORLD.records["fp"]["p1"], WORLD.scope()) for key in keys("many.n")] == [
        (2, "Alpha")
    ]


def test_random_and_rowid_are_left_to_the_caller() -> None:
    random, rowid = keys("-@random,@rowid")
    assert (random.special, random.descending) == ("@random", True)
    assert (rowid.special, rowid.descending) == ("@rowid", False)
    assert keys("n")[0].special == ""


def test_no_text_is_no_key() -> None:
    assert keys("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "nope", "@now", "@Random", "'a'", "1", "null", "true", "n,", "n,,id", ",", " ", "--n",
        "+-n", " n , - id", "n:foo", "id asc", "strftime('%Y',d)", "@request.auth.id",
        "@request.query.x",
    ],
)  # fmt: skip
def test_what_is_no_column_is_refused(text: str) -> None:
    with pytest.raises(filters.FilterError):
        keys(text)


def test_a_sort_has_8_keys_of_255_bytes_at_most() -> None:
    keys(",".join(["n"] * 8))
    keys("n" + " " * 254)
    with pytest.raises(filters.FilterError):
        keys(",".join(["n"] * 9))
    with pytest.raises(filters.FilterError):
        keys("n" + " " * 255)
