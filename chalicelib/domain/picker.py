"""The `fields` parameter: which keys of a JSON answer the client wants.

    name,expand.author.name,body:excerpt(200,true)

A path goes through objects and lists; `*` stands for the keys of its level that no other
path names; what a path does not find is left out silently. In a page of records the paths
start at each item and the envelope stays. Measured on PocketBase 0.40.6.
"""

import re
from collections.abc import Callable
from typing import Any

from chalicelib.errors import BadRequestError

Modifier = Callable[[Any], Any]
Paths = dict[str, Modifier | None]

_ENVELOPE = frozenset({"page", "perPage", "totalItems", "totalPages", "items"})
_LEAF = ""
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


def pick(value: Any, fields: str) -> Any:
    """Return a copy of `value` that holds only what `fields` names.

    Raises `BadRequestError` for an unknown modifier or a bad argument.
    """
    paths = parse(fields)
    if not paths:
        return value
    if isinstance(value, dict) and value.keys() >= _ENVELOPE and "collectionId" not in value:
        return {**value, "items": _picked(value["items"], _Level(paths))}
    return _picked(value, _Level(paths))


def parse(fields: str) -> Paths:
    """Return the modifier of each path, the last of equal paths. Raises `BadRequestError`."""
    paths: Paths = {}
    for token in _split(fields):
        path, colon, modifier = token.partition(":")
        paths[path.strip()] = _modifier(modifier) if colon else None
    return paths


def _split(fields: str) -> list[str]:
    """Return the parts between the commas that no parenthesis encloses."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(fields):
        if char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif char == "," and depth == 0:
            parts.append(fields[start:at])
            start = at + 1
    if depth:
        raise BadRequestError
    parts.append(fields[start:])
    return [part.strip() for part in parts if part.strip()]


def _modifier(text: str) -> Modifier:
    name, *arguments = re.findall(r"[^\s(),]+", text) or [""]
    if name != "excerpt" or not 1 <= len(arguments) <= 2:
        raise BadRequestError
    number = re.fullmatch(r"\+?(\d{1,18})(\.\d*)?", arguments[0])
    if number is None or int(number[1]) == 0:
        raise BadRequestError
    length, with_ellipsis = int(number[1]), arguments[1:2] != [] and arguments[1] in _TRUE
    return lambda value: excerpt(value, length, with_ellipsis) if isinstance(value, str) else value


def excerpt(text: str, length: int, with_ellipsis: bool = False) -> str:
    """Return the first `length` characters of what HTML `text` shows as plain text."""
    if "<" in text or "&" in text or "\0" in text:
        from chalicelib.domain import plain_text  # noqa: PLC0415  (lazy: html.parser is slow)

        text = plain_text.of(text)
    # Only HTML's own white space is folded, yet any white space is trimmed.
    text = re.sub(r"[ \t\n\f\r]+", " ", text).strip()
    if len(text) <= length:
        return text
    return text[:length].strip() + ("..." if with_ellipsis else "")


class _Level(dict[str, Modifier | None]):
    """For each key met so far, what becomes of its value; None leaves the key out."""

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._paths = paths

    def __missing__(self, key: str) -> Modifier | None:
        self[key] = modifier = self._modifier(key)
        return modifier

    def _modifier(self, key: str) -> Modifier | None:
        inner = _below(self._paths, key)
        if not inner:
            return self._paths["*"] or _whole if "*" in self._paths else None
        if _LEAF in inner:
            return inner[_LEAF] or _whole
        level = _Level(inner)
        return lambda value: _picked(value, level)


def _picked(value: Any, level: _Level) -> Any:
    if isinstance(value, list):
        return [_picked(item, level) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: modify(item) for key, item in value.items() if (modify := level[key])}


def _whole(value: Any) -> Any:
    return value


def _below(paths: Paths, key: str) -> Paths:
    """Return the paths that go through `key`, each without it."""
    if key in paths:
        return {_LEAF: paths[key]}
    start = key + "."
    return {
        path[len(start) :]: modifier for path, modifier in paths.items() if path.startswith(start)
    }
