"""Zips of functions' code in the bucket.

A version's zip lies under its SHA-256, so the same code is stored once and never changed; it goes
with the function. A zip too large for a request is uploaded by its sender under a temporary key,
which a sweep removes.
"""

import re

from chalicelib import aws
from chalicelib.aws import s3_files
from chalicelib.domain import ids
from chalicelib.domain.functions import names
from chalicelib.domain.functions.version import Code
from chalicelib.errors import TooLargeError
from chalicelib.store import sweeps

UPLOAD_SECONDS = 3600
"""How long an upload may take, and then wait to be used."""

_UPLOAD_ID = re.compile(r"[a-z0-9]{20}")
_TYPE = "application/zip"


def put(function_id: str, code: Code, content: bytes) -> None:
    """Store a version's zip; one that is there already is the same."""
    aws.s3.put(names.code(function_id, code.sha256), content, _TYPE)


def link(function_id: str, code: Code, filename: str, seconds: int) -> str:
    """Return a URL that serves a version's zip to whoever has it, for a while."""
    disposition = f'attachment; filename="{filename}"'
    return s3_files.link(names.code(function_id, code.sha256), _TYPE, disposition, seconds)


def begin_upload(function_id: str, size_bytes: int) -> tuple[str, str]:
    """Return an upload's id, and a URL that takes exactly so many bytes by PUT."""
    upload_id = ids.random_text(20, ids.LOWERCASE)
    key = names.code_upload(function_id, upload_id)
    for sweep in sweeps.of([key], UPLOAD_SECONDS + sweeps.UPLOAD_SECONDS):
        sweeps.announce(sweep)
    return upload_id, s3_files.upload_link(key, _TYPE, size_bytes, UPLOAD_SECONDS)


def uploaded(function_id: str, upload_id: str, most_bytes: int) -> bytes | None:
    """Return the bytes of an upload, None if there are none. Raises `TooLargeError`."""
    if not _UPLOAD_ID.fullmatch(upload_id):
        return None
    key = names.code_upload(function_id, upload_id)
    try:
        if aws.s3.head(key).size_bytes > most_bytes:
            raise TooLargeError(f"A function's zip may have at most {most_bytes} bytes.")
        return aws.s3.get(key)
    except aws.s3.MissingObjectError:
        return None


def delete_all(function_id: str) -> None:
    """Delete all zips of a function."""
    s3_files.delete(list(s3_files.keys(names.codes(function_id))))
