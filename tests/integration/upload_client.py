"""A client for the tests of uploads: the whole app in this process, tus requests, two accounts."""

from base64 import b64encode
from typing import Any, NamedTuple

from chalicelib.services import upload_sweep
from tests.integration.auth_client import SUPERUSERS, USERS, Client

UPLOADS = "/api/uploads"
CHUNK = "application/offset+octet-stream"
MIB = 1024 * 1024


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str

    @property
    def offset(self) -> int:
        return int(self.headers["Upload-Offset"])


class Uploader:
    """Speaks tus as one account; `url` is the path of an upload."""

    def __init__(self, app: Any, token: str) -> None:
        self._app = app
        self.token = token

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send any request; `Upload_Offset` becomes the header `upload-offset`."""
        fields = {"authorization": self.token}
        fields |= {name.lower().replace("_", "-"): value for name, value in headers.items()}
        if body:
            fields["content-length"] = fields.get("content-length", str(len(body)))
        event = {
            "path": path.partition("?")[0],
            "headers": {name: value for name, value in fields.items() if value},
            "multiValueQueryStringParameters": {},
            "requestContext": {"httpMethod": method, "identity": {"sourceIp": "127.0.0.1"}},
            "body": b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        answer = self._app(event, None)
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def tus(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        headers = {"tus_resumable": "1.0.0", **headers}
        if body and "content_type" not in headers:
            headers["content_type"] = CHUNK
        return self.send(method, path, body, **headers)

    def create(self, length: int, **headers: str) -> str:
        answer = self.tus("POST", UPLOADS, b"", **{"Upload_Length": str(length), **headers})
        assert answer.status == 201, answer
        return answer.headers["Location"]

    def patch(self, url: str, offset: int, body: bytes, **headers: str) -> Answer:
        headers = {"content_type": CHUNK, "Upload_Offset": str(offset), **headers}
        return self.tus("PATCH", url, body, **headers)

    def head(self, url: str) -> Answer:
        return self.tus("HEAD", url)

    def whole(self, content: bytes, chunk_bytes: int = 4 * MIB, **headers: str) -> str:
        """Upload all of it and return the upload's path."""
        url = self.create(len(content), **headers)
        for at in range(0, len(content), chunk_bytes):
            answer = self.patch(url, at, content[at : at + chunk_bytes])
            assert answer.status == 204, answer
        return url


class Uploaders(NamedTuple):
    """Everybody who uploads in a test, and the client of the records API."""

    api: Client
    ann: Uploader
    bob: Uploader
    guest: Uploader


def uploaders() -> Uploaders:
    """Make two accounts and sign them in."""
    upload_sweep._next_at[0] = 0.0
    api = Client()
    tokens = []
    for name in ("ann", "bob"):
        api.account(USERS, f"{name}@example.com")
        tokens.append(api.login(USERS, f"{name}@example.com").body["token"])
    app = api._app
    return Uploaders(api, Uploader(app, tokens[0]), Uploader(app, tokens[1]), Uploader(app, ""))


__all__ = ["MIB", "SUPERUSERS", "UPLOADS", "USERS", "Uploader", "Uploaders", "uploaders"]
