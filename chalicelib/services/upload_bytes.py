"""The bytes of an upload: chunks of any size become parts of at least 5 MiB.

A chunk is held in memory once, with at most one tail of less than 5 MiB: nothing grows with
the file. Each step may be the last before a crash; store/uploads.py says why none loses
anything. The steps of one chunk:

    reserve a part number     (only if there is enough for a part)
    write the part, or the longer tail
    move the offset           who loses this race has changed nothing
    delete the tail that is now in the part
    complete, and mark as done (the last chunk; whoever looks next does it after a crash)
"""

import contextlib
import logging

from chalicelib import store
from chalicelib.aws import s3, s3_multipart
from chalicelib.domain import upload as uploads
from chalicelib.domain.tus import TusError
from chalicelib.domain.upload import DONE, OPEN, PREFIX, Upload
from chalicelib.errors import ApiError, UnavailableError
from chalicelib.store.uploads import MovedError

log = logging.getLogger("dormouse")

_MOST_RACERS = 50


def add(upload: Upload, content: bytes) -> Upload:
    """Return the upload with a chunk added, finished if that was the last. Raises `MovedError`."""
    if not content:
        return finished(upload)
    enough = upload.tail_bytes + len(content) >= s3_multipart.MIN_PART_BYTES
    is_last = upload.offset + len(content) == upload.length
    try:
        # The last part alone may be small; a file without parts stays an object of its own.
        write = _to_part if enough or (is_last and upload.parts) else _to_tail
        after = write(upload, content)
    except (s3.MissingObjectError, s3_multipart.NoSuchUploadError) as error:
        # Another chunk took the tail away, or the upload was ended.
        raise MovedError(None) from error
    _drop(upload.tail)
    return finished(after)


def finished(upload: Upload) -> Upload:
    """Return the upload, its object made if all bytes are there and that was not done yet."""
    is_whole = upload.offset == upload.length and upload.kind in ("whole", "partial")
    if upload.state != OPEN or not is_whole:
        return upload
    if upload.parts and upload.tail:
        # The length became known after the last byte.
        tail, upload = upload.tail, _to_part(upload, b"")
        _drop(tail)
    whole = upload.parts_key if upload.parts else upload.tail or _empty(upload)
    if upload.parts:
        _complete(upload)
    try:
        return store.uploads.change(upload, state=DONE, object=whole)
    except MovedError as moved:
        if moved.upload is not None and moved.upload.state == DONE:
            return moved.upload
        raise


def remove(upload_id: str) -> None:
    """Remove everything that S3 holds of an upload, also what a crash left behind."""
    prefix = f"{PREFIX}{upload_id}/"
    for pending in s3_multipart.pending(prefix):
        s3_multipart.abort(pending.key, pending.upload_id)
    while keys := s3_multipart.keys_under(prefix):
        for key in keys:
            s3.delete(key)


def _to_part(upload: Upload, content: bytes) -> Upload:
    multipart, number = _reserved(upload)
    s3_multipart.upload_part(upload.parts_key, multipart, number, (*_tail_of(upload), content))
    return store.uploads.change(
        upload,
        offset=upload.offset + len(content),
        parts=uploads.with_part(upload.parts, number),
        tail="",
        tail_bytes=0,
    )


def _to_tail(upload: Upload, content: bytes) -> Upload:
    key = store.uploads.fresh_key(upload)
    pieces = (*_tail_of(upload), content)
    s3_multipart.put(key, pieces)
    try:
        after = store.uploads.change(
            upload,
            offset=upload.offset + len(content),
            tail=key,
            tail_bytes=upload.tail_bytes + len(content),
        )
    except MovedError:
        _drop(key)
        raise
    _last_tail[0] = (key, pieces)
    return after


_NO_TAIL: tuple[str, tuple[bytes, ...]] = ("", ())
_last_tail = [_NO_TAIL]
"""The tail that this process wrote last, by its key: the next chunk often comes here too."""


def _tail_of(upload: Upload) -> tuple[bytes, ...]:
    """Return the bytes of the tail, from memory if this process wrote it just now."""
    if not upload.tail:
        return ()
    (key, pieces), _last_tail[0] = _last_tail[0], _NO_TAIL
    return pieces if key == upload.tail else (s3.get(upload.tail),)


def _reserved(upload: Upload) -> tuple[str, int]:
    """Return S3's upload id and a part number that this attempt alone writes to.

    Raises `MovedError`, or `TusError` 413 when S3's 10,000 numbers are used up.
    """
    made = ""
    at = upload
    for _ in range(_MOST_RACERS):
        if at.next_part > s3_multipart.MAX_PART_NUMBER:
            raise TusError(413, "This upload came in too many pieces: begin again in larger ones.")
        if not at.multipart and not made:
            made = s3_multipart.create(upload.parts_key)
        try:
            after = store.uploads.change(
                at,
                ("offset", "state", "next_part"),
                next_part=at.next_part + 1,
                multipart=at.multipart or made,
            )
        except MovedError as moved:
            if moved.upload is None or moved.upload.offset != upload.offset:
                raise
            at = moved.upload
            continue
        if made and after.multipart != made:
            s3_multipart.abort(upload.parts_key, made)
        return after.multipart, at.next_part
    raise MovedError(at)


def _complete(upload: Upload) -> None:
    """Make the object of the parts that count; done already is fine."""
    wanted = set(uploads.part_numbers(upload.parts))
    try:
        held = s3_multipart.list_parts(upload.parts_key, upload.multipart)
        parts = [part for part in held if part.number in wanted]
        if sum(part.size_bytes for part in parts) != upload.length:
            log.error("upload %s: its parts do not add up to its length", upload.id)
            raise ApiError("The upload's parts do not add up to its length: begin again.")
        s3_multipart.complete(
            upload.parts_key, upload.multipart, [(part.number, part.etag) for part in parts]
        )
    except s3_multipart.NoSuchUploadError:
        if s3.head(upload.parts_key).size_bytes != upload.length:
            raise


def _empty(upload: Upload) -> str:
    key = store.uploads.fresh_key(upload)
    s3.put(key, b"")
    return key


def _drop(key: str) -> None:
    """Delete a tail that no longer counts; one that stays is removed with the upload."""
    if key:
        with contextlib.suppress(s3.S3Error, UnavailableError):
            s3.delete(key)
