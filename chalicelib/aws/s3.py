"""The bucket that holds documents too large for an item, and files: put, get, head, delete.

Object keys are the callers' (store/). Each of these calls may be made twice without harm, so
whatever passes is tried again until the deadline (`errors.UnavailableError`).

S3Error
├── MissingObjectError    no object has this key
├── MissingBucketError    the bucket does not exist
└── S3 refused            S3Error itself, with S3's code and words

IAM: s3:GetObject, s3:PutObject, s3:DeleteObject on the bucket's objects, and s3:ListBucket on
the bucket: without it S3 answers 403, not 404, for a missing key.
"""

import re
import time
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
    _call("PUT", key, body, {"content-type": content_type})


def get(key: str) -> bytes:
    """Return an object's bytes. Raises `MissingObjectError`."""
    return _call("GET", key).body


def head(key: str) -> ObjectInfo:
    """Return what is known of an object without reading it. Raises `MissingObjectError`."""
    headers = _call("HEAD", key).response.headers
    return ObjectInfo(
        int(headers["content-length"]), headers["content-type"], headers["etag"].strip('"')
    )


def delete(key: str) -> None:
    """Delete an object; an absent one is fine."""
    _call("DELETE", key)


def _call(
    method: str, key: str, body: bytes = b"", extra_headers: dict[str, str] | None = None
) -> connections.Reply:
    to, path = _address(key)
    patience = Patience()
    payload_hash = sigv4.sha256(body) if body else sigv4.EMPTY_SHA256
    while True:
        headers = _signed_headers(method, to.host, path, payload_hash, extra_headers or {})
        try:
            return _attempt(to, method, path, body, headers, patience.attempt_seconds(), key)
        except _PassingError as error:
            patience.pause(error)


def _address(key: str) -> tuple[connections.Endpoint, str]:
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


def _signed_headers(
    method: str, host: str, path: str, payload_hash: str, extra: dict[str, str]
) -> dict[str, str]:
    keys = credentials.current()
    headers = {
        "host": host,
        "x-amz-content-sha256": payload_hash,
        "x-amz-date": sigv4.timestamp(time.time()),
        **extra,
    }
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    request = sigv4.Request(method, path, "", headers, payload_hash)
    scope = sigv4.Scope(settings().region, "s3")
    headers["authorization"] = sigv4.authorization(request, keys, scope)
    return headers


def _attempt(
    to: connections.Endpoint,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    timeout_seconds: float,
    key: str,
) -> connections.Reply:
    try:
        reply = connections.exchange(to, method, path, body, headers, timeout_seconds)
    except (connections.NotConnectedError, connections.BrokenConnectionError) as error:
        raise _PassingError(str(error)) from error
    if 200 <= reply.status < 300:
        return reply
    raise _error(reply, key)


_CODE = rb"<Code>([^<]*)</Code>"
_MESSAGE = rb"<Message>([^<]*)</Message>"
_PASSING_CODES = frozenset(("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable",
                            "OperationAborted", "BadDigest"))  # fmt: skip


def _error(reply: connections.Reply, key: str) -> S3Error:
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
