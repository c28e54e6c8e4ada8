"""The tus protocol at its edge: headers in, headers out. The rules are `services.uploads`'s."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from chalicelib import services
from chalicelib.config import settings
from chalicelib.domain import tus
from chalicelib.domain.request import Call
from chalicelib.domain.tus import TusError
from chalicelib.domain.upload import OPEN, Upload
from chalicelib.errors import ApiError
from chalicelib.web import body
from chalicelib.web.app import current_edge
from chalicelib.web.reply import Reply, of_error

_P = ParamSpec("_P")
_View = Callable[Concatenate[Call, _P], Reply]
"""A view: the call, then the route's variables."""

_LOCATION = "/api/uploads/"


def announcement() -> dict[str, str]:
    """Return what OPTIONS tells."""
    return tus.announcement(settings().upload_limit_bytes)


def _answered(view: _View[_P]) -> _View[_P]:
    """Put the protocol's headers on every answer, refusals too."""

    @wraps(view)
    def answered(call: Call, /, *args: _P.args, **kwargs: _P.kwargs) -> Reply:
        try:
            reply = view(call, *args, **kwargs)
        except ApiError as error:
            reply = of_error(error)
            if error.status == 412:
                reply.headers["Tus-Version"] = tus.VERSION
        reply.headers.update(tus.on_every_answer())
        return reply

    return answered


@_answered
def create(call: Call) -> Reply:
    tus.require_version(call.headers)
    wanted = tus.wanted(call.headers)
    content = body.raw_bytes(current_edge().event)
    if content:
        tus.require_chunk_type(call.headers)
        tus.require_checksum(call.headers, content)
    upload, token = services.uploads.create(call, wanted, content)
    headers = {"Location": _LOCATION + token, **_expiry(upload)}
    if content or upload.length == 0:
        headers["Upload-Offset"] = str(upload.offset)
    return Reply(None, 201, headers)


@_answered
def view(call: Call, token: str) -> Reply:
    """Answer HEAD as tus wants it, and GET with the same as JSON."""
    if call.method == "HEAD":
        tus.require_version(call.headers)
    upload = services.uploads.find(call, token)
    shown = {
        "id": token,
        "state": upload.state,
        "offset": upload.offset,
        "length": None if upload.length < 0 else upload.length,
        "expires": upload.expires,
    }
    return Reply(shown, 200, {"Cache-Control": "no-store", **_progress(upload), **_expiry(upload)})


@_answered
def append(call: Call, token: str) -> Reply:
    tus.require_version(call.headers)
    tus.require_chunk_type(call.headers)
    offset = tus.number(call.headers, "Upload-Offset")
    length = None
    if "upload-length" in call.headers:
        length = tus.number(call.headers, "Upload-Length")
    content = body.raw_bytes(current_edge().event)
    _require_whole(call, content)
    tus.require_checksum(call.headers, content)
    upload = services.uploads.append(call, token, offset, content, length)
    return Reply(None, 204, {"Upload-Offset": str(upload.offset), **_expiry(upload)})


@_answered
def terminate(call: Call, token: str) -> Reply:
    tus.require_version(call.headers)
    services.uploads.terminate(call, token)
    return Reply(None, 204)


def overridden(call: Call, token: str) -> Reply:
    """Answer a POST in the place of a method that a network on the way does not let through."""
    method = call.headers.get("x-http-method-override", "").upper()
    views = {"PATCH": append, "DELETE": terminate, "HEAD": view, "GET": view}
    if method not in views:
        return _unknown_method(call)
    call.method = method
    return views[method](call, token)


@_answered
def _unknown_method(_call: Call) -> Reply:
    raise TusError(405, "POST needs an X-HTTP-Method-Override of PATCH, DELETE or HEAD here.")


def _require_whole(call: Call, content: bytes) -> None:
    """Refuse a body that was cut on the way."""
    said = call.headers.get("content-length", "")
    if said.isdigit() and int(said) != len(content):
        raise TusError(400, f"The body has {len(content)} bytes, not the {said} it was to have.")


def _progress(upload: Upload) -> dict[str, str]:
    headers = {"Upload-Length": str(upload.length)}
    if upload.length < 0:
        headers = {"Upload-Defer-Length": "1"}
    if upload.kind != "final" or upload.state != OPEN:
        headers["Upload-Offset"] = str(upload.offset)
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    if upload.concat:
        headers["Upload-Concat"] = upload.concat
    return headers


def _expiry(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": tus.expires(upload.expires)}
