"""Code of functions: how it comes in, in three ways, and how it goes out.

    JSON       {"files": {"path": "text" | {"base64": "..."}}}     we make the zip
    multipart  a file called `zip`
    JSON       {"upload": id}      a larger zip, uploaded to the bucket before (`begin_upload`)

Beside any of them `settings` may be sent, as a PATCH has them: then one version has both. A zip is
checked before any of it is stored. The same zip as the live one changes nothing.
"""

import base64
import binascii
import hashlib
import re
from typing import Any

from chalicelib import services, store
from chalicelib.domain.functions import archive
from chalicelib.domain.functions.archive import MAX_ZIPPED_BYTES, ArchiveError
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.version import Code, Version
from chalicelib.domain.request import Body, Call
from chalicelib.errors import BadRequestError, NotFoundError, TooLargeError, field_error
from chalicelib.services import function_changes
from chalicelib.services.session import open as open_session
from chalicelib.store.functions import Stored

LINK_SECONDS = 300
_FAILED = "Failed to read the code."
_ONE_WAY = "Send files, a zip (multipart/form-data) or an upload: one of the three"


def put(call: Call, name: str) -> dict[str, Any]:
    """Make a version of the code sent and let it be live; return the function.

    `unchanged` is true if it was the live code already. Raises `BadRequestError` for code that
    cannot be run, `TooLargeError`.
    """
    session = open_session(call)
    session.require_superuser()
    function = services.functions.require(name)
    content = _sent(call, function)
    _require_size(len(content))
    code = Code(hashlib.sha256(content).hexdigest(), len(content))
    settings = _settings(call)
    with function_changes.changing(name) as hold:
        before = hold.stored.function.live_version
        asked = function_changes.of_body(session, hold.stored.newest, settings)
        _check(content, asked.function)
        is_same = _is_live(hold.stored, code)
        if not is_same:
            store.function_code.put(function.id, code, content)
            function_changes.note(hold, asked, code)
        elif settings:
            function_changes.note(hold, asked)
        services.function_deploys.finish(hold)
    unchanged = is_same and hold.stored.function.live_version == before
    return {**services.function_answers.of_stored(hold.stored), "unchanged": unchanged}


def view(call: Call, name: str) -> dict[str, Any]:
    """Return a link to the zip of the live version, or of the one that `?version=` names.

    Raises `NotFoundError`.
    """
    open_session(call).require_superuser()
    function = services.functions.require(name)
    text = call.query.get("version", "")
    number = int(text) if re.fullmatch(r"[0-9]{1,8}", text) else 0 if text else None
    found = _version_or_none(function, function.live_version if number is None else number)
    if found is None:
        raise NotFoundError("The function has no such version, or no code yet.")
    filename = f"{function.name}-{found.number}.zip"
    return {
        "version": found.number,
        "sha256": found.code.sha256,
        "sizeBytes": found.code.size_bytes,
        "url": store.function_code.link(function.id, found.code, filename, LINK_SECONDS),
        "expiresInSeconds": LINK_SECONDS,
    }


def begin_upload(call: Call, name: str) -> dict[str, Any]:
    """Return where to PUT a zip of `sizeBytes`, and the id to send afterwards.

    Raises `BadRequestError`, or `TooLargeError` beyond Lambda's limit.
    """
    open_session(call).require_superuser()
    function = services.functions.require(name)
    size_bytes = call.body.data.get("sizeBytes")
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or size_bytes < 1:
        error = field_error("validation_invalid_value", "The size of the zip in bytes")
        raise BadRequestError("Failed to begin the upload.", {"sizeBytes": error})
    _require_size(size_bytes)
    services.file_sweep.now_and_then()
    upload_id, url = store.function_code.begin_upload(function.id, size_bytes)
    return {
        "id": upload_id,
        "method": "PUT",
        "url": url,
        "headers": {"Content-Type": "application/zip"},
        "expiresInSeconds": store.function_code.UPLOAD_SECONDS,
    }


def _settings(call: Call) -> dict[str, Any]:
    settings = call.body.data.get("settings", {})
    if not isinstance(settings, dict):
        raise _refused("settings", "validation_invalid_value", "An object, as a PATCH has it")
    return settings


def _is_live(stored: Stored, code: Code) -> bool:
    """Whether this code is live, and no other is on its way."""
    live = _version_or_none(stored.function, stored.function.live_version)
    return stored.wanted is None and live is not None and live.code == code


def _check(content: bytes, function: Function) -> None:
    """Raise `BadRequestError` for a zip that the function may not have."""
    try:
        archive.check_zip(content, runtime=function.runtime, handler=function.handler)
    except ArchiveError as error:
        raise _refused("zip", "validation_invalid_archive", str(error)) from error


def _sent(call: Call, function: Function) -> bytes:
    body = _body(call)
    zips = body.files.get("zip", [])
    ways = [name for name in ("files", "upload") if name in body.data] + ["zip"] * len(zips)
    if len(ways) != 1:
        raise BadRequestError(f"{_FAILED} {_ONE_WAY}.")
    if zips:
        return zips[0].content
    if ways == ["upload"]:
        return _uploaded(function, body.data["upload"])
    return _zipped(body.data["files"])


def _body(call: Call) -> Body:
    try:
        return call.body
    except TooLargeError as error:
        raise TooLargeError(
            f"{error} Larger code goes through POST /api/functions/{{name}}/code/upload."
        ) from error


def _uploaded(function: Function, upload_id: Any) -> bytes:
    found = store.function_code.uploaded(function.id, str(upload_id), MAX_ZIPPED_BYTES)
    if found is None:
        raise _refused("upload", "validation_unknown_upload", "There is no such upload (any more)")
    content: bytes = found
    return content


def _zipped(files: Any) -> bytes:
    if not isinstance(files, dict) or not files:
        raise _refused("files", "validation_invalid_value", "An object: path -> text")
    try:
        return archive.make_zip({path: _file(path, value) for path, value in files.items()})
    except ArchiveError as error:
        raise _refused("files", "validation_invalid_archive", str(error)) from error


def _file(path: str, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and value.keys() == {"base64"} and isinstance(value["base64"], str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except binascii.Error:
            pass
    wrong = field_error("validation_invalid_value", 'Must be text or {"base64": "..."}')
    raise BadRequestError(_FAILED, {"files": {path: wrong}})


def _require_size(size_bytes: int) -> None:
    if size_bytes > MAX_ZIPPED_BYTES:
        raise TooLargeError(
            f"A function's zip may have at most {MAX_ZIPPED_BYTES} bytes, not {size_bytes}."
        )


def _version_or_none(function: Function, number: int) -> Version | None:
    return store.functions.version(function.id, number) if number else None


def _refused(name: str, code: str, message: str) -> BadRequestError:
    return BadRequestError(_FAILED, {name: field_error(code, message)})
