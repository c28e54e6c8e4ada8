"""What a caller sees of records: hidden fields dropped, related records expanded.

Each related record passes its own collection's viewRule, with `@request.context` "expand";
what is missing or refused is left out in silence (reference 4.11).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.domain import record as records
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.record import Viewer
from chalicelib.domain.request import Record, RequestInfo
from chalicelib.services import rules
from chalicelib.services.session import Session
from chalicelib.store.related import targets

MAX_DEPTH = 6
MAX_BACK_RELATIONS = 1000
"""Most records of a back relation that one record expands."""

Tree = dict[str, "Tree"]


class Hop(NamedTuple):
    """One step of an expand path: along a field of this collection, or back along another's."""

    target: Collection
    field: Field
    is_back: bool
    is_list: bool


def enrich_one(session: Session, collection: Collection, record: Record) -> dict[str, Any]:
    """Return one record as the caller may see it, expanded as the query asks."""
    return enrich(session, collection, [record])[0]


def enrich(
    session: Session, collection: Collection, found: Sequence[Record], expand: str | None = None
) -> list[dict[str, Any]]:
    """Return records as the caller may see them; `expand` defaults to the query's."""
    text = session.call.query.get("expand", "") if expand is None else expand
    answers = export(session, collection, found, session.info())
    if text:
        _expand(session, collection, list(zip(found, answers, strict=True)), parse(text))
    return answers


def parse(text: str) -> Tree:
    """Return the paths of an expand parameter as a tree; deeper than 6 is cut off."""
    tree: Tree = {}
    for path in text.replace(" ", "").split(","):
        at = tree
        for name in path.strip(".").split(".")[:MAX_DEPTH]:
            at = at.setdefault(name, {})
    return tree


def export(
    session: Session, collection: Collection, found: Sequence[Record], info: RequestInfo
) -> list[dict[str, Any]]:
    """Return records without what this caller may not see."""
    if not collection.is_auth or session.is_superuser:
        viewer = Viewer(session.is_superuser, session.is_superuser)
        return [records.export(collection, record, viewer) for record in found]
    return [
        records.export(collection, record, _viewer(session, collection, record, info))
        for record in found
    ]


def _viewer(session: Session, collection: Collection, record: Record, info: RequestInfo) -> Viewer:
    """The e-mail of an account is for its owner, its managers, and all if it is visible."""
    own = session.auth is not None and (
        session.auth_collection is collection and session.auth["id"] == record["id"]
    )
    sees = (
        own
        or bool(record.get("emailVisibility"))
        or rules.is_manager(session, collection, record, info)
    )
    return Viewer(is_superuser=False, sees_email=sees)


def _expand(
    session: Session, collection: Collection, pairs: list[tuple[Record, dict[str, Any]]], tree: Tree
) -> bool:
    """Add to each answer what the tree names; return whether any path of it could be served."""
    is_served = False
    for name, below in tree.items():
        hop = _hop(session, collection, name)
        if hop is not None and _expand_hop(session, hop, name, pairs, below):
            is_served = True
    return is_served


def _hop(session: Session, collection: Collection, name: str) -> Hop | None:
    field = collection.field.get(name)
    if field is not None:
        target = session.schema.target(field)
        return Hop(target, field, is_back=False, is_list=field.is_multiple) if target else None
    other_name, _, back_name = name.partition("_via_")
    other = session.schema.find(other_name) if back_name else None
    back = other.field.get(back_name) if other is not None else None
    if other is None or back is None or session.schema.target(back) is not collection:
        return None
    return Hop(other, back, is_back=True, is_list=other.unique_index_on(back.name) is None)


def _expand_hop(
    session: Session,
    hop: Hop,
    name: str,
    pairs: list[tuple[Record, dict[str, Any]]],
    below: Tree,
) -> bool:
    if hop.target.rules["viewRule"] is None and not session.is_superuser:
        return False
    found = _related(session, hop, [record for record, _ in pairs])
    visible = _visible(session, hop.target, [record for group in found for record in group])
    # A path that breaks further on is not expanded at all (measured on PocketBase 0.40.6).
    if below and visible and not _expand(session, hop.target, list(visible.values()), below):
        return False
    for (_, answer), group in zip(pairs, found, strict=True):
        shown = [visible[record["id"]][1] for record in group if record["id"] in visible]
        # Once a path is served, even records it leads nowhere from carry an empty `expand`.
        expanded = answer.setdefault("expand", {})
        if shown:
            expanded[name] = shown if hop.is_list else shown[-1]
    return True


def _related(session: Session, hop: Hop, found: list[Record]) -> list[list[Record]]:
    """Return the records that each record leads to, read together where keys allow it."""
    related = session.related
    if hop.is_back:
        return [
            related.referring(hop.target, hop.field, record["id"])[:MAX_BACK_RELATIONS]
            for record in found
        ]
    wanted = [targets(record, hop.field) for record in found]
    related.prefetch(hop.target, [record_id for group in wanted for record_id in group])
    return [related.get(hop.target, group) for group in wanted]


def _visible(
    session: Session, collection: Collection, found: list[Record]
) -> dict[str, tuple[Record, dict[str, Any]]]:
    """Return those records that the viewRule shows, by id, with what is shown of them."""
    info = session.info("expand")
    rule = collection.rules["viewRule"]
    unique = {record["id"]: record for record in found}
    shown = [
        record for record in unique.values() if rules.holds(session, collection, rule, record, info)
    ]
    answers = export(session, collection, shown, info)
    return {record["id"]: (record, answer) for record, answer in zip(shown, answers, strict=True)}
