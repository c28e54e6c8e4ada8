"""Values, LIKE and strftime beside the SQLite that Python brings along."""

import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.filters import like, values
from chalicelib.domain.filters.strftime import strftime

SQLITE = sqlite3.connect(":memory:", check_same_thread=False)
examples = settings(max_examples=100, deadline=None)
NOW = datetime(2026, 11, 23, 4, 5, 6, 789_000, tzinfo=UTC)


def sqlite(expression: str, *parameters: Any) -> Any:
    return SQLITE.execute(f"SELECT {expression}", parameters).fetchone()[0]


# Texts that differ between versions of SQLite: these are of PocketBase's, 3.53.
NUMBERS = [
    (5, "5"),
    (5.0, "5.0"),
    (-0.0, "0.0"),
    (0.1, "0.1"),
    (0.1 + 0.2, "0.30000000000000004"),
    (5922.168174553531, "5922.1681745535307"),  # 15 digits are too few, so 17
    (1234567.891, "1234567.891"),
    (1e15, "1000000000000000.0"),
    (1e16, "10000000000000000.0"),
    (1.25e16, "12500000000000000.0"),
    (12345678901234567.0, "12345678901234568.0"),
    (1e17, "1.0e+17"),
    (123456789012345678.0, "1.2345678901234568e+17"),
    (1e21, "1.0e+21"),
    (1e300, "1.0e+300"),
    (0.0001, "0.0001"),
    (0.00012345678901234567, "0.00012345678901234567"),
    (1e-5, "1.0e-05"),
    (1.5e-7, "1.5e-07"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
]


@pytest.mark.parametrize(("number", "text"), NUMBERS)
def test_numbers_as_text(number: float, text: str) -> None:
    assert values.number_text(number) == text


SIMPLE_TEXT = st.text(alphabet="aAbBzZ09.+-eE _%\\é\n", max_size=8)
VALUES = st.one_of(
    st.none(), st.integers(-(2**53), 2**53), st.floats(-1e6, 1e6, allow_nan=False), SIMPLE_TEXT
)
SIGNS = {"<": values.less, ">": values.more, "<=": values.at_most, ">=": values.at_least,
         "=": values.equal, "IS": values.same, "IS NOT": values.different}  # fmt: skip


@examples
@given(VALUES, VALUES, st.sampled_from(sorted(SIGNS)))
def test_values_without_types_compare(a: Any, b: Any, sign: str) -> None:
    expected = sqlite(f"? {sign} ?", a, b)
    found = SIGNS[sign](a, b)
    assert found == (None if expected is None else bool(expected))


@examples
@given(SIMPLE_TEXT, VALUES, st.sampled_from(sorted(SIGNS)))
def test_a_number_column_makes_numbers_of_text(a: str, b: Any, sign: str) -> None:
    SQLITE.execute("CREATE TABLE IF NOT EXISTS t (n NUMERIC)")
    SQLITE.execute("DELETE FROM t")
    SQLITE.execute("INSERT INTO t VALUES (?)", (b,))
    expected = SQLITE.execute(f"SELECT n {sign} ? FROM t", (a,)).fetchone()[0]
    stored = values.number(b)
    compare = values.converting(SIGNS[sign], values.NUMERIC, values.NO_AFFINITY)
    assert compare(stored, a) == (None if expected is None else bool(expected))


@examples
@given(st.lists(VALUES, max_size=6))
def test_values_sort(unsorted: list[Any]) -> None:
    SQLITE.execute("CREATE TABLE IF NOT EXISTS s (v)")
    SQLITE.execute("DELETE FROM s")
    SQLITE.executemany("INSERT INTO s VALUES (?)", [(value,) for value in unsorted])
    expected = [row[0] for row in SQLITE.execute("SELECT v FROM s ORDER BY v")]
    assert sorted(unsorted, key=values.sort_key) == expected


@examples
@given(st.text(alphabet="aAZz[{éÜ", max_size=6))
def test_lower(text: str) -> None:
    assert values.lower(text) == sqlite("lower(?)", text)


@examples
@given(st.text(alphabet="aAbB%_\\é\n", max_size=8), st.text(alphabet="aAb%%__\\é\n", max_size=7))
def test_like(text: str, pattern: str) -> None:
    expected = bool(sqlite("? LIKE ? ESCAPE '\\'", text, pattern))
    assert like.matcher(pattern)(text) is expected


def test_like_takes_no_exponential_time() -> None:
    assert not like.matcher("%a" * 300 + "b")("a" * 5000)


# A right-hand value of `~` and the pattern it becomes, measured on PocketBase 0.40.6.
PATTERNS = [
    ("a", "%a%"),
    ("a%", "a%"),
    ("_", "%\\_%"),
    ("\\", "%\\\\%"),
    ("\\%", "%\\%%"),
    ("\\_", "%\\_%"),
    ("\\\\", "%\\\\%"),
    ("\\\\%", "\\\\%"),
    ("a\\b", "%a\\\\b%"),
    ("__", "%_\\_%"),  # escaped backwards, the first is taken for an escape
    ("_a_", "%\\_a\\_%"),
    ("___", "%\\__\\_%"),
    ("_\\", "%_\\\\%"),
]


@pytest.mark.parametrize(("value", "pattern"), PATTERNS)
def test_a_value_becomes_a_pattern(value: str, pattern: str) -> None:
    assert like.pattern_of(value) == pattern


DATES = st.dates().map(lambda date: f"{date:%Y-%m-%d}".zfill(10))
TIMES = st.times().map(lambda time: f"{time:%H:%M:%S}.{time.microsecond // 1000:03}")
TIME_VALUES = st.one_of(
    DATES,
    st.tuples(DATES, TIMES).map(lambda parts: " ".join(parts) + "Z"),
    st.tuples(DATES, TIMES).map("T".join),
    st.floats(2_000_000, 3_000_000).map(lambda day: round(day, 3)),
    st.sampled_from(["", "x", "2024", "2024-13-01", "2024-01-32", "12:60", "2024-01-01x"]),
)
MODIFIERS = st.sampled_from(
    ["+1 day", "-40 days", "+1.5 days", "+1 month", "-13 months", "+1 year", "-4 years",
     "+0.5 months", "1 hour", "+90 minutes", "-3600 seconds", "+1.001 second", "start of month",
     "start of year", "start of day", "weekday 0", "weekday 6", "+01:30", "-01:30:15",
     "START OF MONTH", "unixepoch", "julianday", "", "bogus", "+1 fortnight", "weekday 7"]
)  # fmt: skip
FORMAT = "%Y-%m-%d %H:%M:%f %j %s %S %w %W %%"


@examples
@given(TIME_VALUES, st.lists(MODIFIERS, max_size=3))
def test_strftime(value: Any, modifiers: list[str]) -> None:
    marks = ", ?" * len(modifiers)
    expected = sqlite(f"strftime(?, ?{marks})", FORMAT, value, *modifiers)
    assert strftime(NOW, FORMAT, value, *modifiers) == expected


# What Python's SQLite may be too old for: measured on PocketBase's, 3.53.
NEWER: list[tuple[tuple[Any, ...], str | None]] = [
    (("%e %F %G %g %I %k %l", "2024-03-05 04:05:06.789"), " 5 2024-03-05 2024 24 04  4  4"),
    (("%p %P %R %T %u %U %V", "2024-03-05 04:05:06.789"), "AM am 04:05 04:05:06 2 09 10"),
    (("%J", "2024-03-05 04:05:06.789"), "2460374.670217465"),
    (("%Y-%m-%d", "2024-01-31", "+1 month"), "2024-03-02"),
    (("%Y-%m-%d", "2024-01-31", "+1 month", "floor"), "2024-02-29"),
    (("%Y-%m-%d", "2024-01-31", "+1 month", "ceiling"), "2024-03-02"),
    (("%Y-%m-%d", "2024-01-31", "+0001-01-01"), "2025-03-04"),
    (("%s", "2024-01-31 00:00:00.250", "subsec"), "1706659200.250"),
    (("%Y", 1700000000, "auto"), "2023"),
    (("%Y", 2460000.5, "auto"), "2023"),
    (("%Y", 1), "-4713"),
    (("%Y", None), None),
    (("%x", "2024-01-01"), None),
    (("%", "2024-01-01"), None),
    (("", "2024-01-01"), ""),
    (("%Y", "2024-01-01", ".5 days"), None),
]


@pytest.mark.parametrize(("arguments", "text"), NEWER)
def test_strftime_of_newer_versions(arguments: tuple[Any, ...], text: str | None) -> None:
    assert strftime(NOW, *arguments) == text
