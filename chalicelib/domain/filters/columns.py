"""How a field's value, its length or a JSON path in it reads as a column of SQL."""

from collections.abc import Callable
from typing import Any, TypeAlias

from chalicelib.domain.collection import Field
from chalicelib.domain.filters import values
from chalicelib.domain.filters.context import Row, Source
from chalicelib.domain.filters.nodes import FilterError
from chalicelib.domain.filters.operands import Env, Operand, Read, Side
from chalicelib.domain.filters.values import NO_AFFINITY, NUMERIC, TEXT, Value

Reader: TypeAlias = Callable[[Row], Value]
Column: TypeAlias = tuple[Side, Reader]
"""What SQL knows of a column, and what reads it from a row (None for the NULL row)."""

_PLAIN = Side()
_TEXT = Side(affinity=TEXT)
_NUMERIC = Side(affinity=NUMERIC)
_JSON = Side(is_json=True)


LISTS = frozenset(("select", "relation", "file"))
"""The types that may hold many values; `:each` and `:length` mean nothing on the others."""


def of_field(field: Field, modifier: str, is_new: bool) -> Column:
    """Return a field's column with a modifier, except `:each` of many values."""
    if modifier == "length" and field.type in LISTS:
        return length(field)
    if is_new:
        return untyped(field)
    side, read = reader(field)
    if modifier == "each" and field.type in LISTS:
        side = _PLAIN
    return side, read


def reader(field: Field) -> Column:
    """Return a field's column."""
    name = field.name
    if field.type == "number":
        return _NUMERIC, lambda row: _number(row.get(name)) if row else None
    if field.type == "bool":
        return _NUMERIC, lambda row: int(bool(row.get(name))) if row else None
    if field.type == "json":
        return _JSON, lambda row: values.of_json(row.get(name)) if row else None
    if field.type == "geoPoint":
        return _NUMERIC, lambda row: _point_text(row.get(name)) if row else None
    if field.is_multiple:
        return _NUMERIC, lambda row: values.json_text(row.get(name) or []) if row else None
    return _TEXT, lambda row: row.get(name, "") if row else None


def untyped(field: Field) -> Column:
    """Return a column of a record that is not stored yet.

    PocketBase evaluates a createRule over a row of parameters, which have no affinity and
    whose numbers are floats: there `views = '5'` is false, and `views ~ '5.0'` may be true.
    """
    name = field.name
    if field.type == "number":
        return _PLAIN, lambda row: float(row.get(name) or 0) if row else None
    side, read = reader(field)
    return side._replace(affinity=NO_AFFINITY), read


def _number(value: Any) -> Value:
    return values.whole(value) if value else 0


def _point_text(point: dict[str, float] | None) -> str:
    lon, lat = (point["lon"], point["lat"]) if point else (0, 0)
    return values.json_text({"lon": lon})[:-1] + "," + values.json_text({"lat": lat})[1:]


def length(field: Field) -> Column:
    """Return the number of a field's items; the NULL row has none."""
    name = field.name
    if field.is_multiple:
        return _PLAIN, lambda row: len(row.get(name) or ()) if row else 0
    return _PLAIN, lambda row: 1 if row and row.get(name) else 0


def path(field: Field, keys: list[str]) -> Column:
    """Return what a path into a JSON or geoPoint field reads. Digits index arrays only."""
    steps = [_step(key) for key in keys]
    name = field.name

    def read(row: Row) -> Value:
        value = row.get(name) if row else None
        for step in steps:
            if isinstance(step, int):
                value = value[step] if isinstance(value, list) and step < len(value) else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return values.of_json(value)

    return _JSON, read


def _step(key: str) -> str | int:
    if key.isdecimal():
        return int(key)
    step = key.replace(":", "")
    if not step:
        raise FilterError("malformed JSON path")
    return step


def of_current(source: Source, read: Reader) -> Read:
    """Return what reads a column of the current row."""
    if source.path == ():
        return lambda env: read(env[0])
    row = source.row
    return lambda env: read(row(env))


def lowered(operand: Operand) -> Operand:
    """Return the operand with `:lower`."""
    read, many = operand.read, operand.values
    return operand._replace(
        side=operand.side._replace(affinity=NO_AFFINITY),
        read=lambda env: values.lower(read(env)),
        values=many and (lambda env: [values.lower(value) for value in many(env)]),
    )


def guard(source: Source) -> Read:
    """Return the test that the row's e-mail address is public."""
    row = source.row

    def holds(env: Env) -> bool:
        found = row(env)
        return bool(found and found.get("emailVisibility"))

    return holds
