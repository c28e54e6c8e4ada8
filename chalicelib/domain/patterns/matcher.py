"""Finds a pattern in a text in one walk over it, however the pattern is built.

The tree becomes a small program (Thompson's construction). Walking over the text we hold the
set of its instructions that are alive; each set met is kept with where each character led
from it, so a usual match costs one dictionary look-up per character.
"""

from bisect import bisect_right
from functools import lru_cache

from chalicelib.domain.patterns import charsets
from chalicelib.domain.patterns.charsets import Ranges
from chalicelib.domain.patterns.scanner import PatternError
from chalicelib.domain.patterns.syntax import (
    Alternate,
    Assertion,
    Chars,
    Concat,
    Node,
    Repeat,
    parse,
)

MAX_INSTRUCTIONS = 20_000
MAX_KEPT_STATES = 1_000

_NEVER: Ranges = ((-1, -1),)

TEXT_EDGE, NEWLINE, WORD, OTHER = range(4)


class _Instruction:
    """`next` are the instructions after it; one without set and assertion is a mere fork."""

    __slots__ = ("assertion", "ends", "next", "starts")

    def __init__(
        self, following: tuple[int, ...], ranges: Ranges = (), assertion: str = ""
    ) -> None:
        self.next = following
        self.starts = tuple(low for low, _ in ranges)
        self.ends = tuple(high for _, high in ranges)
        self.assertion = assertion

    def takes(self, code: int) -> bool:
        at = bisect_right(self.starts, code) - 1
        return at >= 0 and code <= self.ends[at]


class _State:
    """Live instructions after some text, and the kind of that text's last character."""

    __slots__ = ("alive", "next", "previous")

    def __init__(self, alive: frozenset[int], previous: int) -> None:
        self.alive = alive
        self.previous = previous
        self.next: dict[str, _State | None] = {}
        """Where a character leads; None means the pattern has been found."""


class Matcher:
    """A compiled pattern."""

    def __init__(self, tree: Node, pattern: str) -> None:
        self._program: list[_Instruction] = [_Instruction(())]
        self._pattern = pattern
        self._start = self._add(tree, 0)
        self._states: dict[tuple[frozenset[int], int], _State] = {}

    def search(self, text: str) -> bool:
        """Return whether the pattern is found anywhere in `text`."""
        state = self._state(frozenset(), TEXT_EDGE)
        for char in text:
            try:
                following = state.next[char]
            except KeyError:
                following = self._step(state, char)
            if following is None:
                return True
            state = following
        return self._reach(state, TEXT_EDGE) is None

    def _state(self, alive: frozenset[int], previous: int) -> _State:
        state = self._states.get((alive, previous))
        if state is None:
            if len(self._states) >= MAX_KEPT_STATES:
                self._states.clear()
            state = self._states[alive, previous] = _State(alive, previous)
        return state

    def _step(self, state: _State, char: str) -> _State | None:
        kind = _kind(char)
        reached = self._reach(state, kind)
        following = None
        if reached is not None:
            code = ord(char)
            took = [self._program[at] for at in reached if self._program[at].takes(code)]
            following = self._state(frozenset(to for one in took for to in one.next), kind)
        state.next[char] = following
        return following

    def _reach(self, state: _State, following: int) -> set[int] | None:
        """Return the instructions that may take the next character; None if it is found."""
        seen: set[int] = set()
        waiting = [self._start, *state.alive]
        while waiting:
            at = waiting.pop()
            if at == 0:
                return None
            if at in seen:
                continue
            seen.add(at)
            instruction = self._program[at]
            if not instruction.starts and _holds(instruction.assertion, state.previous, following):
                waiting.extend(instruction.next)
        return seen

    def _add(self, node: Node, after: int) -> int:
        """Add instructions for `node` that go on at `after`. Return where they begin."""
        if isinstance(node, Chars):
            return self._append(_Instruction((after,), node.ranges or _NEVER))
        if isinstance(node, Concat):
            for item in reversed(node.items):
                after = self._add(item, after)
            return after
        if isinstance(node, Alternate):
            return self._fork(*(self._add(choice, after) for choice in node.choices))
        if isinstance(node, Assertion):
            return self._append(_Instruction((after,), assertion=node.kind))
        return self._add_repeat(node, after)

    def _add_repeat(self, node: Repeat, after: int) -> int:
        if node.maximum is None:
            loop = self._append(_Instruction((after,)))
            begin = self._add(node.item, loop)
            self._program[loop] = _Instruction((begin, after))
            after = loop
        else:
            end = after
            for _ in range(node.maximum - node.minimum):
                after = self._fork(self._add(node.item, after), end)
        for _ in range(node.minimum):
            after = self._add(node.item, after)
        return after

    def _fork(self, *to: int) -> int:
        return self._append(_Instruction(to))

    def _append(self, instruction: _Instruction) -> int:
        if len(self._program) >= MAX_INSTRUCTIONS:
            raise PatternError("expression too large", self._pattern)
        self._program.append(instruction)
        return len(self._program) - 1


def _kind(char: str) -> int:
    if char == "\n":
        return NEWLINE
    code = ord(char)
    return WORD if any(low <= code <= high for low, high in charsets.WORD) else OTHER


def _holds(assertion: str, previous: int, following: int) -> bool:
    if not assertion:
        return True
    if assertion == "A":
        return previous == TEXT_EDGE
    if assertion == "z":
        return following == TEXT_EDGE
    if assertion == "^":
        return previous in (TEXT_EDGE, NEWLINE)
    if assertion == "$":
        return following in (TEXT_EDGE, NEWLINE)
    return ((previous == WORD) != (following == WORD)) == (assertion == "b")


@lru_cache(maxsize=128)
def matcher(pattern: str) -> Matcher:
    """Return the pattern's matcher. Raises `PatternError`."""
    return Matcher(parse(pattern), pattern)
