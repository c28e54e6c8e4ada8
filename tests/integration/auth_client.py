"""A client for the tests of signing in: the whole app in this process, and a signed-in operator."""

import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from chalicelib import services

ROOT = ("root@example.com", "rootpass123")
PASSWORD = "12345678"
USERS = "/api/collections/users"
SUPERUSERS = "/api/collections/_superusers"
SETTINGS = "/api/settings"


Refusal = tuple[int, str, Any]


def refused(status: int, message: str) -> Refusal:
    """Return what `Answer.refusal` is for an error that names no field."""
    return status, message, {}


class Answer(NamedTuple):
    status: int
    body: Any

    @property
    def refusal(self) -> Refusal:
        return self.status, self.body["message"], self.body["data"]


class Client:
    """`client.root` is a superuser's token; a call without `token` is a guest's."""

    def __init__(self) -> None:
        import app  # noqa: PLC0415 - reads the environment that the local AWS sets

        self._app = app.app
        services.auth.create_superuser(*ROOT)
        self.root = self.login(SUPERUSERS, *ROOT).body["token"]

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = "",
        *,
        raw: str | None = None,
        content_type: str = "application/json",
        ip: str = "127.0.0.1",
    ) -> Answer:
        path, _, query = path.partition("?")
        text = raw if raw is not None else ("" if body is None else json.dumps(body))
        answer = self._app(
            {
                "path": path,
                "headers": {"content-type": content_type, "authorization": token},
                "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True),
                "requestContext": {"httpMethod": method, "identity": {"sourceIp": ip}},
                "body": text,
                "isBase64Encoded": False,
            },
            None,
        )
        content = answer["body"]
        return Answer(answer["statusCode"], json.loads(content) if content else None)

    def login(self, collection: str, identity: str, password: str = PASSWORD) -> Answer:
        body = {"identity": identity, "password": password}
        return self("POST", collection + "/auth-with-password", body)

    def form(self, path: str, values: dict[str, str], token: str = "") -> Answer:
        kind = "application/x-www-form-urlencoded"
        return self("POST", path, token=token, raw=urlencode(values), content_type=kind)

    def refresh(self, collection: str, token: str, query: str = "") -> Answer:
        return self("POST", f"{collection}/auth-refresh{query}", token=token)

    def as_root(self, method: str, path: str, body: Any = None) -> Any:
        """Return the body of what must succeed."""
        answer = self(method, path, body, self.root)
        assert answer.status in (200, 204), answer
        return answer.body

    def account(self, collection: str, email: str, **values: Any) -> dict[str, Any]:
        secret = {"password": PASSWORD, "passwordConfirm": PASSWORD}
        path = collection + "/records"
        record: dict[str, Any] = self.as_root("POST", path, {"email": email, **secret, **values})
        return record
