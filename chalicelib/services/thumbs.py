"""Pictures made of uploaded pictures, on first request."""

from chalicelib.domain.collection import Field


def find(field: Field, key: str, size: str) -> str:
    """Return the key of a picture of this size, empty if the original is to be served."""
    return ""
