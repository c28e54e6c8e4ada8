"""The bucket that holds documents too large for an item, and files: put, get, head, delete.

What only files need (ranges, lists, links) is in `s3_files`.

Object keys are the callers' (store/). Each of these calls may be made twice without harm, so
whatever passes is tried again until the deadline (`errors.UnavailableError`).

S3Error
├── MissingObjectError    no object has this key
├── MissingBucketError    the bucket does not exist
└── S3 refused            S3Error itself, with S3's code and words

IAM: s3:GetObject, s3:PutObject, s3:DeleteObject on the bucket's objects, and s3:ListBucket on
the bucket: without it S3 answers 403, not 404, for a missing key.
"""

import hashlib
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.aws import connections, credentials, sigv4
from chalicelib.aws.retries import Patience
from chalicelib.config import settings


class S3Error(Exception):
    """A refusal by S3, with its code and its own words."""


class MissingObjectError(S3Error):
    pass


class MissingBucketError(S3Error):
    pass


class _PassingError(S3Error):
    """Worth another attempt; callers never see it."""


class ObjectInfo(NamedTuple):
    size_bytes: int
    content_type: str
    etag: str


def put(key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
    """Store `body` under `key`, replacing what was there."""
    call("PUT", key, (body,), {"content-type": content_type})


def get(key: str) -> bytes:
    """Return an object's bytes. Raises `MissingObjectError`."""
    return call("GET", key).body


def head(key: str) -> ObjectInfo:
    """Return what is known of an object without reading it. Raises `MissingObjectError`."""
    headers = call("HEAD", key).response.headers
    return ObjectInfo(
        int(headers["content-length"]), headers["content-type"], headers["etag"].strip('"')
    )


def delete(key: str) -> None:
    """Delete an object; an absent one is fine."""
    call("DELETE", key)


def call(
    method: str,
    key: str,
    pieces: Sequence[bytes] = (),
    headers: dict[str, str] | None = None,
    query: str = "",
    most_seconds: float = 0.0,
    hashes: bool = True,
) -> connections.Reply:
    """Return the answer to one signed request, tried again while that helps.

    The body is `pieces` end to end, which are not joined in memory; `query` is canonical
    (`sigv4.canonical_query`); an empty key is the bucket itself. `most_seconds` lets a slow
    operation wait longer for its answer than others. Without `hashes` the body is not part
    of the signature, which saves reading a large one once more; TLS protects it.
    Raises `S3Error` or `UnavailableError`.
    """
    to, path = address(key)
    patience = Patience()
    payload_hash = _hash(pieces) if hashes else sigv4.UNSIGNED_PAYLOAD
    target = f"{path}?{query}" if query else path
    headers = headers or {}
    while True:
        request = sigv4.Request(method, path, query, headers, payload_hash)
        signed = _signed_headers(request, to.host)
        seconds = max(
            patience.attempt_seconds(), min(most_seconds, patience.deadline - time.monotonic())
        )
        try:
            return _attempt(to, request._replace(path=target, headers=signed), pieces, seconds, key)
        except _PassingError as error:
            patience.pause(error)


def _hash(pieces: Sequence[bytes]) -> str:
    if not pieces:
        return sigv4.EMPTY_SHA256
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()


def address(key: str) -> tuple[connections.Endpoint, str]:
    """Return host and path of an object: the bucket is in the host where that can work.

    A local AWS has no wildcard host names, and TLS certificates cover no bucket with a dot.
    """
    bucket = settings().bucket_name
    to = connections.endpoint("s3", settings().region)
    path = "/" + sigv4.encode_path(key)
    if _is_aws(to) and "." not in bucket:
        return to._replace(host=f"{bucket}.{to.host}"), path
    return to, f"/{bucket}{path}"


def _is_aws(to: connections.Endpoint) -> bool:
    return to.host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _signed_headers(request: sigv4.Request, host: str) -> dict[str, str]:
    keys = credentials.current()
    headers = {
        "host": host,
        "x-amz-content-sha256": request.payload_hash,
        "x-amz-date": sigv4.timestamp(time.time()),
        **request.headers,
    }
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    scope = sigv4.Scope(settings().region, "s3")
    headers["authorization"] = sigv4.authorization(request._replace(headers=headers), keys, scope)
    return headers


def _attempt(
    to: connections.Endpoint,
    request: sigv4.Request,
    pieces: Sequence[bytes],
    timeout_seconds: float,
    key: str,
) -> connections.Reply:
    try:
        reply = connections.exchange(
            to, request.method, request.path, pieces, request.headers, timeout_seconds
        )
    except (connections.NotConnectedError, connections.BrokenConnectionError) as error:
        raise _PassingError(str(error)) from error
    if 200 <= reply.status < 300 and not _failed_late(request, reply):
        return reply
    raise error_of(reply, key)


def _failed_late(request: sigv4.Request, reply: connections.Reply) -> bool:
    """Whether a 200 is an error after all: a copy and a completion say it before they know."""
    is_slow = request.method == "POST" or "x-amz-copy-source" in request.headers
    return is_slow and b"<Error>" in reply.body[:500]


_CODE = rb"<Code>([^<]*)</Code>"
_MESSAGE = rb"<Message>([^<]*)</Message>"
_PASSING_CODES = frozenset(("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable",
                            "OperationAborted", "BadDigest"))  # fmt: skip


def error_of(reply: connections.Reply, key: str) -> S3Error:
    """Return the error that an answer means."""
    code = _first(_CODE, reply.body)
    message = f"{code or f'HTTP {reply.status}'}: {_first(_MESSAGE, reply.body)} (key {key!r})"
    if code in _PASSING_CODES or reply.status >= 500 or reply.status == 429:
        return _PassingError(message)
    if code == "NoSuchBucket":
        bucket = settings().bucket_name
        return MissingBucketError(
            f"S3 has no bucket {bucket!r} here: create it, or set DORMOUSE_BUCKET_NAME,"
            " AWS_REGION and AWS_ENDPOINT_URL to where it is."
        )
    # The answer to a HEAD has no body, so no code.
    return MissingObjectError(message) if reply.status == 404 else S3Error(message)


def _first(pattern: bytes, body: bytes) -> str:
    found = re.search(pattern, body)
    return found.group(1).decode("utf-8", "replace") if found else ""
