"""Tokens: the JSON Web Tokens that PocketBase issues, byte for byte (pocketbase 0.40.6).

A token is signed with HMAC-SHA-256 by `record.tokenKey + <collection>.<kind>Token.secret`, so
a new tokenKey ends every token of one record and a new secret every token of one kind. There
is no session table. Only HS256 is understood: `none` and every other algorithm are refused
before the key is looked at.

To check one: `decode_unverified` says which record to load, `verify` proves it with that
record's key. Nothing here raises on a malformed token. Which claims count, and how odd ones
are taken, was measured by forging tokens for a real server: tests/unit/test_tokens.py.
"""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from functools import lru_cache
from typing import Any

from chalicelib.domain.collection import Collection
from chalicelib.domain.request import Record

Claims = dict[str, Any]

AUTH, FILE, VERIFICATION = "auth", "file", "verification"
PASSWORD_RESET, EMAIL_CHANGE = "passwordReset", "emailChange"

MAX_TOKEN_CHARS = 8192
"""A longer token is refused unread; a real one has about 250 characters."""

_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"  # {"alg":"HS256","typ":"JWT"}
_SHAPE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_LATEST_SECONDS = 2**63 - 1
_MALFORMED = (ValueError, RecursionError)  # bad base64, UTF-8 or JSON; nesting too deep


def issue(
    kind: str,
    collection: Collection,
    record: Record,
    now: datetime,
    duration_seconds: int = 0,
    **claims: Any,
) -> str:
    """Return a signed token of `kind` for a record.

    It lives as long as the collection says unless `duration_seconds` is over 0. `claims` are
    what the kind adds: `refreshable` (auth), `email`, `newEmail`; a function's has its `depth`.
    """
    lifetime_seconds = duration_seconds or collection.auth[_option(kind)]["duration"]
    expires = int(now.timestamp()) + lifetime_seconds
    own = {"id": record["id"], "collectionId": collection.id, "exp": expires, "type": kind}
    return encode({**claims, **own}, signing_key(kind, collection, record))


def signing_key(kind: str, collection: Collection, record: Record) -> str:
    """Return the key of a record's tokens of one kind; empty if it can have none."""
    token_key = record.get("tokenKey") or ""
    secret = collection.auth.get(_option(kind), {}).get("secret") or ""
    # Half a key would let whoever knows that half forge a token.
    return token_key + secret if token_key and secret else ""


def encode(claims: Claims, key: str) -> str:
    """Return the signed token; the claims are written in order of name, as PocketBase does."""
    if not key:
        raise ValueError("a token needs a key")
    text = json.dumps(claims, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    signed = f"{_HEADER}.{_to_base64(text.encode())}"
    return f"{signed}.{_to_base64(_signature(signed, key))}"


def decode_unverified(token: str) -> Claims | None:
    """Return a well-formed HS256 token's claims, without proof of who wrote them."""
    claims = _decoded(token) if len(token) <= MAX_TOKEN_CHARS else None
    return claims if claims is None else dict(claims)


@lru_cache(maxsize=128)  # a request asks twice, and a client sends one token again and again
def _decoded(token: str) -> Claims | None:
    parts = _SHAPE.fullmatch(token)
    if parts is None:
        return None
    header, payload, _ = parts.groups()
    if header != _HEADER and (_object(header) or {}).get("alg") != "HS256":
        return None
    return _object(payload)


def verify(token: str, key: str, now: datetime) -> Claims | None:
    """Return the claims if `key` signed the token and it is valid at `now`, else None."""
    claims = decode_unverified(token)
    if not key or claims is None:
        return None
    signed, _, signature = token.rpartition(".")
    try:
        given = _from_base64(signature)
    except _MALFORMED:
        return None
    if not hmac.compare_digest(given, _signature(signed, key)):
        return None
    return claims if _is_current(claims, now.timestamp()) else None


def is_refreshable(claims: Claims) -> bool:
    """Return whether auth-refresh gives a new token rather than the same one again."""
    value = claims.get("refreshable")
    if isinstance(value, str):
        return value in ("1", "t", "T", "true", "TRUE", "True")
    return isinstance(value, bool | int | float) and bool(value)


def depth(claims: Claims) -> int:
    """Return how long the chain of functions is whose last one holds this token; 0 for people."""
    value = claims.get("depth")
    return max(value, 0) if isinstance(value, int) and not isinstance(value, bool) else 0


def _option(kind: str) -> str:
    return f"{kind}Token"


def _is_current(claims: Claims, now_seconds: float) -> bool:
    """Return whether exp, nbf and iat, where given and not 0, allow this moment."""
    times = [_seconds(claims, name) for name in ("exp", "nbf", "iat")]
    expires, not_before, issued = times
    if expires is None or not_before is None or issued is None:
        return False
    return not (expires and now_seconds >= expires) and max(not_before, issued) <= now_seconds


def _seconds(claims: Claims, name: str) -> float | None:
    """Return a time claim, 0 if it is absent, None if it is no usable number."""
    value = claims.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if value < _LATEST_SECONDS else None


def _object(part: str) -> Claims | None:
    try:
        value = _read_json(_from_base64(part).decode())
    except _MALFORMED:
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_read_json = json.JSONDecoder(parse_constant=_refuse).decode


def _signature(signed: str, key: str) -> bytes:
    return hmac.digest(key.encode(), signed.encode(), "sha256")


def _to_base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _from_base64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
