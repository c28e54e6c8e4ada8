"""Whether some combination of joined rows makes an expression true for a record.

SQL's unknown counts as false throughout: the language has no negation around an expression.
Rows are tried only as far as needed. `a || b` holds if either does on its own; the terms of
`a && b` are searched together only where they share a join, and each is tried as soon as its
rows are chosen.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from chalicelib import errors
from chalicelib.domain.filters.operands import NO_SLOTS, Env, Read

MAX_COMBINATIONS = 100_000
"""Joined rows that may be tried for one record."""

Candidates = list[Callable[[Env], list[Any]]]


class Test(NamedTuple):
    holds: Read
    """Truthy if it is true with the current rows."""
    slots: frozenset[int] = NO_SLOTS
    fetches: bool = False
    all_of: tuple["Test", ...] = ()
    any_of: tuple["Test", ...] = ()


ALWAYS = Test(lambda env: True)
NEVER = Test(lambda env: False)


def spend(env: Env, combinations: int) -> None:
    """Count work done for one record. Raises `BadRequestError` over the cap."""
    spent = env[1]["spent"] = env[1].get("spent", 0) + combinations
    if spent > MAX_COMBINATIONS:
        raise errors.BadRequestError(
            f"The filter joins more than {MAX_COMBINATIONS} rows for one record."
        )


def conjunction(tests: Iterable[Test]) -> Test:
    """Return the test that all hold, those that fetch nothing first."""
    terms = tuple(sorted(_flat(tests), key=_effort))
    if NEVER in terms:
        return NEVER
    terms = tuple(term for term in terms if term is not ALWAYS) or (ALWAYS,)
    if len(terms) == 1:
        return terms[0]
    return Test(_all([term.holds for term in terms]), *_union(terms), all_of=terms)


def disjunction(tests: Iterable[Test]) -> Test:
    """Return the test that one holds, asking those that fetch nothing first."""
    terms = tuple(sorted(tests, key=_effort))
    if ALWAYS in terms:
        return ALWAYS
    terms = tuple(term for term in terms if term is not NEVER) or (NEVER,)
    if len(terms) == 1:
        return terms[0]
    return Test(_any([term.holds for term in terms]), *_union(terms), any_of=terms)


def _all(holders: list[Read]) -> Read:
    # Most rules have two terms, and a loop would double what they cost for each record.
    if len(holders) == 2:
        first, second = holders
        return lambda env: first(env) and second(env)
    return lambda env: all(holds(env) for holds in holders)


def _any(holders: list[Read]) -> Read:
    if len(holders) == 2:
        first, second = holders
        return lambda env: first(env) or second(env)
    return lambda env: any(holds(env) for holds in holders)


def _flat(tests: Iterable[Test]) -> Iterable[Test]:
    for test in tests:
        if test.all_of:
            yield from test.all_of
        else:
            yield test


def _union(terms: tuple[Test, ...]) -> tuple[frozenset[int], bool]:
    slots = NO_SLOTS.union(*(term.slots for term in terms))
    return slots, any(term.fetches for term in terms)


def _effort(test: Test) -> tuple[int, bool]:
    return len(test.slots), test.fetches


def exists(test: Test, candidates: Candidates, first_slot: int) -> Read:
    """Return what tells whether rows exist that make `test` true."""
    if not test.slots:
        return test.holds
    if test.any_of:
        return disjunction(
            Test(exists(term, candidates, first_slot), NO_SLOTS, term.fetches)
            for term in test.any_of
        ).holds
    terms = test.all_of or (test,)
    groups = _groups([term for term in terms if term.slots])
    alone = [term for term in terms if not term.slots]
    searches = [
        Test(exists(group[0], candidates, first_slot))
        if len(group) == 1 and group[0].any_of
        else Test(_search(group, candidates, first_slot))
        for group in groups
    ]
    return conjunction([*alone, *(s._replace(fetches=True) for s in searches)]).holds


def _groups(terms: list[Test]) -> list[list[Test]]:
    """Return the terms, those that share a join together."""
    groups: list[tuple[frozenset[int], list[Test]]] = []
    for term in terms:
        slots, members = term.slots, [term]
        apart = []
        for other_slots, others in groups:
            if slots & other_slots:
                slots |= other_slots
                members = [*others, *members]
            else:
                apart.append((other_slots, others))
        groups = [*apart, (slots, members)]
    return [members for _, members in groups]


def _search(terms: list[Test], candidates: Candidates, first_slot: int) -> Read:
    """Return a search over the rows of every join that the terms share."""
    slots = sorted(NO_SLOTS.union(*(term.slots for term in terms)))
    search: Read = lambda env: True  # noqa: E731  # what is left after the last join
    for slot in reversed(slots):
        ready = [term for term in terms if max(term.slots) == slot]
        holds = conjunction(ready).holds if ready else None
        search = _level(slot, candidates[slot - first_slot], holds, search)
    return search


def _level(
    slot: int, candidates: Callable[[Env], list[Any]], holds: Read | None, deeper: Read
) -> Read:
    def search(env: Env) -> bool:
        rows = candidates(env)
        spend(env, len(rows))
        for row in rows:
            env[slot] = row
            if (holds is None or holds(env)) and deeper(env):
                return True
        return False

    return search
