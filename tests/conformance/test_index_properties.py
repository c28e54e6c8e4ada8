"""Random filters and sorts over indexed fields: what Dormouse reads through an index is right.

PocketBase has the same indexes, but there they change nothing; here they change what is read
(`domain.query_plan`). Ties are nobody's promise, so without a last key `id` only the sorted
values are compared.
"""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.pair import Pair
from tests.conformance.requests import listing
from tests.conformance.test_properties import fewer
from tests.conformance.world import (
    Side,
    World,
    base,
    boolean,
    date,
    number,
    relation,
    select,
    text,
)

TARGETS = tuple(f"iptarget000000{digit}" for digit in range(3))
TEXTS = ("", "a", "A", "ab", "b", "ü", "a b", "10", "~", "a\x01")
NUMBERS = (0, 1, -1, 2.5, 10, -10.5, 1e21, 1e-7)
DATES = ("", "2024-01-01 00:00:00.000Z", "2024-01-01 10:00:00.000Z", "1999-12-31 23:59:59.999Z")
_random = random.Random(51)


def _record(number_: int) -> dict[str, Any]:
    return {
        "id": f"iprecord0000{number_:03}", "t": _random.choice(TEXTS), "u": _random.choice(TEXTS),
        "n": _random.choice(NUMBERS), "m": _random.choice(NUMBERS), "b": _random.random() < 0.5,
        "d": _random.choice(DATES), "s": _random.choice(("", "x", "y")),
        "one": _random.choice(("", *TARGETS)), "k": f"k{number_}" if number_ % 3 else "",
    }  # fmt: skip


WORLD = World(
    collections=(
        base("ip_targets", text("n")),
        base(
            "ip", text("t"), text("u"), number("n"), number("m"), boolean("b"), date("d"),
            select("s", "x y"), relation("one", "ip_targets"), text("k"),
            indexes=[
                "CREATE INDEX ip_t ON ip (t)",
                "CREATE INDEX ip_n ON ip (n)",
                "CREATE INDEX ip_tn ON ip (t, n DESC)",
                "CREATE INDEX ip_bnd ON ip (b, n, d)",
                "CREATE INDEX ip_d ON ip (d DESC)",
                "CREATE INDEX ip_sd ON ip (s, d)",
                "CREATE INDEX ip_u ON ip (u COLLATE NOCASE)",
                "CREATE INDEX ip_m ON ip (m) WHERE m > 0",
                "CREATE UNIQUE INDEX ip_k ON ip (k) WHERE k != ''",
            ],
        ),
    ),
    records=(
        *(("ip_targets", {"id": target, "n": target[-1]}) for target in TARGETS),
        *(("ip", _record(number_)) for number_ in range(120)),
    ),
)  # fmt: skip

COLUMNS: dict[str, tuple[str, ...]] = {
    "t": ("''", "'a'", "'A'", "'ab'", "'ü'", "'a b'", "'10'", "'zz'", "10", "null", "true", "u"),
    "u": ("''", "'a'", "'AB'", "'Ü'", "'~'", "t"),
    "n": ("0", "1", "-1", "2.5", "'2.5'", "10", "'abc'", "''", "null", "true", "m", "1.5", "-11"),
    "m": ("0", "1", "10", "-1", "'1'", "0.5"),
    "b": ("true", "false", "1", "0", "'true'", "null"),
    "d": ("''", "'2024-01-01'", "'2024-01-01 00:00:00.000Z'", "'2024'", "@now", "null", "2024"),
    "s": ("'x'", "''", "'zz'"),
    "one": (f"'{TARGETS[0]}'", f"'{TARGETS[2]}'", "''", "'zz'", "id"),
    "k": ("'k1'", "'k2'", "''", "'K1'", "'zz'"),
    "id": ("'iprecord0000005'", "'iprecord000000505'", "'iprecord000050'", "''"),
}  # fmt: skip
SIGNS = ("=", "=", "=", "!=", ">", ">=", "<", "<=", "~", "?=", "?>")

columns = st.sampled_from(sorted(COLUMNS))
leaves = columns.flatmap(
    lambda name: st.builds(
        "{} {} {}".format,
        st.just(name),
        st.sampled_from(SIGNS),
        st.sampled_from(COLUMNS[name]),
    )
)
parts = st.one_of(leaves, leaves, leaves, st.builds("({} || {})".format, leaves, leaves))
filters = st.lists(parts, min_size=0, max_size=4).map(" && ".join)
keys = st.builds("{}{}".format, st.sampled_from(("", "-")), columns)
sorts = st.lists(keys, min_size=0, max_size=3, unique_by=lambda key: key.lstrip("-"))
pages = st.fixed_dictionaries(
    {"perPage": st.sampled_from((1, 3, 10, 200))},
    optional={"page": st.integers(1, 5), "skipTotal": st.just("1")},
)

pytestmark = pytest.mark.timeout(600)


@fewer
@given(expression=filters, sort=sorts, page=pages)
def test_random_pages_through_indexes_hold_the_same(
    pair: Pair, expression: str, sort: list[str], page: dict[str, Any]
) -> None:
    query = {"sort": ",".join([*sort, "id"]), **page}
    if expression:
        query["filter"] = expression
    theirs, ours = (_answer(side, query) for side in (pair.theirs, pair.ours))
    assert ours == theirs, query


@fewer
@given(expression=filters, sort=sorts, page=pages)
def test_random_sorts_by_indexes_give_the_same_order(
    pair: Pair, expression: str, sort: list[str], page: dict[str, Any]
) -> None:
    names = [key.lstrip("-") for key in sort]
    query = {"fields": ",".join([*names, "zzz"]), **page}
    if sort:
        query["sort"] = ",".join(sort)
    if expression:
        query["filter"] = expression
    theirs, ours = (_answer(side, query) for side in (pair.theirs, pair.ours))
    assert ours == theirs, query


@fewer
@given(expression=filters, sort=sorts)
def test_pages_by_cursor_are_the_whole_list(pair: Pair, expression: str, sort: list[str]) -> None:
    """Dormouse's own `?cursor=` gives, page by page, what PocketBase gives at once."""
    query = {"filter": expression or "id != ''", "perPage": "7"}
    if sort:
        query["sort"] = ",".join(sort)
    found: list[str] = []
    cursor = ""
    for _ in range(30):
        answer = pair.ours.send(listing("ip", "super", fields="id", cursor=cursor, **query))
        if answer.status != 200:  # no key serves this sort, or the filter is refused
            assert answer.status == 400
            return
        found += [item["id"] for item in answer.json["items"]]
        cursor = answer.json.get("nextCursor", "")
        if not cursor:
            break
    whole = pair.theirs.send(listing("ip", "super", fields="id", **{**query, "perPage": "500"}))
    assert len(found) == len(set(found)), query
    assert sorted(found) == sorted(item["id"] for item in whole.json["items"]), query


@pytest.mark.parametrize(
    ("expression", "sort"),
    [
        ("", ""),
        ("n > 0", ""),
        ("", "n"),
        ("", "-n"),
        ("", "-d"),
        ("t = 'a'", "-n"),
        ("b = true && n >= 0", "n,d"),
        ("s = 'x'", "d"),
        ("", "-id"),
    ],
)
def test_a_cursor_follows_the_sorts_that_a_key_serves(
    pair: Pair, expression: str, sort: str
) -> None:
    names = [key.lstrip("-") for key in sort.split(",") if key]
    query = {"sort": sort, "filter": expression, "fields": ",".join(["zzz", *names])}
    query = {name: value for name, value in query.items() if value}
    found: list[Any] = []
    cursor = ""
    while True:
        answer = pair.ours.send(listing("ip", "super", cursor=cursor, perPage=9, **query))
        assert answer.status == 200, answer
        found += answer.json["items"]
        cursor = answer.json.get("nextCursor", "")
        if not cursor:
            break
    whole = pair.theirs.send(listing("ip", "super", perPage=500, **query))
    assert found == whole.json["items"]


def _answer(side: Side, query: dict[str, Any]) -> Any:
    answer = side.send(listing("ip", "super", **query))
    body = answer.json
    return [answer.status, body.get("totalItems"), body.get("totalPages"), body.get("items")]
