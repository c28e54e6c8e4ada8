"""The functions of the language: `geoDistance` and `strftime`.

Over a path to many rows `geoDistance` compares as with a `?` sign: some row is enough.
Measured on PocketBase 0.40.6.
"""

from math import acos, cos, radians, sin
from typing import Any

from chalicelib.domain.filters import like, values
from chalicelib.domain.filters.nodes import Call, FilterError, Identifier, Number, Text
from chalicelib.domain.filters.nodes import Operand as Node
from chalicelib.domain.filters.operands import (
    NO_SLOTS,
    NULL,
    Operand,
    Side,
    literal,
    parameter_text,
)
from chalicelib.domain.filters.resolver import Resolver

EARTH_RADIUS_KM = 6371
_MAX_STRFTIME_ARGUMENTS = 10


def call(resolver: Resolver, node: Call) -> Operand:
    """Return the operand of a function call. Raises `FilterError`."""
    if node.name == "geoDistance":
        return _geo_distance(resolver, node.arguments)
    if node.name == "strftime":
        return _strftime(resolver, node.arguments)
    raise FilterError(f'unknown function "{node.name}"')


def _geo_distance(resolver: Resolver, nodes: tuple[Node, ...]) -> Operand:
    if len(nodes) != 4:
        raise FilterError(f"[geoDistance] expected 4 arguments, got {len(nodes)}")
    arguments = [_coordinate(resolver, index, node) for index, node in enumerate(nodes)]
    reads = [argument.read for argument in arguments]
    has_literal = any(argument.side.like is not None for argument in arguments)
    side = Side(is_json=True, is_filled=has_literal)
    operand = _joined(side, lambda env: distance_km(*(read(env) for read in reads)), arguments)
    if has_literal:
        # PocketBase wraps the literals in %, which leaves no numbers to compute with.
        operand = operand._replace(like_form=NULL)
    return operand


def _coordinate(resolver: Resolver, index: int, node: Node) -> Operand:
    if not isinstance(node, Identifier | Number):
        message = f"[geoDistance] argument {index} must be an identifier or number"
        raise FilterError(message)
    try:
        return resolver.resolve(node)
    except FilterError as error:
        message = f"[geoDistance] failed to resolve argument {index}: {error}"
        raise FilterError(message) from error


def distance_km(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> float | None:
    """Return the distance by the spherical law of cosines; None for what is no number.

    Rounding may carry the cosine past 1 or -1; it counts as 1 or -1 then.
    """
    numbers = [values.number(value) for value in (lon_a, lat_a, lon_b, lat_b)]
    if any(value is None or isinstance(value, str) for value in numbers):
        return None
    a_lon, a_lat, b_lon, b_lat = (radians(value) for value in numbers)  # type: ignore[arg-type]
    cosine = cos(a_lat) * cos(b_lat) * cos(b_lon - a_lon) + sin(a_lat) * sin(b_lat)
    return EARTH_RADIUS_KM * acos(min(1.0, max(-1.0, cosine)))


def _strftime(resolver: Resolver, nodes: tuple[Node, ...]) -> Operand:
    if not 1 <= len(nodes) <= _MAX_STRFTIME_ARGUMENTS:
        expected = f"between 1 and {_MAX_STRFTIME_ARGUMENTS}"
        raise FilterError(f"[strftime] expected {expected} arguments, got {len(nodes)}")
    if not isinstance(nodes[0], Text):
        raise FilterError("[strftime] expects the first argument to be a format string")
    arguments = [literal(nodes[0].value)]
    if len(nodes) > 1:
        arguments.append(_time_value(resolver, nodes[1]))
    for index, node in enumerate(nodes[2:]):
        if not isinstance(node, Text):
            message = f"[strftime] invalid modifier argument {index} - can be only string"
            raise FilterError(message)
        arguments.append(literal(node.value))
    resolver.context.is_fixed = False
    wrapped = [_wrapped(argument) for argument in arguments]
    like_form = _strftime_of(resolver, wrapped, Side(is_pattern=True))
    is_filled = not any(argument.side.is_empty for argument in arguments)
    side = Side(is_filled=is_filled, is_nullable=True)
    return _strftime_of(resolver, arguments, side)._replace(like_form=like_form)


def _time_value(resolver: Resolver, node: Node) -> Operand:
    if isinstance(node, Call):
        message = "[strftime] expects the second argument to be of a valid time-value type"
        raise FilterError(message)
    try:
        return resolver.resolve(node)
    except FilterError as error:
        raise FilterError(f"[strftime] failed to resolve argument 1: {error}") from error


def _wrapped(argument: Operand) -> Operand:
    """Return a literal as PocketBase changes it on the right of `~`, the call's arguments too."""
    if not argument.constant or argument.side.like is None:
        return argument
    return literal(like.pattern_of(parameter_text(argument.read([]))))


def _strftime_of(resolver: Resolver, arguments: list[Operand], side: Side) -> Operand:
    from chalicelib.domain.filters import strftime  # noqa: PLC0415  # lazy: rare

    now = resolver.context.now
    template = arguments[0].read([])
    modifiers = [argument.read([]) for argument in arguments[2:]]
    if len(arguments) == 1:
        return _joined(side, lambda env: strftime.strftime(now, template), arguments)

    def shown(value: Any) -> str | None:
        return strftime.strftime(now, template, value, *modifiers)

    read, values_of = arguments[1].read, arguments[1].values
    operand = _joined(side, lambda env: shown(read(env)), arguments)
    if values_of is None:
        return operand
    return operand._replace(values=lambda env: [shown(value) for value in values_of(env)])


def _joined(side: Side, read: Any, arguments: list[Operand]) -> Operand:
    slots = NO_SLOTS.union(*(argument.slots for argument in arguments))
    return Operand(side, read, slots, fetches=any(argument.fetches for argument in arguments))
