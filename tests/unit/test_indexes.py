"""Index strings: what is an index, how it is written anew, what cannot be kept."""

from typing import Any

import pytest

from chalicelib.domain import indexes
from chalicelib.domain.collection import IndexColumn

FIELDS = ("id", "a", "b", "n")


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        ("create index i on foo (a)", "CREATE INDEX `i` ON `t` (`a`)"),
        (
            "CREATE UNIQUE INDEX IF NOT EXISTS `i` ON `x`.`foo` (`a` COLLATE NOCASE DESC, [b] asc)"
            " WHERE a != ''",
            "CREATE UNIQUE INDEX IF NOT EXISTS `i` ON `t` (\n  `a` COLLATE NOCASE DESC,\n"
            "  `b` ASC\n) WHERE a != ''",
        ),
        ("CREATE INDEX i ON (a)", "CREATE INDEX `i` ON `t` (`a`)"),  # PocketBase takes it
        ("CREATE INDEX i ON x('a')", "CREATE INDEX `i` ON `t` (`a`)"),
        ("CREATE INDEX i ON x (a,)", "CREATE INDEX `i` ON `t` (`a`)"),
        ("CREATE INDEX i ON x (lower(a), b)", "CREATE INDEX `i` ON `t` (\n  lower(a),\n  `b`\n)"),
        (
            "create index i on\n x\n(a)\nwhere\n (n > 1 and b in ('(', 'x'))  ",
            "CREATE INDEX `i` ON `t` (`a`) WHERE (n > 1 and b in ('(', 'x'))",
        ),
    ],
)
def test_an_index_of_another_table_is_written_anew(sql: str, rewritten: str) -> None:
    assert indexes.for_table(sql, "t") == rewritten
    assert indexes.for_table(rewritten, "t") == rewritten


@pytest.mark.parametrize(
    "sql",
    ["create index i on t (a)", "CREATE INDEX i ON t (a)  where   a>1 ", "no index at all"],
)
def test_any_other_text_stays_as_it_is(sql: str) -> None:
    assert indexes.for_table(sql, "t") == sql


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "foo",
        "CREATE INDEX ON x (a)",
        "CREATE INDEX i ON x ()",
        "CREATE INDEX i ON x (a",
        "CREATE INDEX i ON x (a);",
        "CREATE INDEX i ON x (a); DROP TABLE x",
        "CREATE INDEX i ON x (a) foo",
        "CREATE INDEX iON x (a)",
        'CREATE INDEX "i 2" ON x (a)',  # no spaces in a name
    ],
)
def test_what_is_no_index_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid CREATE INDEX expression\."):
        indexes.parse(sql)
    assert indexes.name_of(sql) == ""


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ("a, B COLLATE nocase DESC", ""),
        ("c", "no such column: c"),
        ("lower(a)", "expressions are not supported: lower(a)"),
        ("a b", "expressions are not supported: a b"),
        ("a COLLATE RTRIM", "collation is not supported: RTRIM"),
        ("a) WHERE (A != '' AND n IS NOT NULL", ""),
        ("a) WHERE (c = 1", "no such column: c"),
        ('a) WHERE (b = "c"', ""),  # double quotes are text if no column has the name
        ("a) WHERE (a LIKE 'x%'", "an index condition that is not supported"),
        ("a) WHERE (lower(a) = 'x'", "an index condition that is not supported"),
    ],
)
def test_what_cannot_be_kept_is_said(columns: str, reason: str) -> None:
    parsed = indexes.parse(f"CREATE INDEX i ON t ({columns})")
    assert indexes.problem(parsed, FIELDS) == reason


def test_indexes_are_read_with_the_names_of_their_fields_and_their_slots() -> None:
    definition: dict[str, Any] = {
        "fields": [{"name": "title", "type": "text"}, {"name": "n", "type": "number"}],
        "indexes": [
            "CREATE INDEX i ON t (TITLE collate nocase, n desc) WHERE n > 1",
            "CREATE UNIQUE INDEX u ON t (title)",
        ],
    }
    names = [each["name"] for each in definition["fields"]]
    i, u = (indexes.parts(indexes.parse(sql), names) for sql in definition["indexes"])
    states = {"i": {"slot": 3, "state": "building", **i}, "u": {"slot": None, **u}}
    assert indexes.read(definition)[0].slot is None  # before it has states
    definition["indexStates"] = states
    ordered, unique = indexes.read(definition)
    assert ordered.columns == (IndexColumn("title", "NOCASE", False), IndexColumn("n", "", True))
    assert (ordered.slot, ordered.is_ready, ordered.unique) == (3, False, False)
    assert (unique.slot, unique.is_ready, unique.unique) == (None, True, True)
    assert indexes.where_columns(ordered) == {"n"}
    assert indexes.where_holds(ordered, {"title": "", "n": 2})
    assert not indexes.where_holds(ordered, {"title": "", "n": 1})
    assert indexes.where_holds(unique, {"title": ""})


def test_only_a_single_column_unique_index_makes_a_column_unique() -> None:
    texts = [
        "CREATE UNIQUE INDEX i ON t (a, b)",
        "CREATE INDEX j ON t (b)",
        "CREATE UNIQUE INDEX k ON t (N)",
        "nonsense",
    ]
    assert [name for name in FIELDS if indexes.unique_column(texts, name)] == ["n"]
