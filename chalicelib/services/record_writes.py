"""Writes of records, staged: what create, update, delete and each part of a batch do alike.

Order, as PocketBase's (its reference 1.3): the rule is judged on the would-be record before
anything is validated, so a caller whom the rule refuses learns nothing about the fields.
"""

from collections.abc import Iterator
from typing import Any

from chalicelib import passwords, services, store
from chalicelib.domain import auth_record, record_changes
from chalicelib.domain import record as records
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.fields import primary_key
from chalicelib.domain.record_changes import Applied
from chalicelib.domain.request import Body, Record, RequestInfo
from chalicelib.errors import (
    BadRequestError,
    ErrorData,
    ForbiddenError,
    NotFoundError,
    field_error,
)
from chalicelib.services import rules
from chalicelib.services.session import Session
from chalicelib.store import keys
from chalicelib.store.changes import UniqueError
from chalicelib.store.records import Stored
from chalicelib.store.related import targets

_CREATE_FAILED = "Failed to create record."
_UPDATE_FAILED = "Failed to update record."
_DELETE_REFUSED = (
    "Failed to delete record. Make sure that the record is not part of a required"
    " relation reference."
)


def stage_create(session: Session, collection: Collection, body: Body, context: str) -> Stored:
    """Stage a new record and return it. Raises `BadRequestError`, `ForbiddenError`."""
    _require_records_of_its_own(collection)
    rule = rules.require_open(session, collection, "createRule")
    body = _with_uploads(session, collection, body, _CREATE_FAILED)
    applied = records.apply(collection, None, body, session.now, is_superuser=session.is_superuser)
    info = session.info(context, applied.submitted)
    judged = records.judged(collection, applied)
    if not rules.holds(session, collection, rule, judged, info, is_new=True):
        raise BadRequestError(_CREATE_FAILED)
    if not session.is_superuser and record_changes.has_unhashable_password(applied):
        raise BadRequestError(_CREATE_FAILED)
    _check_auth_form(session, collection, None, applied, body, info, _CREATE_FAILED)
    record = records.autogenerate(collection, applied.record)
    _refuse_id_of_another_account(session, collection, applied.record["id"])
    return _stage(session, collection, None, applied._replace(record=record), _CREATE_FAILED)


def stage_update(
    session: Session, collection: Collection, record_id: str, body: Body, context: str
) -> Stored:
    """Stage a change of a record and return it. Raises as `stage_create`, and `NotFoundError`."""
    _require_records_of_its_own(collection)
    text = rules.require_open(session, collection, "updateRule")
    stored = session.related.find(collection, record_id)
    if stored is None:
        raise NotFoundError
    body = _with_uploads(session, collection, body, _UPDATE_FAILED)
    applied = records.apply(
        collection, stored.record, body, session.now, is_superuser=session.is_superuser
    )
    info = session.info(context, applied.submitted)
    if not rules.holds(session, collection, text, stored.record, info):
        raise NotFoundError
    _check_auth_form(session, collection, stored, applied, body, info, _UPDATE_FAILED)
    return _stage(session, collection, stored, applied, _UPDATE_FAILED)


def stage_delete(session: Session, collection: Collection, record_id: str, context: str) -> None:
    """Stage the deletion of a record and of what cascades from it. Raises as `stage_update`."""
    _require_records_of_its_own(collection)
    stored = services.records.access(session, collection, record_id, "deleteRule", context)
    try:
        stage_cascade(session, collection, stored)
    except BadRequestError:
        session.changes.withdraw()
        raise


def _require_records_of_its_own(collection: Collection) -> None:
    if collection.type == "view":
        raise BadRequestError("Unsupported collection type.")
    if collection.is_functions:
        raise ForbiddenError("The accounts of functions are written with the functions.")


def _with_uploads(session: Session, collection: Collection, body: Body, message: str) -> Body:
    """Return the body with the uploads of earlier calls that it names as files of its own."""
    for field in collection.fields:
        if field.type == "file" and _names_upload(body.data, field.name):
            return services.upload_claims.resolved(session, collection, body, message)
    return body


def _names_upload(data: dict[str, Any], name: str) -> bool:
    values = (data.get(name), data.get(name + "+"), data.get("+" + name))
    return any(
        isinstance(each, dict)
        for value in values
        for each in (value if isinstance(value, list) else (value,))
    )


def _refuse_id_of_another_account(session: Session, collection: Collection, record_id: str) -> None:
    """An id that a caller chose may name one account only, whatever its collection."""
    if not collection.is_auth:
        return
    others = (each for each in session.schema.all() if each.is_auth and each is not collection)
    if any(session.related.find(other, record_id) for other in others):
        error = field_error("validation_invalid_auth_id", "Invalid or duplicated auth record id.")
        raise BadRequestError(_CREATE_FAILED, {"id": error})


def _check_auth_form(
    session: Session,
    collection: Collection,
    stored: Stored | None,
    applied: Applied,
    body: Body,
    info: RequestInfo,
    message: str,
) -> None:
    """Refuse what only the owner's password, a manager or a superuser may change."""
    if not collection.is_auth:
        return
    original = stored.record if stored else None
    judged = original or records.judged(collection, applied)
    errors = auth_record.check_form(
        collection,
        original,
        applied.record,
        body.data,
        rules.is_manager(session, collection, judged, info, is_new=original is None),
        lambda old: passwords.matches(old, (original or {}).get("password")),
    )
    if errors:
        raise BadRequestError(message, errors)


def _stage(
    session: Session, collection: Collection, stored: Stored | None, applied: Applied, message: str
) -> Stored:
    """Check, hash and stage a record; shared by create and update."""
    original = stored.record if stored else None
    errors = records.check(
        collection,
        applied.record,
        original,
        applied.plain_passwords,
        missing_relations=_missing_relations(session, collection, applied.record, original),
        new_files=applied.new_files,
    )
    if stored is None and not keys.may_be_id(applied.record["id"]):
        errors.setdefault("id", _too_long_id())
    if errors:
        raise BadRequestError(message, errors)
    record = _hashed(collection, applied)
    if collection.is_auth:
        record = _with_side_effects(session, collection, original, record)
    try:
        after = session.changes.put(collection, stored, record)
    except UniqueError as error:
        raise BadRequestError(message, unique_errors(error)) from error
    session.related.remember(collection, record["id"], stored)
    for new in (new for files in applied.new_files.values() for new in files):
        key = store.files.object_key(collection.id, record["id"], new.name)
        session.changes.uploads[key] = new.upload
    return after


def _too_long_id() -> ErrorData:
    most = keys.MAX_ID_CHARACTERS
    message = f"Must be no more than {most} character(s)."
    return field_error("validation_max_text_constraint", message, {"max": most})


def _with_side_effects(
    session: Session, collection: Collection, original: Record | None, record: Record
) -> Record:
    """Return the account to store, and stage what its change makes void (reference 1.3)."""
    if original is None:
        return record
    clearing = auth_record.clearing(original, record)
    names = {
        "_otps": clearing.otps,
        "_mfas": clearing.mfas_and_origins,
        "_authOrigins": clearing.mfas_and_origins,
        "_externalAuths": clearing.external_auths,
    }
    void = [name for name, is_void in names.items() if is_void]
    services.auth_rows.stage_delete(session, collection, record["id"], void)
    return auth_record.side_effects(original, record)


def _hashed(collection: Collection, applied: Applied) -> Record:
    """Return the record with its submitted passwords hashed."""
    hashes = {
        name: passwords.hash_text(text, collection.field[name].options.get("cost") or 0)
        for name, text in applied.plain_passwords.items()
        if text
    }
    return applied.record | hashes


def _missing_relations(
    session: Session, collection: Collection, record: Record, original: Record | None
) -> dict[str, str]:
    """Return the relation fields that name a record which does not exist: name to why."""
    return {
        field.name: "records" if session.schema.target(field) else "collection"
        for field in collection.fields
        if field.type == "relation" and _lacks_target(session, field, record, original)
    }


def _lacks_target(session: Session, field: Field, record: Record, original: Record | None) -> bool:
    wanted = targets(record, field)
    if original is not None and wanted == targets(original, field):
        return False
    target = session.schema.target(field)
    if target is None:
        return bool(wanted)
    return len(session.related.get(target, wanted)) < len(wanted)


def unique_errors(error: UniqueError) -> ErrorData:
    """Return the error of each column of the index that refused, as PocketBase flags them."""
    if error.index is None:
        return {"id": primary_key.taken_error(error.collection.field["id"].options["pattern"])}
    taken = field_error("validation_not_unique", "Value must be unique.")
    return {column.name: taken for column in error.index.columns}


def stage_cascade(
    session: Session, collection: Collection, stored: Stored, *, announces: bool = True
) -> None:
    """Stage a deletion and follow the references to the record (reference 3.8).

    A reference is taken out; a record left without one is deleted too (cascadeDelete),
    refuses everything (required), or keeps an empty field. Each record that others may refer to
    is first announced as leaving, unless this is a rehearsal (`announces` false). Raises
    `BadRequestError`, `ConflictError`.
    """
    staged = session.changes.find(collection, stored.record["id"])
    if staged is not None and staged.after is None:
        return
    # Depth first, as PocketBase goes, but not by recursion: a chain may be longer than a stack.
    pending = [_deletion(session, collection, stored, announces)]
    while pending:
        following = next(pending[-1], None)
        if following is None:
            pending.pop()
        else:
            pending.append(_deletion(session, *following, announces))


def _deletion(
    session: Session, collection: Collection, stored: Stored, announces: bool
) -> Iterator[tuple[Collection, Stored]]:
    """Stage one deletion; yield the records that go with it, each to be deleted at once."""
    record_id = stored.record["id"]
    relations = session.schema.relations_to(collection)
    if relations and announces:
        session.changes.announce_delete(collection, stored)
    if relations:
        session.related.read_referring(collection, record_id, relations)
    session.changes.delete(collection, stored)
    if collection.is_auth:
        services.auth_rows.stage_delete(session, collection, record_id)
    for other, field in relations:
        for referring in session.related.stored_referring(other, field, record_id):
            # As it is by now: what went before may have changed it, or deleted it.
            current = session.related.find(other, referring.record["id"])
            if current is not None and _goes_along(session, other, field, current, record_id):
                yield other, current


def _goes_along(
    session: Session, collection: Collection, field: Field, stored: Stored, record_id: str
) -> bool:
    """Take one id out of a relation field; return whether the record is to be deleted instead."""
    left = [target for target in targets(stored.record, field) if target != record_id]
    if not left and field.options.get("cascadeDelete"):
        return True
    if not left and field.required:
        raise BadRequestError(_DELETE_REFUSED)
    value: Any = left if field.is_multiple else "".join(left[:1])
    session.changes.put(collection, stored, stored.record | {field.name: value})
    return False


def standing_checks(session: Session) -> list[dict[str, Any]]:
    """Return the conditions a commit adds so that one superuser always remains.

    Raises `BadRequestError` when the request deletes the last one.
    """
    superusers = session.schema.find("_superusers")
    gone = {
        staged.before.record["id"]
        for staged in (session.changes.of_collection(superusers) if superusers else ())
        if staged.before is not None and staged.after is None
    }
    if superusers is None or not gone:
        return []
    rest = (s.record["id"] for s in store.records.all_of(superusers))
    keeper = next((record_id for record_id in rest if record_id not in gone), None)
    if keeper is None:
        raise BadRequestError("You can't delete the only existing superuser.")
    if session.changes.find(superusers, keeper) is not None:
        return []  # its own write is conditional already
    check = {
        "Key": keys.record(superusers.storage, keeper),
        "ConditionExpression": "attribute_exists(PK)",
    }
    return [{"ConditionCheck": check}]
