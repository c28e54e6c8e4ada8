"""How a list is asked for: page, perPage, skipTotal, sort, filter; and the cursor of Dormouse.

Rules: measured on PocketBase 0.40.6 (page and perPage below 1 mean the default, perPage above
1,000 means 1,000, anything that is no integer is refused).
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.errors import BadRequestError

DEFAULT_PER_PAGE = 30
MAX_PER_PAGE = 1000

_MAX_KEY_BYTES = 1024
_SURROGATE = re.compile("[\ud800-\udfff]")

_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE = frozenset(("", "0", "f", "F", "false", "FALSE", "False"))


class ListOptions(NamedTuple):
    page: int
    per_page: int
    skip_total: bool
    sort: str
    filter: str
    cursor: str | None
    """None: page numbers. Empty: start to page by cursor. Else: go on after this cursor."""
    explain: bool


def read(query: Mapping[str, str]) -> ListOptions:
    """Return the options of a list. Raises `BadRequestError`."""
    page = _integer(query.get("page", ""))
    per_page = _integer(query.get("perPage", ""))
    return ListOptions(
        page=page if page > 0 else 1,
        per_page=min(per_page, MAX_PER_PAGE) if per_page > 0 else DEFAULT_PER_PAGE,
        skip_total=_flag(query.get("skipTotal", "")),
        sort=query.get("sort", ""),
        filter=query.get("filter", ""),
        cursor=query.get("cursor"),
        explain=_flag(query.get("explain", "")),
    )


def _integer(text: str) -> int:
    if not text:
        return 0
    digits = text[1:] if text[0] in "+-" else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise BadRequestError
    return int(text)


def _flag(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BadRequestError


class Cursor(NamedTuple):
    """Where a page by cursor ended: the last record's id and its entry in the index read."""

    slot: int | None
    record_id: str
    entry: str


def cursor_text(cursor: Cursor) -> str:
    """Return a cursor as clients carry it."""
    return urlsafe_b64encode(json.dumps(cursor).encode()).rstrip(b"=").decode()


def read_cursor(text: str) -> Cursor:
    """Return the cursor a client sent. Raises `BadRequestError` if it is none of ours."""
    try:
        slot, record_id, entry = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, RecursionError):
        raise _no_cursor() from None
    if not (_is_key(record_id) and record_id and _is_key(entry)):
        raise _no_cursor()
    return Cursor(slot if isinstance(slot, int) else None, record_id, entry)


def _is_key(text: object) -> bool:
    """Whether a text may be (part of) a key of DynamoDB: UTF-8, 1,024 bytes at most."""
    if not isinstance(text, str):
        return False
    return len(text.encode(errors="surrogatepass")) <= _MAX_KEY_BYTES and not _SURROGATE.search(
        text
    )


def _no_cursor() -> BadRequestError:
    return BadRequestError("The cursor is not one that a list has returned.")
