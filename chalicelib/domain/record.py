"""Records: from stored documents, from bodies, and what a client may see of them.

decode  encode      a stored document, by field key  <->  a `Record`, by field name
export              the JSON for a viewer
apply               a body on a record: the would-be record
judged              that of a create, as its rule sees it
autogenerate        ids and texts that the server makes
check               the errors of every field

`decode` and `export` are the hottest code there is: a list calls them for each record, so the
per-collection part of their work is done once (`_Layout`). What only a write needs is in
`domain.record_changes`, which a read does not import.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.domain import fields
from chalicelib.domain.collection import Collection, Field
from chalicelib.domain.request import Body, Record

if TYPE_CHECKING:
    from chalicelib.domain.fields.common import NewFile
    from chalicelib.domain.record_changes import Applied
    from chalicelib.errors import ErrorData

Document = dict[str, Any]
Convert = Callable[[Any], Any]

SECRETS = ("password", "tokenKey")
_LISTED = frozenset(("select", "relation", "file"))


class Viewer(NamedTuple):
    """How much of a record the reader may see."""

    is_superuser: bool = False
    sees_email: bool = False
    """Because it is their own record, or they may manage it."""


class _Layout:
    """What decode and export must know of a collection."""

    __slots__ = ("blank", "hidden", "plain", "secret", "shaped")

    def __init__(self, collection: Collection) -> None:
        own = [field for field in collection.fields if field.name != "id"]
        shapes = [(field.name, field.key, _shape(field)) for field in own]
        self.shaped = [(name, key, shape) for name, key, shape in shapes if shape]
        """(name, key, what makes the value of the stored one)"""
        self.plain = [
            (field.name, field.key, fields.zero(field)) for field in own if _shape(field) is None
        ]
        """(name, key, zero) where the stored value is the record's"""
        self.secret = SECRETS if collection.is_auth else ()
        self.hidden = [f.name for f in own if f.hidden and f.name not in self.secret]
        self.blank = [f.name for f in own if f.type == "password" and f.name not in self.secret]


@lru_cache(maxsize=256)
def _layout(collection: Collection) -> _Layout:
    return _Layout(collection)


def _shape(field: Field) -> Convert | None:
    """Return what makes a list of one value and back: maxSelect may have changed since."""
    if field.type == "geoPoint":
        return _point
    if field.type not in _LISTED:
        return None
    return _list if field.is_multiple else _last


def _point(value: Any) -> Any:
    return value or {"lon": 0, "lat": 0}


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return value
    return [value] if value else []


def _last(value: Any) -> str:
    if isinstance(value, list):
        value = value[-1] if value else ""
    return value or ""


def decode(collection: Collection, document: Document, record_id: str) -> Record:
    """Return the record of a stored document. What the document lacks is zero."""
    layout = _layout(collection)
    get = document.get
    record = {"id": record_id}
    for name, key, zero in layout.plain:
        record[name] = get(key, zero)
    for name, key, shape in layout.shaped:
        record[name] = shape(get(key))
    return record


def encode(collection: Collection, record: Record) -> Document:
    """Return the document to store: without the id, and without zero values."""
    return {
        field.key: record[field.name]
        for field in collection.fields
        if field.name != "id" and record[field.name] != fields.zero(field)
    }


def blank(collection: Collection) -> Record:
    """Return a record that has no value anywhere, not even an id."""
    return decode(collection, {}, "")


def export(collection: Collection, record: Record, viewer: Viewer) -> dict[str, Any]:
    """Return a record's JSON as this viewer may see it."""
    layout = _layout(collection)
    shown = record.copy()
    for name in layout.secret:
        shown.pop(name, None)
    for name in layout.blank:
        shown[name] = ""
    if not viewer.is_superuser:
        for name in layout.hidden:
            shown.pop(name, None)
        if layout.secret and not (viewer.sees_email or record.get("emailVisibility")):
            shown.pop("email", None)
    shown["collectionId"] = collection.id
    shown["collectionName"] = collection.name
    return shown


def apply(
    collection: Collection,
    original: Record | None,
    body: Body,
    now: datetime,
    *,
    is_superuser: bool,
) -> "Applied":
    """Return what a body makes of a record (None: of a new one): `record_changes.apply`."""
    from chalicelib.domain import record_changes  # noqa: PLC0415  lazy: only writes need it

    return record_changes.apply(collection, original, body, now, is_superuser=is_superuser)


def judged(collection: Collection, applied: "Applied") -> Record:
    """Return a new record as the create rule sees it: `record_changes.judged`."""
    from chalicelib.domain import record_changes  # noqa: PLC0415  lazy: only writes need it

    return record_changes.judged(collection, applied)


def autogenerate(collection: Collection, record: Record) -> Record:
    """Return a new record with the id and texts that the server makes."""
    from chalicelib.domain import record_changes  # noqa: PLC0415  lazy: only writes need it

    return record_changes.autogenerate(collection, record)


def check(
    collection: Collection,
    record: Record,
    original: Record | None = None,
    plain_passwords: Mapping[str, str] | None = None,
    missing_relations: Mapping[str, str] | None = None,
    new_files: "Mapping[str, list[NewFile]] | None" = None,
) -> "dict[str, ErrorData]":
    """Return the error of each field that has one: `record_changes.check`."""
    from chalicelib.domain import record_changes  # noqa: PLC0415  lazy: only writes need it

    return record_changes.check(
        collection, record, original, plain_passwords, missing_relations, new_files
    )
