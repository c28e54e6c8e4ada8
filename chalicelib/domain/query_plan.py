"""Which key range serves a list: the cheapest set of candidates that holds every match.

In order of preference: one id, one unique value, an ordered index (an equality prefix, then
a range, then the sort), the references of a relation, the whole partition. A plan only
narrows: the filter is still evaluated on every candidate, unless `is_exact` says that the
range holds nothing but matches.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain import index_values, indexes
from chalicelib.domain.collection import Collection, Field, Index, IndexColumn


class Condition(NamedTuple):
    """A leaf that every match satisfies: own field, operator, a value as records hold it."""

    field: str
    operator: str
    value: Any


class SortColumn(NamedTuple):
    """One key of a sort by a plain own field."""

    field: str
    descending: bool


class KeyRange(NamedTuple):
    """A range of an index (`slot`) or of the record ids (slot None); bounds are inclusive."""

    slot: int | None
    low: str
    high: str
    forward: bool
    index_name: str = ""
    columns: tuple[str, ...] = ()


class Plan(NamedTuple):
    """Where the candidates come from. Exactly one of the four sources is set."""

    ids: tuple[str, ...] | None = None
    unique: tuple[Index, str] | None = None
    reference: tuple[Field, str] | None = None
    range: KeyRange | None = None
    is_sorted: bool = False
    """Whether the candidates come in the order that the sort asks for."""
    used: frozenset[Condition] = frozenset()
    """The conditions that the source satisfies for certain."""


WHOLE = KeyRange(None, "", "", True)

NOTHING = Plan(ids=(), is_sorted=True)
"""For conditions that no record satisfies."""

_FROM = frozenset((">", ">=", "="))
_UP_TO = frozenset(("<", "<=", "="))


class Private(NamedTuple):
    """Fields that this caller may not learn of, neither by a list's order nor by its cursor."""

    unordered: frozenset[str] = frozenset()
    """No list comes in the order of these, unless a condition pins them to one value."""
    avoided: frozenset[str] = frozenset()
    """No index of these is read at all: the list's cursor would hold their values."""


def plan(
    collection: Collection,
    conditions: Sequence[Condition],
    sort: Sequence[SortColumn] | None,
    private: Private = Private(),  # noqa: B008 (a tuple does not change)
) -> Plan:
    """Return the plan for a list. `sort` is None when only memory can sort it.

    An empty sort means any order: a list that an index narrows then comes in its order.
    """
    equal = {each.field: each for each in reversed(conditions) if each.operator == "="}
    if "id" in equal:
        return Plan(ids=(equal["id"].value,), is_sorted=True, used=frozenset((equal["id"],)))
    return (
        _by_unique(collection, equal)
        or _by_index(collection, conditions, equal, sort, private)
        or _by_reference(collection, conditions)
        or _by_partition(sort)
    )


def _by_unique(collection: Collection, equal: Mapping[str, Condition]) -> Plan | None:
    for index in collection.indexes:
        names = [column.name for column in index.columns]
        if not (index.unique and index.is_ready and all(name in equal for name in names)):
            continue
        values = {name: equal[name].value for name in names}
        if not _where_is_implied(index, values):
            continue
        value = index_values.unique_value(index, collection, values)
        if value is not None:
            return Plan(unique=(index, value), is_sorted=True)
    return None


def _where_is_implied(index: Index, values: dict[str, Any]) -> bool:
    """Whether a record with these values is in a partial index, whatever else it holds."""
    if not index.where:
        return True
    return indexes.where_columns(index) <= values.keys() and indexes.where_holds(index, values)


def _by_index(
    collection: Collection,
    conditions: Sequence[Condition],
    equal: Mapping[str, Condition],
    sort: Sequence[SortColumn] | None,
    private: Private,
) -> Plan | None:
    best: tuple[int, Plan] | None = None
    for index in collection.indexes:
        if index.slot is None or not index.is_ready or _has(index.columns, private.avoided):
            continue
        values = {name: condition.value for name, condition in equal.items()}
        if not _where_is_implied(index, values):
            continue
        scored = _score(collection, index, conditions, equal, sort, private.unordered)
        if scored is not None and (best is None or scored[0] > best[0]):
            best = scored
    return best[1] if best else None


def _score(
    collection: Collection,
    index: Index,
    conditions: Sequence[Condition],
    equal: Mapping[str, Condition],
    sort: Sequence[SortColumn] | None,
    unordered: frozenset[str],
) -> tuple[int, Plan] | None:
    """Return how good an index is, and its plan; None if it neither narrows nor sorts."""
    prefix, used, depth = "", set(), 0
    for column in index.columns:
        condition = equal.get(column.name)
        if condition is None:
            break
        prefix += index_values.closed(column, collection.field[column.name], condition.value)
        used.add(condition)
        depth += 1
    low, high = prefix, prefix + index_values.HIGHEST if prefix else ""
    rest = index.columns[depth:]
    ranged = 0
    if rest:
        low, high, narrowing = _range(collection, rest[0], prefix, conditions)
        used |= narrowing
        ranged = 1 if narrowing else 0
    forward = _direction(index.columns, depth, sort, equal)
    if not sort and sort is not None and (depth or ranged):
        forward = True
    if _has(rest, unordered):
        forward = None
    if not depth and not ranged and forward is None:
        return None
    score = 4 * depth + 2 * ranged + (1 if forward is not None else 0)
    if high and low > high:
        return score, NOTHING
    bounds = index_values.as_keys(low, high)
    names = tuple(column.name for column in index.columns)
    span = KeyRange(index.slot, *bounds, forward is not False, index.name, names)
    is_exact = bounds == (low, high) and not _folds(index.columns)
    exact = frozenset(used if is_exact else ())
    return score, Plan(range=span, is_sorted=forward is not None, used=exact)


def _range(
    collection: Collection, column: IndexColumn, prefix: str, conditions: Sequence[Condition]
) -> tuple[str, str, set[Condition]]:
    """Return the bounds that conditions on the next column give, and those conditions.

    Bounds are inclusive, but no entry ends with its value: an id follows. So `<` ends where
    the equal entries begin, and `>` begins where they end. A column that folds case has
    another order than the language, so it bounds nothing.
    """
    low, high = prefix, prefix + index_values.HIGHEST if prefix else ""
    narrowing: set[Condition] = set()
    field = collection.field[column.name]
    for condition in conditions:
        if condition.field != column.name or condition.operator not in _FROM | _UP_TO:
            continue
        if _folds((column,)):
            continue
        narrowing.add(condition)
        begin = prefix + index_values.opened(column, field, condition.value)
        end = prefix + index_values.closed(column, field, condition.value) + index_values.HIGHEST
        if condition.operator in _FROM:
            low = max(low, end if condition.operator == ">" else begin)
        if condition.operator in _UP_TO:
            wanted = begin if condition.operator == "<" else end
            high = min(high, wanted) if high else wanted
    if narrowing and not high:
        high = index_values.HIGHEST
    return low, high, narrowing


def _direction(
    columns: Sequence[IndexColumn],
    depth: int,
    sort: Sequence[SortColumn] | None,
    equal: Mapping[str, Condition],
) -> bool | None:
    """Return whether reading forward (or backward: False) gives the sort; None if neither does.

    Keys that an equality pins drop out of the sort. A final `id` is part of every entry.
    """
    if not sort:
        return None
    wanted = [key for key in sort if key.field not in equal]
    have = [column.name for column in columns[depth:]] + ["id"]
    if [key.field for key in wanted] != have[: len(wanted)]:
        return None
    if _folds(columns[depth:]):
        return None
    directions = {key.descending for key in wanted}
    if len(directions) > 1:
        return None
    return True not in directions


def _has(columns: Sequence[IndexColumn], names: frozenset[str]) -> bool:
    return any(column.name in names for column in columns)


def _folds(columns: Sequence[IndexColumn]) -> bool:
    """Whether a column folds case, so that its order and equality are not the language's."""
    return any(column.collate == "NOCASE" for column in columns)


def _by_reference(collection: Collection, conditions: Sequence[Condition]) -> Plan | None:
    for condition in conditions:
        field = collection.field.get(condition.field)
        if field is None or field.type != "relation" or condition.operator not in ("=", "?="):
            continue
        return Plan(reference=(field, condition.value))
    return None


def _by_partition(sort: Sequence[SortColumn] | None) -> Plan:
    if sort and sort[0].field == "id":
        return Plan(range=WHOLE._replace(forward=not sort[0].descending), is_sorted=True)
    return Plan(range=WHOLE)
