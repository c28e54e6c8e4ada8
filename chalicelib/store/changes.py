"""Changes: the writes of one request, staged in memory and committed as one transaction.

Reads through `related` see what is staged (read-your-writes, which DynamoDB's transactions
lack). Every staged write is conditional on the revision that was read, so nothing is lost:

    create   the id is free
    update   the revision is the one read
    delete   the revision is the one read
    guard    the unique value is free, or already this record's
    target   a record that a relation newly points to exists

One plain Put or Delete goes alone; anything more is one TransactWriteItems.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib import store
from chalicelib.aws import dynamodb
from chalicelib.domain import index_values
from chalicelib.domain.collection import Collection, Index, Schema
from chalicelib.domain.request import Record, UploadedFile
from chalicelib.errors import BadRequestError
from chalicelib.store import keys, records
from chalicelib.store.records import Item, Stored

MAX_ACTIONS = 100
"""DynamoDB's limit of a transaction."""

_ABSENT = "attribute_not_exists(PK)"
_PRESENT = "attribute_exists(PK)"
_SAME_REV = "rev = :rev"

Id = tuple[str, str]
"""(storage, record id)"""


class Staged(NamedTuple):
    """One record before and after; None is absent. `request` says which part of a batch."""

    collection: Collection
    before: Stored | None
    after: Stored | None
    item: Item | None
    request: int


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
        self.uploads: dict[str, UploadedFile] = {}
        """Files to come with the records, by object key."""
        self.claimed: set[str] = set()
        """Ids of uploads that some of these files are."""

    def put(self, collection: Collection, before: Stored | None, record: Record) -> Stored:
        """Stage a create (`before` None) or an update; return the record as it will be.

        Raises `UniqueError` if an earlier change of this request takes the same value.
        """
        item, after = records.write(collection, record, before.seq if before else "")
        earlier = self._staged.get((collection.storage, record["id"]))
        if before is None and earlier is not None and earlier.after is not None:
            raise UniqueError(Staged(collection, None, after, item, self.request), None)
        self._stage(collection, record["id"], earlier.before if earlier else before, after, item)
        return after

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
        mine = dict(_guards(staged.collection, staged.after))
        for other in self.of_collection(staged.collection) if mine else ():
            if other.after is None or other.after.record["id"] == _id_of(staged):
                continue
            for name, (index, value) in _guards(other.collection, other.after).items():
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
        try:
            if len(actions) + len(extra) > MAX_ACTIONS:
                raise _too_many(len(actions) + len(extra))
            if len(actions) == 1 and not extra:
                _alone(actions[0])
            elif actions:
                _together(actions, extra)
        except BaseException:
            records.drop_spilled(self._spilled(after=True))
            raise
        records.drop_spilled(self._spilled(after=False))

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
                    keys_of_files |= dict.fromkeys(found)
        uploads = {key: self.uploads[key] for key in after if key in self.uploads}
        return uploads, [key for key in before if key not in after]

    def _spilled(self, after: bool) -> list[str]:
        """Return the bucket keys that a failed (after) or a finished commit leaves unused."""
        both = [(staged.before, staged.after) for staged in self._staged.values()]
        found = [pair[1] if after else pair[0] for pair in both]
        return [stored.spill for stored in found if stored is not None and stored.spill]

    def _actions(self) -> Iterator[Action]:
        guards = _GuardActions()
        for staged in self._staged.values():
            if staged.before is None and staged.after is None:
                continue
            yield _record_action(staged)
            guards.add(staged)
        yield from guards.actions()
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
                    yield Action(_must_exist(where), staged)


_NOTHING = Stored({"id": ""}, "", "")


def _id_of(staged: Staged) -> str:
    record_id: str = (staged.after or staged.before or _NOTHING).record["id"]
    return record_id


def _drops_files(staged: Staged) -> bool:
    before, after = staged.before, staged.after
    return before is not None and any(
        field.type == "file"
        and before.record.get(field.name)
        and (after is None or before.record[field.name] != after.record.get(field.name))
        for field in staged.collection.fields
    )


def _record_action(staged: Staged) -> Action:
    key = keys.record(staged.collection.storage, _id_of(staged))
    condition: dict[str, Any] = {"ConditionExpression": _ABSENT}
    if staged.before is not None:
        condition = {
            "ConditionExpression": _SAME_REV,
            "ExpressionAttributeValues": {":rev": {"S": staged.before.rev}},
        }
    if staged.item is None:
        return Action({"Delete": {"Key": key, **condition}}, staged)
    return Action({"Put": {"Item": staged.item, **condition}}, staged)


def _must_exist(target: Id) -> dict[str, Any]:
    return {"ConditionCheck": {"Key": keys.record(*target), "ConditionExpression": _PRESENT}}


def _guards(collection: Collection, stored: Stored | None) -> dict[str, tuple[Index, str]]:
    """Return the values that a record's unique indexes guard, by index name."""
    found: dict[str, tuple[Index, str]] = {}
    for index in collection.indexes if stored is not None else ():
        if index.unique and is_guarded(index):
            value = index_values.unique_value(index, collection, stored.record)  # type: ignore[union-attr]
            if value is not None:
                found[index.name] = (index, value)
    return found


def is_guarded(index: Index) -> bool:
    """Whether a unique index has guard items.

    The one on `tokenKey` has none: its 50 random characters do not meet by chance, and a
    guard would double the price of every account written.
    """
    return [column.name for column in index.columns] != ["tokenKey"]


class _GuardActions:
    """The guards to take and to give up; a value may pass from one record to another."""

    def __init__(self) -> None:
        self._taken: dict[Id, tuple[Staged, Index, str]] = {}
        self._given_up: dict[Id, tuple[Staged, Index, str]] = {}

    def add(self, staged: Staged) -> None:
        before = _guards(staged.collection, staged.before)
        after = _guards(staged.collection, staged.after)
        storage, record_id = staged.collection.storage, _id_of(staged)
        for name, (index, value) in before.items():
            if after.get(name, (index, None))[1] != value:
                self._given_up[f"{storage}#{name}", value] = (staged, index, record_id)
        for name, (index, value) in after.items():
            if before.get(name, (index, None))[1] != value:
                self._taken[f"{storage}#{name}", value] = (staged, index, record_id)

    def actions(self) -> Iterator[Action]:
        for guard, (staged, index, record_id) in self._taken.items():
            key = _guard_key(guard)
            holder = self._given_up.pop(guard, (staged, index, record_id))[2]
            condition = {
                "ConditionExpression": f"{_ABSENT} OR id = :holder",
                "ExpressionAttributeValues": {":holder": {"S": holder}},
            }
            yield Action(
                {"Put": {"Item": key | {"id": {"S": record_id}}, **condition}}, staged, index
            )
        for guard, (staged, _, _record_id) in self._given_up.items():
            yield Action({"Delete": {"Key": _guard_key(guard)}}, staged)


def _guard_key(guard: Id) -> keys.Key:
    storage, _, name = guard[0].partition("#")
    return keys.unique_guard(storage, name, guard[1])


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


def _too_many(count: int) -> BadRequestError:
    return BadRequestError(
        f"The change needs {count} items in one transaction and DynamoDB takes at most"
        f" {MAX_ACTIONS}. Nothing was written: split it into smaller requests."
    )
