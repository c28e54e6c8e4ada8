"""What each sign means between two values, and the tests a comparison of operands makes.

With a path to many rows a plain sign asks for all: some row makes the comparison true, and no
value of the path makes it false (unknown does no harm). A sign after `?` asks for any.
Measured on PocketBase 0.40.6; docs of PocketBase: "any/at least one of".
"""

from collections.abc import Callable

from chalicelib.domain.filters import like, search, values
from chalicelib.domain.filters.operands import Env, Operand, Side
from chalicelib.domain.filters.search import Test
from chalicelib.domain.filters.values import Compare, Value


def comparison(left: Operand, sign: str, right: Operand) -> Test:
    """Return the test of one comparison."""
    plain = sign.lstrip("?")
    is_for_all = plain == sign and bool(left.values or right.values)
    if plain in ("~", "!~") and right.like_form:
        right = _as_pattern(right, is_for_all and bool(right.values))
    tests = [_current(left, plain, right)]
    if is_for_all:
        tests.append(_of_all(left, plain, right))
    for operand in (left, right):
        if operand.guard:
            tests.append(Test(operand.guard, operand.slots, operand.fetches))
    return search.conjunction(tests)


def _as_pattern(right: Operand, is_for_all: bool) -> Operand:
    """Return a call on the right of `~`, whose value PocketBase takes for a pattern.

    It also wraps the call's literals in `%`, unless it lists the call's values too.
    """
    if is_for_all and right.side.is_nullable:
        return right._replace(side=right.side._replace(is_pattern=True))
    return right.like_form or right


def _current(left: Operand, sign: str, right: Operand) -> Test:
    """Return the comparison of the current rows."""
    read_left, read_right = left.read, right.read
    if right.constant:
        return _with_constant(left, sign, right)
    compare = between(left.side, sign, right.side)
    slots = left.slots | right.slots
    fetches = left.fetches or right.fetches
    return Test(lambda env: compare(read_left(env), read_right(env)), slots, fetches)


def _with_constant(left: Operand, sign: str, right: Operand) -> Test:
    """Return a comparison with what is the same for every record: most of what rules say."""
    value = right.read([])
    left_side, read = left.side, left.read
    convert = values.OF_COLUMN.get(left_side.affinity)
    if convert is not None:
        # A column's values need no conversion themselves, and the constant needs it once.
        value = convert(value)
        left_side = left_side._replace(affinity=values.NO_AFFINITY)
    compare = between(left_side, sign, right.side)
    if left.constant:
        return search.ALWAYS if compare(read([]), value) else search.NEVER
    if compare is values.equal and value is not None:
        return Test(lambda env: read(env) == value, left.slots, left.fetches)
    return Test(lambda env: compare(read(env), value), left.slots, left.fetches)


def _of_all(left: Operand, sign: str, right: Operand) -> Test:
    """Return the test that no value of the side(s) with many makes the comparison false."""
    slots = left.values_slots | right.values_slots
    if left.values and right.values:
        compare = between(_value_of(left), sign, _value_of(right))
        holds = _all_pairs(left.values, compare, right.values)
    elif left.values:
        compare = between(_value_of(left), sign, right.side.beside_many())
        holds = _all_values(left.values, compare, right.read)
        slots |= right.slots
    elif right.values:
        compare = between(left.side.beside_many(), sign, _value_of(right))
        holds = _all_values(right.values, lambda a, b: compare(b, a), left.read)
        slots |= left.slots
    return Test(holds, slots, fetches=True)


def _value_of(operand: Operand) -> Side:
    """Return what SQL knows of the column that lists an operand's values."""
    side = operand.side
    return Side(affinity=side.affinity, is_json=side.is_json, is_nullable=side.is_nullable)


def _all_values(
    read_many: Callable[[Env], list[Value]], compare: Compare, read_one: Callable[[Env], Value]
) -> Callable[[Env], bool]:
    def holds(env: Env) -> bool:
        many = read_many(env)
        search.spend(env, len(many))
        one = read_one(env)
        return all(compare(value, one) is not False for value in many)

    return holds


def _all_pairs(
    read_left: Callable[[Env], list[Value]],
    compare: Compare,
    read_right: Callable[[Env], list[Value]],
) -> Callable[[Env], bool]:
    def holds(env: Env) -> bool:
        left, right = read_left(env), read_right(env)
        search.spend(env, len(left) * len(right))
        return all(compare(a, b) is not False for a in left for b in right)

    return holds


def between(left: Side, sign: str, right: Side) -> Compare:
    """Return what compares two values under a sign without its `?`."""
    if sign == "=":
        return _equality(left, right)
    if sign == "!=":
        return _difference(left, right)
    if sign in ("~", "!~"):
        return _likeness(sign == "~", right)
    return values.converting(values.ORDERED[sign], left.affinity, right.affinity)


def _equality(left: Side, right: Side) -> Compare:
    if left.is_json or right.is_json:
        return _is(True, left, right)
    if left.is_empty and right.is_empty:
        return lambda a, b: True
    if _is_filled(left) or _is_filled(right):
        compare = values.converting(values.equal, left.affinity, right.affinity)
        return _empty_as_text(compare, left, right)
    if left.is_empty:
        return lambda a, b: b is None or b == ""
    if right.is_empty:
        return lambda a, b: a is None or a == ""
    # COALESCE(a, '') = COALESCE(b, ''), and what COALESCE gives has no affinity.
    return lambda a, b: ("" if a is None else a) == ("" if b is None else b)


def _difference(left: Side, right: Side) -> Compare:
    if left.is_json or right.is_json:
        return _is(False, left, right)
    if left.is_empty and right.is_empty:
        return lambda a, b: False
    if _is_filled(left) or _is_filled(right):
        return _empty_as_text(_is(False, left, right), left, right)
    equality = _equality(left, right)
    return lambda a, b: not equality(a, b)


def _empty_as_text(compare: Compare, left: Side, right: Side) -> Compare:
    """Return `compare`, where a NULL known beforehand is written as ''."""
    if left.is_empty:
        return lambda a, b: compare("", b)
    if right.is_empty:
        return lambda a, b: compare(a, "")
    return compare


def _is_filled(side: Side) -> bool:
    return side.is_filled and not side.is_nullable


def _is(equal: bool, left: Side, right: Side) -> Compare:
    """`IS`, or `IS NOT`; before TRUE or FALSE these ask for truth."""
    if right.truth is not None:
        truth = right.truth
        return lambda a, b: (values.is_true(a) is truth) is equal
    compare = values.same if equal else values.different
    return values.converting(compare, left.affinity, right.affinity)


def _likeness(wanted: bool, right: Side) -> Compare:
    if right.like is not None:
        matches = like.matcher(right.like)
        return lambda a, b: None if a is None else matches(_text(a)) is wanted
    wrap = "" if right.is_pattern else "%"

    def compare(a: Value, b: Value) -> bool | None:
        if a is None or b is None:
            return None
        return like.matcher(f"{wrap}{_text(b)}{wrap}")(_text(a)) is wanted

    return compare


def _text(value: Value) -> str:
    return value if isinstance(value, str) else values.text(value) or ""
