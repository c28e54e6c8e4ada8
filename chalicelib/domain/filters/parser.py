"""Filter text to tree.

`a || b && c` is `a || (b && c)`: the joins of one group are read flat and `&&` binds tighter.
PocketBase takes a group wherever a token may stand: `a = 1 (b = 2)` repeats the join before it
(`&&` at first), and `a = (b = 2)` forgets `a =`. So do we: existing rules must mean the same.
"""

from functools import lru_cache

from chalicelib.domain.filters import lexer
from chalicelib.domain.filters.nodes import (
    And,
    Comparison,
    Expression,
    FilterError,
    Operand,
    Or,
    describe,
)

MAX_COMPARISONS = 200
MAX_DEPTH = 100
"""How deep `&&` and `||` may alternate; brackets around a single term are free."""

_LEFT = "expected left operand (identifier, function, text or number)"
_RIGHT = "expected right operand (identifier, function text or number)"


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Return the expression a filter or rule text stands for. Raises `FilterError`."""
    reader = _Reader(text)
    frame = _Frame(0, len(text))
    outer: list[_Frame] = []
    while True:
        token = lexer.read(text, frame.position, frame.end)
        if token is None:
            expression = frame.finish()
            if not outer:
                return expression
            frame = outer.pop()
            frame.add(expression)
        elif token.kind == "group":
            end = reader.group_end(token.end, frame.end)
            frame.position = end + 1
            outer.append(frame)
            frame = _Frame(token.end, end)
        else:
            frame.position = token.end
            reader.comparisons += frame.take(token)
            if reader.comparisons > MAX_COMPARISONS:
                raise FilterError("max filter expressions limit reached")


class _Reader:
    """What is counted or kept over all groups of one text."""

    __slots__ = ("comparisons", "ends", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.comparisons = 0
        self.ends: dict[int, int] = {}

    def group_end(self, position: int, end: int) -> int:
        return lexer.group_end(self.text, position, end, self.ends)


class _Frame:
    """The text of one group and what was read of it. A stack of them replaces recursion."""

    __slots__ = ("end", "expected", "join", "left", "position", "sign", "terms")

    def __init__(self, position: int, end: int) -> None:
        self.position = position
        self.end = end
        self.expected = "left"
        self.join = "&&"
        self.left: Operand | None = None
        self.sign = ""
        self.terms: list[tuple[str, Expression]] = []

    def add(self, term: Expression) -> None:
        self.terms.append((self.join, term))
        self.expected = "join"

    def take(self, token: lexer.Token) -> int:
        """Read one token that opens no group; return 1 if it completes a comparison."""
        expected = self.expected
        value = token.value
        if expected == "join":
            self._require(token, "join", "expected && or ||")
            self.join = str(value)
            self.expected = "left"
        elif expected == "left":
            self._require(token, "operand", _LEFT)
            self.left = value  # type: ignore[assignment]  # an operand, as just checked
            self.expected = "sign"
        elif expected == "sign":
            self._require(token, "sign", "expected a sign operator")
            self.sign = str(value)
            self.expected = "right"
        else:
            self._require(token, "operand", _RIGHT)
            self.add(Comparison(self.left, self.sign, value))  # type: ignore[arg-type]
            return 1
        return 0

    def _require(self, token: lexer.Token, kind: str, message: str) -> None:
        if token.kind != kind:
            shown = token.value if isinstance(token.value, str) else describe(token.value)
            raise FilterError(f'{message}, got "{shown}" ({token.name})', token.end)

    def finish(self) -> Expression:
        """Return the tree of the whole group."""
        if self.expected != "join":
            is_empty = not self.terms and self.left is None
            message = "empty filter expression" if is_empty else _INCOMPLETE
            raise FilterError(message, self.end)
        if len(self.terms) == 1:
            return self.terms[0][1]
        return _tree(self.terms)


_INCOMPLETE = "invalid or incomplete filter expression"


def _tree(terms: list[tuple[str, Expression]]) -> Expression:
    alternatives: list[list[Expression]] = []
    for join, term in terms:
        if (join == "||" and alternatives) or not alternatives:
            alternatives.append([])
        alternatives[-1].append(term)
    return _combine(Or, [_combine(And, group) for group in alternatives])


def _combine(kind: type[And] | type[Or], terms: list[Expression]) -> Expression:
    """Return the terms as one expression; terms of the same kind are merged into it."""
    if len(terms) == 1:
        return terms[0]
    merged: list[Expression] = []
    depth = 1
    for term in terms:
        if isinstance(term, kind):
            merged.extend(term.terms)
            depth = max(depth, term.depth)
        else:
            merged.append(term)
            depth = max(depth, 1 if isinstance(term, Comparison) else term.depth + 1)
    if depth > MAX_DEPTH:
        raise FilterError(f"the filter is nested deeper than {MAX_DEPTH} groups")
    return kind(tuple(merged), depth)
