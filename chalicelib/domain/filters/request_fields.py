"""`@request.*`: the caller's record, the submitted body, the query, the headers, the method.

A guest's `@request.auth` and whatever was not sent are NULL, whatever follows them.
Measured on PocketBase 0.40.6.
"""

import re
from typing import Any

from chalicelib.domain.collection import Field
from chalicelib.domain.filters import columns, comparisons, operands, values
from chalicelib.domain.filters.nodes import FilterError
from chalicelib.domain.filters.operands import Operand, Side
from chalicelib.domain.filters.resolver import Resolver, split_modifier

_NESTED = re.compile(r"@request\.(?:auth|body|query|headers)\.[\w.:]*\w+", re.ASCII)
_MISSING = object()


def resolve(resolver: Resolver, name: str) -> Operand:
    """Return what `@request.x` stands for. Raises `FilterError`."""
    if name in ("@request.context", "@request.method"):
        return operands.literal(getattr(resolver.context.request, name[9:]))
    if not _NESTED.fullmatch(name):
        raise FilterError(f'failed to resolve field "{name}"')
    _, kind, *path = name.split(".")
    if kind == "auth":
        return _auth(resolver, path)
    if kind == "body":
        return _body(resolver, path)
    return _static(resolver, kind, path)


def _auth(resolver: Resolver, path: list[str]) -> Operand:
    request = resolver.context.request
    if request.auth is None or request.auth_collection is None:
        return operands.NULL
    collection = request.auth_collection
    known = {
        "id": request.auth["id"],
        "collectionId": collection.id,
        "collectionName": collection.name,
    }
    if len(path) == 1 and path[0] in known:
        return operands.literal(known[path[0]])
    source = resolver.joins.caller(collection, request.auth)
    return resolver.walk(source, path, from_request=True)


def _body(resolver: Resolver, path: list[str]) -> Operand:
    name, modifier = split_modifier(path[0])
    field = resolver.collection.field.get(name)
    if field is None:
        return _static(resolver, "body", path)
    if field.type == "relation" and len(path) > 1:
        return _body_relation(resolver, field, path[1:])
    if modifier == "changed":
        return _body_changed(resolver, field)
    if modifier == "length":
        return _body_length(resolver, field)
    if modifier == "each":
        return _body_each(resolver, field)
    if modifier == "lower":
        return _body_lower(resolver, field)
    return _static(resolver, "body", path)


def _body_items(resolver: Resolver, field: Field) -> list[Any]:
    value = resolver.context.request.body.get(field.name)
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _require_list(field: Field) -> None:
    if field.type not in columns.LISTS:
        raise FilterError(f'field "{field.name}" doesn\'t support multivalue operations')


def _body_length(resolver: Resolver, field: Field) -> Operand:
    _require_list(field)
    length = len(_body_items(resolver, field))
    return Operand(Side(is_filled=length in (0, 1)), lambda env: length, constant=True)


def _body_each(resolver: Resolver, field: Field) -> Operand:
    _require_list(field)
    alias = f"__dataEach_{field.name}_je"
    elements = resolver.joins.given_elements(alias, _body_items(resolver, field))
    many = elements.values if field.is_multiple else None
    operand = Operand(Side(is_filled=True), elements.read, elements.slots, many)
    return operand._replace(like_form=operand._replace(read=_no_list))


def _no_list(env: operands.Env) -> Any:
    """PocketBase wraps the list itself in % there, and SQLite then finds no JSON in it."""
    raise FilterError("malformed JSON")


def _body_lower(resolver: Resolver, field: Field) -> Operand:
    value = resolver.context.request.body.get(field.name)
    shown = "" if isinstance(value, list | dict) else operands.parameter_text(value)
    return columns.lowered(operands.literal(shown))


def _body_changed(resolver: Resolver, field: Field) -> Operand:
    """Return whether a field was sent and differs from the stored one."""
    is_sent = field.name in resolver.context.request.body
    submitted = _static(resolver, "body", [field.name])
    stored = resolver.field(field.name)
    differ = comparisons.between(submitted.side, "!=", stored.side)
    read = stored.read

    def is_changed(env: operands.Env) -> int:
        return int(is_sent and bool(differ(submitted.read(env), read(env))))

    return Operand(Side(is_json=True), is_changed, stored.slots, fetches=stored.fetches)


def _body_relation(resolver: Resolver, field: Field, path: list[str]) -> Operand:
    """Follow the submitted ids."""
    target = resolver.target(field)
    ids = [item for item in _body_items(resolver, field) if item and isinstance(item, str)]
    if not ids:
        return operands.NULL
    alias = f"__data_{target.name}_{field.name}"
    if field.is_multiple:
        source = resolver.joins.given(alias, target, ids)
    else:
        source = resolver.joins.given_one(alias, target, ids[-1])
    return resolver.walk(source, path, from_request=True)


def _static(resolver: Resolver, kind: str, path: list[str]) -> Operand:
    """Return a value of the request that no field of the collection gives a meaning to."""
    name, modifier = split_modifier(path[-1])
    if modifier not in ("", "isset", "lower"):
        raise FilterError(f"invalid modifier sequence {path[-1]}")
    value = _value_at(getattr(resolver.context.request, kind), [*path[:-1], name])
    if modifier == "isset":
        return operands.IS_NOT_SET if value is _MISSING else operands.IS_SET
    return _literal(resolver, kind, [*path[:-1], name], value, modifier == "lower")


def _literal(resolver: Resolver, kind: str, path: list[str], value: Any, is_lower: bool) -> Operand:
    field = resolver.collection.field.get(path[-1])
    if field is not None and field.type == "json" and kind == "body" and len(path) == 1:
        value = value if value is _MISSING else values.json_text(value)
    if value is _MISSING or value is None:
        return operands.NULL
    if isinstance(value, list | dict):
        value = values.json_text(value)
    elif isinstance(value, str) and field is not None and field.type == "number":
        value = _as_number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    operand = operands.literal(value)
    return columns.lowered(operand) if is_lower else operand


def _as_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _value_at(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, list):
            value = dict(zip(map(str, range(len(value))), value, strict=True))
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value
