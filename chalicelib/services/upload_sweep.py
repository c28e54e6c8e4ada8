"""The sweep of uploads that nobody finished or used: their parts are billed until it ran.

S3's own list says what is left, in the order of the ids, so in the order of time: a sweep
reads what is old and stops at the first that is young. Also what a crash left behind is found
so. It runs beside the creation of uploads, at most once in `PAUSE_SECONDS` and process, and
may be called by a schedule.
"""

import contextlib
import time

from chalicelib import services, store
from chalicelib.aws import s3, s3_multipart
from chalicelib.config import settings
from chalicelib.domain.upload import PREFIX
from chalicelib.errors import UnavailableError

PAUSE_SECONDS = 300.0
SPARED_SECONDS = 3600
"""Kept longer than uploads live: a record may be taking one over at its last moment."""
_AT_ONCE = 20

_next_at = [0.0]


def sometimes() -> None:
    """Sweep a little if it is time; what fails is left to the next time."""
    if time.monotonic() < _next_at[0]:
        return
    _next_at[0] = time.monotonic() + PAUSE_SECONDS
    with contextlib.suppress(s3.S3Error, UnavailableError):
        sweep(_AT_ONCE)


def sweep(most: int) -> int:
    """Remove the bytes of up to `most` expired uploads and return how many there were."""
    old = time.time() - settings().upload_hours * 3600 - SPARED_SECONDS
    pending = [each.key for each in s3_multipart.pending(PREFIX)]
    found = {_id_of(key) for key in (*pending, *s3_multipart.keys_under(PREFIX))}
    expired = sorted(each for each in found if store.uploads.born(each) < old)[:most]
    for upload_id in expired:
        services.upload_bytes.remove(upload_id)
    return len(expired)


def _id_of(key: str) -> str:
    return key.removeprefix(PREFIX).partition("/")[0]
