"""Index strings: `CREATE [UNIQUE] INDEX [IF NOT EXISTS] name ON table (columns) [WHERE ...]`.

PocketBase keeps an index as SQL text. A text whose table is not the collection is written
anew, with every name in backticks, one column a line if there are several; any other text
stays as it was sent (measured on PocketBase 0.40.6).

An index here is a GSI slot or a set of unique guards, not SQL: `problem` says what cannot be
kept so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.domain.collection import Definition, Index, IndexColumn

if TYPE_CHECKING:
    from chalicelib.domain.index_conditions import Condition

COLLATIONS = ("", "BINARY", "NOCASE")
SLOTS = 8
"""How many ordered (not unique) indexes a collection may have: the table's GSIs."""


class ParsedColumn(NamedTuple):
    """One column as written: a name without its quotes, or an expression."""

    name: str
    collate: str
    sort: str
    """ASC, DESC or empty."""

    @property
    def is_expression(self) -> bool:
        return re.search(r"[^\w]", self.name) is not None


class ParsedIndex(NamedTuple):
    """The parts of an index string."""

    name: str
    table: str
    unique: bool
    optional: bool
    """Whether it said IF NOT EXISTS."""
    schema: str
    columns: tuple[ParsedColumn, ...]
    where: str
    sql: str


@cache
def _head() -> "re.Pattern[str]":
    """Compiled when first used, as the others: a request for records parses no index."""
    return re.compile(
        r"""\s*create\s+(?P<unique>unique\s+)?\s*index\s*(?P<optional>if\s+not\s+exists\s+)?
        (?P<name>\S*)\s+on\s+(?P<table>[^\s(]*)\s*\(""",
        re.IGNORECASE | re.VERBOSE,
    )


@cache
def _tail() -> "re.Pattern[str]":
    return re.compile(r"\s*(?:where\s+(?P<where>[\s\S]*))?\Z", re.IGNORECASE)


@cache
def _one_column() -> "re.Pattern[str]":
    return re.compile(
        r"""(?P<name>[\s\S]+?)(?:\s+collate\s+[`"'\[]?(?P<collate>\w+)[`"'\]]?)?
        (?:\s+(?P<sort>asc|desc))?\Z""",
        re.IGNORECASE | re.VERBOSE,
    )


_QUOTES = "`\"'[] \t\r\n"


def parse(sql: str) -> ParsedIndex:
    """Return the parts of an index string. Raises `ValueError` if it is none."""
    head = _head().match(sql)
    end = _closing(sql, head.end()) if head else -1
    tail = _tail().match(sql, end + 1) if end > 0 else None
    if head is None or tail is None:
        raise ValueError(_INVALID)
    schema, name = _name(head["name"])
    _, table = _name(head["table"])
    columns = tuple(_column(text) for text in _split(sql[head.end() : end]))
    if not name or not columns:
        raise ValueError(_INVALID)
    unique, optional = bool(head["unique"]), bool(head["optional"])
    where = (tail["where"] or "").strip()
    return ParsedIndex(name, table, unique, optional, schema, columns, where, sql)


_INVALID = "Invalid CREATE INDEX expression."


def _closing(text: str, start: int) -> int:
    """Return where the parenthesis opened just before `start` closes, -1 if it does not."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return -1


def _name(text: str) -> tuple[str, str]:
    schema, _, name = text.rpartition(".")
    return schema.strip(_QUOTES), name.strip(_QUOTES)


def _split(text: str) -> list[str]:
    """Split at the commas outside parentheses; empty parts are dropped."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _column(text: str) -> ParsedColumn:
    match = _one_column().match(text)
    if match is None:
        raise ValueError(_INVALID)
    name = match["name"].strip()
    if "(" not in name:
        name = name.strip(_QUOTES)
    return ParsedColumn(name, match["collate"] or "", (match["sort"] or "").upper())


def build(parsed: ParsedIndex, table: str) -> str:
    """Return the index string in the form that PocketBase writes itself."""
    columns = [_column_text(column) for column in parsed.columns]
    listed = columns[0] if len(columns) == 1 else "\n  " + ",\n  ".join(columns) + "\n"
    return "".join((
        "CREATE ",
        "UNIQUE " if parsed.unique else "",
        "INDEX ",
        "IF NOT EXISTS " if parsed.optional else "",
        f"`{parsed.name}` ON `{table}` ({listed})",
        f" WHERE {parsed.where}" if parsed.where else "",
    ))  # fmt: skip


def _column_text(column: ParsedColumn) -> str:
    text = column.name if re.search(r"[\s(]", column.name) else f"`{column.name}`"
    if column.collate:
        text += f" COLLATE {column.collate}"
    return f"{text} {column.sort}" if column.sort else text


def for_table(sql: str, table: str) -> str:
    """Return `sql` for this table: as it is if it names the table already or is no index."""
    try:
        parsed = parse(sql)
    except ValueError:
        return sql
    return sql if parsed.table == table else build(parsed, table)


def name_of(sql: str) -> str:
    """Return the name an index string declares, empty if it is no index."""
    try:
        return parse(sql).name
    except ValueError:
        return ""


def problem(parsed: ParsedIndex, field_names: Sequence[str]) -> str:
    """Return why an index cannot be kept, in a few words; empty if it can."""
    known = {name.lower() for name in field_names}
    for column in parsed.columns:
        if column.is_expression:
            return f"expressions are not supported: {column.name}"
        if column.name.lower() not in known:
            return f"no such column: {column.name}"
        if column.collate.upper() not in COLLATIONS:
            return f"collation is not supported: {column.collate}"
    return _problem_of_where(parsed.where, known) if parsed.where else ""


def _problem_of_where(where: str, known: set[str]) -> str:
    try:
        condition = _condition(where)
    except ValueError as error:
        return str(error)
    for name in sorted(condition.columns - condition.doubtful):
        if name.lower() not in known:
            return f"no such column: {name}"
    return ""


Parts = dict[str, Any]
"""An index as it is kept beside its text: `unique`, `columns` as lists, `where`."""


def parts(parsed: ParsedIndex, field_names: Iterable[str]) -> Parts:
    """Return what a stored definition keeps of an index, so that no request parses it again."""
    spelled = {name.lower(): name for name in field_names}
    columns = [
        [spelled[each.name.lower()], each.collate.upper(), each.sort == "DESC"]
        for each in parsed.columns
    ]
    return {"unique": parsed.unique, "columns": columns, "where": parsed.where}


def read(definition: Definition) -> tuple[Index, ...]:
    """Return the indexes of a stored definition with their slots and states."""
    states: Mapping[str, Parts] = definition.get("indexStates") or {}
    if len(states) == len(definition.get("indexes") or ()):
        named = zip(states.items(), definition["indexes"], strict=True)
        return tuple(_read(name, sql, state) for (name, state), sql in named)
    return tuple(_unstored(definition, sql) for sql in definition["indexes"])


def _unstored(definition: Definition, sql: str) -> Index:
    """Return an index of a definition that has no states (yet)."""
    parsed = parse(sql)
    return _read(parsed.name, sql, parts(parsed, (each["name"] for each in definition["fields"])))


def _read(name: str, sql: str, state: Parts) -> Index:
    columns = tuple(IndexColumn(*column) for column in state["columns"])
    is_ready = state.get("state", "ready") == "ready"
    return Index(name, state["unique"], columns, state["where"], sql, state.get("slot"), is_ready)


def where_holds(index: Index, record: Mapping[str, Any]) -> bool:
    """Return whether a record is in a partial index; true if the index is not partial."""
    return not index.where or _condition(index.where).holds(record)


def where_columns(index: Index) -> frozenset[str]:
    """Return the names of the fields that an index's WHERE looks at."""
    return _condition(index.where).columns if index.where else frozenset()


def _condition(where: str) -> "Condition":
    from chalicelib.domain import index_conditions  # noqa: PLC0415 (lazy: only partial indexes)

    return index_conditions.parse(where)


def unique_column(definitions_indexes: Sequence[str], name: str) -> bool:
    """Whether some index string is a single-column unique index on the field, in any case."""
    for sql in definitions_indexes:
        try:
            parsed = parse(sql)
        except ValueError:
            continue
        if parsed.unique and [column.name.lower() for column in parsed.columns] == [name.lower()]:
            return True
    return False
