"""Changes: the writes of one request, staged in memory and committed as one transaction.

Reads through `related` see what is staged (read-your-writes, which DynamoDB's transactions
lack). Every staged write is conditional on the revision that was read, so nothing is lost:

    create   the id is free
    update   the revision is the one read
    delete   the revision is the one read
    guard    the unique value is free, or already this record's
    target   a record that a relation newly points to exists and is not about to go

Large documents go to the bucket before, as files of the record do (`services.file_writes`).
One plain Put or Delete goes alone; anything more is one TransactWriteItems.
"""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib import store
from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection, Index, Schema
from chalicelib.domain.request import Record, UploadedFile
from chalicelib.errors import BadRequestError
from chalicelib.store import keys, records
from chalicelib.store.records import Item, Stored

MAX_ACTIONS = 100
"""DynamoDB's limit of a transaction."""

TRANSACTION_BYTES = 1_300_000
"""Of documents in one transaction. DynamoDB's limit is 4 MB; ministack counts that in ASCII JSON,
where a character takes up to three times its bytes."""

_ANNOUNCED_SECONDS = 4.0
"""So long after the first announcement a delete may rely on it (`leaving.LEAVING_SECONDS`)."""

_ABSENT = "attribute_not_exists(PK)"
_SAME_REV = "rev = :rev"

Id = tuple[str, str]
"""(storage, record id)"""


_NOTHING = Stored({"id": ""}, "", "")


class Staged(NamedTuple):
    """One record before and after; None is absent. `request` says which part of a batch."""

    collection: Collection
    before: Stored | None
    after: Stored | None
    item: Item | None
    request: int

    @property
    def id(self) -> str:
        record_id: str = (self.after or self.before or _NOTHING).record["id"]
        return record_id


class Action(NamedTuple):
    """One action of the transaction and whose it is."""

    body: dict[str, Any]
    staged: Staged
    unique: Index | None = None
    """The unique index that a guard belongs to."""


class ConflictError(Exception):
    """Something read by this request changed before its write: read again and retry."""


class UniqueError(Exception):
    """A unique index refuses the record; `index` is None for a taken record id."""

    def __init__(self, staged: Staged, index: Index | None) -> None:
        super().__init__(index.name if index else "id")
        self.collection = staged.collection
        self.index = index
        self.request = staged.request


class Changes:
    """The staged writes of one request. Use one per attempt."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._staged: dict[Id, Staged] = {}
        self.request = 0
        """The part of a batch that stages now; errors carry it."""
        self._announced: list[tuple[Collection, Stored, int]] = []
        self._announced_at = 0.0
        self.uploads: dict[str, UploadedFile] = {}
        """Files to come with the records, by object key."""
        self.claimed: set[str] = set()
        """Ids of uploads that some of these files are."""
        self.depth = 0
        """How long the chain of functions is that writes; 0 for people (`store.leaving`)."""
        self._marked: set[Id] = set()

    def put(self, collection: Collection, before: Stored | None, record: Record) -> Stored:
        """Stage a create (`before` None) or an update; return the record as it will be.

        Raises `UniqueError` if an earlier change of this request takes the same value.
        """
        item, after = records.write(collection, record, before.seq if before else "")
        if self.depth:
            item["dp"] = {"N": str(self.depth)}
        earlier = self._staged.get((collection.storage, record["id"]))
        if before is None and earlier is not None and earlier.after is not None:
            raise UniqueError(Staged(collection, None, after, item, self.request), None)
        self._stage(collection, record["id"], earlier.before if earlier else before, after, item)
        return after

    def announce_delete(self, collection: Collection, stored: Stored) -> None:
        """Let nothing begin to refer to a record from now on. Raises `ConflictError`."""
        earlier = self.find(collection, stored.record["id"])
        before = earlier.before if earlier is not None else stored
        if before is None:
            return
        self._announced_at = self._announced_at or time.monotonic()
        try:
            until = store.leaving.announce(collection, before, self.depth)
        except LookupError as error:
            raise ConflictError from error
        self._announced.append((collection, before, until))
        self._marked.add((collection.storage, stored.record["id"]))

    def withdraw(self) -> None:
        """Take back what was announced, as nothing will be written."""
        for announced in self._announced:
            store.leaving.withdraw(*announced)
        self._announced.clear()

    def delete(self, collection: Collection, before: Stored) -> None:
        """Stage a delete."""
        record_id = before.record["id"]
        earlier = self._staged.get((collection.storage, record_id))
        self._stage(collection, record_id, earlier.before if earlier else before, None, None)

    def _stage(
        self,
        collection: Collection,
        record_id: str,
        before: Stored | None,
        after: Stored | None,
        item: Item | None,
    ) -> None:
        staged = Staged(collection, before, after, item, self.request)
        self._refuse_taken_within(staged)
        self._staged[collection.storage, record_id] = staged

    def _refuse_taken_within(self, staged: Staged) -> None:
        mine = dict(store.guards.of_record(staged.collection, staged.after))
        for other in self.of_collection(staged.collection) if mine else ():
            if other.after is None or other.after.record["id"] == staged.id:
                continue
            for name, (index, value) in store.guards.of_record(
                other.collection, other.after
            ).items():
                if name in mine and mine[name][1] == value:
                    raise UniqueError(staged, index)

    def find(self, collection: Collection, record_id: str) -> Staged | None:
        """Return what is staged for a record, if anything."""
        return self._staged.get((collection.storage, record_id))

    def of_collection(self, collection: Collection) -> Iterator[Staged]:
        """Yield what is staged for the records of a collection."""
        for (storage, _), staged in list(self._staged.items()):
            if storage == collection.storage:
                yield staged

    def commit(self, checks: list[dict[str, Any]] | None = None) -> None:
        """Write everything or nothing. `checks` are further ConditionCheck actions.

        Raises `ConflictError`, `UniqueError`, or `BadRequestError` above `MAX_ACTIONS`.
        """
        actions = list(self._actions())
        extra = checks or []
        if len(actions) + len(extra) > MAX_ACTIONS:
            raise _too_many(len(actions) + len(extra))
        if self._announced and time.monotonic() - self._announced_at > _ANNOUNCED_SECONDS:
            raise ConflictError
        self._mark_deletes()
        if len(actions) == 1 and not extra:
            _alone(actions[0])
        elif actions:
            _together(actions, extra)

    def _mark_deletes(self) -> None:
        """Have the stream tell who deletes, where that is not whoever wrote last."""
        unmarked = [
            (staged.collection, staged.before)
            for key, staged in self._staged.items()
            if staged.item is None
            and staged.before is not None
            and staged.before.depth != self.depth
            and key not in self._marked
        ]
        if not unmarked:
            return
        try:
            store.leaving.mark(unmarked, self.depth)
        except LookupError as error:
            raise ConflictError from error

    def spill(self) -> None:
        """Put large documents aside, for the bucket: those over the limit of an item, and the
        largest while all together are over that of a transaction."""
        sized = [
            (staged.after.size_bytes, staged.item, staged)
            for staged in self._staged.values()
            if staged.after is not None and staged.item is not None and "doc" in staged.item
        ]
        sized.sort(key=lambda each: each[0], reverse=True)
        total = sum(size_bytes for size_bytes, _, _ in sized)
        for size_bytes, item, staged in sized:
            if size_bytes <= records.SPILL_BYTES and total <= TRANSACTION_BYTES:
                return
            total -= size_bytes
            self._spill(staged, item)

    def _spill(self, staged: Staged, item: Item) -> None:
        collection = staged.collection
        slim, after, document = records.spilled(collection, item, staged.after or _NOTHING)
        self._staged[collection.storage, staged.id] = staged._replace(item=slim, after=after)
        self.uploads[after.spill] = UploadedFile("document.json", "application/json", document)

    def touches_files(self) -> bool:
        """Return whether the commit stores or drops files (`services.file_writes`)."""
        return bool(self.uploads) or any(_drops_files(each) for each in self._staged.values())

    def files(self) -> tuple[dict[str, UploadedFile], list[str]]:
        """Return the uploads that records will name, and the keys of files that none will."""
        before: dict[str, None] = {}
        after: dict[str, None] = {}
        for staged in self._staged.values():
            for stored, keys_of_files in ((staged.before, before), (staged.after, after)):
                if stored is not None:
                    found = store.files.of_record(staged.collection, stored.record)
                    found += [stored.spill] if stored.spill else []
                    keys_of_files |= dict.fromkeys(found)
        uploads = {key: self.uploads[key] for key in after if key in self.uploads}
        return uploads, [key for key in before if key not in after]

    def _actions(self) -> Iterator[Action]:
        exchange = store.guards.Exchange()
        for staged in self._staged.values():
            if staged.before is None and staged.after is None:
                continue
            yield _record_action(staged)
            exchange.add(staged)
        yield from (Action(*each) for each in exchange.actions())
        yield from self._reference_actions()

    def _reference_actions(self) -> Iterator[Action]:
        checked: set[Id] = set()
        for staged in self._staged.values():
            before = _references(self.schema, staged, staged.before)
            after = _references(self.schema, staged, staged.after)
            for target in before.keys() - after.keys():
                yield Action({"Delete": {"Key": before[target]}}, staged)
            for target in after.keys() - before.keys():
                yield Action({"Put": {"Item": after[target]}}, staged)
                where = (target[0], target[1])
                if where not in checked and where not in self._staged:
                    checked.add(where)
                    yield Action(store.leaving.stays(*where), staged)


def _drops_files(staged: Staged) -> bool:
    before, after = staged.before, staged.after
    if before is not None and before.spill:
        return True
    return before is not None and any(
        field.type == "file"
        and before.record.get(field.name)
        and (after is None or before.record[field.name] != after.record.get(field.name))
        for field in staged.collection.fields
    )


def _record_action(staged: Staged) -> Action:
    key = keys.record(staged.collection.storage, staged.id)
    condition: dict[str, Any] = {"ConditionExpression": _ABSENT}
    if staged.before is not None:
        condition = {
            "ConditionExpression": _SAME_REV,
            "ExpressionAttributeValues": {":rev": {"S": staged.before.rev}},
        }
    if staged.item is None:
        return Action({"Delete": {"Key": key, **condition}}, staged)
    return Action({"Put": {"Item": staged.item, **condition}}, staged)


def _references(
    schema: Schema, staged: Staged, stored: Stored | None
) -> dict[tuple[str, str, str], keys.Key]:
    """Return the reference items of a record by (target's storage, target, field key)."""
    found: dict[tuple[str, str, str], keys.Key] = {}
    if stored is None:
        return found
    collection = staged.collection
    for field in collection.fields:
        target_collection = schema.target(field)
        if target_collection is None:
            continue
        value = stored.record.get(field.name) or []
        storage = target_collection.storage
        for target in [value] if isinstance(value, str) else value:
            key = keys.reference(
                storage, target, collection.storage, field.key, stored.record["id"]
            )
            found[storage, target, field.key] = key
    return found


def _alone(action: Action) -> None:
    """Write one action without a transaction, at half its price."""
    ((kind, body),) = action.body.items()
    condition = {
        "condition": body.get("ConditionExpression"),
        "values": body.get("ExpressionAttributeValues"),
    }
    try:
        if kind == "Put":
            dynamodb.put(body["Item"], **condition)
        else:
            dynamodb.delete(body["Key"], **condition)
    except dynamodb.ConditionFailedError as error:
        raise _meaning(action) from error


def _together(actions: list[Action], extra: list[dict[str, Any]]) -> None:
    try:
        dynamodb.transact([action.body for action in actions] + extra)
    except (dynamodb.TransactionTooLargeError, dynamodb.ItemTooLargeError) as error:
        raise BadRequestError(_TOO_LARGE) from error
    except dynamodb.TransactionCanceledError as error:
        failed = [
            _meaning(action)
            for action, reason in zip(actions, error.reasons, strict=False)
            if reason.code == dynamodb.CONDITION_FAILED
        ]
        raise _first(failed) from error


def _first(failed: list[Exception]) -> Exception:
    """Return the failure to tell of: what to retry, else the index declared last, else the id."""
    unique = [each for each in failed if isinstance(each, UniqueError)]
    if len(unique) < len(failed) or not unique:
        return ConflictError()
    return next((each for each in reversed(unique) if each.index is not None), unique[0])


def _meaning(action: Action) -> Exception:
    """Return what a failed condition says to the service."""
    staged = action.staged
    if action.unique is not None:
        return UniqueError(staged, action.unique)
    if "Put" in action.body and staged.before is None and staged.item is action.body["Put"]["Item"]:
        return UniqueError(staged, None)
    return ConflictError()


_TOO_LARGE = (
    "The change is larger than the 4 MB that DynamoDB takes in one transaction. Nothing was"
    " written: split it into smaller requests."
)


def _too_many(count: int) -> BadRequestError:
    return BadRequestError(
        f"The change needs {count} items in one transaction and DynamoDB takes at most"
        f" {MAX_ACTIONS}. Nothing was written: split it into smaller requests."
    )
