"""`~`: SQL's LIKE with `\\` as the escape character, ignoring the case of ASCII letters only.

A right-hand value without an unescaped `%` means "contains": its `%`, `_` and `\\` are taken
literally. One with a `%` is a pattern as it stands, where `_` is any one character.
Measured on PocketBase 0.40.6.

A pattern is matched part by part, each `%` giving the leftmost place that fits. That takes
time in proportion to text x pattern; a regex with many `.*` could take for ever on purpose.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from chalicelib.domain.filters.values import ascii_lower

_SPECIAL_CHARACTERS = "%_\\"
_SPECIAL = re.compile(r"[%_\\]")
_ESCAPE_OR_PERCENT = re.compile(r"\\[%_\\]|%")
_PIECE = re.compile(r"\\(.)|(%)|(_)|([^\\%_]+)", re.DOTALL)


def has_wildcard(value: str) -> bool:
    """Return whether the value has a `%` that no backslash escapes."""
    return "%" in value and any(
        match.group() == "%" for match in _ESCAPE_OR_PERCENT.finditer(value)
    )


def pattern_of(value: str) -> str:
    """Return the LIKE pattern that a right-hand value stands for."""
    return value if has_wildcard(value) else f"%{_escaped(value)}%"


def _escaped(value: str) -> str:
    """Return the value with its `%`, `_` and `\\` escaped, as PocketBase does it: backwards.

    It takes the character before one of them for its escape, so of two `_` in a row the first
    remains a wildcard.
    """
    if not _SPECIAL.search(value):
        return value
    backwards: list[str] = []
    characters = iter(reversed(value))
    for character in characters:
        backwards.append(character)
        if character in _SPECIAL_CHARACTERS:
            backwards.append("\\")
            before = next(characters, "\\")
            if before != "\\":
                backwards.append(before)
    return "".join(reversed(backwards))


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return the test for one LIKE pattern."""
    parts = _parts(pattern)
    if parts is None:
        return lambda shown: False
    if len(parts) == 3 and parts[0] == parts[2] == "" and isinstance(parts[1], str):
        needle = parts[1]
        return lambda shown: needle in ascii_lower(shown)
    finders = [_Part(part) for part in parts]
    return lambda shown: _matches(finders, ascii_lower(shown))


def _parts(pattern: str) -> list[str | list[str]] | None:
    """Return what stands between the `%`s: a text, or a list with "" for each `_`.

    None if the pattern ends in a lone backslash, which matches nothing.
    """
    parts: list[list[str]] = [[]]
    position = 0
    while position < len(pattern):
        match = _PIECE.match(pattern, position)
        if match is None:
            return None
        position = match.end()
        escaped, percent, underscore, plain = match.groups()
        if percent:
            parts.append([])
        elif underscore:
            parts[-1].append("")
        else:
            parts[-1].append(ascii_lower(escaped or plain))
    return ["".join(part) if "" not in part else part for part in parts]


class _Part:
    """One part between two `%`s: where it fits next, and whether it fits at a place."""

    __slots__ = ("_regex", "length", "plain")

    def __init__(self, part: str | list[str]) -> None:
        self.plain = part if isinstance(part, str) else None
        self.length = len(part) if isinstance(part, str) else sum(len(p) or 1 for p in part)
        source = "".join(re.escape(piece) or "." for piece in part)
        self._regex = re.compile(source, re.DOTALL)

    def find(self, shown: str, start: int) -> int:
        if self.plain is not None:
            return shown.find(self.plain, start)
        match = self._regex.search(shown, start)
        return match.start() if match else -1

    def fits(self, shown: str, start: int) -> bool:
        return start >= 0 and self._regex.match(shown, start) is not None


def _matches(parts: list[_Part], shown: str) -> bool:
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return len(shown) == first.length and first.fits(shown, 0)
    end = len(shown) - last.length
    if end < first.length or not first.fits(shown, 0) or not last.fits(shown, end):
        return False
    start = first.length
    for part in parts[1:-1]:
        found = part.find(shown, start)
        if found < 0:
            return False
        start = found + part.length
        if start > end:
            return False
    return True
