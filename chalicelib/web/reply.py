"""The one shape in which an answer leaves: JSON, text, bytes or nothing."""

import base64
import json
from typing import Any

from chalice import Response

from chalicelib.errors import ApiError
from chalicelib.light_orjson import orjson

JSON = "application/json"


class Reply(Response):
    """An answer to the client.

    `body` may be bytes or str (sent as they are, under the `Content-Type` you give), None
    (no body) or any JSON value. Chalice's own `Response` base64-encodes every body once
    `*/*` is a binary type, and fails on text; this one encodes bytes alone.
    """

    def __init__(
        self, body: Any = None, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(body, dict(headers or {}), status)

    @property
    def is_json(self) -> bool:
        """Whether `body` is a value still to be written as JSON."""
        return self.body is not None and not isinstance(self.body, (str, bytes))

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        """Return what Lambda hands to API Gateway."""
        body = self.body
        if body is None:
            return self._answer("", {})
        if isinstance(body, bytes):
            text = base64.b64encode(body).decode("ascii")
            return self._answer(text, {"Content-Type": "application/octet-stream"}, binary=True)
        if isinstance(body, str):
            return self._answer(body, {"Content-Type": "text/plain; charset=utf-8"})
        return self._answer(dumps(body), {"Content-Type": JSON})

    def _answer(self, body: str, default: dict[str, str], binary: bool = False) -> dict[str, Any]:
        return {
            "statusCode": self.status_code,
            "headers": {**default, **self.headers},
            "multiValueHeaders": {},
            "body": body,
            "isBase64Encoded": binary,
        }


def of_error(error: ApiError) -> Reply:
    """Return an error in PocketBase's envelope."""
    return Reply(error.body(), error.status)


def dumps(value: Any) -> str:
    """Return JSON text. NaN and the infinities, which JSON lacks, become null."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # orjson takes no integer over 64 bits, no lone surrogate and no very deep value.
        text = json.dumps(_without_nan(value), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace").decode()


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return value
