"""Which keys hold a secret: `Authorization`, `refreshToken`, `x-api-key`, `DB_PASSWORD`, ..."""

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote_plus

_ENDINGS = (
    "password", "passwords", "passwd", "passphrase", "passwordconfirm", "passwordhash", "secret",
    "secrets", "token", "tokenkey", "authorization", "cookie", "cookies", "apikey", "privatekey",
    "secretkey", "accesskey", "credential", "credentials",
)  # fmt: skip
"""A key that ends in one of these holds a secret, whatever stands before it."""
_LONG = 100
"""A longer key is not remembered: what is remembered is made by callers."""
_WHOLE = frozenset(("pass", "pwd", "otp", "cvv", "cvc", "sessionid", "xamzsignature", "jwt"))

FRAGMENTS = (
    "pass", "pwd", "secret", "token", "authorization", "cookie", "key", "credential", "otp",
    "cvv", "cvc", "session", "signature", "jwt",
)  # fmt: skip
"""A text in which none of these occurs has no key of a secret in it."""


def normal_set(keys: Iterable[str]) -> frozenset[str]:
    """Return further keys in the form `is_secret` takes them."""
    return frozenset(filter(None, (_read(key)[0] for key in keys)))


def is_secret(key: str, further: frozenset[str] = frozenset()) -> bool:
    """Return whether what stands under a key is a secret."""
    plain, is_standard = _known(key) if len(key) <= _LONG else _read(key)
    return is_standard or plain in further


def _read(key: str) -> tuple[str, bool]:
    """Return a key without its case and separators (`X-Api_Key` is `xapikey`), and whether it is
    a standard one."""
    if "%" in key or "+" in key:
        key = unquote_plus(key)
    plain = "".join(filter(str.isalnum, key.lower()))
    return plain, plain in _WHOLE or plain.endswith(_ENDINGS)


_known = lru_cache(maxsize=1024)(_read)
"""The same few keys come with every call."""
