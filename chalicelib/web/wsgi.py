"""The app behind an ordinary WSGI server, for a container or a machine of your own.

A file `server.py` of two lines, `from app import app` and `application = wsgi.application(app)`,
then `gunicorn --threads 8 server`. Slow callers and TLS are the server's business.
"""

import base64
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote

from chalicelib.web import headers, limits
from chalicelib.web.reply import of_error

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


def application(app: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Application:
    """Return a WSGI application that answers every request through `app`."""

    def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > limits.most_bytes():
            answered = of_error(limits.too_large()).to_dict()
            answered["headers"].update(headers.of_answer(_headers(environ)))
        else:
            answered = app(_event(environ), None)
        return _send(answered, environ["REQUEST_METHOD"], start_response)

    return answer


def _event(environ: Environ) -> dict[str, Any]:
    """Return an event like that of `chalice local`: the path is still percent-encoded."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    path = raw.partition("?")[0] if raw.startswith("/") else ""
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return {
        "headers": _headers(environ),
        "multiValueQueryStringParameters": query,
        "rawQueryString": environ.get("QUERY_STRING", ""),
        "body": _body(environ),
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": environ["REQUEST_METHOD"],
            "path": path or quote(environ.get("PATH_INFO", "/").encode("latin-1")),
            "identity": {"sourceIp": environ.get("REMOTE_ADDR", "")},
        },
    }


def _headers(environ: Environ) -> dict[str, str]:
    named = {
        name[5:].replace("_", "-").lower(): _text(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        named["content-type"] = _text(environ["CONTENT_TYPE"])
    return named


def _body(environ: Environ) -> bytes:
    if environ.get("wsgi.input_terminated"):  # the server undid a chunked body
        return bytes(environ["wsgi.input"].read())
    length = environ.get("CONTENT_LENGTH") or "0"
    return bytes(environ["wsgi.input"].read(int(length))) if length.isdigit() else b""


def _send(answer: dict[str, Any], method: str, start_response: StartResponse) -> list[bytes]:
    status = answer["statusCode"]
    body = answer["body"].encode("utf-8", "replace")
    if answer.get("isBase64Encoded"):
        body = base64.b64decode(body)
    fields = [(name, _latin(value)) for name, value in answer["headers"].items()]
    for name, values in answer["multiValueHeaders"].items():
        fields += [(name, _latin(value)) for value in values]
    has_no_body = method == "HEAD" or status in (204, 304)
    if not has_no_body:
        fields.append(("Content-Length", str(len(body))))
    start_response(f"{status} {_phrase(status)}", fields)
    return [] if has_no_body else [body]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a function may answer any number
        return "Unknown"


def _text(value: str) -> str:
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")


def _latin(value: str) -> str:
    return value.encode("latin-1", "replace").decode("latin-1")
