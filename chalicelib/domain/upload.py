"""An upload: a file that arrives in several calls, and what of it has arrived."""

from collections.abc import Iterator
from typing import NamedTuple

PREFIX = ".uploads/"
"""Of all objects of uploads. No collection id has a dot, so no record's file is among them."""

OPEN, DONE, USED, ENDED = "open", "done", "used", "ended"


class Upload(NamedTuple):
    """One upload as it lies in the table."""

    id: str
    secret_hash: str
    """SHA-256 of the secret part of its token: the table does not give it away."""
    owner: str
    """`<collection id>/<record id>` of who made it, empty for a guest."""
    expires: int
    """Seconds since 1970."""
    kind: str = "whole"
    """whole, partial, final (a concatenation) or direct (bytes go straight to S3)."""
    metadata: str = ""
    """`Upload-Metadata` as it was sent."""
    concat: str = ""
    length: int = -1
    """In bytes, -1 while it is not known."""
    offset: int = 0
    state: str = OPEN
    """open; done: whole, in `object`; used: a record has it; ended: being removed."""
    multipart: str = ""
    """S3's id of the multipart upload, empty until the first part."""
    next_part: int = 1
    parts: str = ""
    """The part numbers that count: `1-7,9`."""
    tail: str = ""
    tail_bytes: int = 0
    object: str = ""
    rev: str = ""

    @property
    def prefix(self) -> str:
        """Of all its objects."""
        return f"{PREFIX}{self.id}/"

    @property
    def parts_key(self) -> str:
        return self.prefix + "parts"


def with_part(parts: str, number: int) -> str:
    """Return the part numbers with one more, which is above all of them."""
    head, _, last = parts.rpartition(",")
    start, _, end = last.partition("-")
    if not parts or int(end or start) + 1 != number:
        return f"{parts},{number}" if parts else str(number)
    joined = f"{start}-{number}"
    return f"{head},{joined}" if head else joined


def part_numbers(parts: str) -> Iterator[int]:
    """Yield the part numbers in order."""
    for each in parts.split(",") if parts else ():
        start, _, end = each.partition("-")
        yield from range(int(start), int(end or start) + 1)
