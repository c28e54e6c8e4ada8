"""Direct uploads at the edge, in the shapes that Uppy's S3 plugin speaks.

Source: CompanionS3.js of @uppy/aws-s3 6.3.1. `uploadId` and `key` are both our token; what S3
calls them stays here.
"""

from base64 import b64encode
from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.domain.tus import MAX_METADATA_BYTES
from chalicelib.errors import BadRequestError


def create(call: Call) -> dict[str, str]:
    """`{filename, type, metadata}` -> `{key, uploadId}`."""
    data = call.body.data
    given = data.get("metadata")
    pairs = {"filename": data.get("filename"), "filetype": data.get("type")}
    pairs = {**(given if isinstance(given, dict) else {}), **pairs}
    metadata = ",".join(
        f"{name} {b64encode(value.encode('utf-8', 'replace')).decode()}"
        for name, value in pairs.items()
        if isinstance(value, str) and value and name.isascii() and name.isprintable()
        and " " not in name and "," not in name
    )  # fmt: skip
    if len(metadata) > MAX_METADATA_BYTES:
        raise BadRequestError("The metadata is too large.")
    token = services.direct_uploads.create(call, metadata)
    return {"key": token, "uploadId": token}


def list_parts(call: Call, token: str) -> list[dict[str, Any]]:
    """-> `[{PartNumber, ETag, Size}]`."""
    return [
        {"PartNumber": part.number, "ETag": f'"{part.etag}"', "Size": part.size_bytes}
        for part in services.direct_uploads.parts(call, token)
    ]


def sign(call: Call, token: str, number: str) -> dict[str, Any]:
    """-> `{url, method, headers, expires}`, or for `batch?partNumbers=1,2` `{presignedUrls}`."""
    if number == "batch":
        wanted = call.query.get("partNumbers", "").split(",")[:100]
        urls = {each: services.direct_uploads.sign(call, token, _number(each)) for each in wanted}
        return {"presignedUrls": urls}
    url = services.direct_uploads.sign(call, token, _number(number))
    seconds = services.direct_uploads.URL_SECONDS
    return {"url": url, "method": "PUT", "headers": {}, "expires": seconds}


def complete(call: Call, token: str) -> dict[str, Any]:
    """`{parts: [{PartNumber, ETag}]}` -> `{location, key, size}`."""
    parts = call.body.data.get("parts")
    try:
        named = [(int(each["PartNumber"]), str(each["ETag"]).strip('"')) for each in parts or ()]
    except (KeyError, TypeError, ValueError):
        raise BadRequestError("`parts` has to be a list of {PartNumber, ETag}.") from None
    upload = services.direct_uploads.complete(call, token, named)
    return {"location": f"/api/uploads/{token}", "key": token, "size": upload.length}


def abort(call: Call, token: str) -> dict[str, Any]:
    services.direct_uploads.abort(call, token)
    return {}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
