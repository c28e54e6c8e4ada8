"""Finding the route of a path, as API Gateway does: a literal beats a variable.

API Gateway itself has matched most requests before they reach us; this serves the others:
those of `chalice local`, of an ordinary server, and those the fallback route caught.
"""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote


class Match(NamedTuple):
    pattern: str
    parameters: dict[str, str]


class _Node:
    __slots__ = ("greedy", "literals", "pattern", "variable")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.variable: tuple[str, _Node] | None = None
        self.pattern: str | None = None
        self.greedy: str | None = None
        """The pattern of whatever lies below, if nothing else matches it."""


class Router:
    """A tree of path segments. The fallback's greedy pattern is no route of its own here."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._root = _Node()
        for pattern in patterns:
            if not pattern.startswith("/{proxy+}"):
                self._add(pattern)

    def match(self, path: str) -> Match | None:
        """Return the route of a percent-encoded path, with its variables decoded."""
        found = _find(self._root, path.split("/")[1:], 0)
        if found is None:
            return None
        pattern, values = found
        return Match(pattern, {name: unquote(value) for name, value in values})

    def _add(self, pattern: str) -> None:
        node = self._root
        for segment in pattern.split("/")[1:]:
            if segment.endswith("+}"):
                node.greedy = pattern
                return
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
                continue
            if node.variable is None:
                node.variable = (segment[1:-1], _Node())
            elif node.variable[0] != segment[1:-1]:
                raise ValueError(f"{pattern}: that position is called {{{node.variable[0]}}}")
            node = node.variable[1]
        node.pattern = pattern


def _find(node: _Node, segments: list[str], at: int) -> tuple[str, list[tuple[str, str]]] | None:
    if at == len(segments):
        return (node.pattern, []) if node.pattern is not None else None
    segment = segments[at]
    literal = node.literals.get(segment) or node.literals.get(unquote(segment))
    found = _find(literal, segments, at + 1) if literal is not None else None
    if found is None and node.variable is not None and segment:
        name, child = node.variable
        found = _find(child, segments, at + 1)
        if found is not None:
            found[1].append((name, segment))
    return (node.greedy, []) if found is None and node.greedy is not None else found
