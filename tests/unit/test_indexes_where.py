"""The WHERE of partial indexes, decided as SQLite decides it over PocketBase's columns."""

import sqlite3
from typing import Any

import pytest

from chalicelib.domain import index_conditions

COLUMNS = {"t": "TEXT", "n": "NUMERIC", "b": "BOOLEAN", "s": "JSON"}
ROWS: tuple[dict[str, Any], ...] = (
    {"t": "", "n": 0, "b": False, "s": []},
    {"t": "x", "n": 1, "b": True, "s": ["x"]},
    {"t": "10", "n": 10, "b": False, "s": ["x", "y"]},
    {"t": "9", "n": 2.5, "b": True, "s": []},
    {"t": "Ä", "n": -3, "b": False, "s": []},
)
CONDITIONS = (
    "t != ''",
    "`t` <> ''",
    "[t] == 'x'",
    't != ""',
    't = "x"',  # no column of that name: a text
    "t > '1' AND t < 'y'",
    "t = 10",  # the number becomes text
    "n = '10'",  # the text becomes a number
    "n > 'abc'",  # numbers sort before text
    "n >= 1 AND n <= 2.5 OR t = 'Ä'",
    "(n = 0 OR n = 10) AND b = FALSE",
    "NOT (n = 0 OR n = 10)",
    "b = 1",
    "b = TRUE",
    "n IN (1, 2.5, '10')",
    "n NOT IN (1, 2.5)",
    "t IS NULL",
    "t is not null and n > -5",
    "n != NULL",
    "NOT n = NULL",
    "n IN (1, NULL)",
    "n NOT IN (2, NULL)",
    "s != '[]'",
    "s = '[\"x\"]'",
    "'x' = t",
    "1 < n",
    "n > -3.5e0",
    "t > 'it''s'",
)


def _sqlite_holds(condition: str, row: dict[str, Any]) -> bool:
    with sqlite3.connect(":memory:") as connection:
        declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"CREATE TABLE r ({declared})")
        values = dict(row, s=str(row["s"]).replace("'", '"').replace(", ", ","))
        connection.execute("INSERT INTO r VALUES (:t, :n, :b, :s)", values)
        found = connection.execute(f"SELECT count(*) FROM r WHERE {condition}").fetchone()
    connection.close()
    return bool(found[0])


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_holds_where_it_holds_in_sqlite(condition: str) -> None:
    parsed = index_conditions.parse(condition)
    for row in ROWS:
        assert parsed.holds(row) is _sqlite_holds(condition, row), row


def test_a_json_null_is_unknown_and_an_unknown_condition_does_not_hold() -> None:
    row = {"j": None}
    assert index_conditions.parse("j IS NULL").holds(row)
    assert not index_conditions.parse("j = 1").holds(row)
    assert not index_conditions.parse("j != 1").holds(row)
    assert not index_conditions.parse("NOT j = 1").holds(row)
    assert index_conditions.parse("j = 1 OR 1 = 1").holds(row)


def test_columns_are_found_in_any_case() -> None:
    assert index_conditions.parse("Email != ''").holds({"email": "a@b.c"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a =",
        "a = 1 AND",
        "(a = 1",
        "a = 1)",
        "a LIKE 'x'",
        "lower(a) = 1",
        "a = 1; b",
        "a IN ()",
        "a IS 1",
        "a + 1 = 2",
        "(" * 200 + "a = 1" + ")" * 200,
    ],
)
def test_what_the_subset_lacks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not supported"):
        index_conditions.parse(text)
