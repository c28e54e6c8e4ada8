r"""Reads character classes, `[^a-z\d[:alpha:]]`, and escapes, `\n \x{41} \pL`."""

import string

from chalicelib.domain.patterns import charsets
from chalicelib.domain.patterns.charsets import Ranges
from chalicelib.domain.patterns.scanner import PatternError, Scanner

_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def read_class(scanner: Scanner) -> Ranges:
    """Return the set of a class whose `[` has been taken."""
    start = scanner.position - 1
    is_negated = scanner.take("^")
    sets: list[Ranges] = []
    while not sets or scanner.peek() != "]":
        if not scanner.peek():
            raise PatternError("missing closing ]", scanner.pattern[start:])
        sets.append(_item(scanner))
    scanner.next()
    ranges = charsets.union(*sets)
    if scanner.ignore_case:
        ranges = charsets.fold(ranges)
    return charsets.negate(ranges) if is_negated else ranges


def _item(scanner: Scanner) -> Ranges:
    rest = scanner.rest()
    if rest.startswith("[:") and ":]" in rest:
        return _posix(scanner)
    start = scanner.position
    if scanner.take("\\"):
        named = read_set_escape(scanner)
        if named is not None:
            return named
        scanner.position = start
    low = _character(scanner)
    if not _is_range(scanner):
        return ((low, low),)
    scanner.next()
    high = _character(scanner)
    if high < low:
        raise PatternError("invalid character class range", scanner.since(start))
    return ((low, high),)


def _is_range(scanner: Scanner) -> bool:
    after = scanner.pattern[scanner.position + 1 : scanner.position + 2]
    return scanner.peek() == "-" and after not in ("", "]")


def _posix(scanner: Scanner) -> Ranges:
    start = scanner.position
    name = (scanner.take_until(":]") or "").removeprefix("[:")
    found = charsets.POSIX.get(name.removeprefix("^"))
    if found is None:
        raise PatternError("invalid character class range", scanner.since(start))
    return charsets.negate(found) if name.startswith("^") else found


def _character(scanner: Scanner) -> int:
    if scanner.take("\\"):
        return read_character_escape(scanner)
    return ord(scanner.next())


def read_set_escape(scanner: Scanner) -> Ranges | None:
    r"""Return the set of `\d`, `\pL` and so on, after the backslash; None for other escapes."""
    letter = scanner.peek()
    if letter and letter in "pP":
        return _property(scanner)
    found = charsets.PERL.get(letter.lower()) if letter else None
    if found is None:
        return None
    scanner.next()
    return charsets.negate(found) if letter.isupper() else found


def _property(scanner: Scanner) -> Ranges:
    start = scanner.position - 1
    is_negated = scanner.next() == "P"
    name = scanner.next()
    if name == "{":
        name = scanner.take_until("}") or ""
    found = charsets.unicode_set(name.removeprefix("^"))
    if found is None:
        raise PatternError("invalid character class range", scanner.since(start))
    if scanner.ignore_case:
        found = charsets.fold(found)
    return charsets.negate(found) if is_negated != name.startswith("^") else found


def read_character_escape(scanner: Scanner) -> int:
    r"""Return the character of `\n`, `\.`, `\x41`, `\x{41}` or `\012`, after the backslash."""
    start = scanner.position - 1
    char = scanner.next()
    if not char:
        raise PatternError("trailing backslash at end of expression", "")
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char == "x":
        return _hexadecimal(scanner, start)
    if char == "0" or (char in "1234567" and scanner.peek() in tuple("01234567")):
        return _octal(scanner, char)
    if char.isascii() and not char.isalnum():
        return ord(char)
    raise PatternError("invalid escape sequence", scanner.since(start))


def _octal(scanner: Scanner, digits: str) -> int:
    while len(digits) < 3 and scanner.peek() in tuple("01234567"):
        digits += scanner.next()
    return int(digits, 8)


def _hexadecimal(scanner: Scanner, start: int) -> int:
    is_braced = scanner.take("{")
    digits = (scanner.take_until("}") or "") if is_braced else scanner.next() + scanner.next()
    is_number = (is_braced or len(digits) == 2) and set(digits) <= set(string.hexdigits)
    code = int(digits, 16) if digits and is_number else -1
    if not 0 <= code <= charsets.LAST:
        raise PatternError("invalid escape sequence", scanner.since(start))
    return code
