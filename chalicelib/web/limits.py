"""How large a request may be: by our own limit, and by what the platform carries."""

from chalicelib.config import settings
from chalicelib.errors import TooLargeError


def most_bytes() -> int:
    """Return the largest body that is read."""
    platform_bytes = settings().payload_limit_bytes
    own_bytes = settings().body_limit_bytes
    return min(platform_bytes, own_bytes) if platform_bytes else own_bytes


def check(size_bytes: int) -> None:
    """Raises `TooLargeError` for a body that is too large."""
    if size_bytes > most_bytes():
        raise too_large()


def too_large() -> TooLargeError:
    """Return the error; where it is the platform's limit it names the way around it."""
    platform_bytes = settings().payload_limit_bytes
    if not platform_bytes or platform_bytes > settings().body_limit_bytes:
        return TooLargeError()
    return TooLargeError(
        f"A request carries at most {platform_bytes} bytes here. Upload larger files in several"
        " requests through /api/uploads."
    )
