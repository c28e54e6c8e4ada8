"""Uploads: files that arrive in several calls. The rules of who, how much and until when.

An upload belongs to who made it: its URL holds a secret, and the caller's account has to be
the same. Anything else finds nothing (404). services/upload_bytes.py does the moving of bytes.
"""

import time

from chalicelib import services, store
from chalicelib.config import settings
from chalicelib.domain.request import Call
from chalicelib.domain.tus import TusError, Wanted
from chalicelib.domain.upload import DONE, ENDED, OPEN, USED, Upload
from chalicelib.errors import NotFoundError, UnauthorizedError
from chalicelib.services.session import Session
from chalicelib.services.session import open as open_session
from chalicelib.store.uploads import MovedError

_NOT_FOUND = "There is no such upload, or it is not yours."
_GUEST = "Uploads need an account: send an Authorization token."


def create(call: Call, wanted: Wanted, content: bytes = b"") -> tuple[Upload, str]:
    """Begin an upload, with its first bytes perhaps; return it and its token.

    Raises `TusError` (413 over the limit) or `UnauthorizedError`.
    """
    session = open_session(call)
    services.upload_sweep.sometimes()
    if wanted.concat.startswith("final;"):
        return services.upload_joins.create(session, wanted)
    require_size(wanted.length or 0)
    require_size(len(content))
    if wanted.length is not None and len(content) > wanted.length:
        raise TusError(413, _beyond(0, wanted.length, len(content)))
    upload, token = begin(
        session,
        kind="partial" if wanted.concat else "whole",
        metadata=wanted.metadata,
        concat=wanted.concat,
        length=-1 if wanted.length is None else wanted.length,
    )
    return services.upload_bytes.add(upload, content), token


def begin(session: Session, **values: str | int) -> tuple[Upload, str]:
    """Write a new upload of the caller; return it and its token."""
    expires = int(time.time()) + settings().upload_hours * 3600
    return store.uploads.create(owner_of(session), expires, **values)


def find(call: Call, token: str) -> Upload:
    """Return the caller's upload, its bytes put together if all are there.

    Raises `NotFoundError`, or `TusError` 410 for one that is over.
    """
    return found(open_session(call), token)


def found(session: Session, token: str) -> Upload:
    """As `find`, in an open session."""
    upload = store.uploads.load(token)
    if upload is None or upload.owner != owner_of(session):
        raise NotFoundError(_NOT_FOUND)
    if upload.state not in (OPEN, DONE):
        was = "used already" if upload.state == USED else "removed"
        raise TusError(410, f"This upload was {was}.")
    if upload.expires <= time.time():
        raise TusError(410, "This upload has expired: begin a new one.")
    return services.upload_bytes.finished(upload)


def append(
    call: Call, token: str, offset: int, content: bytes, length: int | None = None
) -> Upload:
    """Add one chunk, and `length` if it was not known; return the upload as it is then.

    Raises as `find`, and `TusError`: 403 not by chunks, 409 wrong offset or lost a race, 413
    beyond the length or the limit.
    """
    upload = find(call, token)
    if upload.kind not in ("whole", "partial"):
        raise TusError(403, "This upload takes no chunks.")
    if offset != upload.offset:
        raise TusError(409, f"The upload is at {upload.offset}, not at {offset}.")
    try:
        if length is not None:
            upload = _with_length(upload, length)
        if upload.length >= 0 and offset + len(content) > upload.length:
            raise TusError(413, _beyond(offset, upload.length, len(content)))
        require_size(offset + len(content))
        return services.upload_bytes.add(upload, content)
    except MovedError:
        raise TusError(409, "Another chunk arrived first: ask for the offset.") from None


def terminate(call: Call, token: str) -> None:
    """Remove the caller's upload and its bytes; one that is being removed goes on going.

    Raises `NotFoundError`, or `TusError` 410 if a record has it.
    """
    session = open_session(call)
    upload = store.uploads.load(token)
    if upload is None or upload.owner != owner_of(session):
        raise NotFoundError(_NOT_FOUND)
    if upload.state == USED:
        raise TusError(410, "This upload was used already.")
    if upload.state != ENDED:
        upload = _ended(upload)
    services.upload_bytes.remove(upload.id)
    store.uploads.delete(upload)


def owner_of(session: Session) -> str:
    """Return who the caller is to an upload. Raises `UnauthorizedError` for unwanted guests."""
    if session.auth is None or session.auth_collection is None:
        if not settings().guest_uploads:
            raise UnauthorizedError(_GUEST)
        return ""
    return f"{session.auth_collection.id}/{session.auth['id']}"


def require_size(size_bytes: int) -> None:
    """Raise `TusError` 413 for a file over the limit."""
    most = settings().upload_limit_bytes
    if size_bytes > most:
        raise TusError(413, f"An upload may have at most {most} bytes, not {size_bytes}.")


def _with_length(upload: Upload, length: int) -> Upload:
    if upload.length == length:
        return upload
    if upload.length >= 0 or length < upload.offset:
        raise TusError(400, "Upload-Length cannot be changed, nor be less than what is there.")
    require_size(length)
    return store.uploads.change(upload, ("offset", "state", "length"), length=length)


def _ended(upload: Upload) -> Upload:
    """Return the upload marked as ended, so that no chunk is added any more."""
    while True:
        try:
            return store.uploads.change(upload, ("state",), state=ENDED)
        except MovedError as moved:
            if moved.upload is None or moved.upload.state == USED:
                raise TusError(410, "This upload is gone.") from None
            if moved.upload.state == ENDED:
                return moved.upload
            upload = moved.upload


def _beyond(offset: int, length: int, size_bytes: int) -> str:
    return f"{size_bytes} bytes at {offset} go beyond the upload's length of {length}."
