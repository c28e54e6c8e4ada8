"""A finished upload as a field's value: `{"upload": "<id>"}` in the place of a file.

The bytes are copied inside S3, next to the files that a body brings itself (file_writes.py),
and the record's own transaction marks the upload as used: once, and only if the record is
written. Until then nothing of the upload is changed, so a refused record may be sent again.
"""

from typing import Any

from chalicelib import services
from chalicelib.aws import s3_multipart
from chalicelib.domain import file_types, tus
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.request import Body, StoredBytes, UploadedFile
from chalicelib.domain.upload import DONE, Upload
from chalicelib.errors import ApiError, BadRequestError, field_error
from chalicelib.services.session import Session

_DEFAULT_NAME = "upload"
_MOST_NAME_CHARACTERS = 500


def names_upload(value: Any) -> bool:
    """Return whether a body's value for a file field names an upload, alone or in a list."""
    values = value if isinstance(value, list) else (value,)
    return any(isinstance(each, dict) and "upload" in each for each in values)


def resolved(session: Session, collection: Collection, body: Body, message: str) -> Body:
    """Return the body with its uploads as files, as if it had brought them itself.

    Raises `BadRequestError` with the error of each field that names one wrongly.
    """
    data, files, errors = dict(body.data), dict(body.files), {}
    claimed: set[str] = set(session.changes.claimed)
    for field in collection.fields:
        for key in keys_of(field):
            if not names_upload(data.get(key)):
                continue
            values = data.pop(key)
            values = values if isinstance(values, list) else [values]
            try:
                taken = [_taken(session, each, claimed) for each in values if names_upload(each)]
            except ApiError as error:
                errors[field.name] = field_error("validation_invalid_file", str(error))
                continue
            files[key] = [*files.get(key, []), *taken]
            if rest := [each for each in values if not names_upload(each)]:
                data[key] = rest
    if errors:
        raise BadRequestError(message, errors)
    session.changes.claimed |= claimed
    return Body(data, files)


def keys_of(field: Field) -> tuple[str, ...]:
    """Return the keys of a body that may bring files to a field."""
    return (field.name, field.name + "+", "+" + field.name) if field.type == "file" else ()


def claim(session: Session, token: str) -> Upload:
    """Return the caller's finished upload, which a record may take over.

    `token` is its id or its URL. Raises `NotFoundError`, `BadRequestError` or `TusError`.
    """
    upload = services.uploads.found(session, token.rstrip("/").rpartition("/")[2])
    if upload.kind == "partial":
        raise BadRequestError("This is one part of an upload: join the parts first.")
    if upload.state != DONE:
        raise BadRequestError("This upload is not finished.")
    return upload


def _taken(session: Session, value: dict[str, Any], claimed: set[str]) -> UploadedFile:
    token, name = value["upload"], value.get("name")
    if not isinstance(token, str):
        raise BadRequestError("An upload is named by its id.")
    upload = claim(session, token)
    if upload.id in claimed:
        raise BadRequestError("An upload is good for one field.")
    claimed.add(upload.id)
    metadata = tus.read_metadata(upload.metadata)
    if not isinstance(name, str) or not name:
        name = metadata.get("filename") or metadata.get("name") or _DEFAULT_NAME
    head = b""
    if upload.length:
        # One byte more than is looked at says that there is more.
        head = s3_multipart.get_range(upload.object, 0, file_types.HEAD_BYTES + 1)
    stored = StoredBytes(upload.id, upload.object, upload.length)
    kind = metadata.get("filetype", "")
    return UploadedFile(name[:_MOST_NAME_CHARACTERS], kind, head, stored)
