"""AWS Signature Version 4: the `authorization` header and presigned URLs.

Source: "Create a signed AWS API request" in the IAM user guide; tests/unit/test_sigv4.py
compares the signatures with botocore's. The caller gives a path that is already
percent-encoded: S3 signs it as it is, other services would encode it once more, which
changes nothing for the `/` that DynamoDB is always called with.
"""

import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from chalicelib.aws.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class Scope(NamedTuple):
    """Where a signature is valid."""

    region: str
    service: str


class Request(NamedTuple):
    """What is signed. `headers` has lower-case names, `host` and `x-amz-date` among them."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    payload_hash: str


def timestamp(seconds: float) -> str:
    """Return the time in `x-amz-date`'s form."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def sha256(payload: bytes) -> str:
    """Return the payload hash, also the value of S3's `x-amz-content-sha256`."""
    return hashlib.sha256(payload).hexdigest()


def encode_path(path: str) -> str:
    """Return an object key or path percent-encoded as S3 wants it; slashes stay."""
    return quote(path, safe="/-._~")


def canonical_query(parameters: Iterable[tuple[str, str]]) -> str:
    """Return the query string in the one form that can be signed: encoded, then sorted."""
    encoded = sorted((quote(name, safe="-._~"), quote(value, safe="-._~"))
                     for name, value in parameters)  # fmt: skip
    return "&".join(f"{name}={value}" for name, value in encoded)


def authorization(request: Request, credentials: Credentials, scope: Scope) -> str:
    """Return the `authorization` header that signs every header of the request."""
    stamp = request.headers["x-amz-date"]
    names = sorted(request.headers)
    signature = _signature(request, names, stamp, credentials, scope)
    return (
        f"{ALGORITHM} Credential={credentials.access_key}/{stamp[:8]}/{scope.region}"
        f"/{scope.service}/aws4_request, SignedHeaders={';'.join(names)}, Signature={signature}"
    )


def json_headers(
    host: str, action: str, body: bytes, credentials: Credentials, scope: Scope
) -> dict[str, str]:
    """Return the signed headers of a POST to a service that speaks AWS's JSON protocol 1.0."""
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": host,
        "x-amz-date": timestamp(time.time()),
        "x-amz-target": action,
    }
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    request = Request("POST", "/", "", headers, sha256(body))
    headers["authorization"] = authorization(request, credentials, scope)
    return headers


def presigned_query(
    request: Request, credentials: Credentials, scope: Scope, stamp: str, expires_seconds: int
) -> str:
    """Return the query string that makes a URL work without headers other than `request`'s.

    The payload hash of a presigned S3 request is `UNSIGNED_PAYLOAD`; `request.query` must
    be canonical.
    """
    names = sorted(request.headers)
    parameters = [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{credentials.access_key}/{'/'.join(_scope_parts(stamp, scope))}"),
        ("X-Amz-Date", stamp),
        ("X-Amz-Expires", str(expires_seconds)),
        ("X-Amz-SignedHeaders", ";".join(names)),
    ]
    if credentials.token:
        parameters.append(("X-Amz-Security-Token", credentials.token))
    own = canonical_query(parameters)
    pairs = [*request.query.split("&"), *own.split("&")] if request.query else own.split("&")
    query = "&".join(sorted(pairs, key=lambda pair: pair.split("=", 1)))
    signed = request._replace(query=query)
    return f"{query}&X-Amz-Signature={_signature(signed, names, stamp, credentials, scope)}"


def _signature(
    request: Request, names: list[str], stamp: str, credentials: Credentials, scope: Scope
) -> str:
    headers = request.headers
    canonical = "\n".join(
        (
            request.method,
            request.path,
            request.query,
            *[f"{name}:{' '.join(headers[name].split())}" for name in names],
            "",
            ";".join(names),
            request.payload_hash,
        )
    )
    to_sign = "\n".join(
        (
            ALGORITHM,
            stamp,
            "/".join(_scope_parts(stamp, scope)),
            hashlib.sha256(canonical.encode()).hexdigest(),
        )
    )
    key = _signing_key(credentials.secret_key, stamp[:8], scope)
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _scope_parts(stamp: str, scope: Scope) -> tuple[str, str, str, str]:
    return stamp[:8], scope.region, scope.service, "aws4_request"


_signing_keys: dict[tuple[str, str, Scope], bytes] = {}


def _signing_key(secret_key: str, day: str, scope: Scope) -> bytes:
    """Return the day's key, kept because it costs four HMACs."""
    known = _signing_keys.get((secret_key, day, scope))
    if known is not None:
        return known
    key = b"AWS4" + secret_key.encode()
    for part in _scope_parts(day, scope):
        key = hmac.digest(key, part.encode(), "sha256")
    if len(_signing_keys) >= 16:
        _signing_keys.clear()
    _signing_keys[secret_key, day, scope] = key
    return key
