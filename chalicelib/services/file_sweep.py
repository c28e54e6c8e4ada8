"""Sweeping: deleting the files that requests which died left to others.

Requests that change files sweep now and then; `work` is for whoever runs on a schedule.
"""

import contextlib
import time

from chalicelib import store
from chalicelib.aws.dynamodb import DynamoError
from chalicelib.aws.s3 import S3Error
from chalicelib.errors import ApiError

PAUSE_SECONDS = 60.0
"""How often one process looks for notes that are due."""

WORK_SECONDS = 2.0
_AT_ONCE = 20

_looked_at = [-PAUSE_SECONDS]


def now_and_then() -> None:
    """Sweep for a moment unless this process just did; trouble is none of the caller's."""
    now = time.monotonic()
    if now - _looked_at[0] < PAUSE_SECONDS:
        return
    _looked_at[0] = now
    with contextlib.suppress(ApiError, DynamoError, S3Error):
        work(WORK_SECONDS)


def work(seconds: float) -> bool:
    """Carry out the notes that are due; return whether none is left. May run many times at once."""
    until = time.monotonic() + seconds
    while sweeps := store.sweeps.due(_AT_ONCE):
        for sweep in sweeps:
            if time.monotonic() > until:
                return False
            store.sweeps.carry_out(sweep)
    return True
