"""The tree that a filter, a rule or a function's arguments parse to, and `FilterError`."""

from typing import NamedTuple, TypeAlias


class FilterError(ValueError):
    """A text that is no filter, or one that does not fit the collection.

    The message starts in lower case and can follow `Invalid rule. Raw error: `. `position` is
    where in the text it went wrong, in characters; -1 if that is not one place.
    """

    def __init__(self, message: str, position: int = -1) -> None:
        super().__init__(message)
        self.position = position


class Identifier(NamedTuple):
    name: str


class Text(NamedTuple):
    value: str


class Number(NamedTuple):
    value: float
    """Always a float, as PocketBase binds it: `title = 1` looks for the text `1.0`."""


class Call(NamedTuple):
    name: str
    arguments: tuple["Operand", ...]


Operand: TypeAlias = Identifier | Text | Number | Call


class Comparison(NamedTuple):
    left: Operand
    sign: str
    """One of = != ~ !~ > >= < <=, or one of them after `?`."""
    right: Operand


class And(NamedTuple):
    terms: tuple["Expression", ...]
    depth: int


class Or(NamedTuple):
    terms: tuple["Expression", ...]
    depth: int


Expression: TypeAlias = Comparison | And | Or


def describe(operand: Operand) -> str:
    """Return an operand as error messages name it."""
    if isinstance(operand, Identifier | Call):
        return operand.name
    return str(operand.value)
