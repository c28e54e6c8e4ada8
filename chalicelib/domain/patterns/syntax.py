"""Reads an RE2 pattern into a tree. Groups leave no trace: nobody asks what they caught.

The language is the one of RE2's syntax page, https://github.com/google/re2/wiki/Syntax.
"""

import re
from functools import lru_cache

from chalicelib.domain.patterns import charsets, classes
from chalicelib.domain.patterns.charsets import Ranges
from chalicelib.domain.patterns.scanner import PatternError, Scanner

MAX_REPEAT = 1000  # RE2's own limit
MAX_DEPTH = 100

_NAME = re.compile(r"\w+", re.ASCII)


class Chars:
    """One character out of `ranges`. `is_any` marks a dot, for who generates text."""

    __slots__ = ("is_any", "ranges")

    def __init__(self, ranges: Ranges, is_any: bool = False) -> None:
        self.ranges = ranges
        self.is_any = is_any


class Concat:
    """All of its items, one after the other; none of them stands for the empty text."""

    __slots__ = ("items",)

    def __init__(self, items: "list[Node]") -> None:
        self.items = items


class Alternate:
    """One of its choices."""

    __slots__ = ("choices",)

    def __init__(self, choices: "list[Node]") -> None:
        self.choices = choices


class Repeat:
    """Its item, from `minimum` to `maximum` times; None for without end."""

    __slots__ = ("item", "maximum", "minimum")

    def __init__(self, item: "Node", minimum: int, maximum: int | None) -> None:
        self.item = item
        self.minimum = minimum
        self.maximum = maximum


class Assertion:
    r"""A place, not a character: "^" and "$" of lines, "A" and "z" of the text, "b", "B"."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


Node = Chars | Concat | Alternate | Repeat | Assertion


@lru_cache(maxsize=256)
def parse(pattern: str) -> Node:
    """Return the pattern's tree. Raises `PatternError`."""
    reader = _Reader(pattern)
    node = reader.alternation()
    if reader.peek():
        raise PatternError("unexpected )", pattern)
    return node


class _Reader(Scanner):
    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.multi_line = False
        self.dot_all = False
        self._depth = 0

    def alternation(self) -> Node:
        choices = [self._sequence()]
        while self.take("|"):
            choices.append(self._sequence())
        return choices[0] if len(choices) == 1 else Alternate(choices)

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            if self.take("\\Q"):
                items.extend(self._quoted())
                continue
            item = self._item()
            if item is not None:
                items.append(self._repeated(item))
        return items[0] if len(items) == 1 else Concat(items)

    def _quoted(self) -> list[Node]:
        text = self.take_until("\\E")
        if text is None:
            text = self.pattern[self.position :]
            self.position = len(self.pattern)
        literals: list[Node] = [self._literal(ord(char)) for char in text]
        return [*literals[:-1], self._repeated(literals[-1])] if literals else []

    def _item(self) -> Node | None:
        """Return the next node; None for `(?i)`, which stands for no text."""
        char = self.next()
        if char == "(":
            return self._group()
        if char == "[":
            return Chars(classes.read_class(self))
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise PatternError("missing argument to repetition operator", char)
        if char == ".":
            return Chars(charsets.ANY if self.dot_all else charsets.NOT_NEWLINE, is_any=True)
        if char == "{":
            self._refuse_count()
        return self._place(char) or self._literal(ord(char))

    def _refuse_count(self) -> None:
        self.position -= 1
        start = self.position
        if self._braces():
            raise PatternError("missing argument to repetition operator", self.since(start))
        self.position += 1

    def _place(self, char: str) -> Assertion | None:
        if char == "^":
            return Assertion("^" if self.multi_line else "A")
        if char == "$":
            return Assertion("$" if self.multi_line else "z")
        return None

    def _literal(self, code: int) -> Chars:
        ranges = ((code, code),)
        return Chars(charsets.fold(ranges) if self.ignore_case else ranges)

    def _escape(self) -> Node:
        following = self.peek()
        if following and following in "AzbB":
            return Assertion(self.next())
        ranges = classes.read_set_escape(self)
        return (
            self._literal(classes.read_character_escape(self)) if ranges is None else Chars(ranges)
        )

    def _group(self) -> Node | None:
        outer = self.ignore_case, self.multi_line, self.dot_all
        if self.take("?") and not self._take_name() and not self._take_flags():
            return None
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise PatternError("expression nests too deeply", self.pattern)
        node = self.alternation()
        self._depth -= 1
        if not self.take(")"):
            raise PatternError("missing closing )", self.pattern)
        self.ignore_case, self.multi_line, self.dot_all = outer
        return node

    def _take_name(self) -> bool:
        start = self.position - 2
        if not (self.take("P<") or self.take("<")):
            return False
        name = self.take_until(">")
        if name is None or not _NAME.fullmatch(name):
            wrong = self.pattern[start:] if name is None else self.since(start)
            raise PatternError("invalid named capture", wrong)
        return True

    def _take_flags(self) -> bool:
        """Take `i`, `i:`, `i-s)` or `:`. Return whether the group has a body."""
        start = self.position - 2
        is_on = True
        while True:
            char = self.next()
            if char and char in ":)":
                return char == ":"
            if char == "-" and is_on:
                is_on = False
            elif not self._set_flag(char, is_on):
                raise PatternError("invalid or unsupported Perl syntax", self.since(start))

    def _set_flag(self, char: str, is_on: bool) -> bool:
        if char == "i":
            self.ignore_case = is_on
        elif char == "m":
            self.multi_line = is_on
        elif char == "s":
            self.dot_all = is_on
        return char != "" and char in "imsU"  # U swaps greedy and lazy, which decides nothing here

    def _repeated(self, item: Node) -> Node:
        """Return `item` with the repetition that follows it, if one does."""
        start = self.position
        counts = self._counts()
        if counts is None:
            return item
        self.take("?")  # lazy: finds the same texts
        operator = self.since(start)
        if self._counts() is not None:
            raise PatternError("invalid nested repetition operator", self.since(start))
        minimum, maximum = counts
        repeat = Repeat(item, minimum, maximum)
        if (maximum is not None and minimum > maximum) or _repeats(repeat) > MAX_REPEAT:
            raise PatternError("invalid repeat count", operator)
        return repeat

    def _counts(self) -> tuple[int, int | None] | None:
        if self.take("*"):
            return 0, None
        if self.take("+"):
            return 1, None
        if self.take("?"):
            return 0, 1
        return self._braces()

    def _braces(self) -> tuple[int, int | None] | None:
        """A brace that is no count, as in `a{` or `{x}`, is an ordinary character."""
        start = self.position
        text = self.take_until("}") if self.take("{") else None
        if text is not None:
            least, comma, most = text.partition(",")
            if _is_count(least) and (not most or _is_count(most)):
                minimum = int(least)
                return minimum, (int(most) if most else None) if comma else minimum
        self.position = start
        return None


def _repeats(node: Node) -> int:
    """Return how often a node's innermost item may have to be written out."""
    if isinstance(node, Repeat):
        return max(node.minimum, node.maximum or 0, 1) * _repeats(node.item)
    inner = getattr(node, "items", None) or getattr(node, "choices", None) or ()
    return max(map(_repeats, inner), default=1)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
