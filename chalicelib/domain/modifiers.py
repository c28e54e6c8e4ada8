"""Which keys of a body mean which field: plain names, `f+`, `+f`, `f-`, `f:autogenerate`."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from chalicelib.domain import fields
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.request import Record

PLAIN = "f"


class Target(NamedTuple):
    """The field that a body's key changes, and how; `modifier` is `PLAIN` for setting it."""

    field: Field
    modifier: str


@lru_cache(maxsize=128)
def targets(collection: Collection) -> dict[str, Target]:
    """Return every key that a body for this collection may have."""
    return {
        modifier.replace("f", field.name, 1): Target(field, modifier)
        for field in reversed(collection.fields)
        for modifier in (PLAIN, *fields.MODIFIERS.get(field.type, ()))
    }


def shortest_first(keys: Iterable[str]) -> list[str]:
    """Return keys in the order they are applied: `f` before `f+`, so both count."""
    return sorted(keys, key=len)


def value(target: Target, record: Record, raw: Any) -> Any:
    """Return what a key makes of the record's field."""
    field = target.field
    if field.type == "autodate":
        return record[field.name]
    module = fields.of(field.type)
    if target.modifier == PLAIN:
        return module.cast(field, raw)
    return module.modify(field, target.modifier, record[field.name], raw)
