"""The parts of a batch as the body gives them, and what is wrong with them.

Messages and codes: measured on PocketBase 0.40.6.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from chalicelib.errors import BadRequestError, ErrorData, field_error

METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))

_PATH = re.compile(r"^/api/collections/([^/]+)/records(?:/([^/]+))?$")
_ACTIONS = frozenset((("POST", False), ("PUT", False), ("PATCH", True), ("DELETE", True)))


class Part(NamedTuple):
    """One request of a batch."""

    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def query(self) -> dict[str, str]:
        """The first value of each query parameter."""
        _, _, query = self.url.partition("#")[0].partition("?")
        return dict(reversed(parse_qsl(query, keep_blank_values=True)))

    def target(self) -> tuple[str, str] | None:
        """Return the collection and the record id ("" for none) it acts on; None for no action.

        The path is taken as it is: PocketBase does not decode an inner URL either.
        """
        try:
            url = urlsplit(self.url)
        except ValueError:  # an address that is none, such as //[
            return None
        match = None if url.netloc else _PATH.match(url.path)
        if match is None or (self.method, bool(match[2])) not in _ACTIONS:
            return None
        return match[1], match[2] or ""


def read(data: dict[str, Any], max_parts: int) -> list[Part]:
    """Return the parts of a body. Raises `BadRequestError`."""
    entries = data.get("requests")
    if not isinstance(entries, list | None):
        raise _unreadable()
    if not entries:
        raise _invalid(field_error("validation_required", "Cannot be blank."))
    if len(entries) > max_parts:
        message = f"The length must be no more than {max_parts}."
        params = {"max": max_parts, "min": 0}
        raise _invalid(field_error("validation_length_too_long", message, params))
    parts = [_part(entry) for entry in entries]
    errors = {str(n): error for n, part in enumerate(parts) if (error := _errors(part))}
    if errors:
        raise _invalid(errors)
    return parts


def _part(entry: Any) -> Part:
    """Return one part. Raises `BadRequestError` for a value of another kind than its key's."""
    if not isinstance(entry, dict | None):
        raise _unreadable()
    given = entry or {}
    method, url = given.get("method"), given.get("url")
    headers, body = given.get("headers"), given.get("body")
    shaped = isinstance(method, str | None) and isinstance(url, str | None)
    if not (shaped and isinstance(headers, dict | None) and isinstance(body, dict | None)):
        raise _unreadable()
    if not all(isinstance(value, str | None) for value in (headers or {}).values()):
        raise _unreadable()
    lowered = {name.lower(): value or "" for name, value in (headers or {}).items()}
    # Whoever sends the batch is the caller of every part.
    lowered.pop("authorization", None)
    return Part(method or "", url or "", lowered, body or {})


def _errors(part: Part) -> ErrorData:
    blank = field_error("validation_required", "Cannot be blank.")
    errors: ErrorData = {}
    if not part.method:
        errors["method"] = blank
    elif part.method not in METHODS:
        errors["method"] = field_error("validation_in_invalid", "Must be a valid value.")
    if not part.url:
        errors["url"] = blank
    return errors


def _invalid(error: ErrorData) -> BadRequestError:
    return BadRequestError("Invalid batch request data.", {"requests": error})


def _unreadable() -> BadRequestError:
    return BadRequestError("Failed to read the submitted batch data.")
