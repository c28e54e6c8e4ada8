"""What is kept about an auth record in system collections: challenges, one-time passwords,
origins, OAuth2 links. They go when the record goes, and some when its password changes.
"""

from collections.abc import Iterable

from chalicelib import store
from chalicelib.domain import index_values, query_plan
from chalicelib.domain.collection import Collection, Index
from chalicelib.domain.query_plan import Condition
from chalicelib.domain.request import Record
from chalicelib.services.session import Session
from chalicelib.store.records import Stored

ALL = ("_authOrigins", "_externalAuths", "_mfas", "_otps")

_OWNER = ("collectionRef", "recordRef")


def stage_delete(
    session: Session, owner: Collection, record_id: str, names: Iterable[str] = ALL
) -> None:
    """Stage the deletion of what these system collections keep about an auth record."""
    for name in names:
        rows = session.collection(name)
        for stored in _of(session, rows, owner.id, record_id):
            session.changes.delete(rows, stored)


def _of(session: Session, rows: Collection, owner_id: str, record_id: str) -> list[Stored]:
    wanted = {"collectionRef": owner_id, "recordRef": record_id}
    index = next((i for i in rows.indexes if _names(i)[:2] == _OWNER), None)
    if index is None:
        return []
    found = _guarded(session, rows, index, wanted) if index.unique else _ordered(rows, wanted)
    return [each for each in found if wanted.items() <= each.record.items()]


def _names(index: Index) -> tuple[str, ...]:
    return tuple(column.name for column in index.columns)


def _guarded(session: Session, rows: Collection, index: Index, wanted: Record) -> list[Stored]:
    """Return the rows whose unique values begin with the owner."""
    prefix = "".join(
        index_values.closed(column, rows.field[column.name], wanted[column.name])
        for column in index.columns[:2]
    )
    ids = store.uniques.holders_from(rows, index, prefix)
    found = [session.related.find(rows, row_id) for row_id in ids]
    return [stored for stored in found if stored is not None]


def _ordered(rows: Collection, wanted: Record) -> list[Stored]:
    conditions = [Condition(name, "=", value) for name, value in wanted.items()]
    span = query_plan.plan(rows, conditions, ()).range or query_plan.WHOLE
    return list(store.records.all_in_range(rows, span))
