"""Downloads of files, and the tokens that protected ones need.

Only a name that the record has is looked for, so no path leads elsewhere. A file of a field
that is not protected is public to whoever knows its name; one that is goes by the viewRule
with the token's record as the caller, never by the `Authorization` header. A file too large
for a call is answered with a short-lived link to the bucket. Measured on PocketBase 0.40.6.
"""

from typing import Any, NamedTuple

from chalicelib import services, store
from chalicelib.aws.s3 import MissingObjectError
from chalicelib.aws.s3_files import Info
from chalicelib.config import settings
from chalicelib.domain import file_answers, tokens
from chalicelib.domain.collection import Collection, Field, Schema
from chalicelib.domain.request import Call, Record
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.services import rules
from chalicelib.services.session import Session, Wants
from chalicelib.services.session import open as open_session

LINK_SECONDS = 300
"""How long a link to the bucket works: long enough to begin a download."""

_FIRST_BYTES = 256 * 1024
"""Read to learn of what kind and size a file is; most files end there."""

_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


class Download(NamedTuple):
    """A file and how it is to be served; `content` is None when nobody needs it."""

    name: str
    """What a browser calls it."""
    content_type: str
    info: Info
    content: bytes | None = None
    link: str = ""
    """Where to fetch it instead, if it is too large for a call."""


def new_token(call: Call) -> dict[str, str]:
    """Return a token for protected files. Raises `UnauthorizedError` for a guest."""
    session = open_session(call)
    record = session.require_auth()
    collection = session.auth_collection
    assert collection is not None  # noqa: S101 (a caller has one)
    return {"token": tokens.issue(tokens.FILE, collection, record, session.now)}


def download(call: Call, collection_ref: str, record_id: str, name: str) -> Download:
    """Return a file. Raises `NotFoundError`, also for what the caller may not see."""
    session = open_session(call, _wanted(call, collection_ref, record_id))
    collection = session.collection(collection_ref, "Missing or invalid collection context.")
    stored = session.related.find(collection, record_id)
    field = _field_of(collection, stored.record, name) if stored is not None else None
    if stored is None or field is None:
        raise NotFoundError
    if field.options.get("protected"):
        _require_view(session, collection, stored.record)
    key = store.files.object_key(collection.id, record_id, name)
    try:
        return _thumb(call, field, key) or _found(call, key, name)
    except MissingObjectError:
        raise NotFoundError from None


def _thumb(call: Call, field: Field, original: str) -> Download | None:
    """Return the picture that is asked for, made if need be; None if there is none."""
    size = call.query.get("thumb", "")
    key = services.thumbs.key_of(field, original, size) if size else ""
    if not key:
        return None
    name = key.rpartition("/")[2]
    try:
        return _found(call, key, name)
    except MissingObjectError:
        return _found(call, key, name) if services.thumbs.make(original, key, size) else None


def _field_of(collection: Collection, record: Record, name: str) -> Field | None:
    """Return the field that holds a file's name."""
    for field in collection.fields:
        if field.type == "file":
            value = record.get(field.name) or ()
            if name == value if isinstance(value, str) else name in value:
                return field
    return None


def _found(call: Call, key: str, name: str) -> Download:
    """Return a file as far as this request needs it read."""
    most = settings().download_limit_bytes
    content: bytes | None = None
    if call.method == "HEAD" or any(name in call.headers for name in _CONDITIONS):
        info = store.files.head(key)
    else:
        content, info = store.files.first_bytes(key, min(most, _FIRST_BYTES))
        content = content if len(content) == info.size_bytes else None
    found = Download(name, file_answers.served_type(info.content_type, name), info, content)
    status = file_answers.status_of(call.headers, info.etag, info.last_modified)
    if call.method == "HEAD" or status != 200:
        return found._replace(content=None)
    if info.size_bytes > most:
        disposition = file_answers.disposition(
            found.content_type, name, call.query.get("download", "")
        )
        link = store.files.link(key, found.content_type, disposition, LINK_SECONDS)
        return found._replace(content=None, link=link)
    return found if content is not None else found._replace(content=store.files.get(key))


def _require_view(session: Session, collection: Collection, record: Record) -> None:
    """Raises `NotFoundError` unless the token's record may view this one."""
    viewer = session.part(session.call)
    viewer.auth = viewer.auth_collection = None
    _sign_in(viewer, session.call.query.get("token", ""))
    info = viewer.info("protectedFile", {})
    if not rules.holds(viewer, collection, collection.rules["viewRule"], record, info):
        raise NotFoundError


def _sign_in(viewer: Session, token: str) -> None:
    """Make the record of a genuine file token the caller."""
    claims = tokens.decode_unverified(token) if token else None
    if claims is None or claims.get("type") != tokens.FILE:
        return
    collection, record_id = _named(viewer.schema, claims)
    stored = viewer.related.find(collection, record_id) if collection is not None else None
    if collection is None or stored is None:
        return
    key = tokens.signing_key(tokens.FILE, collection, stored.record)
    if tokens.verify(token, key, viewer.now) is None:
        return
    viewer.auth, viewer.auth_collection = stored.record, collection
    if collection.is_superusers:
        try:
            services.settings.require_superuser_address(viewer.call)
        except ForbiddenError:
            raise NotFoundError from None


def _named(schema: Schema, claims: dict[str, Any]) -> tuple[Collection | None, str]:
    collection = schema.by_id(str(claims.get("collectionId", "")))
    return collection if collection and collection.is_auth else None, str(claims.get("id", ""))


def _wanted(call: Call, collection_ref: str, record_id: str) -> Wants:
    """Name the record and the token's record, so that one round trip reads them."""

    def wants(schema: Schema) -> list[tuple[Collection, str]]:
        collection = schema.find(collection_ref)
        found = [(collection, record_id)] if collection is not None else []
        token = call.query.get("token", "")
        claims = tokens.decode_unverified(token) if token else None
        holder, holder_id = _named(schema, claims) if claims else (None, "")
        return found + ([(holder, holder_id)] if holder is not None else [])

    return wants
