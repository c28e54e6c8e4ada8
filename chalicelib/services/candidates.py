"""Candidates: the records that a plan's source holds, read page by page within the budget.

A list is never cut short: past the budget the answer is a 400 that names the index which
would serve it.
"""

from collections.abc import Callable, Iterator, Sequence

from chalicelib import store
from chalicelib.config import settings
from chalicelib.domain.collection import Collection
from chalicelib.domain.query_plan import Condition, KeyRange, Plan, SortColumn
from chalicelib.errors import BadRequestError
from chalicelib.services.session import Session
from chalicelib.store.records import Item, Stored


class Candidates:
    """What one list reads; `items_read` and `bytes_read` grow as it goes."""

    def __init__(
        self, session: Session, collection: Collection, plan: Plan, advice: Callable[[], str]
    ) -> None:
        """`advice` returns the sentence that the error of a list over the budget ends with."""
        self._session = session
        self._collection = collection
        self._plan = plan
        self._advice = advice
        self.items_read = 0
        self.bytes_read = 0

    def pages(self, limit: int | None, start: Item | None) -> Iterator[list[Stored]]:
        """Yield the candidates in the plan's order; `limit` bounds the first page.

        Stop iterating and it stops reading. Raises `BadRequestError` past the budget.
        """
        if self._plan.range is not None:
            yield from self._ranged(self._plan.range, limit, start)
            return
        found = self._looked_up()
        self._spend(len(found), sum(stored.size_bytes for stored in found))
        yield found

    def _looked_up(self) -> list[Stored]:
        plan, related = self._plan, self._session.related
        ids: tuple[str, ...] = plan.ids or ()
        if plan.reference is not None:
            field, target = plan.reference
            return related.stored_referring(self._collection, field, target)
        if plan.unique is not None:
            holder = store.uniques.holder(self._collection, *plan.unique)
            ids = (holder,) if holder else ()
        found = [related.find(self._collection, record_id) for record_id in ids]
        return [stored for stored in found if stored is not None]

    def _ranged(
        self, span: KeyRange, limit: int | None, start: Item | None
    ) -> Iterator[list[Stored]]:
        while True:
            page = store.records.in_range(self._collection, span, start, limit, self._spend)
            yield page.stored
            start = page.next_key
            if start is None:
                return
            limit = limit * 2 if limit else None

    def _spend(self, items: int, size_bytes: int) -> None:
        self.items_read += items
        self.bytes_read += size_bytes
        limits = settings()
        if self.items_read > limits.scan_budget_items:
            raise self._over(f"{limits.scan_budget_items} records")
        if self.bytes_read > limits.scan_budget_bytes:
            raise self._over(f"{limits.scan_budget_bytes // 2**20} MB of records")

    def _over(self, what: str) -> BadRequestError:
        return BadRequestError(f"The list would read more than {what}. {self._advice()}")


def advice(
    collection: Collection, conditions: Sequence[Condition], sort: Sequence[SortColumn]
) -> str:
    """Return the sentence that names the index which would serve a list."""
    columns = [each.field for each in conditions if each.operator == "="]
    columns += [each.field for each in conditions if each.operator != "="][:1]
    columns += [each.field for each in sort if each.field != "id"]
    unique = list(dict.fromkeys(columns))
    if not unique:
        return "Page with ?cursor= or sort by id, or filter by an indexed field."
    index = "_".join(["idx", collection.name, *unique])
    names = ", ".join(unique)
    return f"An index would serve it: CREATE INDEX {index} ON {collection.name} ({names})."
