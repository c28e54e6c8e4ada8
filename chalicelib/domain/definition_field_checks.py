"""What is wrong with the fields of a definition (`definition_checks` asks).

The whole list is judged first, and its first error is the only one; then every field by
itself. The options of a type are its module's business (`fields.of(type).option_errors`).
Codes, messages and order: measured on PocketBase 0.40.6.
"""

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.domain import fields
from chalicelib.domain.collection import Definition
from chalicelib.domain.definition_errors import (
    BLANK,
    IN_LIST,
    VIA,
    WRONG_FORMAT,
    Errors,
    length_between,
    length_error,
)
from chalicelib.errors import ErrorData, field_error

Entry = dict[str, Any]

_WORD = re.compile(r"\w+", re.ASCII)
_RESERVED = frozenset(
    ("null", "true", "false", "_rowid_", "collectionId", "collectionName", "expand")
)
_RESERVED_IN_AUTH = frozenset(("passwordconfirm", "oldpassword"))


def check(
    definition: Definition, before: Definition | None, targets: Mapping[str, Definition]
) -> Errors:
    """Return the error of the list, or those of its fields by position.

    `targets` are the collections that a relation may point to, by id.
    """
    entries: list[Entry] = definition["fields"]
    if definition["type"] == "view":
        return {} if entries else BLANK
    old = {} if before is None else {entry["id"]: entry for entry in before["fields"]}
    return (
        _check_duplicates(entries)
        or _check_primary_key(entries)
        or _check_system_fields(entries, old)
        or _check_types(entries, old)
        or _check_reserved(definition)
        or _check_each(definition, old, targets)
    )


def _check_duplicates(entries: list[Entry]) -> Errors:
    ids: set[str] = set()
    names: set[str] = set()
    for position, entry in enumerate(entries):
        if entry["id"] in ids:
            message = f"Duplicated or invalid field id {entry['id']}"
            error = field_error("validation_duplicated_field_id", message)
            return {str(position): {"id": error}}
        if entry["name"].lower() in names:
            message = f"Duplicated or invalid field name {entry['name']}"
            params = {"fieldName": entry["name"]}
            error = field_error("validation_duplicated_field_name", message, params)
            return {str(position): {"name": error}}
        ids.add(entry["id"])
        names.add(entry["name"].lower())
    return {}


def _check_primary_key(entries: list[Entry]) -> Errors:
    if any(entry["name"] == "id" and entry.get("primaryKey") for entry in entries):
        return {}
    message = 'Missing or invalid "id" PK field'
    return field_error("validation_missing_primary_key", message)


def _check_system_fields(entries: list[Entry], old: Mapping[str, Entry]) -> Errors:
    names = {entry["id"]: entry["name"] for entry in entries}
    for entry in old.values():
        if entry["system"] and names.get(entry["id"]) != entry["name"]:
            message = "System fields cannot be deleted or renamed"
            return field_error("validation_system_field_change", message)
    return {}


def _check_types(entries: list[Entry], old: Mapping[str, Entry]) -> Errors:
    error = field_error("validation_field_type_change", "Field type cannot be changed")
    return {
        str(position): error
        for position, entry in enumerate(entries)
        if entry["id"] in old and old[entry["id"]]["type"] != entry["type"]
    }


def _check_reserved(definition: Definition) -> Errors:
    if definition["type"] != "auth":
        return {}
    for position, entry in enumerate(definition["fields"]):
        if entry["name"].lower() in _RESERVED_IN_AUTH:
            message = "The field name is reserved and cannot be used"
            error = field_error("validation_reserved_field_name", message)
            return {str(position): {"name": error}}
    return {}


def _check_each(
    definition: Definition, old: Mapping[str, Entry], targets: Mapping[str, Definition]
) -> Errors:
    keys = sum(bool(entry.get("primaryKey")) for entry in definition["fields"])
    errors: Errors = {}
    for position, entry in enumerate(definition["fields"]):
        found = _check_common(entry) | _check_key(entry, keys)
        found = fields.of(entry["type"]).option_errors(entry) | found
        if entry["type"] == "relation":
            found |= _check_relation(entry, old.get(entry["id"]), targets)
        if entry["type"] == "autodate":
            found |= _check_autodate(entry, old.get(entry["id"]))
        if found:
            errors[str(position)] = found
    return errors


def _check_common(entry: Entry) -> Errors:
    checks = {
        "id": length_between(entry["id"], 1, 100),
        "name": _check_name(entry["name"]),
        "help": length_error(1, 300) if len(entry.get("help", "")) > 300 else None,
    }
    return {name: error for name, error in checks.items() if error}


def _check_name(name: str) -> ErrorData | None:
    wrong = length_between(name, 1, 100)
    if wrong:
        return wrong
    if name in _RESERVED:
        return IN_LIST
    if not _WORD.fullmatch(name):
        return WRONG_FORMAT
    return VIA if "_via_" in name.lower() else None


def _check_key(entry: Entry, keys: int) -> Errors:
    """One primary key a collection, and a visible one (its name and pattern: fields.text)."""
    if not entry.get("primaryKey"):
        return {}
    errors: Errors = {}
    if keys > 1:
        message = "Composite PKs are not supported and the collection must have only 1 PK"
        errors["primaryKey"] = field_error("validation_unsupported_composite_pk", message)
    if entry["hidden"]:
        errors["hidden"] = field_error("validation_empty", "Must be blank")
    return errors


def _check_relation(entry: Entry, old: Entry | None, targets: Mapping[str, Definition]) -> Errors:
    target = entry["collectionId"]
    if not target:
        return {"collectionId": BLANK}
    if old is not None and old["collectionId"] != target:
        message = "The relation collection cannot be changed"
        return {"collectionId": field_error("validation_field_relation_change", message)}
    if target not in targets:
        message = "The relation collection doesn't exist"
        code = "validation_field_relation_missing_collection"
        return {"collectionId": field_error(code, message)}
    return {}


def _check_autodate(entry: Entry, old: Entry | None) -> Errors:
    """What fills a system autodate stays as it is."""
    if old is None or not entry["system"]:
        return {}
    error = field_error("validation_values_mismatch", "Values don't match")
    return {name: error for name in ("onCreate", "onUpdate") if entry[name] != old[name]}
