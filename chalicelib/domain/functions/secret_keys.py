"""Which keys hold a secret: `Authorization`, `refreshToken`, `x-api-key`, `DB_PASSWORD`, ..."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote_plus

_ENDINGS = (
    "password", "passwords", "passwd", "passphrase", "passwordconfirm", "passwordhash", "secret",
    "secrets", "token", "tokenkey", "authorization", "cookie", "cookies", "apikey", "privatekey",
    "secretkey", "accesskey", "credential", "credentials",
)  # fmt: skip
"""A key that ends in one of these holds a secret, whatever stands before it."""
_WHOLE = frozenset(("pass", "pwd", "otp", "cvv", "cvc", "sessionid", "xamzsignature", "jwt"))

_SEPARATORS = re.compile(r"[^a-z0-9]+")


def normal(key: str) -> str:
    """Return a key without its case and separators: `X-Api_Key` is `xapikey`."""
    if "%" in key or "+" in key:
        key = unquote_plus(key)
    return _SEPARATORS.sub("", key.lower())


def normal_set(keys: Iterable[str]) -> frozenset[str]:
    """Return further keys in the form `is_secret` takes them."""
    return frozenset(filter(None, map(normal, keys)))


def is_secret(key: str, further: frozenset[str] = frozenset()) -> bool:
    """Return whether what stands under a key is a secret."""
    return _judged(key, further) if len(key) <= _KEPT_CHARACTERS else _judge(key, further)


def _judge(key: str, further: frozenset[str]) -> bool:
    plain = normal(key)
    return plain in _WHOLE or plain in further or plain.endswith(_ENDINGS)


_KEPT_CHARACTERS = 100
_judged = lru_cache(maxsize=2048)(_judge)  # the keys of one function's events are the same ones
