"""From the names in a filter to operands, against one collection.

The messages of the errors are PocketBase's: they are shown when a rule is saved.
"""

import re
from collections.abc import Callable
from typing import Any

from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.filters import columns, macros, operands
from chalicelib.domain.filters.context import Context, Source
from chalicelib.domain.filters.joins import Joins
from chalicelib.domain.filters.nodes import Call, FilterError, Identifier
from chalicelib.domain.filters.nodes import Operand as Node
from chalicelib.domain.filters.operands import Env, Operand, Side

MAX_RELATIONS = 6

_PLAIN = re.compile(r"\w+[\w.:]*", re.ASCII)
_COLLECTION = re.compile(r"@collection\.\w+(?::\w+)?\.[\w.:]*\w+", re.ASCII)
_BACK_RELATION = re.compile(r"(\w+)_via_(\w+)", re.ASCII)
_MODIFIERS = ("isset", "each", "length", "lower", "changed")


class Resolver:
    """Names as seen from one record: its fields, its joins, and the request."""

    def __init__(
        self,
        context: Context,
        collection: Collection,
        allow_hidden: bool,
        joined: Source | None = None,
    ) -> None:
        self.context = context
        self.collection = collection
        self.allow_hidden = allow_hidden
        self.joins = Joins(context, collection, joined)

    def resolve(self, node: Node) -> Operand:
        """Return the operand of a node. Raises `FilterError`."""
        if isinstance(node, Identifier):
            return self.identifier(node.name)
        if isinstance(node, Call):
            from chalicelib.domain.filters import functions  # noqa: PLC0415  # lazy: rare

            return functions.call(self, node)
        return operands.literal(node.value)

    def identifier(self, name: str) -> Operand:
        """Return a macro, a field, or else null, true or false. Raises `FilterError`."""
        if name in macros.NAMES:
            self.context.is_fixed = False
            return operands.literal(macros.value(name, self.context.now))
        try:
            return self.field(name)
        except FilterError:
            word = operands.WORDS.get(name.lower())
            if word is None:
                raise
            return word

    def field(self, name: str) -> Operand:
        """Return a field, or what a path, `@collection` or `@request` leads to."""
        if _PLAIN.fullmatch(name):
            return self.walk(self.joins.root, name.split("."))
        if name.startswith("@request."):
            from chalicelib.domain.filters import request_fields  # noqa: PLC0415  # lazy: a cycle

            self.context.is_fixed = False
            return request_fields.resolve(self, name)
        if _COLLECTION.fullmatch(name):
            return self._other_collection(name)
        raise FilterError(f'failed to resolve field "{name}"')

    def _other_collection(self, name: str) -> Operand:
        _, collection_name, *path = name.split(".")
        collection_name, _, alias = collection_name.partition(":")
        collection = self.context.schema.find(collection_name)
        if collection is None:
            raise FilterError(
                f'failed to load collection "{collection_name}" from field path "{name}"'
            )
        source = self.joins.whole(collection, alias or collection.name)
        self._check_access(source)
        return self.walk(source, path)

    def walk(self, source: Source, path: list[str], *, from_request: bool = False) -> Operand:
        """Return what a path from a row leads to.

        From `@request` hidden fields are open and a missing field is NULL.
        """
        for index, name in enumerate(path[:-1]):
            field = source.collection.field.get(name)
            if field is not None:
                self._require_visible(field, from_request)
                if field.type in ("json", "geoPoint"):
                    return self._column(source, *columns.path(field, path[index + 1 :]))
            if index >= MAX_RELATIONS:
                raise FilterError(f'max nested relations reached for field "{name}"')
            if field is not None and path[index + 1 :] == ["id"] and _is_single(field):
                # The id of a single relation is its value, so there is no row to read.
                return self._last(source, name, from_request)
            joined = self._join(source, name, field, from_request)
            if joined is None:
                return operands.NULL
            source = joined
        return self._last(source, path[-1], from_request)

    def _join(
        self, source: Source, name: str, field: Field | None, from_request: bool
    ) -> Source | None:
        """Return the row that one step of a path leads to. None for NULL from `@request`."""
        if field is None:
            back = self._back_relation(source.collection, name, from_request)
            if back is None:
                return None
            joined = self.joins.referring(source, name, *back)
        elif field.type == "relation":
            joined = self.joins.relation(source, field, self.target(field))
        else:
            raise FilterError(f'field "{name}" is not a valid relation')
        if not from_request:
            self._check_access(joined)
        return joined

    def _require_visible(self, field: Field, from_request: bool) -> None:
        if field.hidden and not self.allow_hidden and not from_request:
            raise FilterError(f'non-filterable field "{field.name}"')

    def target(self, field: Field) -> Collection:
        """Return the collection that a relation field points to. Raises `FilterError`."""
        target = self.context.schema.by_id(field.options.get("collectionId", ""))
        if target is None:
            raise FilterError(f'failed to load relation field "{field.name}" collection')
        return target

    def _check_access(self, source: Source) -> None:
        """Have a joined collection's listRule hold for a client."""
        if self.allow_hidden:
            return
        if source.collection.rules["listRule"] is None:
            raise FilterError(f'collection "{source.collection.name}" is not accessible')
        self.context.must_check(source)

    def _back_relation(
        self, collection: Collection, name: str, from_request: bool
    ) -> tuple[Collection, Field] | None:
        """Return where `collection_via_field` points to. None for NULL from `@request`."""
        match = _BACK_RELATION.fullmatch(name)
        if match is None:
            if from_request:
                return None
            raise FilterError(f'failed to resolve field "{name}"')
        back_collection = self.context.schema.find(match.group(1))
        if back_collection is None:
            raise FilterError(f'failed to load back relation field "{name}" collection')
        field_name = match.group(2)
        field = back_collection.field.get(field_name)
        if field is None:
            raise FilterError(f'missing back relation field "{field_name}"')
        if field.type != "relation":
            raise FilterError(f'invalid back relation field "{field_name}"')
        self._require_visible(field, from_request)
        if field.options.get("collectionId") != collection.id:
            message = "invalid collection reference of a back relation field"
            raise FilterError(f'{message} "{field_name}"')
        return back_collection, field

    def _last(self, source: Source, name: str, from_request: bool) -> Operand:
        name, modifier = split_modifier(name)
        field = source.collection.field.get(name)
        if field is None:
            if from_request:
                return operands.NULL
            raise FilterError(f'unknown field "{name}"')
        self._require_visible(field, from_request)
        if modifier == "each" and field.is_multiple:
            return self._each(source, field)
        is_new = self.context.is_new and source.path == ()
        operand = self._column(source, *columns.of_field(field, modifier, is_new))
        if modifier == "lower":
            operand = columns.lowered(operand)
        is_open = self.allow_hidden or from_request
        if name == "email" and source.collection.is_auth and not is_open:
            return operand._replace(guard=columns.guard(source))
        return operand

    def _each(self, source: Source, field: Field) -> Operand:
        elements = self.joins.elements(source, field)
        return Operand(
            Side(), elements.read, elements.slots, self.remembered(elements.values),
            self.joins.root.slots, fetches=source.fetches,
        )  # fmt: skip

    def _column(self, source: Source, side: Side, reader: columns.Reader) -> Operand:
        """Return the operand that reads something of a row."""
        rows = source.rows
        return Operand(
            side,
            columns.of_current(source, reader),
            source.slots,
            self.remembered(lambda env: [reader(row) for row in rows(env)])
            if source.is_multi
            else None,
            self.joins.root.slots,
            fetches=source.fetches,
        )

    def remembered(self, compute: Callable[[Env], list[Any]]) -> Callable[[Env], list[Any]]:
        """Return `compute`, done once for each record (and row that a list rule is about)."""
        root_row = self.joins.root.row
        key = object()

        def values(env: Env) -> list[Any]:
            memo = env[1].setdefault(key, {})
            about = id(root_row(env))
            if about not in memo:
                memo[about] = list(dict.fromkeys(compute(env)))
            found: list[Any] = memo[about]
            return found

        return values


def _is_single(field: Field) -> bool:
    return field.type == "relation" and not field.is_multiple


def split_modifier(name: str) -> tuple[str, str]:
    """Return a name and its modifier, without the colon. Raises `FilterError`."""
    parts = name.split(":")
    if len(parts) != 2:
        return name, ""
    if parts[1] not in _MODIFIERS:
        raise FilterError(f'unknown modifier in "{name}"')
    return parts[0], parts[1]
