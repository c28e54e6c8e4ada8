"""The comparisons of own fields that every match satisfies: what a query plan narrows by.

Only those are listed where the language's comparison is the plain one of stored values, so
that an index finds no fewer records than the filter would. The filter still judges each.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from chalicelib.domain.collection import Collection, Field, Schema
from chalicelib.domain.filters import macros, values
from chalicelib.domain.filters.context import Context, Scope
from chalicelib.domain.filters.nodes import And, Comparison, Expression, FilterError, Identifier
from chalicelib.domain.filters.nodes import Operand as Node
from chalicelib.domain.filters.resolver import Resolver

TEXT_TYPES = frozenset(("text", "email", "url", "date", "autodate", "select", "relation"))

_MIRRORED = {"=": "=", ">": "<", ">=": "<=", "<": ">", "<=": ">="}


class Conjunct(NamedTuple):
    field: str
    operator: str
    """One of = > >= < <=, or `?=` for a multiple field that must hold the value."""
    value: Any
    """A value as records hold it, or a function from the scope to one.

    The function gives None if the comparison narrows nothing in this request.
    """

    def value_in(self, scope: Scope) -> Any:
        """Return the value in a request, None if it narrows nothing."""
        return self.value(scope) if callable(self.value) else self.value


def conjuncts(tree: Expression, collection: Collection, schema: Schema) -> Iterator[Conjunct]:
    """Return the conjuncts among the top terms of a tree."""
    for term in tree.terms if isinstance(tree, And) else (tree,):
        if not isinstance(term, Comparison):
            continue
        sign = term.sign.lstrip("?")
        if sign not in _MIRRORED:
            continue
        for left, operator, right in (
            (term.left, sign, term.right),
            (term.right, _MIRRORED[sign], term.left),
        ):
            found = _conjunct(left, operator, right, collection, schema)
            if found is not None:
                yield found


def plain_terms(tree: Expression, collection: Collection, schema: Schema) -> int:
    """Return how many terms a tree has if each one is a conjunct of an own field, else -1."""
    terms = tree.terms if isinstance(tree, And) else (tree,)
    alone = (list(conjuncts(term, collection, schema)) for term in terms)
    plain = all(len(found) == 1 and found[0].operator != "?=" for found in alone)
    return len(terms) if plain else -1


def _conjunct(
    left: Node, operator: str, right: Node, collection: Collection, schema: Schema
) -> Conjunct | None:
    field, is_item = _own_field(left, collection)
    if field is None or (is_item and operator != "="):
        return None
    find = partial(_value, field, operator, right, collection, schema)
    if isinstance(right, Identifier) and (right.name in macros.NAMES or _is_request(right.name)):
        return Conjunct(field.name, "?=" if is_item else operator, find)
    if isinstance(right, Identifier) and right.name.lower() not in ("true", "false"):
        return None
    value = find(None)
    if value is None:
        return None
    return Conjunct(field.name, "?=" if is_item else operator, value)


def _is_request(name: str) -> bool:
    """Return whether a name is a plain value of the request, which no record has a part in."""
    return name.startswith("@request.") and name.count(".") == 2 and ":" not in name


def _own_field(node: Node, collection: Collection) -> tuple[Field | None, bool]:
    """Return the own field that a node reads, and whether it reads the items of it."""
    if not isinstance(node, Identifier):
        return None, False
    field = collection.field.get(node.name)
    if field is None:
        name, _, rest = node.name.partition(".")
        if not rest:
            name, _, rest = node.name.partition(":")
        field = collection.field.get(name)
        if field is None or (field.type, rest) not in _ITEMS:
            return None, False
        return field, field.is_multiple
    return (None, False) if field.is_multiple else (field, False)


_ITEMS = {("relation", "id"), ("relation", "each"), ("select", "each"), ("file", "each")}


def _value(
    field: Field,
    operator: str,
    node: Node,
    collection: Collection,
    schema: Schema,
    scope: Scope | None,
) -> Any:
    """Return what the field must hold, None if that cannot be said."""
    try:
        operand = Resolver(Context(schema, scope), collection, True).resolve(node)
    except FilterError:
        return None
    # A call reads now, and a name may be a field after all; of the request it may be a column.
    of_request = isinstance(node, Identifier) and _is_request(node.name)
    if not (operand.constant or (of_request and not operand.fetches)):
        return None
    if operand.slots or operand.values or operand.side.is_json or operand.side.truth is not None:
        return None
    return _stored(field, operator, operand.read([{}]), operand.constant)


def _stored(field: Field, operator: str, value: values.Value, is_literal: bool) -> Any:
    if value is None or value == "":
        return None
    if field.type == "number":
        return _number(value, is_literal)
    if field.type == "bool":
        return _bool(operator, value)
    if field.type in TEXT_TYPES or (field.type == "file" and field.is_multiple):
        return _text(field, value, is_literal)
    return None


def _number(value: values.Value, is_literal: bool) -> Any:
    found = values.number(value) if is_literal else value
    return None if isinstance(found, str) else values.whole(found)  # type: ignore[arg-type]


def _bool(operator: str, value: values.Value) -> bool | None:
    return bool(value) if operator == "=" and value in (0, 1) else None


def _text(field: Field, value: values.Value, is_literal: bool) -> str | None:
    if isinstance(value, str):
        return value
    # A number meets the items of a list, or a column of the caller's, as a number.
    return values.text(value) if is_literal and not field.is_multiple else None
