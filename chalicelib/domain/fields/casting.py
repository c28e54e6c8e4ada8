"""From what a body holds to texts, numbers, booleans and lists of texts, as PocketBase casts.

A value that cannot be cast becomes the zero value, never an error. Every JSON number is a
float64 there, so whole floats and integers mean the same. Measured on PocketBase 0.40.6.
"""

import json
import math
import re
from itertools import takewhile
from typing import Any

MAX_SAFE_INTEGER = 2**53 - 1

_DIGITS = "[0-9](?:_?[0-9])*"
_NUMBER = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\Z")
_HEXADECIMAL = re.compile(
    rf"[+-]?0[xX]_?(?=\.?[0-9a-fA-F])[0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][+-]?{_DIGITS}\Z"
)
_SPECIAL_NUMBER = re.compile(r"[+-]?(?:inf|infinity)\Z|nan\Z", re.IGNORECASE | re.ASCII)
_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))


def to_text(raw: Any) -> str:
    """Return text as it is, a number or boolean as text, and "" for anything else."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | float):
        return number_text(raw)
    return ""


def to_number(raw: Any) -> int | float:
    """Return a number from a number, boolean or numeric text, else 0."""
    if isinstance(raw, bool):
        return int(raw)
    if isinstance(raw, int | float):
        return normal_number(raw)
    if isinstance(raw, str):
        return _parse_number(raw)
    return 0


def _parse_number(text: str) -> int | float:
    if _NUMBER.match(text):
        value = float(text)
    elif _SPECIAL_NUMBER.match(text):
        return float(text)
    elif _HEXADECIMAL.match(text):
        value = _from_hexadecimal(text.replace("_", ""))
    else:
        return 0
    return 0 if math.isinf(value) else normal_number(value)


def _from_hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return 0


def normal_number(value: int | float) -> int | float:
    """Return a float64 as an int where that loses nothing, so that 5.0 is written as 5."""
    try:
        value = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    if value.is_integer() and abs(value) <= MAX_SAFE_INTEGER:
        return int(value)
    return value


def to_bool(raw: Any) -> bool:
    """Return a boolean from a boolean, a number (not 0) or one of Go's texts for true."""
    if isinstance(raw, str):
        return raw in _TRUE
    return isinstance(raw, bool | int | float) and bool(raw)


def to_texts(raw: Any) -> list[str]:
    """Return a list without empties and repeats, from a scalar, an array or a JSON array text."""
    if isinstance(raw, str):
        texts = _texts_of_text(raw)
    elif isinstance(raw, list):
        # One item that is no scalar spoils the whole array.
        texts = [] if any(isinstance(i, list | dict) for i in raw) else [to_text(i) for i in raw]
    else:
        texts = [to_text(raw)]
    return [text for text in dict.fromkeys(texts) if text]


def _texts_of_text(raw: str) -> list[str]:
    """A JSON array is read up to its first item that is no text; then the raw text stays, too."""
    if "[" not in raw:
        return [raw]
    start = len(raw) - len(raw.lstrip())
    try:
        items, end = json.JSONDecoder().raw_decode(raw, start)
    except (ValueError, RecursionError):
        return [raw]
    if not isinstance(items, list):
        return [raw]
    texts = list(takewhile(lambda item: item is None or isinstance(item, str), items))
    is_whole = len(texts) == len(items) and not raw[end:].strip()
    texts = [text or "" for text in texts]
    return texts if is_whole else [*texts, raw]


def number_text(value: int | float) -> str:
    """Return a number in plain decimal digits, without an exponent (1e21 as 1 and 21 zeros)."""
    value = normal_number(value)
    text = repr(value)
    if isinstance(value, int):
        return text
    if "e" not in text:
        return text.removesuffix(".0")
    mantissa, _, exponent = text.partition("e")
    return _shift_point(mantissa, int(exponent))


def _shift_point(mantissa: str, exponent: int) -> str:
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = whole + fraction
    point = len(whole) + exponent
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def short_number_text(value: int | float) -> str:
    """Return a number as PocketBase's messages print it: 1e+06 from seven digits on."""
    value = float(value)
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return number_text(value)
    digits = repr(value).partition("e")[0].replace(".", "").strip("-0")
    return f"{value:.{max(len(digits) - 1, 0)}e}"
