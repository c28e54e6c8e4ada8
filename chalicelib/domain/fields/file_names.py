"""The names that uploaded files get: readable, safe in a URL, impossible to guess."""

import re

from chalicelib.domain import ids

MAX_BASE_LENGTH = 100
MIN_BASE_LENGTH = 3
MAX_EXTENSION_LENGTH = 20
RANDOM_LENGTH = 10

_EXTENSION = re.compile(r"(?:\.[A-Za-z0-9]{1,4})?\.[^.]*\Z")
_NOT_IN_EXTENSION = re.compile(r"[^\w.*\-+=#]+", re.ASCII)
_BETWEEN_WORDS = re.compile(r"[\W_]+", re.ASCII)
_HUMP = re.compile(r"(?<=[^A-Z])(?=[A-Z])")


def stored_name(name: str) -> str:
    """Return a new name for an upload: `My Photo.JPG` becomes `my_photo_<random>.JPG`."""
    found = _EXTENSION.search(name)
    extension = found.group() if found else ""
    base = _snake_case(name.removesuffix(extension))
    if len(base) < MIN_BASE_LENGTH:
        base += _random()
    return f"{base[:MAX_BASE_LENGTH]}_{_random()}{_clean_extension(extension)}"


def _clean_extension(extension: str) -> str:
    clean = _NOT_IN_EXTENSION.sub("", extension)
    if clean == ".":
        return ""
    return clean if len(clean) <= MAX_EXTENSION_LENGTH else "." + clean[1 - MAX_EXTENSION_LENGTH :]


def _snake_case(text: str) -> str:
    words = (_HUMP.sub("_", word) for word in _BETWEEN_WORDS.split(text) if word)
    return "_".join(words).lower()


def _random() -> str:
    return ids.random_text(RANDOM_LENGTH, ids.LOWERCASE)
