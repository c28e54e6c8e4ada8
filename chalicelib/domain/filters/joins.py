"""The rows a filter joins to a record.

Each distinct path is one LEFT JOIN, shared by every comparison that goes through it. A path
that leads to at most one row is followed when it is read. One that leads to many (a multiple
relation, a back relation, `@collection`, `:each`) gets a slot in the `Env`, and the search
tries its rows there (`search`). No row to join counts as one NULL row.

Joins are named as PocketBase names its aliases, after what they hang on: the collection's list
rule and the client's filter mean the same row by the same name. Measured on PocketBase 0.40.6.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.filters.context import Context, Row, Source
from chalicelib.domain.filters.operands import NO_SLOTS, Env
from chalicelib.domain.request import Record


class Elements(NamedTuple):
    """The items of a multiple field, one at a time."""

    read: Callable[[Env], Any]
    values: Callable[[Env], list[Any]]
    slots: frozenset[int]


class Joins:
    """The joins that hang on one record: the one being judged, or a joined one with a rule."""

    def __init__(self, context: Context, collection: Collection, joined: Source | None) -> None:
        self.context = context
        self.root = _root(collection) if joined is None else _joined_root(joined)
        self._prefix = "" if joined is None else f"{self.root.alias}_"
        self._sources: dict[str, Source] = {}

    def _once(self, alias: str, make: Callable[[], Source]) -> Source:
        found = self._sources.get(alias)
        if found is None:
            self.context.is_fixed = False
            found = self._sources[alias] = make()
            if found.path:
                self.context.hops.add(found.path)
        return found

    def relation(self, parent: Source, field: Field, target: Collection) -> Source:
        """Return the record(s) that a relation field names."""
        alias = f"{parent.alias}_{field.name}"
        join = self._many if field.is_multiple else self._one
        return self._once(alias, lambda: join(alias, parent, field, target))

    def _one(self, alias: str, parent: Source, field: Field, target: Collection) -> Source:
        name = field.name
        fetch_all = self.context.fetch

        def fetch(row: Row) -> Row:
            record_id = row.get(name) if row else None
            return fetch_all(target, [record_id])[0] if record_id else None

        return parent._replace(
            alias=alias,
            collection=target,
            row=lambda env: fetch(parent.row(env)),
            rows=lambda env: [fetch(row) for row in parent.rows(env)],
            fetches=True,
            path=None if parent.path is None else (*parent.path, name),
        )

    def _many(self, alias: str, parent: Source, field: Field, target: Collection) -> Source:
        elements = self.elements(parent, field)
        self.context.prefetch_before(max(elements.slots), target)
        name = field.name
        fetch_all = self.context.fetch

        def fetch(env: Env) -> Row:
            record_id = elements.read(env)
            return fetch_all(target, [record_id])[0] if record_id else None

        def rows(env: Env) -> list[Row]:
            ids = [(row.get(name) or []) if row else [] for row in parent.rows(env)]
            return [found for each in ids for found in fetch_all(target, each)]

        path = None if parent.path is None else (*parent.path, name)
        return Source(alias, target, fetch, rows, elements.slots, True, True, path)

    def elements(self, parent: Source, field: Field) -> Elements:
        """Return the items of a multiple field; `rel:each` and `rel.x` go through them alike."""
        name = field.name

        def of(row: Row) -> list[Any]:
            return (row.get(name) if row else None) or [None]

        alias = f"{parent.alias}_{name}_je"
        slot = self.context.slot(alias, lambda env: of(parent.row(env)))
        return Elements(
            lambda env: env[slot],
            lambda env: [item for row in parent.rows(env) for item in of(row)],
            parent.slots | {slot},
        )

    def given_elements(self, alias: str, items: list[Any]) -> Elements:
        """Return the items of a list in the request's body."""
        rows = items or [None]
        slot = self.context.slot(self._prefix + alias, lambda env: rows)
        return Elements(lambda env: env[slot], lambda env: rows, frozenset((slot,)))

    def referring(self, parent: Source, name: str, collection: Collection, field: Field) -> Source:
        """Return the record(s) of `collection` whose `field` names the parent's row."""
        alias = f"{parent.alias}_{name}"
        return self._once(alias, lambda: self._referring(alias, parent, collection, field))

    def _referring(
        self, alias: str, parent: Source, collection: Collection, field: Field
    ) -> Source:
        context = self.context

        def of(row: Row) -> list[Row]:
            found = context.related.referring(collection, field, row["id"]) if row else []
            return list(found) or [None]

        def rows(env: Env) -> list[Row]:
            return [found for row in parent.rows(env) for found in of(row)]

        if not field.is_multiple and collection.unique_index_on(field.name):
            return parent._replace(
                alias=alias,
                collection=collection,
                row=lambda env: of(parent.row(env))[0],
                rows=rows,
                fetches=True,
                path=None,
            )
        slot = context.slot(alias, lambda env: of(parent.row(env)))
        return _slotted(alias, collection, slot, rows, parent.slots)

    def whole(self, collection: Collection, name: str) -> Source:
        """Return every record of a collection, for `@collection.name` or its alias."""
        alias = f"__collection_{name}"
        read = self.context
        return self._listed(alias, collection, lambda: list(read.related.all(collection)))

    def given(self, alias: str, collection: Collection, ids: list[str]) -> Source:
        """Return the records that a multiple relation in the request's body names."""
        read = self.context
        return self._listed(alias, collection, lambda: list(read.related.get(collection, ids)))

    def _listed(
        self, alias: str, collection: Collection, read: Callable[[], list[Record]]
    ) -> Source:
        def rows(env: Env) -> list[Row]:
            found: list[Row] = list(read())
            return found or [None]

        alias = self._prefix + alias

        def make() -> Source:
            slot = self.context.slot(alias, rows)
            return _slotted(alias, collection, slot, rows, NO_SLOTS)

        return self._once(alias, make)

    def caller(self, collection: Collection, record: Record) -> Source:
        """Return the caller's record, for `@request.auth`."""
        alias = f"{self._prefix}__auth_{collection.name}"
        return Source(alias, collection, lambda env: record, lambda env: [record])

    def given_one(self, alias: str, collection: Collection, record_id: str) -> Source:
        """Return the record that a single relation in the request's body names."""
        fetch_all = self.context.fetch

        def fetch(env: Env) -> Row:
            return fetch_all(collection, [record_id])[0]

        return Source(alias, collection, fetch, lambda env: [fetch(env)], fetches=True)


def _root(collection: Collection) -> Source:
    name = collection.name
    return Source(name, collection, lambda env: env[0], lambda env: [env[0]], path=())


def _joined_root(joined: Source) -> Source:
    """Return a joined row as the record that its collection's rule is about.

    Such a rule shares no joins with the filter or with another one, so its names start anew.
    """
    row = joined.row
    return joined._replace(
        alias=f"{joined.alias}!", rows=lambda env: [row(env)], is_multi=False, path=None
    )


def _slotted(
    alias: str,
    collection: Collection,
    slot: int,
    rows: Callable[[Env], list[Row]],
    slots: frozenset[int],
) -> Source:
    def row(env: Env) -> Row:
        found: Row = env[slot]
        return found

    return Source(alias, collection, row, rows, slots | {slot}, True, True)
