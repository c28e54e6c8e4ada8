"""Definitions: from what a superuser sends to what is stored, and back to what is shown.

    create(body, schema)          a new definition
    update(body, before)          a stored one with a body merged into it
    imported(body, before, ...)   the same for an import, which keeps fields not mentioned
    export(definition)            PocketBase's JSON, without secrets and internals

None of them judges: `definition_checks` says what is wrong with the result. The clock comes
in as `now` (a date text); ids and secrets come from `domain.ids`.
"""

import copy
from collections.abc import Iterable
from typing import Any

from chalicelib.domain import definition_auth, definition_fields, ids, indexes
from chalicelib.domain import definition_shape as shape
from chalicelib.domain.collection import RULES, Definition
from chalicelib.domain.definition_shape import FormatError

__all__ = ["TYPES", "FormatError", "blank", "create", "export", "imported", "scaffolds", "update"]

TYPES = ("base", "auth", "view")

_READERS: dict[str, shape.Reader] = {
    "id": shape.text,
    "name": shape.text,
    "type": shape.text,
    "system": shape.boolean,
    **dict.fromkeys(RULES, shape.nullable_text),
    "fields": definition_fields.read,
    "indexes": shape.texts,
    "created": shape.text,
    "updated": shape.text,
}
_OF_TYPE = {"auth": tuple(definition_auth.READERS), "view": ("viewQuery",)}
_BODY = shape.struct(_READERS | definition_auth.READERS | {"viewQuery": shape.text})
_INTERNAL = ("storage", "droppedKeys", "indexStates", "formerUniques")


def blank(type_: str, collection_id: str = "", name: str = "") -> Definition:
    """Return an empty collection of a type with its own fields, options and indexes."""
    made: Definition = shape.zero(_READERS) | {"id": collection_id, "name": name, "type": type_}
    if type_ == "auth":
        made |= definition_auth.defaults()
    if type_ == "view":
        made["viewQuery"] = ""
    return made


def scaffolds() -> dict[str, Definition]:
    """Return what a new collection of each type starts from."""
    found = {}
    for type_ in TYPES:
        made = blank(type_)
        if type_ != "view":
            definition_fields.add_own(made["fields"], type_)
        if type_ == "auth":
            # An index needs a name before the collection has an id.
            _add_auth_indexes(made, ids.random_text(10, ids.LOWERCASE))
        found[type_] = export(made)
    return found


def create(body: dict[str, Any], taken_ids: Iterable[str], now: str) -> Definition:
    """Return the definition of a new collection. Raises `FormatError`."""
    type_, name, given_id = (shape.text(body.get(key), None) for key in ("type", "name", "id"))
    type_ = type_ or "base"
    made = _read(body, blank(type_))
    made |= {"type": type_, "created": now, "updated": now, "storage": new_storage()}
    made["id"] = given_id or new_id(type_, name, taken_ids)
    return _settle(made, None)


def update(body: dict[str, Any], before: Definition, now: str) -> Definition:
    """Return `before` with the body's keys in place. Raises `FormatError`."""
    made = _read(body, before)
    made |= {"type": made["type"] or "base", "updated": now}
    return _settle(made, before)


def imported(
    body: dict[str, Any], before: Definition, now: str, *, delete_missing: bool
) -> Definition:
    """Return `before` with an imported body: fields not mentioned stay.

    With `delete_missing` only the system fields stay. Raises `FormatError`.
    """
    made = _read(body, before)
    definition_fields.keep_missing(made["fields"], before["fields"], only_system=delete_missing)
    made |= {"id": before["id"], "type": made["type"] or "base", "updated": now}
    return _settle(made, before)


def export(definition: Definition) -> dict[str, Any]:
    """Return PocketBase's JSON of a collection, without secrets and internals."""
    shown = {name: definition[name] for name in _READERS}
    shown["fields"] = [
        {name: value for name, value in entry.items() if name != "key"}
        for entry in definition["fields"]
    ]
    if definition["type"] == "auth":
        shown |= definition_auth.without_secrets(definition)
    if definition["type"] == "view":
        shown["viewQuery"] = definition["viewQuery"]
    return shown


def new_id(type_: str, name: str, taken: Iterable[str]) -> str:
    """Return the id that follows from a type and a name: the same in every environment."""
    return definition_fields.unique_id(f"pbc_{definition_fields.crc(type_ + name)}", taken)


def new_storage() -> str:
    """Return the name of a new partition of records."""
    return ids.random_text(10, ids.LOWERCASE)


def _read(body: dict[str, Any], present: Definition) -> Definition:
    read: Definition = _BODY(body, copy.deepcopy(present))
    wanted = {*_READERS, *_OF_TYPE.get(read["type"], ())}
    made = {name: value for name, value in read.items() if name in wanted}
    kept = ("created", "updated", *_INTERNAL)
    return made | {name: present[name] for name in kept if name in present}


def _settle(made: Definition, before: Definition | None) -> Definition:
    """Add what every collection has: own fields, keys, indexes of this table, index states."""
    if made["type"] in ("base", "auth") or not made["fields"]:
        definition_fields.add_own(made["fields"], made["type"])
    old_fields, dropped = ([], []) if before is None else (before["fields"], before["droppedKeys"])
    made["droppedKeys"] = definition_fields.give_keys(made["fields"], old_fields, dropped)
    made["indexes"] = [indexes.for_table(sql, made["name"]) for sql in made["indexes"]]
    if made["type"] == "auth":
        definition_auth.settle(made, before)
        _add_auth_indexes(made, made["id"])
    return made


def _add_auth_indexes(definition: Definition, suffix: str) -> None:
    """Add the unique indexes on tokenKey and email unless the collection has its own."""
    table = definition["name"]
    for field, where in (("tokenKey", ""), ("email", " WHERE `email` != ''")):
        if not indexes.unique_column(definition["indexes"], field):
            name = f"idx_{field}_{suffix}"
            definition["indexes"].append(
                f"CREATE UNIQUE INDEX `{name}` ON `{table}` (`{field}`){where}"
            )
