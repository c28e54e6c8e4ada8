"""Patterns of text fields: the RE2 language PocketBase checks values with.

Python's `re` is not used for them: it reads some of the language otherwise (`$` before a last
newline, `\\d` for every script, look-arounds) and one bad pattern could keep a request busy
for ever. Here a match costs time in proportion to the length of the text.

charsets    sets of characters, and the ones that have names
scanner     a position in a pattern, and `PatternError`
classes     reads `[a-z]` and the escapes
syntax      reads the whole pattern into a tree
matcher     tree -> a machine that walks over a text once
"""

from chalicelib.domain.patterns.matcher import Matcher, matcher
from chalicelib.domain.patterns.scanner import PatternError
from chalicelib.domain.patterns.syntax import parse

__all__ = ["Matcher", "PatternError", "matcher", "parse", "search"]


def search(pattern: str, text: str) -> bool:
    """Return whether `pattern` is found anywhere in `text`. Raises `PatternError`."""
    return matcher(pattern).search(text)
