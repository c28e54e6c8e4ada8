"""Texts made from a pattern: ids, token keys, codes. Uses the system's random source.

Literals, classes, groups, choices and repetitions make text; places such as `^` do not
(the numbers in the error are the ones PocketBase 0.40.6 shows for them). A repetition without
an end makes at most `OPEN_REPEAT` more than it must.
"""

import secrets
from functools import lru_cache

from chalicelib.domain import ids, patterns
from chalicelib.domain.patterns import charsets
from chalicelib.domain.patterns.syntax import Alternate, Assertion, Chars, Concat, Node, Repeat

OPEN_REPEAT = 6
MAX_LENGTH = 20_000

_PRINTABLE = charsets.of(" ~")
_OPERATORS = {"^": 7, "$": 8, "A": 9, "z": 10, "b": 11, "B": 12}


class AutogenerateError(ValueError):
    """The pattern makes no text; the message is fit for a client."""


def generate(pattern: str) -> str:
    """Return a random text of the pattern. Raises `PatternError` and `AutogenerateError`."""
    characters: list[str] = []
    _write(_tree(pattern), characters)
    return "".join(characters)


@lru_cache(maxsize=128)
def _tree(pattern: str) -> Node:
    return patterns.parse(pattern)


def _write(node: Node, characters: list[str]) -> None:
    if isinstance(node, Chars):
        characters.append(_character(node))
    elif isinstance(node, Concat):
        for item in node.items:
            _write(item, characters)
    elif isinstance(node, Alternate):
        _write(secrets.choice(node.choices), characters)
    elif isinstance(node, Repeat):
        _repeat(node, characters)
    elif isinstance(node, Assertion):
        raise AutogenerateError(f"unsupported pattern operator {_OPERATORS[node.kind]}")
    if len(characters) > MAX_LENGTH:
        raise AutogenerateError("the pattern makes texts that are too long")


def _repeat(node: Repeat, characters: list[str]) -> None:
    most = max(OPEN_REPEAT, node.minimum) if node.maximum is None else node.maximum
    count = node.minimum + secrets.randbelow(most - node.minimum + 1)
    alphabet = _alphabet(node.item) if isinstance(node.item, Chars) else ""
    if alphabet and count <= MAX_LENGTH:
        characters.extend(ids.random_text(count, alphabet))
        return
    for _ in range(count):
        _write(node.item, characters)


@lru_cache(maxsize=256)
def _alphabet(node: Chars) -> str:
    """Return the characters that a set makes; empty for one without printable ASCII."""
    if node.is_any:
        return ids.ALPHANUMERIC
    ranges = charsets.intersect(node.ranges, _PRINTABLE)
    return "".join(chr(at) for low, high in ranges for at in range(low, high + 1))


def _character(node: Chars) -> str:
    """A dot makes letters and digits; other wide sets make printable ASCII where they can."""
    if node.is_any:
        return ids.random_text(1)
    ranges = charsets.intersect(node.ranges, _PRINTABLE) or node.ranges
    at = secrets.randbelow(max(charsets.size(ranges), 1))
    for low, high in ranges:
        if at <= high - low:
            return chr(low + at)
        at -= high - low + 1
    raise AutogenerateError("unsupported pattern operator 1")
