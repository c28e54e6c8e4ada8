"""What files need of the bucket beyond `s3`: parts of objects, lists, many deletes, links.

IAM: as `s3`, s3:ListBucket for the lists. A link carries the rights of whoever signed it, and
dies with the credentials it was signed with, at the latest when it says.
"""

import base64
import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape, unescape
from typing import Any, NamedTuple

from chalicelib.aws import connections, credentials, s3, sigv4
from chalicelib.config import settings

MOST_KEYS = 1000
"""S3's limit of one list and of one delete."""


class Info(NamedTuple):
    """What is known of an object without its bytes."""

    size_bytes: int
    content_type: str
    etag: str
    """With its quotes, as HTTP has it."""
    last_modified: str
    """An HTTP date."""


def info(key: str) -> Info:
    """Return what is known of an object. Raises `s3.MissingObjectError`."""
    headers = s3.call("HEAD", key).response.headers
    return _info(headers, int(headers["content-length"]))


def first_bytes(key: str, most_bytes: int) -> tuple[bytes, Info]:
    """Return at most the first bytes of an object, and what is known of it, in one request.

    Raises `s3.MissingObjectError`.
    """
    try:
        reply = s3.call("GET", key, headers={"range": f"bytes=0-{most_bytes - 1}"})
    except s3.MissingObjectError:
        raise
    except s3.S3Error:
        found = info(key)  # an empty object has no first byte, which S3 calls an invalid range
        if found.size_bytes:
            raise
        return b"", found
    return reply.body, _info(reply.response.headers, _whole_size(reply))


def _whole_size(reply: connections.Reply) -> int:
    _, _, size = reply.response.headers.get("content-range", "").rpartition("/")
    return int(size) if size.isdigit() else len(reply.body)


def _info(headers: Mapping[str, str] | Any, size_bytes: int) -> Info:
    values: dict[str, str] = dict(headers)
    return Info(
        size_bytes,
        values.get("content-type", "application/octet-stream"),
        values.get("etag", ""),
        values.get("last-modified", ""),
    )


def keys(prefix: str) -> Iterator[str]:
    """Yield the keys that begin with `prefix`, in order."""
    parameters = [("list-type", "2"), ("prefix", prefix), ("max-keys", str(MOST_KEYS))]
    token = ""
    while True:
        more = [("continuation-token", token)] if token else []
        body = s3.call("GET", "", query=sigv4.canonical_query(parameters + more)).body.decode()
        for found in re.findall(r"<Key>([^<]*)</Key>", body):
            yield unescape(found)
        next_token = re.search(r"<NextContinuationToken>([^<]+)</", body)
        if next_token is None:
            return
        token = unescape(next_token[1])


def delete(names: Sequence[str]) -> None:
    """Delete objects; absent ones are fine. Raises `s3.S3Error` if one could not be deleted."""
    for start in range(0, len(names), MOST_KEYS):
        _delete_some(names[start : start + MOST_KEYS])


def _delete_some(names: Sequence[str]) -> None:
    if len(names) == 1:
        s3.delete(names[0])
        return
    entries = "".join(f"<Object><Key>{escape(name)}</Key></Object>" for name in names)
    body = f"<Delete><Quiet>true</Quiet>{entries}</Delete>".encode()
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    headers = {"content-md5": digest, "content-type": "application/xml"}
    answer = s3.call("POST", "", (body,), headers, query="delete=").body
    if b"<Error>" in answer:
        raise s3.S3Error(answer.decode("utf-8", "replace")[:500])


def link(key: str, content_type: str, disposition: str, seconds: int) -> str:
    """Return a URL that serves an object to anyone for a while, under this type and name."""
    to, path = s3.address(key)
    stamp = sigv4.timestamp(time.time())
    answered = [
        ("response-cache-control", f"private, max-age={seconds}"),
        ("response-content-disposition", disposition),
        ("response-content-type", content_type),
    ]
    request = sigv4.Request(
        "GET", path, sigv4.canonical_query(answered), {"host": to.host}, sigv4.UNSIGNED_PAYLOAD
    )
    scope = sigv4.Scope(settings().region, "s3")
    query = sigv4.presigned_query(request, credentials.current(), scope, stamp, seconds)
    return f"{'https' if to.secure else 'http'}://{to.host}{path}?{query}"


def upload_link(key: str, content_type: str, size_bytes: int, seconds: int) -> str:
    """Return a URL that stores exactly `size_bytes` by PUT, sent with this type, for a while.

    Type and length are signed, so S3 refuses a request with others.
    """
    to, path = s3.address(key)
    headers = {"content-length": str(size_bytes), "content-type": content_type, "host": to.host}
    request = sigv4.Request("PUT", path, "", headers, sigv4.UNSIGNED_PAYLOAD)
    scope = sigv4.Scope(settings().region, "s3")
    stamp = sigv4.timestamp(time.time())
    query = sigv4.presigned_query(request, credentials.current(), scope, stamp, seconds)
    return f"{'https' if to.secure else 'http'}://{to.host}{path}?{query}"
