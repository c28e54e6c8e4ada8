"""Lists through every kind of index against the same lists judged on the whole partition.

A plan may only narrow: whatever it reads, ids, totals, order and pages are those of a list that
reads everything. Records, filters and sorts are drawn at random from values that meet often.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.domain import query_plan
from tests.integration.auth_client import Client

THINGS = "/api/collections/things/records"
OWNERS = "/api/collections/owners/records"
OWNER_IDS = [f"owner{n:010d}" for n in range(4)]

TEXTS = ["", "a", "A", "ab", "b", "B", "Ba", "é", "É", "a b", "0", "10", "2", "\U0001f600", "~"]
NUMBERS = [-10, -1.5, 0, 0.1, 1, 2, 9, 10, 10**21, 2**53 + 1]
DATES = ["", "2024-01-01 00:00:00.000Z", "2024-01-01 00:00:00.001Z", "2025-12-31 23:59:59.999Z"]
CHOICES = ["", "red", "green", "blue"]

POOLS: dict[str, list[Any]] = {
    "t": TEXTS,
    "folded": TEXTS,
    "n": NUMBERS,
    "m": NUMBERS,
    "b": [True, False],
    "d": DATES,
    "choice": CHOICES,
    "owner": ["", *OWNER_IDS],
    "code": [f"c{n}" for n in range(8)] + ["C1", ""],
}

FIELDS = [
    {"name": "t", "type": "text"},
    {"name": "folded", "type": "text"},
    {"name": "n", "type": "number"},
    {"name": "m", "type": "number"},
    {"name": "b", "type": "bool"},
    {"name": "d", "type": "date"},
    {"name": "choice", "type": "select", "values": CHOICES[1:], "maxSelect": 1},
    {"name": "tags", "type": "select", "values": CHOICES[1:], "maxSelect": 3},
    {"name": "code", "type": "text"},
    {"name": "created", "type": "autodate", "onCreate": True},
]

SHAPES = {
    "singles": [
        "CREATE INDEX i1 ON things (t)",
        "CREATE INDEX i2 ON things (n)",
        "CREATE INDEX i3 ON things (b)",
        "CREATE INDEX i4 ON things (d)",
        "CREATE INDEX i5 ON things (choice)",
        "CREATE INDEX i6 ON things (owner)",
        "CREATE INDEX i7 ON things (folded COLLATE NOCASE)",
    ],
    "composites": [
        "CREATE INDEX i1 ON things (t, n)",
        "CREATE INDEX i2 ON things (b, d DESC)",
        "CREATE INDEX i3 ON things (owner, choice, n)",
        "CREATE INDEX i4 ON things (n, m)",
        "CREATE INDEX i5 ON things (folded COLLATE NOCASE, n)",
        "CREATE INDEX i6 ON things (n, folded COLLATE NOCASE)",
        "CREATE INDEX i7 ON things (tags, t)",
        "CREATE INDEX i8 ON things (id, t)",
    ],
    "partials": [
        "CREATE INDEX i1 ON things (t) WHERE n > 0",
        "CREATE INDEX i2 ON things (n) WHERE t != ''",
        "CREATE INDEX i3 ON things (d) WHERE choice = 'red' AND b = 1",
        "CREATE INDEX i4 ON things (choice, m) WHERE choice != ''",
        "CREATE UNIQUE INDEX i5 ON things (code) WHERE code != ''",
        "CREATE UNIQUE INDEX i6 ON things (code COLLATE NOCASE, t, n) WHERE code = 'c1'",
    ],
}

SIGNS = ["=", "=", "=", "!=", ">", ">=", "<", "<=", "?="]
WHOLE = query_plan.Plan(range=query_plan.WHOLE)


class Wanted(NamedTuple):
    """One list: its filter, its sort, its page."""

    filter: str
    sort: tuple[str, ...]
    page: int
    per_page: int

    def query(self, **more: str) -> str:
        sort = ",".join(self.sort)
        return f"{THINGS}?" + urlencode({"filter": self.filter, "sort": sort, **more})


def literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else f"'{value}'"


@st.composite
def leaves(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(POOLS)))
    sign = draw(st.sampled_from(SIGNS))
    value = literal(draw(st.sampled_from(POOLS[name])))
    if draw(st.integers(0, 9)) == 0:
        value = literal(draw(st.sampled_from(POOLS[draw(st.sampled_from(sorted(POOLS)))])))
    return f"{value} {sign} {name}" if draw(st.integers(0, 9)) == 0 else f"{name} {sign} {value}"


@st.composite
def lists(draw: st.DrawFn) -> Wanted:
    terms = draw(st.lists(leaves(), max_size=4))
    if len(terms) > 2 and draw(st.booleans()):
        terms[-2:] = [f"({terms[-2]} || {terms[-1]})"]
    names = st.sampled_from([*POOLS, "id", "created"])
    descending = draw(st.sampled_from(["", "-"]))
    sort = draw(st.lists(names.map(lambda name: descending + name), max_size=3, unique=True))
    per_page = draw(st.sampled_from([1, 3, 10, 500]))
    page = draw(st.integers(1, 3))
    return Wanted(" && ".join(terms), tuple(sort), page, per_page)


@pytest.fixture(scope="module", params=sorted(SHAPES))
def client(request: pytest.FixtureRequest, table: str) -> Iterator[Client]:
    client = Client()
    fields = [{"name": "name", "type": "text"}]
    owners = client.as_root(
        "POST", "/api/collections", {"name": "owners", "type": "base", "fields": fields}
    )
    for owner_id in OWNER_IDS:
        client.as_root("POST", OWNERS, {"id": owner_id})
    owner = {"name": "owner", "type": "relation", "collectionId": owners["id"], "maxSelect": 1}
    indexes = SHAPES[request.param]
    client.as_root(
        "POST",
        "/api/collections",
        {"name": "things", "type": "base", "fields": [*FIELDS, owner], "indexes": indexes},
    )
    fill(client)
    yield client
    client.as_root("DELETE", "/api/collections/things")
    client.as_root("DELETE", "/api/collections/owners")


def fill(client: Client) -> None:
    """Write records whose values come from the pools by fixed, unequal strides."""
    for n in range(120):
        record = {
            name: pool[(n * (stride + 3) + n // (stride + 2)) % len(pool)]
            for stride, (name, pool) in enumerate(sorted(POOLS.items()))
        }
        record["code"] = f"c{n}" if n % 3 else ""
        record["tags"] = CHOICES[1 : 1 + n % 4]
        # Ids in another order than the records are written in.
        client.as_root("POST", THINGS, {**record, "id": f"thing{(n * 77) % 120:010d}"})


def on_the_whole(client: Client, wanted: Wanted) -> list[dict[str, Any]]:
    """Return all records of a list whose plan narrows nothing and sorts in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_plan, "plan", lambda *_: WHOLE)
        page = client.as_root("GET", wanted.query(perPage="1000"))
    items: list[dict[str, Any]] = page["items"]
    assert page["totalItems"] == len(items)
    return items


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def sorted_by(items: list[dict[str, Any]], wanted: Wanted) -> list[list[Any]]:
    """Return what the sort looks at: records that are equal in it may come in any order."""
    return [[item[key.lstrip("-")] for key in wanted.sort] for item in items]


@pytest.mark.timeout(600)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(wanted=lists())
@example(Wanted("folded >= 'B'", (), 1, 10))
@example(Wanted("n > 5 && n < 1", ("n",), 1, 10))
@example(Wanted("t > 'b' && t <= 'a'", ("-t",), 1, 10))
@example(Wanted("t = '" + "x" * 1100 + "'", (), 1, 10))
@example(Wanted("t >= '" + "a" * 1100 + "'", ("t",), 1, 3))
@example(Wanted("t <= '" + "é" * 700 + "'", ("t",), 1, 3))
@example(Wanted("owner = '" + "x" * 2100 + "'", (), 1, 10))
@example(Wanted("id = '" + "x" * 300 + "'", (), 1, 10))
@example(Wanted("n = 0 && n = 1", ("n",), 1, 10))
def test_an_index_changes_what_is_read_and_nothing_else(client: Client, wanted: Wanted) -> None:
    expected = on_the_whole(client, wanted)
    whole = client.as_root("GET", wanted.query(perPage="1000"))
    assert sorted(ids(whole["items"])) == sorted(ids(expected))
    assert whole["totalItems"] == len(expected)
    assert sorted_by(whole["items"], wanted) == sorted_by(expected, wanted)
    check_page(client, wanted, whole["items"])
    check_cursor(client, wanted, expected)


def check_page(client: Client, wanted: Wanted, items: list[dict[str, Any]]) -> None:
    """One page holds its part of the list, with and without the total."""
    first = (wanted.page - 1) * wanted.per_page
    expected = ids(items[first : first + wanted.per_page])
    place = {"page": str(wanted.page), "perPage": str(wanted.per_page)}
    page = client.as_root("GET", wanted.query(**place))
    assert (ids(page["items"]), page["totalItems"]) == (expected, len(items))
    page = client.as_root("GET", wanted.query(**place, skipTotal="1"))
    assert (ids(page["items"]), page["totalItems"]) == (expected, -1)


def check_cursor(client: Client, wanted: Wanted, expected: list[dict[str, Any]]) -> None:
    """Pages by cursor hold the list once, in its order, or the list has no cursor."""
    found: list[dict[str, Any]] = []
    cursor = ""
    per_page = str(max(wanted.per_page, 3))
    for _ in range(50):
        answer = client("GET", wanted.query(cursor=cursor, perPage=per_page), token=client.root)
        if answer.status == 400:
            assert "Paging by cursor needs a sort that a key serves" in answer.body["message"]
            return
        assert answer.status == 200, answer
        found += answer.body["items"]
        cursor = answer.body["nextCursor"]
        if not cursor:
            break
    assert sorted(ids(found)) == sorted(ids(expected))
    assert sorted_by(found, wanted) == sorted_by(expected, wanted)
