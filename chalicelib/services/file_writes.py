"""Commits that store or drop files. Each step leaves a state that a later one can finish:

    1 a note names the objects to come      died after it: the note falls due, nothing is there
    2 the objects are put                   died after it: the note falls due, they are deleted
    3 one transaction: the records name     died after it: the records are right; the notes of
      the objects, the note goes, notes       dropped files are due
      of dropped files come
    4 dropped files and their notes go

So a record never names a missing object, and an object that no record names has a note.
"""

import contextlib
from typing import Any

from chalicelib import services, store
from chalicelib.aws.dynamodb import DynamoError
from chalicelib.aws.s3 import S3Error
from chalicelib.domain.request import UploadedFile
from chalicelib.errors import ApiError
from chalicelib.services.session import Session
from chalicelib.store.sweeps import UPLOAD_SECONDS, Sweep


def commit(session: Session, checks: list[dict[str, Any]]) -> None:
    """Write what the session staged and its files. Raises as `store.changes.Changes.commit`."""
    uploads, dropped = session.changes.files()
    announced = store.sweeps.of(list(uploads), UPLOAD_SECONDS)
    notes = store.sweeps.of(dropped)
    try:
        for sweep in announced:
            store.sweeps.announce(sweep)
        for key, upload in uploads.items():
            store.files.put(key, upload)
        actions = [store.sweeps.fulfilled(sweep) for sweep in announced]
        actions += [store.sweeps.coming(sweep) for sweep in notes]
        actions += [store.uploads.use(upload_id) for upload_id in _claimed(uploads)]
        session.commit(checks + actions)
    except BaseException:
        _clear_away(announced)
        raise
    _clear_away(notes)
    for upload_id in _claimed(uploads):
        with contextlib.suppress(ApiError, DynamoError, S3Error):
            services.upload_bytes.remove(upload_id)
    services.file_sweep.now_and_then()


def _claimed(uploads: dict[str, UploadedFile]) -> list[str]:
    """Return the uploads of earlier calls (services/upload_claims.py) that are taken over."""
    return [upload.stored.upload_id for upload in uploads.values() if upload.stored]


def _clear_away(sweeps: list[Sweep]) -> None:
    """Carry notes out at once; what fails is left to a later sweep, and not the caller's."""
    with contextlib.suppress(ApiError, DynamoError, S3Error):
        for sweep in sweeps:
            store.sweeps.carry_out(sweep)
