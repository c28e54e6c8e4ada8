"""The names that uploaded files get: readable, safe in a URL, impossible to guess."""

import re

from chalicelib.domain import file_types, ids

MAX_BASE_LENGTH = 100
MIN_BASE_LENGTH = 3
MAX_EXTENSION_LENGTH = 20
RANDOM_LENGTH = 10

_EXTENSION = re.compile(r"(?:\.[^.]*)?\.[^.]*\Z")
_NOT_IN_EXTENSION = re.compile(r"[^\w*\-+=#]+", re.ASCII)
_BETWEEN_WORDS = re.compile(r"[\W_]+", re.ASCII)
_HUMP = re.compile(r"(?<=[^A-Z])(?=[A-Z])")


def stored_name(name: str, content: bytes = b"") -> str:
    """Return a new name for an upload: `My Photo.JPG` becomes `my_photo_<random>.JPG`.

    Without an extension it gets that of its content.
    """
    found = _EXTENSION.search(name)
    extension = found.group() if found else ""
    base = _snake_case(name.removesuffix(extension))
    if len(base) < MIN_BASE_LENGTH:
        base += _random()
    extension = _clean_extension(extension) or file_types.of_content(content).extension
    return f"{base[:MAX_BASE_LENGTH]}_{_random()}{extension}"


def _clean_extension(extension: str) -> str:
    """Return up to two extensions (`.tar.gz`) of safe characters, or nothing."""
    parts = (_NOT_IN_EXTENSION.sub("", part) for part in extension.split("."))
    clean = ".".join(part for part in parts if part)
    return f".{clean[-MAX_EXTENSION_LENGTH:]}" if clean else ""


def _snake_case(text: str) -> str:
    words = (_HUMP.sub("_", word) for word in _BETWEEN_WORDS.split(text) if word)
    return "_".join(words).lower()


def _random() -> str:
    return ids.random_text(RANDOM_LENGTH, ids.LOWERCASE)
