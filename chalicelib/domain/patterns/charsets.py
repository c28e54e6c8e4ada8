"""Sets of characters as sorted, separate ranges of code points, and the ones with names."""

import re
from collections.abc import Callable
from functools import cache
from itertools import chain

Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
ANY: Ranges = ((0, LAST),)
NOT_NEWLINE: Ranges = ((0, 9), (11, LAST))

# Folding a wider range would cost more than anyone who writes `(?i)` can mean by it.
_FOLD_LIMIT = 2000

# The Kelvin sign and the long s are cases of letters, too.
_THIRD_CASES = {"k": "\u212a", "s": "\u017f"}


def of(text: str) -> Ranges:
    """Return a set from pairs of characters: "azAZ" is a to z and A to Z."""
    return union(*(((ord(text[at]), ord(text[at + 1])),) for at in range(0, len(text), 2)))


def union(*sets: Ranges) -> Ranges:
    """Return the characters of any of the sets."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(pair for ranges in sets for pair in ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def negate(ranges: Ranges) -> Ranges:
    """Return every other character."""
    gaps = []
    start = 0
    for low, high in ranges:
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return tuple(gaps)


def intersect(one: Ranges, other: Ranges) -> Ranges:
    """Return the characters of both sets."""
    return negate(union(negate(one), negate(other)))


def size(ranges: Ranges) -> int:
    """Return how many characters the set has."""
    return sum(high - low + 1 for low, high in ranges)


def fold(ranges: Ranges) -> Ranges:
    """Return the set with the other case of each of its letters."""
    if size(ranges) > _FOLD_LIMIT:
        return ranges
    chars = [chr(code) for low, high in ranges for code in range(low, high + 1)]
    cases = [
        case
        for char in chars
        for case in (char.lower(), char.upper(), char.title(), _THIRD_CASES.get(char.lower(), char))
    ]
    return union(ranges, *(((ord(case), ord(case)),) for case in cases if len(case) == 1))


DIGIT = of("09")
WORD = of("09AZaz__")
SPACE = of("\t\n\f\r  ")
PERL = {"d": DIGIT, "w": WORD, "s": SPACE}
POSIX = {
    "alnum": of("09AZaz"),
    "alpha": of("AZaz"),
    "ascii": of("\x00\x7f"),
    "blank": of("\t\t  "),
    "cntrl": of("\x00\x1f\x7f\x7f"),
    "digit": DIGIT,
    "graph": of("!~"),
    "lower": of("az"),
    "print": of(" ~"),
    "punct": of("!/:@[`{~"),
    "space": of("\t\r  "),
    "upper": of("AZ"),
    "word": WORD,
    "xdigit": of("09AFaf"),
}

_CATEGORIES = re.compile(
    "C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?"  # of Unicode, chapter 4.5
)
# Where Unicode has characters, beside the planes for private use.
_USED = (range(0x32400), range(0xE0000, 0xE0200))
_PRIVATE: Ranges = ((0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
_UNASSIGNED = "Cn"
# Python knows the scripts of characters only through their names.
_SCRIPTS = {
    "Arabic": "ARABIC ",
    "Armenian": "ARMENIAN ",
    "Cyrillic": "CYRILLIC ",
    "Devanagari": "DEVANAGARI ",
    "Greek": "GREEK ",
    "Han": "CJK UNIFIED IDEOGRAPH",
    "Hangul": "HANGUL ",
    "Hebrew": "HEBREW ",
    "Hiragana": "HIRAGANA ",
    "Katakana": "KATAKANA ",
    "Latin": "LATIN ",
    "Thai": "THAI ",
}


@cache
def unicode_set(name: str) -> Ranges | None:
    r"""Return what `\p{name}` means: a general category or one of the common scripts.

    None for a name that is not known. The first call for a name looks at every character in
    use, which takes a tenth of a second.
    """
    import unicodedata  # noqa: PLC0415  lazy: only patterns with \p need its tables

    if name == "Any":
        return ANY
    if _CATEGORIES.fullmatch(name):
        assigned = _where(lambda char: _is_of(unicodedata.category(char), name))
        return union(assigned, _PRIVATE) if name in ("C", "Co") else assigned
    if name in _SCRIPTS:
        return _where(lambda char: unicodedata.name(char, "").startswith(_SCRIPTS[name]))
    return None


def _is_of(category: str, name: str) -> bool:
    return category.startswith(name) and category != _UNASSIGNED


def _where(holds: Callable[[str], bool]) -> Ranges:
    """Return the characters for which `holds`, adjoining ones put together at once."""
    ranges: list[tuple[int, int]] = []
    for code in chain(*_USED):
        if holds(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return tuple(ranges)
