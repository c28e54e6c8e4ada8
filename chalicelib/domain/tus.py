"""The tus 1.0 protocol: its headers read and written. Source: https://tus.io/protocols/resumable-upload

A refusal is a `TusError` with the status that the protocol gives it.
"""

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from email.utils import formatdate
from typing import NamedTuple

from chalicelib.errors import ApiError

VERSION = "1.0.0"
EXTENSIONS = (
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
    "concatenation"
)
ALGORITHMS = ("sha1", "sha256", "md5")
CHUNK_TYPE = "application/offset+octet-stream"
MAX_METADATA_BYTES = 8 * 1024
MAX_CONCATENATED = 100

EXPOSED = (
    "Location,Tus-Resumable,Tus-Version,Tus-Extension,Tus-Max-Size,Tus-Checksum-Algorithm,"
    "Upload-Offset,Upload-Length,Upload-Defer-Length,Upload-Metadata,Upload-Expires,"
    "Upload-Concat,Retry-After"
)
"""What a script in a browser may read of an answer."""

CHECKSUM_MISMATCH = 460


class TusError(ApiError):
    """A refusal with any of the protocol's statuses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Wanted(NamedTuple):
    """What a creation asks for."""

    length: int | None
    """In bytes; None if it will be told later."""
    metadata: str
    concat: str
    """`partial`, `final;<urls>` or nothing."""


def announcement(max_bytes: int) -> dict[str, str]:
    """Return the headers of the answer to OPTIONS."""
    return {
        **on_every_answer(),
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }


def on_every_answer() -> dict[str, str]:
    return {"Tus-Resumable": VERSION, "Access-Control-Expose-Headers": EXPOSED}


def require_version(headers: Mapping[str, str]) -> None:
    """Raise `TusError` 412 unless the client speaks our version."""
    given = headers.get("tus-resumable")
    if given != VERSION:
        said = f"not {given!r}" if given else "and the request names none"
        raise TusError(412, f"Tus-Resumable has to be {VERSION}, {said}.")


def wanted(headers: Mapping[str, str]) -> Wanted:
    """Return what the headers of a creation ask for. Raises `TusError`."""
    concat = headers.get("upload-concat", "").strip()
    if concat and concat != "partial" and not concat.startswith("final;"):
        raise TusError(400, "Upload-Concat has to be partial, or final; and the partial uploads.")
    metadata = headers.get("upload-metadata", "").strip()
    if len(metadata.encode()) > MAX_METADATA_BYTES:
        raise TusError(400, f"Upload-Metadata is over {MAX_METADATA_BYTES} bytes.")
    read_metadata(metadata)
    if concat.startswith("final;"):
        return Wanted(None, metadata, concat)
    if headers.get("upload-defer-length"):
        if headers["upload-defer-length"] != "1" or "upload-length" in headers:
            raise TusError(400, "Upload-Defer-Length has to be 1, without an Upload-Length.")
        return Wanted(None, metadata, concat)
    return Wanted(number(headers, "Upload-Length"), metadata, concat)


def number(headers: Mapping[str, str], name: str) -> int:
    """Return a header that has to hold a whole number. Raises `TusError` 400."""
    text = headers.get(name.lower(), "")
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise TusError(400, f"{name} has to be a number of bytes, not {text[:40]!r}.")
    return int(text)


def read_metadata(text: str) -> dict[str, str]:
    """Return the key-value pairs of `Upload-Metadata`. Raises `TusError` 400."""
    found: dict[str, str] = {}
    for pair in text.split(",") if text else ():
        key, _, value = pair.strip().partition(" ")
        try:
            plain = b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except (Base64Error, ValueError):
            raise TusError(400, f"Upload-Metadata: {key[:40]!r} is not base64.") from None
        if not key or not key.isascii() or key in found:
            raise TusError(400, "Upload-Metadata: a key is empty, not ASCII, or there twice.")
        found[key] = plain
    return found


def partial_uploads(concat: str) -> list[str]:
    """Return the uploads that a final one is made of, each by the end of its URL."""
    references = concat.partition(";")[2].split()
    if not references or len(references) > MAX_CONCATENATED:
        raise TusError(400, f"Upload-Concat has to name 1 to {MAX_CONCATENATED} partial uploads.")
    return [reference.rstrip("/").rpartition("/")[2] for reference in references]


def require_chunk_type(headers: Mapping[str, str]) -> None:
    if headers.get("content-type", "").strip().lower() != CHUNK_TYPE:
        raise TusError(415, f"The Content-Type of a chunk is {CHUNK_TYPE}.")


def require_checksum(headers: Mapping[str, str], content: bytes) -> None:
    """Raise `TusError` 460 if the chunk is not what its checksum says, 400 if that is unclear."""
    given = headers.get("upload-checksum")
    if given is None:
        return
    algorithm, _, value = given.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise TusError(400, f"Upload-Checksum: use one of {', '.join(ALGORITHMS)}.")
    try:
        expected = b64decode(value.strip(), validate=True)
    except (Base64Error, ValueError):
        raise TusError(400, "Upload-Checksum: the value is not base64.") from None
    actual = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    if not hmac.compare_digest(actual, expected):
        message = f"The chunk's {algorithm} differs from its Upload-Checksum: it was dropped."
        raise TusError(CHECKSUM_MISMATCH, message)


def expires(seconds: int) -> str:
    """Return `Upload-Expires` for a time in seconds since 1970."""
    return formatdate(seconds, usegmt=True)
