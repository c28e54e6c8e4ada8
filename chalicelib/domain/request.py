"""What a request says: to routes and services (`Call`), and to rules (`RequestInfo`)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from chalicelib.domain.collection import Collection

Record = dict[str, Any]
"""A record by field name, each value as PocketBase's JSON has it, always with its `id`.

It holds hidden fields too (password hash, tokenKey), so it never leaves the app as it is:
`domain.record.export` makes what a client may see. `collectionId` and `collectionName` are
not in it.
"""


class StoredBytes(NamedTuple):
    """Where the bytes of a file lie that came in earlier calls (/api/uploads)."""

    upload_id: str
    key: str
    size_bytes: int


class UploadedFile(NamedTuple):
    """One file of a body: a part of a multipart body, or an upload that the body names."""

    name: str
    content_type: str
    content: bytes
    """All of it, or with `stored` the first bytes, which tell the type."""
    stored: StoredBytes | None = None

    @property
    def size_bytes(self) -> int:
        return self.stored.size_bytes if self.stored else len(self.content)


class Body(NamedTuple):
    """A parsed request body: JSON keys or form values, and the files of a multipart body."""

    data: dict[str, Any]
    files: dict[str, list[UploadedFile]]


class Call:
    """One HTTP request as the services see it; the body is parsed when first asked for."""

    __slots__ = ("_body", "_parse", "headers", "ip", "method", "path", "query")

    def __init__(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
        parse_body: Callable[[], Body],
        ip: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        """First value of each query parameter, percent-decoded."""
        self.headers = headers
        """Lower-case names with `-`."""
        self.ip = ip
        self._parse = parse_body
        self._body: Body | None = None

    @property
    def body(self) -> Body:
        """Raises `BadRequestError` for a body that cannot be read."""
        if self._body is None:
            self._body = self._parse()
        return self._body

    @property
    def token(self) -> str:
        """The auth token as sent, without `Bearer`; empty if there is none."""
        value = self.headers.get("authorization", "")
        return value[7:].strip() if value[:7].lower() == "bearer " else value


class RequestInfo(NamedTuple):
    """What `@request.*` means in a rule or a filter."""

    method: str = "GET"
    context: str = "default"
    """default, expand, batch, realtime, protectedFile, oauth2, otp or password."""
    query: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)
    headers: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)
    """Lower-case names with `_` for `-`, as rules spell them."""
    body: dict[str, Any] = {}  # noqa: RUF012 (a default that nobody changes)
    """The submitted values after modifiers, by plain field name."""
    auth: Record | None = None
    auth_collection: "Collection | None" = None

    @property
    def is_superuser(self) -> bool:
        return self.auth_collection is not None and self.auth_collection.is_superusers
