"""A download as an HTTP answer: conditions, ranges, several ranges, or a link to the bucket.

Imported with the first download: the other routes do without what it needs.
"""

import secrets

from chalicelib.domain import file_answers
from chalicelib.domain.file_answers import Range, RangeError
from chalicelib.domain.request import Call
from chalicelib.services.files import Download
from chalicelib.web.reply import Reply


def of_download(call: Call, found: Download) -> Reply:
    """Return the answer that a file and the request's headers make."""
    name = call.query.get("download", "")
    headers = {
        "Content-Disposition": file_answers.disposition(found.content_type, found.name, name),
        "Content-Security-Policy": file_answers.SECURITY_POLICY,
    }
    if found.link:
        return Reply(None, 307, {**headers, "Location": found.link, "Cache-Control": "no-store"})
    info = found.info
    kept = {
        "Cache-Control": file_answers.CACHE,
        "ETag": info.etag,
        "Last-Modified": info.last_modified,
    }
    status = file_answers.status_of(call.headers, info.etag, info.last_modified)
    if status == 304:
        return Reply(None, 304, {**headers, **kept})
    if status == 412:
        return Reply(None, 412, {**headers, **kept, "Content-Type": found.content_type})
    try:
        parts = file_answers.ranges(call.headers, info.etag, info.last_modified, info.size_bytes)
    except RangeError as error:
        return _outside(headers, info.size_bytes, error)
    return _part(found, parts, {**headers, **kept, "Accept-Ranges": "bytes"})


def _outside(headers: dict[str, str], size_bytes: int, error: RangeError) -> Reply:
    where = {"Content-Range": f"bytes */{size_bytes}"} if error.is_outside else {}
    return Reply(f"{error}\n", 416, {**headers, **where})


def _part(found: Download, parts: list[Range], headers: dict[str, str]) -> Reply:
    """Return the whole file, the range asked for, or several of them."""
    size = found.info.size_bytes
    headers["Content-Type"] = found.content_type
    if len(parts) > 1 and found.content is not None:
        return _several(found.content, parts, headers)
    length = size
    if len(parts) == 1:
        headers["Content-Range"] = parts[0].of(size)
        length = parts[0].length
    status = 206 if parts else 200
    if found.content is None:  # a HEAD, whose answer says how long the body would be
        return Reply(None, status, {**headers, "Content-Length": str(length)})
    start = parts[0].start if parts else 0
    return Reply(found.content[start : start + length], status, headers)


def _several(content: bytes, parts: list[Range], headers: dict[str, str]) -> Reply:
    boundary = secrets.token_hex(30)
    body = b""
    for part in parts:
        head = f"--{boundary}\r\nContent-Range: {part.of(len(content))}\r\n"
        head += f"Content-Type: {headers['Content-Type']}\r\n\r\n"
        body += head.encode() + content[part.start : part.start + part.length] + b"\r\n"
    headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    return Reply(body + f"--{boundary}--\r\n".encode(), 206, headers)
