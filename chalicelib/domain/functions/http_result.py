"""What a function's result is as an HTTP answer: that of a Lambda Function URL.

An object with `statusCode` is a proxy result: `headers`, `multiValueHeaders`, `cookies`, `body`,
`isBase64Encoded`. Anything else is the body of a 200, as JSON. A proxy result that is no HTTP
answer raises: half of it must not be guessed.

Source: "Lambda function URLs: request and response payloads" in Lambda's developer guide.
"""

import binascii
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

JSON = "application/json"

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset(("connection", "content-length", "keep-alive", "proxy-authenticate", "te",
                   "trailer", "transfer-encoding", "upgrade", "date", "server"))  # fmt: skip
"""Headers of the connection and of the server, which are not the function's to set."""

Headers = list[tuple[str, str]]


class BadResultError(Exception):
    """A proxy result that is no HTTP answer; the text says what is wrong with it."""


class Answer(NamedTuple):
    status: int
    headers: Headers
    """In the function's spelling; a name may be there several times."""
    body: str | bytes


def is_proxy(result: Any) -> bool:
    return isinstance(result, dict) and "statusCode" in result


def of_proxy(result: dict[str, Any]) -> Answer:
    """Return the answer of a proxy result. Raises `BadResultError`."""
    status = _status(result["statusCode"])
    headers = [*_headers(result), *(("Set-Cookie", each) for each in _cookies(result))]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", JSON))
    return Answer(status, headers, _body(result))


def _status(value: Any) -> int:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise BadResultError("statusCode is no number from 200 to 599")
    return value


def _headers(result: dict[str, Any]) -> Headers:
    single, several = _object(result, "headers"), _object(result, "multiValueHeaders")
    for name, values in several.items():
        if not isinstance(values, list):
            raise BadResultError(f"multiValueHeaders: {name!r} is no list")
    given = {name.lower() for name in several}
    pairs = [(name, value) for name, value in single.items() if name.lower() not in given]
    pairs += [(name, value) for name, values in several.items() for value in values]
    return [(name, _value(name, value)) for name, value in pairs if name.lower() not in _OURS]


def _object(result: dict[str, Any], key: str) -> dict[str, Any]:
    value = result.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadResultError(f"{key} is no object")
    return value


def _value(name: str, value: Any) -> str:
    if not _NAME.fullmatch(name):
        raise BadResultError(f"{name[:100]!r} is no name of a header")
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, (int, float)):
        value = str(value)
    if not isinstance(value, str) or _UNSAFE.search(value):
        raise BadResultError(f"the value of the header {name!r} is no text of one line")
    return value


def _cookies(result: dict[str, Any]) -> Iterator[str]:
    cookies = result.get("cookies")
    if cookies is None:
        return
    if not isinstance(cookies, list):
        raise BadResultError("cookies is no list")
    for each in cookies:
        yield _value("Set-Cookie", each)


def _body(result: dict[str, Any]) -> str | bytes:
    body = result.get("body")
    if body is None:
        return ""
    if not isinstance(body, str):
        raise BadResultError("body is no text: write JSON into it with json.dumps")
    if not result.get("isBase64Encoded"):
        return body
    try:
        return binascii.a2b_base64(body, strict_mode=True)
    except ValueError:
        raise BadResultError("body is not in base64") from None
