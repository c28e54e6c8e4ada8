"""From trees to one test, with the list rules that a client's joins bring along."""

from chalicelib.domain.filters import search
from chalicelib.domain.filters.comparisons import comparison
from chalicelib.domain.filters.context import Context, Source
from chalicelib.domain.filters.nodes import And, Comparison, Expression, FilterError, describe
from chalicelib.domain.filters.nodes import Operand as Node
from chalicelib.domain.filters.operands import Env, Operand
from chalicelib.domain.filters.parser import parse
from chalicelib.domain.filters.resolver import Resolver
from chalicelib.domain.filters.search import Test


def expression(resolver: Resolver, tree: Expression) -> Test:
    """Return the test of a tree. Raises `FilterError`."""
    if isinstance(tree, Comparison):
        left = _operand(resolver, tree.left, "left")
        right = _operand(resolver, tree.right, "right")
        return comparison(left, tree.sign, right)
    terms = [expression(resolver, term) for term in tree.terms]
    return search.conjunction(terms) if isinstance(tree, And) else search.disjunction(terms)


def _operand(resolver: Resolver, node: Node, side: str) -> Operand:
    try:
        return resolver.resolve(node)
    except FilterError as error:
        message = f'invalid {side} operand "{describe(node)}" - {error}'
        raise FilterError(message, error.position) from error


def list_rules(context: Context) -> list[Test]:
    """Return the tests that what a client joined may be listed by it.

    PocketBase asks this of every joined row beside the filter, whichever term of the filter
    joined it: the row is missing, or its collection's listRule holds.
    """
    tests = []
    while context.unchecked:
        source = context.unchecked.pop()
        rule = source.collection.rules["listRule"]
        if rule:
            tests.append(_list_rule(context, source, rule))
    return tests


def _list_rule(context: Context, source: Source, rule: str) -> Test:
    resolver = Resolver(context, source.collection, True, source)
    row = source.row

    def is_missing(env: Env) -> bool:
        return row(env) is None

    holds = expression(resolver, parse(rule))
    missing = Test(is_missing, source.slots, source.fetches)
    either = search.disjunction([missing, holds])
    # The row is chosen once for both, so this must not be searched as two alternatives.
    return either._replace(slots=either.slots | source.slots)
