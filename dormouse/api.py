"""Call Dormouse's API from a function of yours, under the rules that its rights open.

One file to copy into a function's package: the standard library only.

    from dormouse.api import ApiError, api

    def handler(event, context):
        pb = api(context)
        page = pb.get("/api/collections/posts/records", {"filter": "slug = ''", "perPage": 50})
        for post in page["items"]:
            pb.patch(f"/api/collections/posts/records/{post['id']}", {"slug": "..."})
        pb.post("/api/collections/reports/records", {"title": "Nightly"},
                files={"pdf": ("nightly.pdf", pdf_bytes)})

Each call of a function brings the API's URL and a short-lived token of the function's own account
(collection `_functions`); rules know it by `@request.auth.collectionName`, `.name` and `.rights`.
What it writes may wake functions in turn: the token carries how deep that chain is.

An answer over 399 raises `ApiError`. Busy answers (429, 503) and refused connections are tried
again a few times, with growing random pauses, while the function has time left; not if the answer
says that a write may have been made already. A lost answer to anything but GET is never repeated.

Outside a function set DORMOUSE_URL and DORMOUSE_TOKEN.
"""

import json
import os
import random
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

MAX_ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 5.0
TIMEOUT_SECONDS = 60.0
RESERVE_SECONDS = 1.0
"""Left to the function for its own end: no attempt begins later."""

_BUSY = (429, 503)
_MAY_HAVE_WRITTEN = "check before trying again"

File = tuple[str, bytes] | tuple[str, bytes, str]
"""(name, content) or (name, content, type)"""
Files = Mapping[str, File | Sequence[File]]


class ApiError(Exception):
    """The API refused: `status`, and `body` as it came (PocketBase's envelope, mostly)."""

    def __init__(self, status: int, body: Any) -> None:
        message = body.get("message") if isinstance(body, dict) else ""
        super().__init__(f"{status}: {message or 'the API refused'}")
        self.status = status
        self.body = body

    @property
    def data(self) -> dict[str, Any]:
        """What is wrong with which field."""
        found = self.body.get("data") if isinstance(self.body, dict) else None
        return found if isinstance(found, dict) else {}


def api(context: Any = None, *, url: str = "", token: str = "") -> "Api":
    """Return the API as the function that got this `context` may use it.

    Raises `ValueError` if neither the context nor DORMOUSE_URL says where it is.
    """
    custom = getattr(getattr(context, "client_context", None), "custom", None) or {}
    url = url or custom.get("dormouse_url") or os.environ.get("DORMOUSE_URL", "")
    token = token or custom.get("dormouse_token") or os.environ.get("DORMOUSE_TOKEN", "")
    if not url:
        raise ValueError("where is the API? Neither the context nor DORMOUSE_URL says it")
    left = getattr(context, "get_remaining_time_in_millis", None)
    until = time.monotonic() + left() / 1000 - RESERVE_SECONDS if left else float("inf")
    return Api(url, token, until)


class Api:
    """The API of one caller. Paths begin with `/api/` or `/fn/`; answers are parsed JSON."""

    def __init__(self, url: str, token: str = "", until: float = float("inf")) -> None:
        """`until` is when attempts end, by the monotonic clock."""
        self.url = url.rstrip("/")
        self.token = token
        self._until = until

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Return what is at a path; bytes if it is not JSON, such as a file."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: Any = None, files: Files | None = None) -> Any:
        return self.request("POST", path, body, files)

    def patch(self, path: str, body: Any = None, files: Files | None = None) -> Any:
        return self.request("PATCH", path, body, files)

    def put(self, path: str, body: Any = None, files: Files | None = None) -> Any:
        return self.request("PUT", path, body, files)

    def delete(self, path: str) -> None:
        self.request("DELETE", path)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        files: Files | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the answer's JSON, its bytes, or None for an empty one. Raises `ApiError`."""
        target = self.url + path + (f"?{urlencode(query, doseq=True)}" if query else "")
        content, kind = _content(body, files)
        headers = {"Authorization": self.token} if self.token else {}
        if kind:
            headers["Content-Type"] = kind
        pause_seconds = FIRST_PAUSE_SECONDS
        for attempt in range(1, MAX_ATTEMPTS + 1):
            request = urllib.request.Request(target, content, headers, method=method)  # noqa: S310
            try:
                return _answer(request, min(max(self._seconds_left(), 0.1), TIMEOUT_SECONDS))
            except _AgainError as error:
                wait = max(random.uniform(pause_seconds / 2, pause_seconds), error.after_seconds)  # noqa: S311
                if attempt == MAX_ATTEMPTS or wait >= self._seconds_left():
                    raise error.reason from None
            time.sleep(wait)
            pause_seconds = min(pause_seconds * 3, MAX_PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")

    def _seconds_left(self) -> float:
        return self._until - time.monotonic()


class _AgainError(Exception):
    """Certainly without effect, and worth another attempt; `reason` is what callers see."""

    def __init__(self, reason: Exception, after_seconds: float = 0.0) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.after_seconds = after_seconds


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows links to the bucket without taking the token there."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:  # fmt: skip  # noqa: E501
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            following.remove_header("Authorization")
        return following


_opener = urllib.request.build_opener(_Redirects)


def _answer(request: urllib.request.Request, seconds: float) -> Any:
    try:
        with _opener.open(request, timeout=seconds) as response:
            return _parsed(response.read(), response.headers.get("Content-Type", ""))
    except urllib.error.HTTPError as error:
        with error:
            refusal = ApiError(error.code, _parsed(error.read(), "application/json"))
        if error.code in _BUSY and _MAY_HAVE_WRITTEN not in str(refusal):
            raise _AgainError(refusal, _after(error.headers.get("Retry-After"))) from None
        raise refusal from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError) or request.get_method() == "GET":
            raise _AgainError(error) from None
        raise


def _after(value: str | None) -> float:
    return float(value) if value and value.isdigit() else 0.0


def _parsed(content: bytes, kind: str) -> Any:
    if not content:
        return None
    if not kind.startswith("application/json"):
        return content
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _content(body: Any, files: Files | None) -> tuple[bytes | None, str]:
    """Return a request's bytes and their type."""
    if files:
        return _multipart(body, files)
    if body is None:
        return None, ""
    return json.dumps(body).encode(), "application/json"


def _multipart(body: Any, files: Files) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = []
    if body is not None:
        disposition = 'form-data; name="@jsonPayload"'
        parts.append((disposition, "application/json", json.dumps(body).encode()))
    for field, given in files.items():
        for file in [given] if isinstance(given, tuple) else given:
            name, content, *kind = file
            disposition = f'form-data; name="{_quoted(field)}"; filename="{_quoted(name)}"'
            parts.append((disposition, kind[0] if kind else "application/octet-stream", content))
    written = b"".join(_part(boundary, *part) for part in parts) + f"--{boundary}--\r\n".encode()
    return written, f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, kind: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {kind}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def _quoted(name: str) -> str:
    """Return a name as HTML forms send it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
