"""S3's multipart uploads, and what moves bytes inside the bucket without reading them.

A part has a number from 1 to 10,000 and at least 5 MiB, but the last; parts may leave out
numbers. Uploading a number again replaces that part, so two writers must never share one.

IAM: s3:AbortMultipartUpload, s3:ListMultipartUploadParts, s3:GetObject and s3:PutObject on the
bucket's objects; s3:ListBucket and s3:ListBucketMultipartUploads on the bucket.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from functools import partial
from html import unescape
from itertools import pairwise
from re import DOTALL, findall, search
from typing import NamedTuple

from chalicelib.aws import credentials, s3, sigv4
from chalicelib.aws.connections import Reply
from chalicelib.config import settings

MIN_PART_BYTES = 5 * 1024 * 1024
MAX_PART_NUMBER = 10_000
COPY_BYTES = 512 * 1024 * 1024
"""How much one copy call moves; S3 allows 5 GiB, but it has to end within a request."""

_COPIES_AT_ONCE = 8
_SLOW_SECONDS = 600.0
_PAGE = 1000


class Part(NamedTuple):
    number: int
    etag: str
    size_bytes: int


class Pending(NamedTuple):
    """A multipart upload that was neither completed nor aborted."""

    key: str
    upload_id: str


class NoSuchUploadError(s3.S3Error):
    """The multipart upload was completed or aborted already."""


class RefusedPartsError(s3.S3Error):
    """The parts named do not make an object: absent, another ETag, too small or out of order."""


def create(key: str, content_type: str = "application/octet-stream") -> str:
    """Return the id of a new multipart upload."""
    headers = {"content-type": content_type}
    answer = s3.call("POST", key, headers=headers, query="uploads=")
    return _text(b"UploadId", answer.body)


def put(key: str, pieces: Sequence[bytes]) -> None:
    """Store an object of these pieces, which are not joined in memory."""
    s3.call("PUT", key, pieces, hashes=False)


def upload_part(key: str, upload_id: str, number: int, pieces: Sequence[bytes]) -> None:
    """Store one part; `pieces` are its bytes, sent without being joined."""
    query = _query(partNumber=str(number), uploadId=upload_id)
    _translated(lambda: s3.call("PUT", key, pieces, query=query, hashes=False))


def copy_part(
    key: str, upload_id: str, number: int, source: str, start: int, size_bytes: int
) -> None:
    """Make one part of a byte range of another object."""
    query = _query(partNumber=str(number), uploadId=upload_id)
    headers = {
        **_source(source),
        "x-amz-copy-source-range": f"bytes={start}-{start + size_bytes - 1}",
    }
    _translated(
        lambda: s3.call("PUT", key, headers=headers, query=query, most_seconds=_SLOW_SECONDS)
    )


def copy_parts(key: str, upload_id: str, copies: Sequence[tuple[int, str, int, int]]) -> None:
    """Make parts of byte ranges, several at once: (number, source, start, size)."""
    if len(copies) < 2:
        for copied in copies:
            copy_part(key, upload_id, *copied)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  lazy: large copies only

    with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
        # A thread has its own context, and in it no deadline.
        running = [
            pool.submit(copy_context().run, partial(copy_part, key, upload_id, *copied))
            for copied in copies
        ]
        for each in running:
            each.result()


def list_parts(key: str, upload_id: str) -> list[Part]:
    """Return the parts that S3 holds, in order. Raises `NoSuchUploadError`."""
    found: list[Part] = []
    marker = "0"
    while True:
        query = _query(uploadId=upload_id, **{"part-number-marker": marker})
        body = _translated(partial(s3.call, "GET", key, query=query)).body
        found += [
            Part(
                int(_text(b"PartNumber", each)),
                _text(b"ETag", each).strip('"'),
                int(_text(b"Size", each)),
            )
            for each in findall(rb"<Part>(.*?)</Part>", body, DOTALL)
        ]
        if _text(b"IsTruncated", body) != "true":
            return found
        marker = _text(b"NextPartNumberMarker", body)


def complete(key: str, upload_id: str, parts: Iterable[tuple[int, str]]) -> None:
    """Make the object of these parts, (number, ETag) in order.

    Raises `RefusedPartsError`, or `NoSuchUploadError`: then it may be complete already.
    """
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"
        for number, etag in parts
    )
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    query = _query(uploadId=upload_id)
    _translated(lambda: s3.call("POST", key, (body,), query=query, most_seconds=_SLOW_SECONDS))


def abort(key: str, upload_id: str) -> None:
    """Drop an upload and its parts; one that is gone is fine."""
    try:
        s3.call("DELETE", key, query=_query(uploadId=upload_id))
    except s3.MissingObjectError:
        return


def copy(source: str, key: str, content_type: str) -> None:
    """Copy an object of at most 5 GB inside the bucket, under another type."""
    headers = {
        **_source(source),
        "content-type": content_type,
        "x-amz-metadata-directive": "REPLACE",
    }
    s3.call("PUT", key, headers=headers, most_seconds=_SLOW_SECONDS)


def copy_large(source: str, size_bytes: int, key: str, content_type: str) -> None:
    """Copy an object of any size inside the bucket, under another type."""
    if size_bytes <= COPY_BYTES:
        copy(source, key, content_type)
        return
    upload_id = create(key, content_type)
    try:
        ranges = enumerate(slices(0, size_bytes), 1)
        copy_parts(key, upload_id, [(number, source, *each) for number, each in ranges])
        complete(key, upload_id, [(p.number, p.etag) for p in list_parts(key, upload_id)])
    except BaseException:
        abort(key, upload_id)
        raise


def slices(start: int, size_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield a range in even slices (start, size) of at most `COPY_BYTES`."""
    count = -(-size_bytes // COPY_BYTES)
    bounds = [start + size_bytes * at // count for at in range(count + 1)]
    for low, high in pairwise(bounds):
        yield low, high - low


def get_range(key: str, start: int, size_bytes: int) -> bytes:
    """Return some bytes of an object, fewer at its end. Raises `MissingObjectError`."""
    return s3.call("GET", key, headers={"range": f"bytes={start}-{start + size_bytes - 1}"}).body


def pending(prefix: str, limit: int = _PAGE) -> list[Pending]:
    """Return the first multipart uploads under a prefix that are neither done nor aborted."""
    query = sigv4.canonical_query(
        [("uploads", ""), ("prefix", prefix), ("max-uploads", str(limit))]
    )
    body = s3.call("GET", "", query=query).body
    return [
        Pending(_text(b"Key", each), _text(b"UploadId", each))
        for each in findall(rb"<Upload>(.*?)</Upload>", body, DOTALL)
    ]


def keys_under(prefix: str, limit: int = _PAGE) -> list[str]:
    """Return the first object keys under a prefix, in order."""
    query = _query(**{"list-type": "2", "max-keys": str(limit), "prefix": prefix})
    body = s3.call("GET", "", query=query).body
    return [_text(b"Key", each) for each in findall(rb"<Contents>(.*?)</Contents>", body, DOTALL)]


def presigned_part(key: str, upload_id: str, number: int, seconds: int) -> str:
    """Return a URL that takes one part by PUT, from anyone who has it, for `seconds`."""
    to, path = s3.address(key)
    request = sigv4.Request(
        "PUT",
        path,
        _query(partNumber=str(number), uploadId=upload_id),
        {"host": to.host},
        sigv4.UNSIGNED_PAYLOAD,
    )
    scope = sigv4.Scope(settings().region, "s3")
    stamp = sigv4.timestamp(time.time())
    query = sigv4.presigned_query(request, credentials.current(), scope, stamp, seconds)
    return f"{'https' if to.secure else 'http'}://{to.host}{path}?{query}"


def _query(**parameters: str) -> str:
    return sigv4.canonical_query(parameters.items())


def _source(key: str) -> dict[str, str]:
    return {"x-amz-copy-source": f"/{settings().bucket_name}/{sigv4.encode_path(key)}"}


def _translated(call: Callable[[], Reply]) -> Reply:
    try:
        return call()
    except s3.S3Error as error:
        code = str(error).partition(":")[0]
        if code == "NoSuchUpload":
            raise NoSuchUploadError(str(error)) from error
        if code in ("InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"):
            raise RefusedPartsError(str(error)) from error
        raise


def _text(tag: bytes, body: bytes) -> str:
    found = search(rb"<%b>([^<]*)</%b>" % (tag, tag), body)
    return unescape(found.group(1).decode()) if found else ""
