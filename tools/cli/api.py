"""Calls to the server: JSON in and out, errors as the failures that have exit codes.

Only http.client: uploads report their progress, and nothing is installed for it. Redirects are
not followed, so a token goes nowhere but to its server.
"""

import http.client
import io
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from tools.cli import program
from tools.cli.failures import Failure, HeldBack, NotThere, OutOfReach, SignInNeeded
from tools.cli.output import Progress
from tools.cli.session import SIGN_IN, Session

TIMEOUT_SECONDS = 90.0
CHUNK_BYTES = 256 * 1024


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    """Lower-case names."""
    content: bytes

    def json(self) -> Any:
        """Return the body; fractions as `Decimal`, because money is among them."""
        try:
            return json.loads(self.content, parse_float=Decimal) if self.content else None
        except ValueError as error:
            reason = "The server's answer is no JSON: is this Dormouse's URL?"
            raise OutOfReach(f"{reason} ({self.content[:60]!r})") from error


class Api:
    """One server, asked as one account."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("GET", _with(path, query)).json()

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        return self.ask("POST", path, body, headers).json()

    def patch(self, path: str, body: Any) -> Any:
        return self.ask("PATCH", path, body).json()

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Return the answer to a JSON request. Raises a `Failure` for every status from 400."""
        content = b"" if body is None else json.dumps(body).encode()
        own = {"Content-Type": "application/json"} if content else {}
        return self.send(method, path, content, {**own, **(headers or {})})

    def send(
        self, method: str, path: str, content: bytes, headers: dict[str, str],
        progress: Progress | None = None,
    ) -> Answer:  # fmt: skip
        """As `ask`, for any bytes."""
        full = {"Authorization": self.session.token, "Accept": "application/json", **headers}
        answer = transfer(method, self.session.url + path, content, full, progress)
        if answer.status >= 300:
            raise failure(answer, self.session.url)
        return answer


def transfer(
    method: str, url: str, content: bytes, headers: dict[str, str],
    progress: Progress | None = None,
) -> Answer:  # fmt: skip
    """Send one request anywhere and return the answer. Raises `OutOfReach`."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    own = {"Content-Length": str(len(content))} if content or method in ("POST", "PUT") else {}
    body = _parts(content, progress) if progress else content or None
    try:
        with closing(kind(parts.netloc, timeout=TIMEOUT_SECONDS)) as connection:
            connection.request(method, target or "/", body, {**headers, **own})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
    except (OSError, http.client.HTTPException) as error:
        raise _out_of_reach(parts.netloc, error) from error


def failure(answer: Answer, url: str) -> Failure:
    """Return the failure that an answer tells of, with what to do next."""
    message, data = _envelope(answer)
    match answer.status:
        case status if status < 400:
            where = answer.headers.get("location", "elsewhere")
            return OutOfReach(f"{url} sends to {where}.", "Sign in with the URL that it sends to.")
        case 401 | 403:
            hint = f"Sign in as a superuser: {SIGN_IN.format(url=url)}"
            return SignInNeeded(message, hint, data)
        case 404:
            return NotThere(message, f"{program.NAME} list shows what there is.", data)
        case 429:
            return HeldBack(message, _retry_hint(answer, data), data)
        case 503:
            return OutOfReach(f"{message} (503)", _retry_hint(answer, data), data)
        case status if status >= 500:
            return OutOfReach(f"{message} ({status})", "The server failed: its log says why.", data)
        case _:
            return Failure(message, data=data)


def segment(text: str) -> str:
    """Return a text as one segment of a path."""
    return quote(text, safe="")


def _envelope(answer: Answer) -> tuple[str, dict[str, Any]]:
    try:
        body = json.loads(answer.content)
        return str(body["message"]), body.get("data") or {}
    except (ValueError, KeyError, TypeError):
        return f"The server answered {answer.status}.", {}


def _retry_hint(answer: Answer, data: dict[str, Any]) -> str:
    if data.get("code") == "capped":
        return "Raise cap_usd and deploy, or wait for the next day or month (UTC)."
    seconds = answer.headers.get("retry-after")
    return f"Try again in {seconds} s." if seconds else "Try again in a moment."


def _out_of_reach(place: str, error: Exception) -> OutOfReach:
    match error:
        case ConnectionRefusedError():
            return OutOfReach(f"Nothing listens at {place}.", "Start it with: make run")
        case socket.gaierror():
            return OutOfReach(f"{place} has no address.", "Check the URL: --url or DORMOUSE_URL.")
        case ssl.SSLError():
            return OutOfReach(f"{place} has no valid certificate: {error}.")
        case TimeoutError():
            reason = f"{place} did not answer within {TIMEOUT_SECONDS:.0f} seconds."
            return OutOfReach(reason, "A call that was sent may have run.")
        case _:
            return OutOfReach(f"The connection to {place} broke: {error or type(error).__name__}.")


def _with(path: str, query: dict[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def _parts(content: bytes, progress: Progress) -> Iterator[bytes]:
    opened = io.BytesIO(content)
    progress(0, len(content))
    while part := opened.read(CHUNK_BYTES):
        yield part
        progress(opened.tell(), len(content))
