"""Concatenation: one upload made of several partial ones, inside S3.

S3 copies ranges of at least 5 MiB as parts; what is smaller is read and joined with what
follows, so at most 10 MiB are in memory. The partial uploads stay until they expire: a final
upload whose answer was lost is simply asked for again.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chalicelib import services, store
from chalicelib.aws import s3, s3_multipart
from chalicelib.aws.s3_multipart import MIN_PART_BYTES
from chalicelib.domain import tus
from chalicelib.domain.tus import TusError, Wanted
from chalicelib.domain.upload import DONE, Upload
from chalicelib.services.session import Session


class Source(NamedTuple):
    """An object to be joined."""

    key: str
    size_bytes: int


class Bytes(NamedTuple):
    """A part of bytes that were read."""

    content: bytes


class Range(NamedTuple):
    """A part that S3 copies."""

    key: str
    start: int
    size_bytes: int


def create(session: Session, wanted: Wanted) -> tuple[Upload, str]:
    """Return a finished upload of the partial ones that `Upload-Concat` names, and its token.

    Raises `TusError` 400 for one that is not partial or not finished, `NotFoundError`.
    """
    tokens = tus.partial_uploads(wanted.concat)
    partials = [services.uploads.found(session, token) for token in tokens]
    if any(partial.kind != "partial" or partial.state != DONE for partial in partials):
        raise TusError(400, "Upload-Concat: every upload has to be partial and finished.")
    length = sum(partial.length for partial in partials)
    services.uploads.require_size(length)
    upload, token = services.uploads.begin(
        session, kind="final", metadata=wanted.metadata, concat=wanted.concat, length=length
    )
    join(upload.parts_key, [Source(each.object, each.length) for each in partials])
    after = store.uploads.change(upload, state=DONE, offset=length, object=upload.parts_key)
    return after, token


def join(key: str, sources: Sequence[Source]) -> None:
    """Store the sources end to end under `key`."""
    sources = [source for source in sources if source.size_bytes]
    if sum(source.size_bytes for source in sources) < MIN_PART_BYTES:
        content = b"".join(s3.get(source.key) for source in sources)
        s3.put(key, content)
        return
    upload_id = s3_multipart.create(key)
    copies = []
    for number, piece in enumerate(_pieces(sources), 1):
        if isinstance(piece, Bytes):
            s3_multipart.upload_part(key, upload_id, number, (piece.content,))
        else:
            copies.append((number, *piece))
    s3_multipart.copy_parts(key, upload_id, copies)
    parts = s3_multipart.list_parts(key, upload_id)
    s3_multipart.complete(key, upload_id, [(part.number, part.etag) for part in parts])


def _pieces(sources: Sequence[Source]) -> Iterator[Bytes | Range]:
    """Yield the parts in order: each at least 5 MiB, but the last."""
    rest = b""
    for source in sources:
        start = 0
        if rest:
            start = min(source.size_bytes, MIN_PART_BYTES - len(rest))
            rest += s3_multipart.get_range(source.key, 0, start)
            if len(rest) >= MIN_PART_BYTES:
                yield Bytes(rest)
                rest = b""
        left = source.size_bytes - start
        if left >= MIN_PART_BYTES:
            for each in s3_multipart.slices(start, left):
                yield Range(source.key, *each)
        elif left:
            rest += s3_multipart.get_range(source.key, start, left)
    if rest:
        yield Bytes(rest)
