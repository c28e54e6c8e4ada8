"""The WHERE of a partial index: a subset of SQLite's expressions, read once and evaluated.

    condition   = conjunct { OR conjunct }
    conjunct    = test { AND test }
    test        = NOT test | "(" condition ")" | operand sign operand
                | operand IS [NOT] NULL | operand [NOT] IN "(" literal, ... ")"
    operand     = column | literal

Values compare as SQLite compares the columns that PocketBase makes: a text column turns a
number into text, a number or bool column turns numeric text into a number, numbers sort
before text. Which kind a column is shows in the record's value, so no field types are needed.
Three-valued: a test of a null is unknown, and an unknown WHERE does not hold.
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

MAX_TOKENS = 200
"""More would only nest deeper than Python's stack."""

_UNSUPPORTED = "an index condition that is not supported"

Row = Mapping[str, Any]
Test = Callable[[Row], bool | None]


class Condition(NamedTuple):
    """A WHERE that was read: `holds(record)` and the names of the columns it looks at."""

    test: Test
    columns: frozenset[str]
    doubtful: frozenset[str]
    """Those in double quotes: text if there is no such column, as SQLite has it."""

    def holds(self, record: Row) -> bool:
        return self.test(record) is True


@lru_cache(maxsize=512)
def parse(text: str) -> Condition:
    """Return the condition. Raises `ValueError` for what the subset lacks."""
    parser = _Parser(text)
    test = parser.condition()
    parser.expect_end()
    return Condition(test, frozenset(parser.columns), frozenset(parser.doubtful))


_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])
    |(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    |(?P<sign><=|>=|<>|!=|==|=|<|>)|(?P<mark>[(),])|(?P<word>\w+))""",
    re.VERBOSE,
)

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<>": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

_LITERALS: dict[str, Any] = {"null": None, "true": 1, "false": 0}


class _Operand(NamedTuple):
    value: Callable[[Row], Any]
    is_column: bool


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        if len(self._tokens) > MAX_TOKENS:
            raise ValueError(_UNSUPPORTED)
        self._at = 0
        self.columns: set[str] = set()
        self.doubtful: set[str] = set()

    def condition(self) -> Test:
        tests = [self._conjunct()]
        while self._take_word("or"):
            tests.append(self._conjunct())
        return tests[0] if len(tests) == 1 else lambda row: _any(test(row) for test in tests)

    def _conjunct(self) -> Test:
        tests = [self._test()]
        while self._take_word("and"):
            tests.append(self._test())
        return tests[0] if len(tests) == 1 else lambda row: _all(test(row) for test in tests)

    def _test(self) -> Test:
        if self._take_word("not"):
            inner = self._test()
            return lambda row: _not(inner(row))
        if self._take("mark", "("):
            grouped = self.condition()
            self._need("mark", ")")
            return grouped
        return self._comparison(self._operand())

    def _comparison(self, left: _Operand) -> Test:
        kind, text = self._peek()
        if kind == "sign":
            self._at += 1
            return _compare(left, text, self._operand())
        if self._take_word("is"):
            negated = self._take_word("not")
            self._need("word", "null")
            return lambda row: (left.value(row) is None) != negated
        negated = self._take_word("not")
        self._need("word", "in")
        return self._membership(left, negated)

    def _membership(self, left: _Operand, negated: bool) -> Test:
        self._need("mark", "(")
        tests = [_compare(left, "=", self._operand())]
        while self._take("mark", ","):
            tests.append(_compare(left, "=", self._operand()))
        self._need("mark", ")")
        if negated:
            return lambda row: _not(_any(test(row) for test in tests))
        return lambda row: _any(test(row) for test in tests)

    def _operand(self) -> _Operand:
        kind, text = self._peek()
        self._at += 1
        if kind == "text":
            return _literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return _literal(float(text))
        if kind == "word" and text.lower() in _LITERALS:
            return _literal(_LITERALS[text.lower()])
        if kind in ("word", "quoted"):
            return self._column(kind, text)
        raise ValueError(_UNSUPPORTED)

    def _column(self, kind: str, text: str) -> _Operand:
        name = text[1:-1] if kind == "quoted" else text
        if not name:
            return _literal(name)
        self.columns.add(name)
        if text[0] == '"':
            self.doubtful.add(name)
            return _Operand(lambda row: _cell(row, name, name), True)
        return _Operand(lambda row: _cell(row, name, None), True)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, kind: str, text: str) -> bool:
        found = self._peek()
        if found[0] != kind or found[1].lower() != text:
            return False
        self._at += 1
        return True

    def _take_word(self, text: str) -> bool:
        return self._take("word", text)

    def _need(self, kind: str, text: str) -> None:
        if not self._take(kind, text):
            raise ValueError(_UNSUPPORTED)

    def expect_end(self) -> None:
        if self._at != len(self._tokens):
            raise ValueError(_UNSUPPORTED)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ValueError(_UNSUPPORTED)
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


def _literal(value: Any) -> _Operand:
    return _Operand(lambda _row: value, False)


def _cell(row: Row, name: str, otherwise: Any) -> Any:
    """Return a column's value as SQLite has it: lists, points and JSON objects are JSON text."""
    if name not in row:
        name = next((each for each in row if each.lower() == name.lower()), name)
    value = row.get(name, otherwise)
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"))
    return int(value) if isinstance(value, bool) else value


def _compare(left: _Operand, sign: str, right: _Operand) -> Test:
    decide = _SIGNS[sign]

    def test(row: Row) -> bool | None:
        first, second = left.value(row), right.value(row)
        if first is None or second is None:
            return None
        if left.is_column != right.is_column:
            first, second = _alike(first, second, left.is_column)
        return decide(_order(first), _order(second))

    return test


def _alike(first: Any, second: Any, first_is_column: bool) -> tuple[Any, Any]:
    """Give the literal the kind of the column beside it, where it can take it."""
    if first_is_column:
        return first, _as_kind_of(first, second)
    return _as_kind_of(second, first), second


def _as_kind_of(column: Any, literal: Any) -> Any:
    if isinstance(column, str) == isinstance(literal, str):
        return literal
    if isinstance(column, str):
        return f"{literal:.15g}"
    try:
        return float(literal)
    except ValueError:
        return literal


def _order(value: Any) -> tuple[int, Any]:
    """Return a value as SQLite orders it: numbers before text, text by its bytes."""
    return (1, value.encode()) if isinstance(value, str) else (0, value)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _any(values: Any) -> bool | None:
    found = list(values)
    if True in found:
        return True
    return None if None in found else False


def _all(values: Any) -> bool | None:
    found = list(values)
    if False in found:
        return False
    return None if None in found else True
