"""Values as SQLite compares them, since PocketBase's filters become SQL.

A value is None (NULL), an int or float, or a str. An operand has an affinity: columns of text
have TEXT, columns of numbers, booleans and JSON have NUMERIC, anything computed and every
literal has none. Before a comparison NUMERIC turns the other side's text into a number if it
looks like one, and TEXT turns a number without affinity into text. Numbers sort before text.
Measured on PocketBase 0.40.6 (SQLite 3.53).
"""

import json
import re
from collections.abc import Callable
from typing import Any, TypeAlias

Value: TypeAlias = int | float | str | None
Convert: TypeAlias = Callable[[Value], Value]
Compare: TypeAlias = Callable[[Any, Any], bool | None]
"""True, False, or None for SQL's unknown."""

NO_AFFINITY, TEXT, NUMERIC = 0, 1, 2

_NUMBER = re.compile(r"[ \t-\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t-\r]*")
_INTEGER_LIMIT = 2**63


def number_text(value: float) -> str:
    """Return a number as SQLite prints it: `5`, `5.0`, `1.0e+21`.

    It takes 15 digits if they say it all, else 17.
    """
    if not isinstance(value, float):
        return str(value)
    digits = 15 if float(f"{value:.14e}") == value else 17
    mantissa, _, exponent = f"{value or 0.0:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -5 < power < 17:
        return _with_fraction(f"{value or 0.0:.{max(digits - 1 - power, 1)}f}")
    return f"{_with_fraction(mantissa)}e{exponent}"


def _with_fraction(shown: str) -> str:
    shown = shown.rstrip("0")
    return shown + "0" if shown.endswith(".") else shown


def text(value: Value) -> str | None:
    """Return a value as text, None for NULL."""
    return value if value is None or isinstance(value, str) else number_text(value)


def whole(value: float) -> float:
    """Return a stored number: one without a fraction is an integer in a NUMERIC column."""
    if value.__class__ is float and value.is_integer() and abs(value) < _INTEGER_LIMIT:
        return int(value)
    return value


def number(value: Value) -> Value:
    """Return text that reads as a number as that number; anything else as it is."""
    if not isinstance(value, str):
        return value
    match = _NUMBER.fullmatch(value)
    if match is None:
        return value
    digits = match.group(1)
    return int(digits) if digits.lstrip("+-").isdecimal() else float(digits)


def lower(value: Value) -> str | None:
    """Return a value as text with ASCII letters in lower case, as SQLite's LOWER()."""
    shown = text(value)
    return None if shown is None else ascii_lower(shown)


def ascii_lower(shown: str) -> str:
    return shown.lower() if shown.isascii() else shown.translate(_ASCII_LOWER)


_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def json_text(value: Any) -> str:
    """Return JSON as PocketBase stores it: no spaces, keys in order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def of_json(value: Any) -> Value:
    """Return what json_extract() gives for a JSON value."""
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, str):
        return value
    return whole(value) if isinstance(value, int | float) else json_text(value)


def is_true(value: Value) -> bool | None:
    """Return the value's truth in SQL, for `IS TRUE` and `IS FALSE`."""
    if value is None:
        return None
    if isinstance(value, str):
        leading = _NUMBER.match(value)
        return leading is not None and float(leading.group(1)) != 0
    return value != 0


def _unchanged(value: Value) -> Value:
    return value


def conversions(left: int, right: int) -> tuple[Convert, Convert] | None:
    """Return what the two affinities do to the left and right value, None for nothing."""
    if NUMERIC in (left, right):
        return number, number
    if left == TEXT and right == NO_AFFINITY:
        return _unchanged, text
    if right == TEXT and left == NO_AFFINITY:
        return text, _unchanged
    return None


OF_COLUMN: dict[int, Convert] = {TEXT: text, NUMERIC: number}
"""What a column of an affinity does to a value without one."""


def converting(compare: Compare, left: int, right: int) -> Compare:
    """Return `compare` with the conversions of the two affinities before it."""
    convert = conversions(left, right)
    if convert is None:
        return compare
    convert_left, convert_right = convert
    return lambda a, b: compare(convert_left(a), convert_right(b))


def equal(a: Any, b: Any) -> bool | None:
    """`=`"""
    return None if a is None or b is None else a == b


def same(a: Any, b: Any) -> bool:
    """`IS`"""
    return bool(a == b)


def different(a: Any, b: Any) -> bool:
    """`IS NOT`"""
    return bool(a != b)


def _less(a: Any, b: Any) -> bool:
    a_is_text = isinstance(a, str)
    return a < b if a_is_text is isinstance(b, str) else not a_is_text


def less(a: Any, b: Any) -> bool | None:
    return None if a is None or b is None else _less(a, b)


def more(a: Any, b: Any) -> bool | None:
    return None if a is None or b is None else _less(b, a)


def at_most(a: Any, b: Any) -> bool | None:
    return None if a is None or b is None else not _less(b, a)


def at_least(a: Any, b: Any) -> bool | None:
    return None if a is None or b is None else not _less(a, b)


ORDERED: dict[str, Compare] = {"<": less, ">": more, "<=": at_most, ">=": at_least}


def sort_key(value: Value) -> tuple[int, Any]:
    """Return a key that orders values as SQLite does: NULL, numbers, text by bytes."""
    if value is None:
        return (0, 0)
    return (2, value) if isinstance(value, str) else (1, value)
