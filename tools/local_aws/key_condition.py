"""Read a Query's key condition, and find its window in a sorted list of keys.

Only conditions that DynamoDB accepts are read; anything else gives None, and ministack's own
query then words the error.
"""

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ministack.services import dynamodb

from tools.local_aws.expressions import CACHED_EXPRESSIONS, Tokens, tokenize

_SIGNS = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_REFERENCES = ("IDENT", "NAME_REF")

Order = tuple[Any, ...]
"""What a partition is sorted by: the range key, then (in an index) the table's own keys."""

Entry = tuple[Order, str, str, int]
"""One item's place: its order, its keys in the table's `items`, and its bytes in the index."""

ORDER = itemgetter(0)


class Clause(NamedTuple):
    """`name` may be a `#placeholder`; `values` are `:placeholders`, two for BETWEEN."""

    name: str
    sign: str
    values: tuple[str, ...]


@functools.lru_cache(CACHED_EXPRESSIONS)
def parse(expression: str) -> tuple[Clause, ...] | None:
    """Return the clauses that the expression joins by AND, or None if it has any other form."""
    clauses = []
    for tokens in dynamodb._key_condition_clauses(_stripped(tokenize(expression)[:-1])):
        clause = _clause(_stripped(tokens))
        if not clause:
            return None
        clauses.append(clause)
    return tuple(clauses)


def _stripped(tokens: Tokens) -> Tokens:
    """Return the tokens without parentheses around the whole."""
    while tokens and tokens[0][0] == "LPAREN" and _closing(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: Tokens) -> int:
    depth = 0
    for position, (kind, _) in enumerate(tokens):
        depth += (kind == "LPAREN") - (kind == "RPAREN")
        if depth == 0:
            return position
    return -1


def _clause(tokens: Tokens) -> Clause | None:
    kinds = tuple(kind for kind, _ in tokens)
    texts = [text for _, text in tokens]
    if len(kinds) == 3 and kinds[1] in _SIGNS:
        return _comparison(kinds, texts)
    if len(kinds) == 5 and texts[1].upper() == "BETWEEN" and kinds[0] in _REFERENCES:
        return Clause(texts[0], "BETWEEN", (texts[2], texts[4]))
    if len(kinds) == 6 and texts[0] == "begins_with" and kinds[2] in _REFERENCES:
        return Clause(texts[2], "begins_with", (texts[4],))
    return None


def _comparison(kinds: tuple[str, ...], texts: list[str]) -> Clause | None:
    sign = _SIGNS[kinds[1]]
    if kinds[0] in _REFERENCES and kinds[2] == "VALUE_REF":
        return Clause(texts[0], sign, (texts[2],))
    if kinds[0] == "VALUE_REF" and kinds[2] in _REFERENCES:
        return Clause(texts[2], _MIRRORED[sign], (texts[0],))
    return None


def window(entries: Sequence[Entry], sign: str, values: Sequence[Any]) -> tuple[int, int]:
    """Return the slice of `entries` whose range key satisfies `sign` and `values`."""
    if sign == "begins_with":
        length = len(values[0])
        return _between(entries, values[0], values[0], lambda entry: entry[0][0][:length])
    low, high = values[0], values[-1]
    if sign in ("=", "BETWEEN"):
        return _between(entries, low, high, _range_key)
    if sign in ("<", "<="):
        bisect = bisect_left if sign == "<" else bisect_right
        return 0, bisect(entries, high, key=_range_key)
    bisect = bisect_right if sign == ">" else bisect_left
    return bisect(entries, low, key=_range_key), len(entries)


def _range_key(entry: Entry) -> Any:
    return entry[0][0]


def _between(entries: Sequence[Entry], low: Any, high: Any, key: Any) -> tuple[int, int]:
    return bisect_left(entries, low, key=key), bisect_right(entries, high, key=key)
