"""Lists of records: rule and filter joined, planned, read within a budget, and paged.

A list is never cut short or wrong: when the budget ends before the answer is certain, the
answer is a 400 that names the index which would serve the query.
"""

import random
from collections.abc import Iterator
from typing import Any

from chalicelib import services, store
from chalicelib.aws import dynamodb
from chalicelib.config import settings
from chalicelib.domain import filters, paging, query_plan
from chalicelib.domain.collection import Collection
from chalicelib.domain.paging import Cursor, ListOptions
from chalicelib.domain.query_plan import Condition, KeyRange, Plan, SortColumn
from chalicelib.errors import BadRequestError, ForbiddenError
from chalicelib.services.session import Session
from chalicelib.store.records import Item, Stored

Answer = dict[str, Any]


def page(session: Session, collection: Collection, rule: str) -> Answer:
    """Return PocketBase's list object, plus `nextCursor` and `explain` where they are asked for.

    Raises `BadRequestError` (filter, sort, paging, budget) or `ForbiddenError` (a reserved
    name in a client's filter).
    """
    options = paging.read(session.call.query)
    if options.explain:
        _require_explain(session)
        with dynamodb.meter() as meter:
            search = Search(session, collection, rule, options)
            answer = search.answer()
        return answer | {"explain": _explained(search, meter)}
    return Search(session, collection, rule, options).answer()


def _require_explain(session: Session) -> None:
    if not session.is_superuser:
        raise ForbiddenError("Only superusers can ask for explain.")


class Search:
    """One list on its way: what is asked, the plan, and what has been read so far."""

    def __init__(
        self, session: Session, collection: Collection, rule: str, options: ListOptions
    ) -> None:
        self.session = session
        self.collection = collection
        self.options = options
        self.scope = filters.Scope(session.info(), session.related, session.now)
        self.items_read = 0
        self.bytes_read = 0
        self.matched = 0
        self._is_client = not session.is_superuser
        self._compile(rule)
        self._plan()

    def _compile(self, rule: str) -> None:
        if self._is_client:
            _refuse_reserved(self.options)
        parts = [(rule, False)] if rule else []
        if self.options.filter:
            parts.append((self.options.filter, self._is_client))
        try:
            self.predicate = (
                filters.compile_filter(tuple(parts), self.collection, self.session.schema)
                if parts
                else None
            )
            self.sort = filters.compile_sort(
                self.options.sort, self.collection, self.session.schema, self._is_client
            )
        except filters.FilterError as error:
            raise BadRequestError from error

    def _plan(self) -> None:
        self.conditions = self._conditions()
        columns = self._sort_columns()
        if self.options.cursor is not None and columns == []:
            columns = [SortColumn("id", descending=False)]
        self.plan = query_plan.plan(self.collection, self.conditions, columns)
        if self.options.cursor is not None:
            self._require_cursor_order(columns)

    def _require_cursor_order(self, columns: list[SortColumn] | None) -> None:
        if self.plan.range is None and self.plan.reference is not None:
            self.plan = query_plan.plan(self.collection, (), columns)
        if not self.plan.is_sorted:
            raise BadRequestError(
                f"Paging by cursor needs a sort that an index serves. {self._advice()}"
            )

    def _conditions(self) -> tuple[Condition, ...]:
        if self.predicate is None:
            return ()
        return tuple(
            Condition(found.field, found.operator, found.value(self.scope))
            for found in self.predicate.conjuncts()
        )

    def _sort_columns(self) -> list[SortColumn] | None:
        """Return the sort as plain columns; None if it has a path, a macro or a modifier."""
        columns = []
        for key in self.sort:
            if key.column is None:
                return None
            columns.append(SortColumn(key.column, key.descending))
        return columns

    def answer(self) -> Answer:
        """Read what the page needs and return the list object."""
        if self.options.cursor is not None:
            return self._cursor_page()
        if not self.plan.is_sorted:
            found = self._sorted(list(self._matches()))
            return self._numbered_page(found[self._first : self._last], len(found))
        if self.options.skip_total:
            return self._numbered_page(self._streamed(), -1)
        return self._counted_page()

    @property
    def _first(self) -> int:
        return (self.options.page - 1) * self.options.per_page

    @property
    def _last(self) -> int:
        return self._first + self.options.per_page

    def _streamed(self) -> list[Stored]:
        """Return the page's records, reading in order and no further than the page."""
        found: list[Stored] = []
        for number, stored in enumerate(self._matches(wanted=self._last)):
            if number >= self._first:
                found.append(stored)
            if number + 1 >= self._last:
                break
        return found

    def _counted_page(self) -> Answer:
        """Return a page in key order with the exact total."""
        if self.plan.range is not None and self._range_is_exact():
            return self._page_and_count(self.plan.range)
        found, total = [], 0
        for stored in self._matches():
            if self._first <= total < self._last:
                found.append(stored)
            total += 1
        return self._numbered_page(found, total)

    def _range_is_exact(self) -> bool:
        """Whether every record of the range is a match, so that counting needs no reading."""
        if self.predicate is None:
            return True
        return self.predicate.is_conjunction and self.plan.used >= set(self.conditions)

    def _page_and_count(self, wanted: KeyRange) -> Answer:
        found = self._streamed()
        total = self._first + len(found)
        if len(found) == self.options.per_page:
            start = store.records.start_after(self.collection, wanted, found[-1])
            total += store.records.count_in_range(self.collection, wanted, start)
        elif not found and self._first:
            total = self.matched
        return self._numbered_page(found, total)

    def _cursor_page(self) -> Answer:
        per_page = self.options.per_page
        start = self._start_of_cursor()
        found = []
        for stored in self._matches(wanted=per_page + 1, start=start):
            found.append(stored)
            if len(found) > per_page:
                break
        more = len(found) > per_page
        del found[per_page:]
        answer = self._envelope(found, -1, 1)
        return answer | {"nextCursor": self._cursor_after(found[-1]) if more else ""}

    def _start_of_cursor(self) -> Item | None:
        if not self.options.cursor or self.plan.range is None:
            return None
        cursor = paging.read_cursor(self.options.cursor)
        if cursor.slot != self.plan.range.slot:
            raise BadRequestError("The cursor belongs to a list with another filter or sort.")
        return store.records.start_at(
            self.collection, self.plan.range, cursor.record_id, cursor.entry
        )

    def _cursor_after(self, stored: Stored) -> str:
        wanted = self.plan.range
        if wanted is None or wanted.slot is None:
            return paging.cursor_text(Cursor(None, stored.record["id"], ""))
        if self._is_client and any(self.collection.field[name].hidden for name in wanted.columns):
            raise BadRequestError("The index of this list has a hidden field: page by number.")
        key = store.records.start_after(self.collection, wanted, stored)
        entry: str = key[f"ix{wanted.slot}"]["S"]
        return paging.cursor_text(Cursor(wanted.slot, stored.record["id"], entry))

    def _matches(self, wanted: int | None = None, start: Item | None = None) -> Iterator[Stored]:
        """Yield the candidates that match, in the plan's order; `wanted` says how many may do."""
        for candidates in self._candidates(wanted, start):
            if self.predicate is not None:
                self.predicate.prefetch((stored.record for stored in candidates), self.scope)
            for stored in candidates:
                if self.predicate is None or self.predicate.matches(stored.record, self.scope):
                    self.matched += 1
                    yield stored

    def _candidates(self, wanted: int | None, start: Item | None) -> Iterator[list[Stored]]:
        if self.plan.range is not None:
            yield from self._ranged(self.plan.range, wanted, start)
            return
        found = self._looked_up()
        self._spend(found)
        yield found

    def _looked_up(self) -> list[Stored]:
        plan, related = self.plan, self.session.related
        ids: tuple[str, ...] = plan.ids or ()
        if plan.reference is not None:
            field, target = plan.reference
            return related.stored_referring(self.collection, field, target)
        if plan.unique is not None:
            holder = store.uniques.holder(self.collection, *plan.unique)
            ids = (holder,) if holder else ()
        ids = tuple(i for i in ids if len(i) <= services.session.MAX_ID_CHARACTERS)
        found = [related.find(self.collection, record_id) for record_id in ids]
        return [stored for stored in found if stored is not None]

    def _ranged(
        self, span: KeyRange, wanted: int | None, start: Item | None
    ) -> Iterator[list[Stored]]:
        limit = self._first_limit(wanted)
        while True:
            page = store.records.in_range(self.collection, span, start, limit)
            self._spend(page.stored)
            yield page.stored
            start = page.next_key
            if start is None:
                return
            limit = limit * 2 if limit else None

    def _first_limit(self, wanted: int | None) -> int | None:
        """Return how many items to read at first: exactly the page where each one matches."""
        if wanted is None:
            return None
        return wanted if self.predicate is None or self._range_is_exact() else max(2 * wanted, 60)

    def _spend(self, found: list[Stored]) -> None:
        self.items_read += len(found)
        self.bytes_read += sum(stored.size_bytes for stored in found)
        limits = settings()
        over = self.items_read > limits.scan_budget_items
        if over or self.bytes_read > limits.scan_budget_bytes:
            what = (
                f"{limits.scan_budget_items} records"
                if over
                else f"{limits.scan_budget_bytes // 2**20} MB of records"
            )
            raise BadRequestError(f"The list would read more than {what}. {self._advice()}")

    def _advice(self) -> str:
        """Return the sentence that names the index which would serve this list."""
        columns = [each.field for each in self.conditions if each.operator == "="]
        columns += [each.field for each in self.conditions if each.operator != "="][:1]
        columns += [each.field for each in self._sort_columns() or () if each.field != "id"]
        names = ", ".join(dict.fromkeys(columns))
        if not names:
            return "Page with ?cursor= or sort by id, or filter by an indexed field."
        name = self.collection.name
        index = "_".join(["idx", name, *dict.fromkeys(columns)])
        return f"An index would serve it: CREATE INDEX {index} ON {name} ({names})."

    def _sorted(self, found: list[Stored]) -> list[Stored]:
        """Sort in memory: by the sort's keys, then in order of insertion."""
        found.sort(key=lambda stored: (stored.seq, stored.record["id"]))
        for key in reversed(self.sort):
            if key.special == "@random":
                random.shuffle(found)
            elif key.special == "@rowid":
                found.sort(key=lambda stored: stored.seq, reverse=key.descending)
            else:
                # Python sorts stably in reverse too, so ties stay in order of insertion.
                found.sort(key=lambda s: key.key(s.record, self.scope), reverse=key.descending)
        return found

    def _numbered_page(self, found: list[Stored], total: int) -> Answer:
        if self.options.skip_total:
            total = -1
        return self._envelope(found, total, self.options.page)

    def _envelope(self, found: list[Stored], total: int, number: int) -> Answer:
        records = [stored.record for stored in found]
        per_page = self.options.per_page
        return {
            "items": services.expand.enrich(self.session, self.collection, records),
            "page": number,
            "perPage": per_page,
            "totalItems": total,
            "totalPages": -1 if total < 0 else -(-total // per_page),
        }


def _refuse_reserved(options: ListOptions) -> None:
    """A client may not look into other collections or the request: a plain test of the text."""
    for text in (options.filter, options.sort):
        for name in ("@collection.", "@request."):
            if name in text:
                raise ForbiddenError(f"Only superusers can filter by {name}")


def _explained(search: Search, meter: dynamodb.Meter) -> Answer:
    plan = search.plan
    return {
        "source": _source(plan),
        "keyRange": _key_range(plan.range) if plan.range is not None else None,
        "sortedBy": "key" if plan.is_sorted else "memory",
        "itemsRead": search.items_read,
        "recordsMatched": search.matched,
        "capacityUnits": meter.read_units,
        "calls": meter.calls,
    }


def _source(plan: Plan) -> str:
    if plan.ids is not None:
        return "id"
    if plan.unique is not None:
        return f"unique index {plan.unique[0].name}"
    if plan.reference is not None:
        return f"references of {plan.reference[0].name}"
    if plan.range is not None and plan.range.slot is not None:
        return f"index {plan.range.index}"
    return "whole collection"


def _key_range(span: KeyRange) -> Answer:
    return {
        "index": span.index or "id",
        "slot": span.slot,
        "low": span.low,
        "high": span.high,
        "direction": "forward" if span.forward else "backward",
    }
