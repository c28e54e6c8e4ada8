"""Records that a rule, a filter, an expand or a cascade reaches for, read once per request.

What the request has staged but not yet committed is seen here as if it were written.
"""

from collections.abc import Iterable, Sequence

from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.request import Record
from chalicelib.errors import BadRequestError
from chalicelib.store import keys, records
from chalicelib.store.changes import Changes
from chalicelib.store.records import Stored

_Id = tuple[str, str]


class Related:
    """Implements what `domain.filters` asks of related records; one per request."""

    def __init__(self, changes: Changes, budget_items: int) -> None:
        self._changes = changes
        self._budget_items = budget_items
        self._budget_left = budget_items
        self._known: dict[_Id, Stored | None] = {}
        self._referring: dict[tuple[str, str, str, str], list[str]] = {}
        self._whole: dict[str, list[str]] = {}

    def remember(self, collection: Collection, record_id: str, stored: Stored | None) -> None:
        """Keep a record that was read elsewhere; None is known to be absent."""
        self._known[collection.storage, record_id] = stored

    def find(self, collection: Collection, record_id: str) -> Stored | None:
        """Return one record as this request sees it."""
        self.prefetch(collection, (record_id,))
        staged = self._changes.find(collection, record_id)
        if staged is not None:
            return staged.after
        return self._known.get((collection.storage, record_id))

    def get(self, collection: Collection, ids: Sequence[str]) -> list[Record]:
        """Return those of the records that exist, in the order of `ids`."""
        self.prefetch(collection, ids)
        found = (self.find(collection, record_id) for record_id in ids)
        return [stored.record for stored in found if stored is not None]

    def prefetch(self, collection: Collection, ids: Iterable[str]) -> None:
        """Read the records not known yet, in one round trip per hundred."""
        storage = collection.storage
        wanted = (i for i in dict.fromkeys(ids) if keys.may_be_id(i))
        missing = [i for i in wanted if (storage, i) not in self._known]
        if not missing:
            return
        self._budget_left -= len(missing)
        if self._budget_left < 0:
            raise _too_many_related(self._budget_items)
        found = records.of_ids(collection, missing)
        for record_id in missing:
            self._known[storage, record_id] = found.get(record_id)

    def referring(self, collection: Collection, field: Field, record_id: str) -> list[Record]:
        """Return the records of `collection` whose relation `field` holds `record_id`."""
        return [stored.record for stored in self.stored_referring(collection, field, record_id)]

    def stored_referring(
        self, collection: Collection, field: Field, record_id: str
    ) -> list[Stored]:
        """Return the same as `referring`, with revisions; in order of insertion."""
        ids = dict.fromkeys(self._referring_ids(collection, field, record_id))
        ids |= dict.fromkeys(
            staged.after.record["id"]
            for staged in self._changes.of_collection(collection)
            if staged.after is not None
        )
        self.prefetch(collection, ids)
        found = [stored for i in ids if (stored := self.find(collection, i)) is not None]
        found.sort(key=lambda stored: stored.seq)
        return [stored for stored in found if record_id in targets(stored.record, field)]

    def read_referring(
        self,
        collection: Collection,
        record_id: str,
        relations: Sequence[tuple[Collection, Field]],
    ) -> None:
        """Read every reference to a record anew, of all these fields in one round trip."""
        found = read_references(collection.storage, record_id, "")
        for other, field in relations:
            prefix = f"{other.storage}#{field.key}#"
            self._referring[other.storage, field.key, collection.id, record_id] = [
                text.removeprefix(prefix) for text in found if text.startswith(prefix)
            ]

    def _referring_ids(self, collection: Collection, field: Field, record_id: str) -> list[str]:
        if not keys.may_be_id(record_id):
            return []
        wanted = (collection.storage, field.key, field.options["collectionId"], record_id)
        if wanted not in self._referring:
            target = self._target_storage(field)
            prefix = f"{collection.storage}#{field.key}#"
            found = read_references(target, record_id, prefix)
            self._referring[wanted] = [text.removeprefix(prefix) for text in found]
        return self._referring[wanted]

    def _target_storage(self, field: Field) -> str:
        target = self._changes.schema.target(field)
        return target.storage if target is not None else ""

    def all(self, collection: Collection) -> list[Record]:
        """Return every record of a collection, in order of id.

        Raises `BadRequestError` when there are more than a request may read.
        """
        storage = collection.storage
        if storage not in self._whole:
            ids = []
            for stored in records.all_of(collection):
                ids.append(stored.record["id"])
                self._known[storage, stored.record["id"]] = stored
                if len(ids) > self._budget_items:
                    raise _too_many(collection, self._budget_items)
            self._whole[storage] = ids
        staged = [each.after.record["id"] for each in self._changes.of_collection(collection)
                  if each.after is not None]  # fmt: skip
        return self.get(collection, list(dict.fromkeys(self._whole[storage] + staged)))


def targets(record: Record, field: Field) -> list[str]:
    """Return the ids that a relation field of a record holds."""
    value = record.get(field.name) or []
    return [value] if isinstance(value, str) else list(value)


def read_references(target_storage: str, record_id: str, prefix: str) -> list[str]:
    """Return who refers to a record: `<storage>#<field key>#<record id>` (pattern 6).

    All of them, or those of one field if `prefix` names it.
    """
    condition = "PK = :p"
    values = {":p": {"S": keys.references_partition(target_storage, record_id)}}
    if prefix:
        condition += " AND begins_with(SK, :prefix)"
        values[":prefix"] = {"S": prefix}
    found: list[str] = []
    start = None
    while True:
        page = dynamodb.query(condition, values, start=start, consistent=True)
        found += [item["SK"]["S"] for item in page.items]
        start = page.next_key
        if start is None:
            return found


def _too_many_related(budget_items: int) -> BadRequestError:
    return BadRequestError(
        f"The request would read more than {budget_items} related records. Ask for fewer records"
        " a page, or for less in expand and filter."
    )


def _too_many(collection: Collection, budget_items: int) -> BadRequestError:
    return BadRequestError(
        f"The request would read all of {collection.name}, which holds more than"
        f" {budget_items} records. Filter by a relation or an indexed field instead of"
        f" @collection.{collection.name}."
    )
