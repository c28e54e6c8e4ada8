"""Which GSI slot each index of a definition has, and which indexes must be filled anew.

`indexStates` also keeps the parts of each index, in the order of `indexes`, so that requests
for records need not parse them.

An ordered index takes the first free of the eight slots; a unique one lives in guards and
takes none. An index that means the same as before keeps its slot and its state. What it means
is its columns by storage key, so renaming a field does not touch its index.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib.domain import ids, indexes
from chalicelib.domain.collection import Definition, read_field
from chalicelib.domain.indexes import ParsedIndex

States = dict[str, dict[str, Any]]

READY = "ready"
BUILDING = "building"


class Meaning(NamedTuple):
    """What makes two index strings the same index."""

    unique: bool
    columns: tuple[tuple[str, bool, str, str], ...]
    where: str


def meaning(definition: Definition, parsed: ParsedIndex) -> Meaning:
    """Return what an index of a definition means for the records."""
    fields = {entry["name"].lower(): read_field(entry) for entry in definition["fields"]}
    columns = []
    for column in parsed.columns:
        field = fields[column.name.lower()]
        collate = column.collate.upper().replace("BINARY", "")
        columns.append((field.key, field.is_multiple, collate, column.sort.replace("ASC", "")))
    return Meaning(parsed.unique, tuple(columns), parsed.where)


def states(definition: Definition, before: Definition | None, new_state: str) -> States:
    """Return the `indexStates` of a definition; indexes that are new get `new_state`.

    A state "building" has a random `build`, so that an index dropped and made anew under its
    name is told from the first one.
    """
    parsed = [indexes.parse(sql) for sql in definition["indexes"]]
    names = [entry["name"] for entry in definition["fields"]]
    kept = _kept(definition, before, parsed)
    used = {state["slot"] for state in kept.values()}
    free = (slot for slot in range(1, indexes.SLOTS + 1) if slot not in used)
    found: States = {}
    for each in parsed:
        state = kept.get(each.name) or _new(each, free, new_state)
        found[each.name] = state | indexes.parts(each, names)
    return found


def _new(parsed: ParsedIndex, free: Iterator[int], state: str) -> dict[str, Any]:
    made: dict[str, Any] = {"slot": None if parsed.unique else next(free), "state": state}
    if state == BUILDING:
        made["build"] = ids.random_text(8)
    return made


def _kept(definition: Definition, before: Definition | None, parsed: list[ParsedIndex]) -> States:
    if before is None:
        return {}
    old = {each.name: each for each in map(indexes.parse, before["indexes"])}
    old_states: States = before.get("indexStates") or {}
    return {
        each.name: old_states[each.name]
        for each in parsed
        if each.name in old_states and meaning(definition, each) == meaning(before, old[each.name])
    }


def former_uniques(definition: Definition, before: Definition | None) -> list[str]:
    """Return the names of the unique indexes there once were: their guards may still be there."""
    if before is None:
        return []
    now = {each.name for each in map(indexes.parse, definition["indexes"]) if each.unique}
    then = {each.name for each in map(indexes.parse, before["indexes"]) if each.unique}
    return sorted((then | set(before.get("formerUniques", ()))) - now)


def building(definition: Definition) -> list[str]:
    """Return the names of the indexes that are not filled yet."""
    found: States = definition.get("indexStates") or {}
    return [name for name, state in found.items() if state["state"] == BUILDING]


def without(definition: Definition, names: list[str]) -> Definition:
    """Return the definition without these indexes."""
    kept = [sql for sql in definition["indexes"] if indexes.name_of(sql) not in names]
    found: States = definition["indexStates"]
    left = {name: state for name, state in found.items() if name not in names}
    return definition | {"indexes": kept, "indexStates": left}
