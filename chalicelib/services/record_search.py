"""Lists of records: rule and filter joined, planned, read (`candidates`), sorted and paged."""

import random
from collections.abc import Iterator
from typing import Any

from chalicelib import services, store
from chalicelib.aws import dynamodb
from chalicelib.domain import filters, index_values, paging, query_plan
from chalicelib.domain.collection import Collection
from chalicelib.domain.paging import Cursor, ListOptions
from chalicelib.domain.query_plan import Condition, KeyRange, Plan, Private, SortColumn
from chalicelib.errors import BadRequestError, ForbiddenError
from chalicelib.services.candidates import Candidates, advice
from chalicelib.services.session import Session
from chalicelib.store.records import Item, Stored

Answer = dict[str, Any]


def page(session: Session, collection: Collection, rule: str) -> Answer:
    """Return PocketBase's list object, plus `nextCursor` and `explain` where they are asked for.

    Raises `BadRequestError` (filter, sort, paging, budget) or `ForbiddenError` (a reserved
    name in a client's filter, explain for others than superusers).
    """
    try:
        return _page(session, collection, rule)
    except filters.FilterError as error:  # some expressions fail only on what they read
        raise BadRequestError from error


def _page(session: Session, collection: Collection, rule: str) -> Answer:
    options = paging.read(session.call.query)
    if not options.explain:
        return Search(session, collection, rule, options).answer()
    if not session.is_superuser:
        raise ForbiddenError("Only superusers can ask for explain.")
    with dynamodb.meter() as meter:
        search = Search(session, collection, rule, options)
        answer = search.answer()
    return answer | {"explain": _explained(search, meter)}


class Search:
    """One list on its way: what is asked, the plan, and how many have matched so far."""

    def __init__(
        self, session: Session, collection: Collection, rule: str, options: ListOptions
    ) -> None:
        self._session = session
        self._collection = collection
        self._options = options
        self._scope = filters.Scope(session.info(), session.related, session.now)
        self._is_client = not session.is_superuser
        if self._is_client:
            _refuse_reserved(options)
        self.matched = 0
        self._compile(rule)
        self._conditions = self._narrowing()
        self._columns = self._sort_columns()
        self.plan = self._planned()
        if options.cursor is not None and not self.plan.is_sorted:
            message = f"Paging by cursor needs a sort that a key serves. {self._advice()}"
            raise BadRequestError(message)
        self.candidates = Candidates(session, collection, self.plan, self._advice)

    def _compile(self, rule: str) -> None:
        options, schema = self._options, self._session.schema
        if len(options.filter.encode()) > filters.MAX_FILTER_BYTES:
            raise BadRequestError
        parts = [(rule, False)] if rule else []
        if options.filter:
            parts.append((options.filter, self._is_client))
        client_sort = options.sort if self._is_client else ""
        self._predicate = (
            filters.compile_filter(parts, self._collection, schema, client_sort)
            if parts or client_sort
            else None
        )
        self._sort = filters.compile_sort(options.sort, self._collection, schema, self._is_client)

    def _narrowing(self) -> tuple[Condition, ...]:
        """Return the leaves that every match satisfies, with their values in this request."""
        if self._predicate is None:
            return ()
        valued = [(each, each.value_in(self._scope)) for each in self._predicate.conjuncts()]
        return tuple(
            Condition(each.field, each.operator, value)
            for each, value in valued
            if value is not None
        )

    def _sort_columns(self) -> list[SortColumn] | None:
        """Return the sort as plain columns; None if it has a path, a macro or a modifier."""
        if not all(_is_ordered_by_key(self._collection, key.path) for key in self._sort):
            return None
        columns = [SortColumn(key.path, key.descending) for key in self._sort]
        if self._options.cursor is not None and not columns:
            return [SortColumn("id", descending=False)]
        return columns

    def _planned(self) -> Plan:
        private = self._private() if self._is_client else query_plan.Private()
        plan = query_plan.plan(self._collection, self._conditions, self._columns, private)
        if self._options.cursor is not None and (plan.reference is not None or not plan.is_sorted):
            # A cursor needs the order more than the narrowing.
            return query_plan.plan(self._collection, (), self._columns, private)
        return plan

    def _private(self) -> Private:
        """Return what no client may learn; all may sort by e-mail, as in PocketBase."""
        fields = self._collection.fields
        hidden = frozenset(f.name for f in fields if f.hidden or f.type == "password")
        if self._options.cursor is None:
            return Private(hidden)
        return Private(hidden, hidden | {"email"} if self._collection.is_auth else hidden)

    def _advice(self) -> str:
        return advice(self._collection, self._conditions, self._columns or ())

    def answer(self) -> Answer:
        """Read what the page needs and return the list object."""
        if self._options.cursor is not None:
            return self._cursor_page()
        if not self.plan.is_sorted:
            found = self._sorted(list(self._matches()))
            return self._numbered_page(found[self._first : self._last], len(found))
        if self._options.skip_total:
            return self._numbered_page(self._streamed(), -1)
        if self.plan.range is not None and self._range_is_exact():
            return self._page_and_count(self.plan.range)
        found = list(self._matches())
        return self._numbered_page(found[self._first : self._last], len(found))

    @property
    def _first(self) -> int:
        return (self._options.page - 1) * self._options.per_page

    @property
    def _last(self) -> int:
        return self._first + self._options.per_page

    def _streamed(self) -> list[Stored]:
        """Return the page's records, reading in order and no further than the page."""
        found: list[Stored] = []
        for number, stored in enumerate(self._matches(wanted=self._last)):
            if number >= self._first:
                found.append(stored)
            if number + 1 >= self._last:
                break
        return found

    def _range_is_exact(self) -> bool:
        """Whether every record of the range is a match, so that counting needs no reading."""
        if self._predicate is None:
            return True
        conditions = self._conditions
        all_said = self._predicate.plain_terms == len(conditions)
        return all_said and self.plan.used >= set(conditions)

    def _page_and_count(self, wanted: KeyRange) -> Answer:
        found = self._streamed()
        total = self._first + len(found) if found else self.matched
        if len(found) == self._options.per_page:
            start = store.records.start_after(self._collection, wanted, found[-1])
            total += store.records.count_in_range(self._collection, wanted, start)
        return self._numbered_page(found, total)

    def _cursor_page(self) -> Answer:
        per_page = self._options.per_page
        found = []
        for stored in self._matches(wanted=per_page + 1, start=self._start_of_cursor()):
            found.append(stored)
            if len(found) > per_page:
                break
        more = len(found) > per_page
        answer = self._envelope(found[:per_page], -1, 1)
        return answer | {"nextCursor": self._cursor_after(found[per_page - 1]) if more else ""}

    def _start_of_cursor(self) -> Item | None:
        if not self._options.cursor or self.plan.range is None:
            return None
        cursor, span = paging.read_cursor(self._options.cursor), self.plan.range
        if cursor.slot != span.slot or not _is_within(cursor, span):
            raise BadRequestError("The cursor belongs to a list with another filter or sort.")
        return store.records.start_at(self._collection, span, cursor.record_id, cursor.entry)

    def _cursor_after(self, stored: Stored) -> str:
        span = self.plan.range
        if span is None or span.slot is None:
            return paging.cursor_text(Cursor(None, stored.record["id"], ""))
        key = store.records.start_after(self._collection, span, stored)
        entry: str = key[f"ix{span.slot}"]["S"]
        return paging.cursor_text(Cursor(span.slot, stored.record["id"], entry))

    def _matches(self, wanted: int | None = None, start: Item | None = None) -> Iterator[Stored]:
        """Yield the candidates that match, in the plan's order.

        `wanted` says how many may do: so many are read first, then twice as many each time.
        """
        predicate, scope = self._predicate, self._scope
        for candidates in self.candidates.pages(wanted, start):
            if predicate is not None:
                predicate.prefetch([stored.record for stored in candidates], scope)
            for stored in candidates:
                if predicate is None or predicate.matches(stored.record, scope):
                    self.matched += 1
                    yield stored

    def _sorted(self, found: list[Stored]) -> list[Stored]:
        """Sort in memory: by the sort's keys, then in order of insertion."""
        found.sort(key=lambda stored: (stored.seq, stored.record["id"]))
        for key in reversed(self._sort):
            if key.special == "@random":
                random.shuffle(found)
            elif key.special == "@rowid":
                found.sort(key=lambda stored: stored.seq, reverse=key.descending)
            else:
                values = {s.record["id"]: key.key(s.record, self._scope) for s in found}
                found.sort(key=lambda s: values[s.record["id"]], reverse=key.descending)
        return found

    def _numbered_page(self, found: list[Stored], total: int) -> Answer:
        total = -1 if self._options.skip_total else total
        return self._envelope(found, total, self._options.page)

    def _envelope(self, found: list[Stored], total: int, number: int) -> Answer:
        records = [stored.record for stored in found]
        per_page = self._options.per_page
        return {
            "items": services.expand.enrich(self._session, self._collection, records),
            "page": number,
            "perPage": per_page,
            "totalItems": total,
            "totalPages": -1 if total < 0 else -(-total // per_page),
        }


_ORDERED_TYPES = frozenset(
    ("text", "email", "url", "number", "bool", "date", "autodate", "select", "relation")
)


def _is_ordered_by_key(collection: Collection, path: str) -> bool:
    """Whether an index on this path would have the order that a sort by it means."""
    field = collection.field.get(path)
    return field is not None and field.type in _ORDERED_TYPES and not field.is_multiple


def _is_within(cursor: Cursor, span: KeyRange) -> bool:
    """Whether DynamoDB takes the cursor as a place in the range."""
    if span.slot is None:
        return True
    return (
        bool(cursor.entry)
        and span.low <= cursor.entry
        and cursor.entry <= (span.high or index_values.HIGHEST)
    )


def _refuse_reserved(options: ListOptions) -> None:
    """A client may not look into other collections or the request: a plain test of the text."""
    for text in (options.filter, options.sort):
        for name in ("@collection.", "@request."):
            if name in text:
                raise ForbiddenError(f"Only superusers can filter by {name}")


def _explained(search: Search, meter: dynamodb.Meter) -> Answer:
    span = search.plan.range
    return {
        "source": _source(search.plan),
        "keyRange": _key_range(span) if span is not None else None,
        "sortedBy": "key" if search.plan.is_sorted else "memory",
        "itemsRead": search.candidates.items_read,
        "recordsMatched": search.matched,
        "capacityUnits": meter.read_units,
        "calls": meter.calls,
    }


def _source(plan: Plan) -> str:
    if plan == query_plan.NOTHING:
        return "nothing: no record can match"
    if plan.ids is not None:
        return "id"
    if plan.unique is not None:
        return f"unique index {plan.unique[0].name}"
    if plan.reference is not None:
        return f"references of {plan.reference[0].name}"
    if plan.range is not None and plan.range.slot is not None:
        return f"index {plan.range.index_name}"
    return "whole collection"


def _key_range(span: KeyRange) -> Answer:
    return {
        "index": span.index_name or "id",
        "slot": span.slot,
        "low": span.low,
        "high": span.high,
        "direction": "forward" if span.forward else "backward",
    }
