"""The fields of a definition: reading them, their ids and keys, the fields every collection has.

An id is the type and the CRC-32 of the name, so it is the same in every environment. A field
is its old self if its id is (a new name is then a rename); a list that is sent replaces the
whole list. All measured on PocketBase 0.40.6.
"""

import copy
import zlib
from collections.abc import Iterable
from typing import Any

from chalicelib.domain import dates, fields, ids
from chalicelib.domain import definition_shape as shape

Entry = dict[str, Any]
"""One field's JSON."""

ID_PATTERN = "^[a-z0-9]+$"
ID_FIELD_ID = "text3208210256"

_COMMON: dict[str, shape.Reader] = {
    "id": shape.text,
    "name": shape.text,
    "system": shape.boolean,
}


def crc(text: str) -> int:
    return zlib.crc32(text.encode())


def new(type_: str, name: str, **options: Any) -> Entry:
    """Return a field of a type with its default options, and these."""
    return _entry({"type": type_, "name": name, **options})


def read(value: Any, _present: Any = None) -> list[Entry]:
    """Return the field list that was sent, each field with an id.

    Of two fields with one id the later takes the place of the earlier. Raises `FormatError`.
    """
    if value is not None and not isinstance(value, list):
        raise shape.FormatError
    found: list[Entry] = []
    for raw in value or ():
        add(found, _entry(raw))
    return found


def add(entries: list[Entry], entry: Entry) -> None:
    """Put a field into the list: in place of the one with its id, or at the end.

    A field without an id takes that of the field of its name, or gets one.
    """
    entry["id"] = entry["id"] or _id_for(entries, entry)
    for position, other in enumerate(entries):
        if other["id"] == entry["id"]:
            entries[position] = entry
            return
    entries.append(entry)


def _id_for(entries: list[Entry], entry: Entry) -> str:
    if not entry["name"]:
        return f"{entry['type']}{ids.random_text(7)}"
    for other in entries:
        if other["name"] == entry["name"]:
            return str(other["id"])
    return unique_id(f"{entry['type']}{crc(entry['name'])}", {other["id"] for other in entries})


def unique_id(wanted: str, taken: Iterable[str]) -> str:
    """Return `wanted`, or with the first of 2, 3, ... behind it that is free."""
    taken = set(taken)
    found, number = wanted, 2
    while found in taken:
        found = f"{wanted}{number}"
        number += 1
    return found


def _entry(raw: Any) -> Entry:
    type_ = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(type_, str) or type_ not in fields.TYPES:
        raise shape.FormatError
    options = fields.of(type_).DEFAULT_OPTIONS
    readers = _COMMON | {name: shape.like(default) for name, default in options.items()}
    entry: Entry = shape.struct(readers)(raw, shape.zero(_COMMON) | copy.deepcopy(options))
    if type_ == "date":
        entry |= {name: dates.parse(entry[name]) for name in ("min", "max")}
    return entry | {"type": type_}


def add_own(entries: list[Entry], type_: str) -> None:
    """Add the fields that a collection of this type must have, and set what they must be."""
    _add_id(entries)
    if type_ == "auth":
        for entry in auth_fields():
            _add_auth(entries, entry)


def id_field() -> Entry:
    """Return the `id` field of a new collection."""
    return new(
        "text",
        "id",
        id=ID_FIELD_ID,
        system=True,
        required=True,
        primaryKey=True,
        min=ids.RECORD_ID_LENGTH,
        max=ids.RECORD_ID_LENGTH,
        pattern=ID_PATTERN,
        autogeneratePattern="[a-z0-9]{15}",
    )


def _add_id(entries: list[Entry]) -> None:
    for entry in entries:
        if entry["name"] == "id" and entry["type"] == "text":
            entry |= {"system": True, "required": True, "primaryKey": True, "hidden": False}
            entry["pattern"] = entry["pattern"] or ID_PATTERN
            return
    for position, entry in enumerate(entries):
        if entry["id"] == ID_FIELD_ID:  # another field has its id: the checks refuse that
            entries.insert(0, entries.pop(position))
            return
    entries.insert(0, id_field())


_AUTH_MUST_BE: dict[str, Entry] = {
    "password": {"system": True, "hidden": True, "required": True},
    "tokenKey": {"system": True, "hidden": True, "required": True},
    "email": {"system": True, "hidden": False},
    "emailVisibility": {"system": True},
    "verified": {"system": True},
}


def auth_fields() -> list[Entry]:
    """Return the fields that an auth collection starts with, without ids."""
    return [
        new("password", "password", system=True, hidden=True, required=True, min=8),
        new(
            "text",
            "tokenKey",
            system=True,
            hidden=True,
            required=True,
            min=30,
            max=60,
            autogeneratePattern="[a-zA-Z0-9]{50}",
        ),
        new("email", "email", system=True, required=True),
        new("bool", "emailVisibility", system=True),
        new("bool", "verified", system=True),
    ]


def _add_auth(entries: list[Entry], wanted: Entry) -> None:
    for entry in entries:
        if entry["name"] == wanted["name"] and entry["type"] == wanted["type"]:
            entry |= _AUTH_MUST_BE[wanted["name"]]
            return
    add(entries, wanted)


def keep_missing(entries: list[Entry], before: list[Entry], only_system: bool) -> None:
    """Append the fields of `before` that are absent by id: what an import does."""
    present = {entry["id"] for entry in entries}
    for entry in before:
        if entry["id"] not in present and (entry["system"] or not only_system):
            entries.append(copy.deepcopy(entry))


def give_keys(entries: list[Entry], before: list[Entry], dropped: list[str]) -> list[str]:
    """Set each field's storage key in place and return the keys of all deleted fields.

    A field that stays (by id) keeps its key. A new one gets its name as key, with a number
    behind it if any field ever had that key.
    """
    kept = {entry["id"]: entry["key"] for entry in before}
    used = set(kept.values()) | set(dropped)
    for entry in entries:
        if entry["id"] in kept:
            entry["key"] = kept[entry["id"]]
        else:
            entry["key"] = unique_id(entry["name"], used)
            used.add(entry["key"])
    still = {entry["key"] for entry in entries}
    return [*dropped, *(key for key in kept.values() if key not in still)]
