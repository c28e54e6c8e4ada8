"""Tokens of the filter language.

identifier  a letter, _ @ or #, then letters, digits, _ . and :, not ending in . or :
number      optional -, digits, optional . and digits
text        '...' or "..."; a backslash escapes either quote and a backslash, and else stands
            for itself
sign        = != ~ !~ > >= < <= and each of them after ?
join        && or ||
comment     // to the end of the line
group       ( up to its closing bracket; the parser reads what is inside
call        an identifier with ( right after it; arguments nest three deep

White space is a space, a tab or a newline. Measured on PocketBase 0.40.6.
"""

import re
from functools import cache
from typing import NamedTuple

from chalicelib.domain.filters.nodes import (
    Call,
    FilterError,
    Identifier,
    Number,
    Operand,
    Text,
)

SIGNS = frozenset(
    sign for base in ("=", "!=", "~", "!~", ">", ">=", "<", "<=") for sign in (base, "?" + base)
)
MAX_CALL_DEPTH = 3

_TOKEN = re.compile(
    r"(?P<space>[ \t\n]+|//[^\n]*)"
    r"|(?P<identifier>[A-Za-z_@#][A-Za-z0-9_.:]*)"
    r"|(?P<sign>[=?!<>~]+)"
    r"|(?P<text>'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")"
    r"|(?P<join>[&|]+)"
    r"|(?P<number>-?[0-9.]+|-)"
    r"|(?P<group>\()",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_ESCAPED = re.compile(r"\\([\\'\"])")
_GROUP_MARK = re.compile(r"[()'\"]")


class Token(NamedTuple):
    kind: str
    """operand, sign, join or group."""
    value: Operand | str
    end: int
    name: str = ""
    """What an error calls it: identifier, number, text, function, sign, join."""


def read(text: str, position: int, end: int) -> Token | None:
    """Return the next token of `text[position:end]`, or None at its end.

    Raises `FilterError`.
    """
    while position < end:
        match = _TOKEN.match(text, position, end)
        if match is None or text[position] == ".":
            raise _unreadable(text, position, end)
        kind = match.lastgroup
        if kind == "space":
            position = match.end()
        elif kind == "identifier":
            return _identifier(text, match.group(), match.end(), end, MAX_CALL_DEPTH)
        else:
            return _READERS[str(kind)](match)
    return None


def _unreadable(text: str, position: int, end: int) -> FilterError:
    character = text[position]
    if character in "'\"":
        return FilterError(f'invalid quoted text "{text[position:end]}"', position)
    if character == "/":
        return FilterError("invalid comment", position)
    return FilterError(f"unexpected character {character!r}", position)


def _sign(match: re.Match[str]) -> Token:
    sign = match.group()
    if sign not in SIGNS:
        raise FilterError(f'invalid sign operator "{sign}"', match.start())
    return Token("sign", sign, match.end(), "sign")


def _join(match: re.Match[str]) -> Token:
    if match.group() not in ("&&", "||"):
        raise FilterError(f'invalid join operator "{match.group()}"', match.start())
    return Token("join", match.group(), match.end(), "join")


def _number(match: re.Match[str]) -> Token:
    if not _NUMBER.fullmatch(match.group()):
        raise FilterError(f'invalid number "{match.group()}"', match.start())
    return Token("operand", Number(float(match.group())), match.end(), "number")


def _text(match: re.Match[str]) -> Token:
    quoted = match.group()
    value = quoted[1:-1]
    if "\\" in value:
        value = _ESCAPED.sub(r"\1", value)
    return Token("operand", Text(value), match.end(), "text")


def _group(match: re.Match[str]) -> Token:
    return Token("group", "(", match.end(), "group")


_READERS = {"sign": _sign, "join": _join, "number": _number, "text": _text, "group": _group}


def _identifier(text: str, name: str, position: int, end: int, depth: int) -> Token:
    is_call = position < end and text[position] == "("
    if is_call and depth <= 0:
        message = f"max nested function arguments reached (max: {MAX_CALL_DEPTH})"
        raise FilterError(message, position)
    if name[-1] in ".:" or name in ("_", "@", "#"):
        kind = "function name" if is_call else "identifier"
        raise FilterError(f'invalid {kind} "{name}"', position - len(name))
    if is_call:
        return _call(text, name, position + 1, end, depth)
    return Token("operand", Identifier(name), position, "identifier")


def _call(text: str, name: str, position: int, end: int, depth: int) -> Token:
    """Read the arguments; a comma may follow the last one."""
    arguments: list[Operand] = []
    may_read = True
    while match := _argument_pattern().match(text, position, end):
        kind = match.lastgroup
        if kind == "close":
            return Token("operand", Call(name, tuple(arguments)), match.end(), "function")
        if kind == "space":
            position = match.end()
        elif kind == "comma":
            if may_read:
                raise FilterError(f'unexpected comma in function "{name}"', position)
            may_read, position = True, match.end()
        elif not may_read:
            message = f'expected comma after the last argument in function "{name}"'
            raise FilterError(message, position)
        else:
            token = _argument(text, name, match, end, depth - 1)
            arguments.append(token.value)  # type: ignore[arg-type]  # operands only here
            may_read, position = False, token.end
    raise _unreadable_argument(text, name, position, end)


def _argument(text: str, name: str, match: re.Match[str], end: int, depth: int) -> Token:
    kind, start = match.lastgroup, match.start()
    try:
        if kind == "identifier":
            return _identifier(text, match.group(), match.end(), end, depth)
        if kind == "text":
            return _text(match)
        if kind == "number" and text[start] != ".":
            return _number(match)
    except FilterError as error:
        message = f'invalid {kind} argument "{match.group()}" in function "{name}": {error}'
        raise FilterError(message, error.position) from error
    raise _unsupported_argument(text, name, start)


def _unsupported_argument(text: str, name: str, position: int) -> FilterError:
    character = text[position]
    return FilterError(
        f'unsupported argument character {character!r} in function "{name}"', position
    )


def _unreadable_argument(text: str, name: str, position: int, end: int) -> FilterError:
    if position >= end:
        message = f"invalid or incomplete function \"{name}\" (expected ')')"
        return FilterError(message, position)
    if text[position] in "'\"":
        rest = text[position:end]
        error = _unreadable(text, position, end)
        return FilterError(
            f'invalid text argument "{rest}" in function "{name}": {error}', position
        )
    return _unsupported_argument(text, name, position)


@cache
def _argument_pattern() -> re.Pattern[str]:
    """Return what a function's arguments consist of; few filters call one."""
    return re.compile(_TOKEN.pattern + r"|(?P<comma>,)|(?P<close>\))", re.DOTALL)


def group_end(text: str, position: int, end: int, found: dict[int, int]) -> int:
    """Return where the group whose content starts at `position` closes.

    Brackets inside quotes do not count; those in comments do, as in PocketBase. `found` keeps
    the ends of the groups inside, so that deep nesting is scanned once.
    """
    if position in found:
        return found[position]
    opened = [position]
    at = position
    while match := _GROUP_MARK.search(text, at, end):
        mark, at = match.group(), match.end()
        if mark == "(":
            opened.append(at)
        elif mark == ")":
            found[opened.pop()] = match.start()
            if not opened:
                return match.start()
        else:
            quoted = _TOKEN.match(text, match.start(), end)
            if quoted is None:
                raise _unreadable(text, match.start(), end)
            at = quoted.end()
    missing = f"missing {len(opened)} closing bracket(s)"
    raise FilterError(f"invalid formatted group - {missing}", position - 1)
