"""The language of filters, rules and sorts: `title ~ 'x' && author = @request.auth.id`.

    text -> parser -> tree -> compiler -> Predicate -> matches(record, scope)

    lexer, parser, nodes      the text as a tree, whatever the collection
    resolver                  a name against the collection: field, path, @collection
    request_fields, functions, macros, columns    what else a name or a call can be
    joins, context            the related records that paths lead to
    comparisons, values, like the signs, with SQLite's and PocketBase's idea of equality
    search                    whether some combination of joined rows makes it true
    predicate, sort           what services call; conjuncts, what the query planner calls

PocketBase turns a filter into SQL, so this package is SQL semantics in Python: NULL, type
affinity, LEFT JOINs. It was compared with PocketBase 0.40.6 filter by filter.
"""

from chalicelib.domain.filters.conjuncts import Conjunct
from chalicelib.domain.filters.context import Related, Scope
from chalicelib.domain.filters.nodes import Expression, FilterError
from chalicelib.domain.filters.parser import parse
from chalicelib.domain.filters.predicate import (
    MAX_FILTER_BYTES,
    Predicate,
    check_rule,
    compile_filter,
)
from chalicelib.domain.filters.sort import SortKey, compile_sort

__all__ = [
    "MAX_FILTER_BYTES",
    "Conjunct",
    "Expression",
    "FilterError",
    "Predicate",
    "Related",
    "Scope",
    "SortKey",
    "check_rule",
    "compile_filter",
    "compile_sort",
    "parse",
]
