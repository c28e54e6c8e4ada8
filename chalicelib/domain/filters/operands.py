"""One side of a comparison, resolved: how to read its value, and what SQL would know of it.

`=` depends on more than two values. PocketBase writes other SQL for a side that it knows to be
empty, for one that it knows not to be, and for a JSON path; the affinity of a column changes
what equals what. `Side` holds what the SQL would show, `Operand` adds the reading.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from chalicelib.domain.filters.like import pattern_of
from chalicelib.domain.filters.values import NO_AFFINITY, Value

Env: TypeAlias = list[Any]
"""The record at 0, what was computed for it at 1, then the current row of each join."""

Read: TypeAlias = Callable[[Env], Any]

NO_SLOTS: frozenset[int] = frozenset()


class Side(NamedTuple):
    affinity: int = NO_AFFINITY
    is_empty: bool = False
    """Known, without looking at a record, to be NULL or ''."""
    is_filled: bool = False
    """Known, without looking at a record, to be neither."""
    is_json: bool = False
    """A JSON value, where NULL and '' differ."""
    is_nullable: bool = False
    """Not taken for filled although it has parameters: strftime."""
    truth: bool | None = None
    """For `:isset` alone: SQL's TRUE or FALSE, to which `IS NOT` is another operator."""
    like: str | None = None
    """The LIKE pattern it stands for on the right of `~`, if it is a literal."""
    is_pattern: bool = False
    """On the right of `~` its value is the pattern itself."""

    def beside_many(self) -> "Side":
        """Return what is known of it where it meets every value of the other side."""
        return self._replace(is_json=False, is_nullable=False)


class Operand(NamedTuple):
    side: Side
    read: Read
    slots: frozenset[int] = NO_SLOTS
    """The joins whose rows it reads, with the joins those hang on."""
    values: Callable[[Env], list[Value]] | None = None
    """Every value it takes for the record, if that may be more than one."""
    values_slots: frozenset[int] = NO_SLOTS
    """The joins that `values` depends on: those of the row that a list rule is about."""
    guard: Read | None = None
    """What must hold beside the comparison: that an e-mail is public."""
    constant: bool = False
    """Reads the same for every record."""
    like_form: "Operand | None" = None
    """What replaces it on the right of `~`."""
    fetches: bool = False
    """Reading it asks `Related`, so it is read after what does not."""


def literal(value: Any) -> Operand:
    """Return an operand for a value that SQL gets as a parameter."""
    bound = int(value) if isinstance(value, bool) else value
    empty = value is None or value == ""
    side = Side(is_empty=empty, is_filled=not empty, like=pattern_of(parameter_text(value)))
    return Operand(side, lambda env: bound, constant=True)


def parameter_text(value: Any) -> str:
    """Return a parameter as PocketBase prints it into a LIKE pattern: `5`, not `5.0`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else repr(value)
    return str(value)


NULL = Operand(Side(is_empty=True), lambda env: None, constant=True)
ONE = Operand(Side(is_filled=True), lambda env: 1, constant=True)
ZERO = Operand(Side(is_filled=True), lambda env: 0, constant=True)
IS_SET = Operand(Side(is_filled=True, truth=True), lambda env: 1, constant=True)
IS_NOT_SET = Operand(Side(is_filled=True, truth=False), lambda env: 0, constant=True)

WORDS = {"null": NULL, "true": ONE, "false": ZERO}
"""What these names mean, in any case, when no field has them."""
