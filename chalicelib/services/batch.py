"""Batches: several record writes in one transaction; later parts see the earlier ones.

All parts are staged in memory, then committed at once: DynamoDB's transactions cannot read
what they write. What fails says which part failed, and nothing is kept.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chalicelib import services
from chalicelib.domain import picker
from chalicelib.domain.request import Body, Call, UploadedFile
from chalicelib.errors import ApiError, BadRequestError, ErrorData, ForbiddenError, field_error
from chalicelib.services.session import Session, Wants, sent
from chalicelib.services.session import open as open_session
from chalicelib.store.changes import ConflictError, UniqueError

Answer = dict[str, Any]

_PATH = re.compile(r"^/api/collections/([^/]+)/records(?:/([^/]+))?$")
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
    parts = _parts(call, limits["maxRequests"])
    answers = [_staged(session, number, part) for number, part in enumerate(parts)]
    if not session.is_fresh():
        raise ConflictError
    try:
        session.changes.commit(services.record_writes.standing_checks(session))
    except UniqueError as error:
        message = _failed_message(parts[error.request].method)
        inner = BadRequestError(message, services.record_writes.unique_errors(error))
        raise _failed(error.request, inner) from error
    return answers


def _parts(call: Call, max_requests: int) -> list[Call]:
    requests = call.body.data.get("requests")
    entries = requests if isinstance(requests, list) else []
    if not entries:
        raise _invalid(field_error("validation_required", "Cannot be blank."))
    if len(entries) > max_requests:
        message = f"The length must be no more than {max_requests}."
        params = {"max": max_requests, "min": 0}
        raise _invalid(field_error("validation_length_too_long", message, params))
    if wrong := _wrong_methods(entries):
        raise _invalid(wrong)
    files = _files(call.body)
    return [_part(call, entry, files.get(n, {})) for n, entry in enumerate(entries)]


def _invalid(error: ErrorData) -> BadRequestError:
    return BadRequestError("Invalid batch request data.", {"requests": error})


def _wrong_methods(entries: list[Any]) -> ErrorData:
    """Return the error of each part whose method is none, by its index."""
    error = field_error("validation_in_invalid", "Must be a valid value.")
    methods = [entry.get("method") if isinstance(entry, dict) else None for entry in entries]
    return {str(n): {"method": error} for n, each in enumerate(methods) if each not in _METHODS}


_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))


def _files(body: Body) -> dict[int, dict[str, list[UploadedFile]]]:
    """Return the uploaded files by part and field (`requests.0.avatar`, `requests[0].avatar`)."""
    found: dict[int, dict[str, list[UploadedFile]]] = {}
    for name, files in body.files.items():
        match = _FILE.match(name)
        if match:
            number = int(match[1] or match[2])
            found.setdefault(number, {}).setdefault(match[3], []).extend(files)
    return found


def _part(call: Call, entry: Any, files: dict[str, list[UploadedFile]]) -> Call:
    """Return one part as a call of its own, under the outer call's caller."""
    if not isinstance(entry, dict):
        entry = {}
    url = urlsplit(str(entry.get("url") or ""))
    given = entry.get("headers") if isinstance(entry.get("headers"), dict) else {}
    own = {str(name).lower(): str(value) for name, value in (given or {}).items()}
    own.pop("authorization", None)
    data = entry.get("body") if isinstance(entry.get("body"), dict) else {}
    query = dict(reversed(parse_qsl(url.query, keep_blank_values=True)))
    return Call(
        str(entry.get("method") or ""),
        "" if url.netloc else url.path,
        query,
        call.headers | own,
        lambda: Body(data or {}, files),
        call.ip,
    )


def _wanted(call: Call) -> Wants:
    """Name the records that the parts will change, so that one round trip reads them."""

    def wants(schema: Any) -> list[Any]:
        requests = sent(call).get("requests")
        found = []
        for entry in requests if isinstance(requests, list) else []:
            url = str(entry.get("url") or "") if isinstance(entry, dict) else ""
            match = _PATH.match(urlsplit(url).path)
            collection = schema.find(match[1]) if match else None
            if match and match[2] and collection is not None:
                found.append((collection, match[2]))
        return found

    return wants


def _staged(session: Session, number: int, part: Call) -> Answer:
    session.changes.request = number
    try:
        return _stage(session.part(part), part)
    except ApiError as error:
        raise _failed(number, error) from error


def _stage(session: Session, part: Call) -> Answer:
    match = _PATH.match(part.path)
    action = (part.method, bool(match and match[2]))
    if match is None or action not in _ACTIONS:
        raise BadRequestError
    # The path is taken as it is: PocketBase does not decode an inner URL either.
    collection = session.collection(match[1])
    record_id = match[2] or ""
    writes = services.record_writes
    if part.method == "DELETE":
        writes.stage_delete(session, collection, record_id, "batch")
        return {"status": 204, "body": None}
    if part.method == "PUT":
        record_id = _existing_id(session, collection, part)
    if record_id:
        stored = writes.stage_update(session, collection, record_id, part.body, "batch")
    else:
        stored = writes.stage_create(session, collection, part.body, "batch")
    body = services.expand.enrich_one(session, collection, stored.record)
    return {"status": 200, "body": _picked(body, part)}


def _picked(body: Answer, part: Call) -> Any:
    fields = part.query.get("fields")
    return picker.pick(body, fields) if fields else body


_ACTIONS = frozenset((("POST", False), ("PUT", False), ("PATCH", True), ("DELETE", True)))


def _existing_id(session: Session, collection: Any, part: Call) -> str:
    """Return the id of the record that an upsert changes, empty if it makes a new one."""
    record_id = part.body.data.get("id")
    if not isinstance(record_id, str) or not record_id:
        return ""
    if len(record_id) > services.session.MAX_ID_CHARACTERS:
        return ""
    return record_id if session.related.find(collection, record_id) is not None else ""


def _failed(number: int, error: ApiError) -> BadRequestError:
    inner = field_error("batch_request_failed", "Batch request failed.")
    inner["response"] = error.body()
    return BadRequestError("Batch transaction failed.", {"requests": {str(number): inner}})


def _failed_message(method: str) -> str:
    return "Failed to update record." if method == "PATCH" else "Failed to create record."
