"""Batches: several record writes in one transaction; later parts see the earlier ones.

All parts are staged in memory, then committed at once: DynamoDB's transactions cannot read
what they write. What fails says which part failed, and nothing is kept.
"""

import re
from typing import Any

from chalicelib import services
from chalicelib.domain import batch_parts, picker
from chalicelib.domain.batch_parts import Part
from chalicelib.domain.collection import Collection, Schema
from chalicelib.domain.request import Body, Call, UploadedFile
from chalicelib.errors import ApiError, BadRequestError, ForbiddenError, field_error
from chalicelib.services.session import Session, Wants, sent
from chalicelib.services.session import open as open_session
from chalicelib.store.changes import UniqueError

Answer = dict[str, Any]
Files = dict[str, list[UploadedFile]]

MAX_PARTS_READ_AHEAD = 90
"""Records read with the session's own round trip; more are read one by one."""

_FILE = re.compile(r"^requests(?:\.(\d+)\.|\[(\d+)\]\.)(.+)$")


def run(call: Call) -> list[Answer]:
    """Carry out all parts or none; return `{status, body}` of each in order.

    Raises `ForbiddenError` (switched off), `BadRequestError` (limits, or a part failed: then
    `data.requests` maps its index to the error).
    """
    return services.records.retried(lambda: _attempt(call))


def _attempt(call: Call) -> list[Answer]:
    session = open_session(call, _wanted(call))
    limits = services.settings.current()["batch"]
    if not limits["enabled"]:
        raise ForbiddenError("Batch requests are not allowed.")
    parts = batch_parts.read(call.body.data, limits["maxRequests"])
    files = _files(call.body)
    try:
        answers = [_staged(session, n, part, files.get(n, {})) for n, part in enumerate(parts)]
    except BadRequestError:
        session.changes.withdraw()
        raise
    try:
        services.records.write(session)
    except UniqueError as error:
        action = "update" if parts[error.request].method == "PATCH" else "create"
        errors = services.record_writes.unique_errors(error)
        inner = BadRequestError(f"Failed to {action} record.", errors)
        raise _failed(error.request, inner) from error
    return answers


def _wanted(call: Call) -> Wants:
    """Name the records that the parts will change, so that one round trip reads them."""

    def wants(schema: Schema) -> list[tuple[Collection, str]]:
        try:
            parts = batch_parts.read(sent(call), MAX_PARTS_READ_AHEAD)
        except BadRequestError:
            return []
        found = []
        for part in parts:
            name, record_id = part.target() or ("", "")
            collection = schema.find(name)
            if collection is not None and record_id:
                found.append((collection, record_id))
        return found

    return wants


def _files(body: Body) -> dict[int, Files]:
    """Return the uploaded files by part and field (`requests.0.avatar`, `requests[0].avatar`).

    Each has a stored name already, and gets another when its part is applied, as in PocketBase.
    """
    if not body.files:
        return {}
    from chalicelib.domain.fields.file_names import (  # noqa: PLC0415 (lazy: uploads only)
        stored_name,
    )

    found: dict[int, Files] = {}
    for name, files in body.files.items():
        match = _FILE.match(name)
        if match:
            number = int(match[1] or match[2])
            renamed = [file._replace(name=stored_name(file.name, file.content)) for file in files]
            found.setdefault(number, {}).setdefault(match[3], []).extend(renamed)
    return found


def _staged(session: Session, number: int, part: Part, files: Files) -> Answer:
    session.changes.request = number
    body = Body(part.body, files)
    outer = session.call
    headers = outer.headers | part.headers
    call = Call(part.method, part.url, part.query, headers, lambda: body, outer.ip)
    try:
        answer = _stage(session.part(call), part, body)
    except ApiError as error:
        raise _failed(number, error) from error
    fields = part.query.get("fields")
    if answer is None:
        return {"status": 204, "body": None}
    return {"status": 200, "body": picker.pick(answer, fields) if fields else answer}


def _stage(session: Session, part: Part, body: Body) -> Answer | None:
    """Stage one part; return its record as the caller may see it, None for a delete."""
    target = part.target()
    if target is None:
        raise BadRequestError
    name, record_id = target
    collection = session.collection(name)
    writes = services.record_writes
    if part.method == "DELETE":
        writes.stage_delete(session, collection, record_id, "batch")
        return None
    if part.method == "PUT":
        record_id = _existing_id(session, collection, body)
    if record_id:
        stored = writes.stage_update(session, collection, record_id, body, "batch")
    else:
        stored = writes.stage_create(session, collection, body, "batch")
    return services.expand.enrich_one(session, collection, stored.record)


def _existing_id(session: Session, collection: Collection, body: Body) -> str:
    """Return the id of the record that an upsert changes, empty if it makes a new one."""
    record_id = body.data.get("id")
    if not isinstance(record_id, str):
        return ""
    return record_id if session.related.find(collection, record_id) is not None else ""


def _failed(number: int, error: ApiError) -> BadRequestError:
    inner = field_error("batch_request_failed", "Batch request failed.")
    inner["response"] = error.body()
    return BadRequestError("Batch transaction failed.", {"requests": {str(number): inner}})
