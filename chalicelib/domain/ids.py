"""Random texts: record ids, token keys, parts of file names. Uses the system's random source."""

import os
import string

LOWERCASE = string.digits + string.ascii_lowercase
ALPHANUMERIC = string.ascii_uppercase + string.ascii_lowercase + string.digits
RECORD_ID_LENGTH = 15
TOKEN_KEY_LENGTH = 50


def random_text(length: int, alphabet: str = ALPHANUMERIC) -> str:
    """Return `length` characters, each drawn evenly from `alphabet` (of 256 at most)."""
    # Bytes above the last whole multiple of the alphabet would favour its first characters.
    even = 256 - 256 % len(alphabet)
    text = ""
    while len(text) < length:
        text += "".join(alphabet[b % len(alphabet)] for b in os.urandom(2 * length) if b < even)
    return text[:length]


def record_id() -> str:
    """Return a fresh id as PocketBase makes it: 15 of `[a-z0-9]`."""
    return random_text(RECORD_ID_LENGTH, LOWERCASE)


def token_key() -> str:
    """Return a fresh `tokenKey`: changing it ends every token of the record."""
    return random_text(TOKEN_KEY_LENGTH)
