"""Files for tests that run the whole app in this process: uploads, downloads, what is stored."""

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import boto3

from chalicelib.config import settings
from tests.conformance.client import Part, multipart
from tests.integration.auth_client import Client

RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")


class Served(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Files:
    """`send` is any request; the rest are those that tests of files make all the time."""

    def __init__(self, client: Client) -> None:
        import app  # noqa: PLC0415 - reads the environment that the local AWS sets

        self.client = client
        self._app = app.app

    def send(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        content_type: str = "",
        token: str = "",
        **headers: str,
    ) -> Served:
        path, _, query = path.partition("?")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._app(
            {
                "path": path,
                "headers": {"content-type": content_type, "authorization": token, **named},
                "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True),
                "requestContext": {"httpMethod": method, "identity": {"sourceIp": "127.0.0.1"}},
                "body": base64.b64encode(content).decode(),
                "isBase64Encoded": True,
            },
            None,
        )
        body = answer["body"]
        decoded = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        lowered = {name.lower(): value for name, value in answer["headers"].items()}
        return Served(answer["statusCode"], lowered, decoded)

    def form(self, method: str, path: str, *parts: Part, token: str = "") -> Served:
        content, content_type = multipart(parts)
        return self.send(method, path, content, content_type, token)

    def collection(self, name: str, *fields: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Make a collection whose rules are open, over one of the same name."""
        self.client("DELETE", f"/api/collections/{name}", token=self.client.root)
        body = {"name": name, "type": "base", "fields": list(fields), **RULES, **more}
        made: dict[str, Any] = self.client.as_root("POST", "/api/collections", body)
        return made

    def create(self, collection: str, *parts: Part) -> Any:
        answer = self.form("POST", f"/api/collections/{collection}/records", *parts)
        assert answer.status == 200, answer
        return answer.json

    def update(self, record: Mapping[str, Any], *parts: Part) -> Any:
        path = f"/api/collections/{record['collectionName']}/records/{record['id']}"
        answer = self.form("PATCH", path, *parts)
        assert answer.status == 200, answer
        return answer.json

    def url(self, record: Mapping[str, Any], name: str, query: str = "") -> str:
        return f"/api/files/{record['collectionName']}/{record['id']}/{name}{query}"

    def get(self, record: Mapping[str, Any], name: str, query: str = "", **headers: str) -> Served:
        return self.send("GET", self.url(record, name, query), b"", "", "", **headers)


def stored_objects(prefix: str = "") -> set[str]:
    """Return the keys of everything in the bucket, asked of it by another client."""
    pages = boto3.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=settings().bucket_name, Prefix=prefix)
    return {each["Key"] for page in found for each in page.get("Contents", ())}


def upload(name: str, content: bytes | str, field: str = "f") -> Part:
    return Part(field, content, name)


def picture(width: int = 120, height: int = 80, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture whose four quarters are red, green, blue and yellow."""
    import io  # noqa: PLC0415 - with Pillow, for the few tests that draw

    from PIL import Image  # noqa: PLC0415

    image = Image.new("RGB", (2, 2))
    for at, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))):
        image.putpixel((at % 2, at // 2), colour)
    out = io.BytesIO()
    image.resize((width, height), Image.Resampling.NEAREST).save(out, kind, **options)
    return out.getvalue()
