"""What a write does to a record: body on record, generated texts, the checks of every field.

Call it as `record.apply`, `record.autogenerate`, `record.check`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain import dates, fields, ids, modifiers, record
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.fields.common import Context, NewFile
from chalicelib.domain.request import Body, Record, UploadedFile
from chalicelib.errors import ErrorData


class Applied(NamedTuple):
    """A body resolved against a record."""

    record: Record
    submitted: dict[str, Any]
    """What `@request.body` shows: final values by plain name, and keys that are no field."""
    new_files: dict[str, list[NewFile]]
    """Uploads by field; the record already lists the names they will have."""
    plain_passwords: dict[str, str]
    """To be hashed into the record; until then it holds the old hashes."""


def apply(
    collection: Collection,
    original: Record | None,
    body: Body,
    now: datetime,
    *,
    is_superuser: bool,
) -> Applied:
    """Return what a body makes of a record (None: of a new one).

    Nothing is checked, no id is made. A changed `id` is left for `check` to refuse, so store
    under the original's.
    """
    applied = Applied(dict(original or record.blank(collection)), dict(body.data), {}, {})
    targets = modifiers.targets(collection)
    keys = {*body.data, *body.files}
    for key in modifiers.shortest_first(key for key in keys if key in targets):
        _apply_key(applied, targets[key], key, body)
    if not is_superuser:
        _keep_hidden(collection, applied, original or record.blank(collection))
    if collection.is_superusers:
        applied.record["verified"] = True
    _set_autodates(collection, applied.record, original, dates.now_text(now))
    return applied._replace(new_files=_listed(applied))


def _listed(applied: Applied) -> dict[str, list[NewFile]]:
    """Return the uploads that the record lists in the end: a single file field keeps one."""
    return {
        name: kept
        for name, files in applied.new_files.items()
        if (kept := [file for file in files if file.name in applied.record[name]])
    }


def _apply_key(applied: Applied, target: modifiers.Target, key: str, body: Body) -> None:
    field = target.field
    raw = body.data.get(key)
    if field.type == "file" and key in body.files:
        raw = _with_uploads(applied, field, raw, body.files[key])
    elif key not in body.data:
        return
    value = modifiers.value(target, applied.record, raw)
    applied.submitted.pop(key, None)
    applied.submitted[field.name] = value
    if field.type == "password" and value:
        applied.plain_passwords[field.name] = value
    else:
        applied.record[field.name] = value


def _with_uploads(
    applied: Applied, field: Field, raw: Any, uploads: list[UploadedFile]
) -> list[str]:
    """Return the names a body gives for a key, and after them those of its uploads."""
    from chalicelib.domain.fields import casting, file_names  # noqa: PLC0415  lazy: uploads only

    files = [
        NewFile(file_names.stored_name(upload.name, upload.content), upload) for upload in uploads
    ]
    applied.new_files.setdefault(field.name, []).extend(files)
    return [*casting.to_texts(raw), *(file.name for file in files)]


def _keep_hidden(collection: Collection, applied: Applied, original: Record) -> None:
    """Undo changes of hidden fields; an auth record's password is hidden, yet can be set."""
    for field in collection.fields:
        if not field.hidden or (collection.is_auth and field.name == "password"):
            continue
        applied.record[field.name] = original[field.name]
        applied.submitted.pop(field.name, None)
        applied.new_files.pop(field.name, None)
        applied.plain_passwords.pop(field.name, None)


def _set_autodates(
    collection: Collection, values: Record, original: Record | None, now: str
) -> None:
    option = "onCreate" if original is None else "onUpdate"
    for field in collection.fields:
        if field.type == "autodate" and field.options.get(option):
            values[field.name] = now


def judged(collection: Collection, applied: Applied) -> Record:
    """Return a new record as the create rule sees it, before anything is generated.

    It has no autodates, is never verified, and has some id and some hash where it will have
    one (measured on PocketBase 0.40.6).
    """
    values = applied.record | dict.fromkeys(applied.plain_passwords, "*")
    values |= {field.name: "" for field in collection.fields if field.type == "autodate"}
    if collection.is_auth:
        values["verified"] = False
    values["id"] = values["id"] or f"__pb_create__{ids.random_text(6)}"
    return values


def has_unhashable_password(applied: Applied) -> bool:
    """Return whether bcrypt refuses a password: then the create rule holds for nobody."""
    from chalicelib.domain.fields import password  # noqa: PLC0415  lazy: few bodies have one

    return any(password.is_too_long(plain) for plain in applied.plain_passwords.values())


def autogenerate(collection: Collection, values: Record) -> Record:
    """Return a new record with texts made where it has none and the field has a pattern."""
    from chalicelib.domain import autogenerate as texts  # noqa: PLC0415  lazy: only creates need it

    made = dict(values)
    for field in collection.fields:
        pattern = field.options.get("autogeneratePattern")
        if field.type == "text" and pattern and not values[field.name]:
            made[field.name] = texts.generate(pattern)
    return made


def check(
    collection: Collection,
    values: Record,
    original: Record | None = None,
    plain_passwords: Mapping[str, str] | None = None,
    missing_relations: Mapping[str, str] | None = None,
    new_files: Mapping[str, list[NewFile]] | None = None,
) -> dict[str, ErrorData]:
    """Return the error of each field that has one.

    `missing_relations` names the relation fields with ids that lead nowhere (see
    `fields.relation`). Unique indexes are for the service, once there are no errors here.
    """
    context = Context(original, plain_passwords or {}, missing_relations or {}, new_files or {})
    errors = {
        field.name: fields.of(field.type).check(field, values[field.name], context)
        for field in collection.fields
    }
    return {name: error for name, error in errors.items() if error is not None}
