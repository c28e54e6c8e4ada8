"""Passwords: bcrypt hashes that a PocketBase can read, and that one wrote.

Ours are `$2a$<cost>$...`, as PocketBase writes them; `$2b$` and `$2y$` are understood too.
bcrypt sees 72 bytes of a password. A longer one is refused when it is set, as PocketBase
does; when it is checked the rest is ignored, as PocketBase does (both measured on 0.40.6).

bcrypt is imported on first use: only a login or a changed password pays for it.
"""

DEFAULT_COST = 10
MIN_COST, MAX_COST = 4, 31
MAX_BYTES = 72

# A well-formed hash that no password is known for; see `matches`.
_NOBODY = "Nw0bZ7QnzTrTnYpnVvTeYOdormouse.dormouse.dormouse.dorm"


def hash_text(plain: str, cost: int = 0) -> str:
    """Return the hash of a password; `cost` is the field's option, 0 meaning the default.

    Raises `ValueError` if it has more than 72 bytes: PocketBase answers that with the field
    error validation_invalid_value.
    """
    import bcrypt  # noqa: PLC0415 - lazy: most requests handle no password

    content = _bytes(plain)
    if len(content) > MAX_BYTES:
        raise ValueError(f"a password has at most {MAX_BYTES} bytes")
    salt = bcrypt.gensalt(_usable(cost), prefix=b"2a")
    return bcrypt.hashpw(content, salt).decode()


def matches(plain: str, stored: str | None, cost: int = 0) -> bool:
    """Return whether `stored` is a hash of `plain`.

    Where there is no hash to compare with (no such account, no password) a made-up one of
    that cost is checked instead, so that the time taken does not tell which it was.
    """
    import bcrypt  # noqa: PLC0415 - lazy: most requests handle no password

    content = _bytes(plain)[:MAX_BYTES]
    if stored:
        try:
            return bcrypt.checkpw(content, stored.encode())
        except ValueError:  # not a bcrypt hash at all: no password fits it
            pass
    bcrypt.checkpw(content, f"$2a${_usable(cost):02d}${_NOBODY}".encode())
    return False


def _bytes(plain: str) -> bytes:
    return plain.encode(errors="surrogatepass")


def _usable(cost: int) -> int:
    return min(max(cost, MIN_COST), MAX_COST) if cost else DEFAULT_COST
