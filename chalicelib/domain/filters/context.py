"""What a filter may look at beside the record (`Scope`), and what its parts share (`Context`)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, TypeAlias

from chalicelib.domain.collection import Collection, Field, Schema
from chalicelib.domain.filters.operands import NO_SLOTS, Env
from chalicelib.domain.request import Record, RequestInfo

FIRST_SLOT = 2
"""Where the joins' rows start in an `Env`."""

Row: TypeAlias = Record | None


class Related(Protocol):
    """Reads other records; the answers of one request agree with each other."""

    def get(self, collection: Collection, ids: Sequence[str]) -> list[Record]:
        """Return those that exist, in the order of `ids`."""

    def referring(self, collection: Collection, field: Field, record_id: str) -> list[Record]:
        """Return the records of `collection` whose `field` holds `record_id`."""

    def all(self, collection: Collection) -> list[Record]:
        """Return every record of a collection."""

    def prefetch(self, collection: Collection, ids: Iterable[str]) -> None:
        """Load these in one round trip, as they are about to be asked for."""


class Scope:
    """What a filter may look at beside the record, for one request at one moment (UTC).

    It also keeps the filters compiled for this request, so use one scope for all its records.
    """

    __slots__ = ("compiled", "now", "related", "request")

    def __init__(self, request: RequestInfo, related: Related, now: datetime) -> None:
        self.request = request
        self.related = related
        self.now = now
        self.compiled: dict[object, Callable[[Record], Any]] = {}


class Source(NamedTuple):
    """One joined row."""

    alias: str
    collection: Collection
    row: Callable[[Env], Row]
    rows: Callable[[Env], list[Row]]
    """Every row it takes, whatever rows are current."""
    slots: frozenset[int] = NO_SLOTS
    is_multi: bool = False
    fetches: bool = False
    path: tuple[str, ...] | None = None
    """The relation fields that lead here from the record, if nothing else does."""


class Context:
    """What is shared by the filter, the rule and the list rules that are tried together."""

    def __init__(self, schema: Schema, scope: Scope | None, is_new: bool = False) -> None:
        """Without a scope, everything but reading values works: a dry run."""
        self.schema = schema
        self.is_new = is_new
        """Whether the record is not stored yet, so that its columns have no types."""
        self.request = scope.request if scope else RequestInfo()
        self.now = scope.now if scope else datetime.fromtimestamp(0, UTC)
        self.is_fixed = True
        """Whether it means the same for every request."""
        self.candidates: list[Callable[[Env], list[Any]]] = []
        """For each slot, the rows to try in it."""
        self.unchecked: list[Source] = []
        """Joined for a client, so that their listRule must hold."""
        self.hops: set[tuple[str, ...]] = set()
        """The relation paths that are followed from the record."""
        self._related = scope.related if scope else None
        self._slots: dict[str, int] = {}
        self._checked: set[str] = set()

    @property
    def related(self) -> Related:
        assert self._related is not None  # noqa: S101  # nothing is read in a dry run
        return self._related

    def slot(self, alias: str, candidates: Callable[[Env], list[Any]]) -> int:
        """Return the slot of a join; one alias has one, whoever asks."""
        if alias not in self._slots:
            self.candidates.append(candidates)
            self._slots[alias] = FIRST_SLOT + len(self.candidates) - 1
        return self._slots[alias]

    def prefetch_before(self, slot: int, target: Collection) -> None:
        """Have the ids that are tried in a slot loaded at once."""
        candidates = self.candidates[slot - FIRST_SLOT]

        def prefetched(env: Env) -> list[Any]:
            ids = candidates(env)
            if len(ids) > 1:
                self.related.prefetch(target, ids)
            return ids

        self.candidates[slot - FIRST_SLOT] = prefetched

    def must_check(self, source: Source) -> None:
        """Note that a client reads this join."""
        if source.alias not in self._checked:
            self._checked.add(source.alias)
            self.unchecked.append(source)

    def fetch(self, target: Collection, ids: Sequence[str]) -> list[Row]:
        """Return a row for each id, and one NULL row if there is none or one is missing."""
        found: list[Row] = list(self.related.get(target, ids)) if ids else []
        return found if ids and len(found) == len(ids) else [*found, None]
