"""Pictures made of uploaded pictures: on first request, then kept beside the original.

What cannot be made (no picture, an unlisted size, too large, broken) is served as it is, as
PocketBase does. Pillow is imported only here, when a picture is made.
"""

from chalicelib import log, store
from chalicelib.domain import thumb_sizes
from chalicelib.domain.collection import Field

MOST_SOURCE_BYTES = 32 * 1024 * 1024
"""A larger original is not read into memory to make a thumb of it."""


def key_of(field: Field, original: str, size: str) -> str:
    """Return where a file's picture of a size lies; empty if it may not be had in that size."""
    is_listed = size == thumb_sizes.ALWAYS or size in (field.options.get("thumbs") or ())
    if not is_listed or thumb_sizes.parse(size) is None:
        return ""
    return store.files.thumb_key(original, f"{size}_{original.rpartition('/')[2]}")


def make(original: str, key: str, size_text: str) -> bool:
    """Make and store a picture; return whether there is one now.

    Raises `aws.s3.MissingObjectError` if the original is gone.
    """
    info = store.files.head(original)
    size = thumb_sizes.parse(size_text)
    is_picture = info.content_type in thumb_sizes.TYPES
    if size is None or not is_picture or info.size_bytes > MOST_SOURCE_BYTES:
        return False
    from chalicelib import pictures  # noqa: PLC0415 (lazy: Pillow, only to make a picture)

    picture = pictures.resized(store.files.get(original), size)
    if picture is None:
        log.info("no thumb could be made", key=key)
        return False
    store.files.put_thumb(original, key, *picture)
    return True
