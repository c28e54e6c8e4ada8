"""`sort=-created,author.name`: keys that order records as SQLite does.

NULL sorts before numbers, numbers before text, text by bytes. Of a path to many rows the first
one counts (PocketBase promises none). `@random` and `@rowid` are the caller's to apply: a
record does not know its insertion order.
"""

from collections.abc import Callable
from typing import Any

from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.filters.context import FIRST_SLOT, Context, Scope
from chalicelib.domain.filters.nodes import FilterError
from chalicelib.domain.filters.operands import Env, Operand
from chalicelib.domain.filters.resolver import Resolver
from chalicelib.domain.filters.values import sort_key
from chalicelib.domain.request import Record

MAX_SORT_KEYS = 8
MAX_SORT_KEY_BYTES = 255
SPECIAL = ("@random", "@rowid")


class SortKey:
    """One key of a sort."""

    __slots__ = ("_collection", "_fixed", "_is_client", "_schema", "descending", "path")

    def __init__(
        self, path: str, descending: bool, collection: Collection, schema: Schema, is_client: bool
    ) -> None:
        """Raises `FilterError`."""
        self.path = path
        """A field, a path, or one of `SPECIAL`."""
        self.descending = descending
        self._collection = collection
        self._schema = schema
        self._is_client = is_client
        self._fixed: Callable[[Record], Any] | None = None
        if not self.special:
            context, read = self._compile(None)
            if context.is_fixed:
                self._fixed = read

    @property
    def special(self) -> str:
        """`@random`, `@rowid`, or empty for a field."""
        return self.path if self.path in SPECIAL else ""

    def key(self, record: Record, scope: Scope) -> tuple[int, Any]:
        """Return what to order the record by; any two keys of one sort compare."""
        read = self._fixed or scope.compiled.get(self)
        if read is None:
            _, read = self._compile(scope)
            scope.compiled[self] = read
        return sort_key(read(record))

    def _compile(self, scope: Scope | None) -> tuple[Context, Callable[[Record], Any]]:
        context = Context(self._schema, scope)
        resolver = Resolver(context, self._collection, not self._is_client)
        return context, _reader(_operand(resolver, self.path), context)


def compile_sort(
    text: str, collection: Collection, schema: Schema, is_client: bool
) -> tuple[SortKey, ...]:
    """Return the keys of a sort text, the most important first.

    A client who is no superuser may not sort by hidden fields, nor through collections that
    only superusers list. Raises `FilterError`.
    """
    return tuple(
        SortKey(path, descending, collection, schema, is_client)
        for path, descending in _split(text)
    )


def _split(text: str) -> list[tuple[str, bool]]:
    if not text:
        return []
    keys = text.split(",")
    if len(keys) > MAX_SORT_KEYS:
        raise FilterError(f"max {MAX_SORT_KEYS} sort fields allowed")
    if any(len(key.encode()) > MAX_SORT_KEY_BYTES for key in keys):
        raise FilterError(f"max sort field length of {MAX_SORT_KEY_BYTES} bytes exceeded")
    stripped = [key.strip() for key in keys]
    return [(key[1:] if key[:1] in ("+", "-") else key, key[:1] == "-") for key in stripped]


def _operand(resolver: Resolver, path: str) -> Operand:
    operand = resolver.field(path)
    if operand.constant:
        raise FilterError(f'invalid sort field "{path}"')
    return operand


def resolve_sort(text: str, resolver: Resolver) -> None:
    """Join what a sort joins. Raises `FilterError`."""
    for path, _ in _split(text):
        if path not in SPECIAL:
            _operand(resolver, path)


def _reader(operand: Operand, context: Context) -> Callable[[Record], Any]:
    slots = sorted(operand.slots)
    size = len(context.candidates)

    def read(record: Record) -> Any:
        env: Env = [record, {}, *[None] * size]
        for slot in slots:
            env[slot] = context.candidates[slot - FIRST_SLOT](env)[0]
        return operand.read(env)

    return read
