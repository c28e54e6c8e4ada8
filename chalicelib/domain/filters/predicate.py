"""A compiled filter: `Predicate.matches(record, scope)`.

`@request.*` decides what SQL PocketBase would write (a guest's NULL is not the same as an id,
a caller's collection has its own fields), so a filter that uses it is compiled once for each
scope. One that does not is compiled once.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.filters import compiler, search
from chalicelib.domain.filters.conjuncts import Conjunct, conjuncts, plain_terms
from chalicelib.domain.filters.context import FIRST_SLOT, Context, Scope
from chalicelib.domain.filters.nodes import FilterError
from chalicelib.domain.filters.parser import parse
from chalicelib.domain.filters.resolver import Resolver
from chalicelib.domain.filters.sort import resolve_sort
from chalicelib.domain.request import Record

MAX_FILTER_BYTES = 3500

Part: TypeAlias = tuple[str, bool]
"""A text, and whether it is a client's filter (of one who is no superuser)."""

Holds: TypeAlias = Callable[[Record], bool]


class Predicate:
    """Rules and filters that must all hold for a record."""

    __slots__ = (
        "_conjuncts",
        "_fixed",
        "_is_new",
        "_parts",
        "_plain_terms",
        "_sort",
        "collection",
        "hops",
        "schema",
    )

    def __init__(
        self,
        parts: Sequence[Part],
        collection: Collection,
        schema: Schema,
        sort: str = "",
        is_new: bool = False,
    ) -> None:
        """Raises `FilterError`. `sort` is a client's, whose joins must be allowed too."""
        self.collection = collection
        self._parts = tuple(parts)
        self.schema = schema
        self._is_new = is_new
        self._sort = sort
        self._fixed: Holds | None = None
        self._conjuncts: tuple[Conjunct, ...] | None = None
        self._plain_terms: int | None = None
        context, holds = self._compile(None)
        self.hops = tuple(sorted(context.hops))
        """The relation paths that are followed from the record, such as ("author", "team")."""
        if context.is_fixed:
            self._fixed = holds

    def matches(self, record: Record, scope: Scope) -> bool:
        """Return whether the record satisfies all parts.

        Raises `FilterError` if the request gives a rule an operand that does not fit, and
        `BadRequestError` if the joins are too many to try.
        """
        return (self._fixed or self._bound(scope))(record)

    def _bound(self, scope: Scope) -> Holds:
        holds = scope.compiled.get(self)
        if holds is None:
            _, holds = self._compile(scope)
            scope.compiled[self] = holds
        return holds

    def _compile(self, scope: Scope | None) -> tuple[Context, Holds]:
        context = Context(self.schema, scope, self._is_new)
        tests = []
        resolvers = {
            is_client: Resolver(context, self.collection, not is_client)
            for is_client in {is_client for _, is_client in self._parts} | {bool(self._sort)}
        }
        for text, is_client in self._parts:
            if is_client and len(text.encode()) > MAX_FILTER_BYTES:
                raise FilterError(f"max filter length of {MAX_FILTER_BYTES} bytes exceeded")
            tests.append(compiler.expression(resolvers[is_client], parse(text)))
        if self._sort:
            resolve_sort(self._sort, resolvers[True])
        tests.extend(compiler.list_rules(context))
        return context, _judge(search.conjunction(tests), context) if tests else _anything

    def conjuncts(self) -> tuple[Conjunct, ...]:
        """Return comparisons of own fields that every match must satisfy, for the planner."""
        if self._conjuncts is None:
            self._conjuncts = tuple(
                conjunct
                for text, _ in self._parts
                for conjunct in conjuncts(parse(text), self.collection, self.schema)
            )
        return self._conjuncts

    @property
    def plain_terms(self) -> int:
        """Return how many terms there are if each is a conjunct and nothing else is asked.

        -1 where the conjuncts do not say it all: an `||`, a join, a private e-mail address.
        """
        if self._plain_terms is None:
            self._plain_terms = self._count_plain_terms()
        return self._plain_terms

    def _count_plain_terms(self) -> int:
        if self.hops or (self.collection.is_auth and any(client for _, client in self._parts)):
            return -1
        counts = [plain_terms(parse(text), self.collection, self.schema) for text, _ in self._parts]
        return -1 if -1 in counts else sum(counts)

    def prefetch(self, records: Iterable[Record], scope: Scope) -> None:
        """Load what the relation paths of these records lead to, one round trip for each hop."""
        records = list(records)
        for path in self.hops:
            self._prefetch(path, records, scope)

    def _prefetch(self, path: tuple[str, ...], rows: list[Record], scope: Scope) -> None:
        collection = self.collection
        for name in path[:-1]:
            collection, ids = self._named(collection, name, rows)
            rows = scope.related.get(collection, ids)
        collection, ids = self._named(collection, path[-1], rows)
        if ids:
            scope.related.prefetch(collection, ids)

    def _named(
        self, collection: Collection, name: str, rows: list[Record]
    ) -> tuple[Collection, list[str]]:
        target = self.schema.by_id(collection.field[name].options["collectionId"])
        assert target is not None  # noqa: S101  # compiling found it
        found: dict[str, None] = {}
        for row in rows:
            value = row.get(name) or []
            found.update(dict.fromkeys([value] if isinstance(value, str) else value))
        return target, list(found)


def _anything(record: Record) -> bool:
    return True


def _judge(test: search.Test, context: Context) -> Holds:
    """Return what makes a record's `Env` and searches it."""
    found = search.exists(test, context.candidates, FIRST_SLOT)
    slots = [None] * len(context.candidates)

    def holds(record: Record) -> bool:
        env: list[Any] = [record, {}, *slots]
        return bool(found(env))

    return holds


_cache: dict[object, Predicate] = {}
_CACHE_SIZE = 512


def compile_filter(
    parts: Sequence[Part],
    collection: Collection,
    schema: Schema,
    client_sort: str = "",
    is_new: bool = False,
) -> Predicate:
    """Return the predicate of rules and filters that must all hold and share their joins.

    `parts` are texts, each with whether a client who is no superuser wrote it: such a filter
    may not use hidden fields, reads only public e-mail addresses, and what it joins must be
    listable by the client. `client_sort` is that client's sort, which obeys the same.
    `is_new` is for a createRule: the record is not stored. Raises `FilterError`.
    """
    # The cached predicate holds its schema, so no other schema can have the same id.
    key = (tuple(parts), collection.id, client_sort, is_new, id(schema))
    found = _cache.get(key)
    if found is None or found.collection is not collection:
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        found = _cache[key] = Predicate(parts, collection, schema, client_sort, is_new)
    return found


def check_rule(text: str, collection: Collection, schema: Schema) -> None:
    """Raise `FilterError` if `text` cannot be a rule of the collection."""
    Predicate([(text, False)], collection, schema)
