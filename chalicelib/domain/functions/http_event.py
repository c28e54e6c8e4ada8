"""The event of a function that HTTP wakes: API Gateway's payload 2.0, as a Function URL sends it.

So code moves in and out unchanged. Ours beside AWS's keys: `auth`, the caller's record or null, and
`pathParameters.proxy`, what follows the function's name. `rawPath` begins with `/fn/` behind every
front door. As at AWS, a key without a value is left out: `body`, `cookies`, ...

Source: "Lambda function URLs: request and response payloads" in Lambda's developer guide.
"""

import base64
import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

Query = dict[str, list[str]]

_TEXT_TYPES = frozenset(("application/json", "application/javascript", "application/xml",
                         "application/x-www-form-urlencoded", "application/graphql",
                         "application/x-ndjson"))  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Request(NamedTuple):
    """One request to a function, as it arrived."""

    method: str
    path: str
    """From `/fn/` on, as it was sent."""
    query: Query = {}  # noqa: RUF012 (a default that nobody changes)
    raw_query: str | None = None
    """As it was sent; None where the front door does not tell."""
    headers: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)
    """Lower-case names; several values joined by a comma."""
    cookies: Sequence[str] | None = None
    """`name=value` each; None: they are in the headers."""
    body: bytes = b""
    ip: str = ""
    gateway: str = ""
    """rest, http, url, or "" for a server: what the caller came by."""


def build(
    request: Request, auth: dict[str, Any] | None, request_id: str, now_ms: int
) -> dict[str, Any]:
    """Return the event. `auth` is the caller's record as they may see it themselves."""
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    raw_query = request.raw_query
    if raw_query is None:
        raw_query = urlencode(request.query, doseq=True)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": _context(request, request_id, now_ms),
        "isBase64Encoded": False,
        "auth": auth,
    }
    if cookies := _cookies(request):
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = {n: ",".join(v) for n, v in request.query.items()}
    if rest := request.path.split("/", 3)[3:]:
        event["pathParameters"] = {"proxy": rest[0]}
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _context(request: Request, request_id: str, now_ms: int) -> dict[str, Any]:
    host = request.headers.get("host", "")
    return {
        "accountId": "anonymous",
        "apiId": "dormouse",
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": _time(now_ms // 1000),
        "timeEpoch": now_ms,
    }


def _time(seconds: int) -> str:
    """Return a moment as access logs write it, whatever the locale: 12/Mar/2020:19:03:58 +0000."""
    at = time.gmtime(seconds)
    month = _MONTHS[at.tm_mon - 1]
    clock = f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}"
    return f"{at.tm_mday:02d}/{month}/{at.tm_year}:{clock} +0000"


def _cookies(request: Request) -> list[str]:
    if request.cookies is not None:
        return list(request.cookies)
    return [each.strip() for each in request.headers.get("cookie", "").split(";") if each.strip()]


def _body(request: Request) -> tuple[str, bool]:
    """Return the body, and whether it is in base64: its type decides, and that it is UTF-8."""
    if _is_text(request.headers.get("content-type", "")):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    if not kind or kind in _TEXT_TYPES:
        return True
    return kind.startswith("text/") or kind.endswith(("+json", "+xml"))
