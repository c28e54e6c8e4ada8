"""Code to the server: nothing if it has it, in the request if it is small, else to the bucket."""

import json
import secrets
from typing import Any

from tools.cli.api import transfer
from tools.cli.context import Context, function_path
from tools.cli.failures import OutOfReach
from tools.cli.output import size
from tools.cli.packing.pack import Package

DIRECT_LIMIT_BYTES = 4 * 1000 * 1000
"""A larger zip would not fit through Lambda's 6 MB request, and goes by a presigned upload."""


def upload(context: Context, name: str, package: Package, settings: dict[str, Any]) -> None:
    """Make a version of a zip and of settings that change with it."""
    beside = {"settings": settings} if settings else {}
    if len(package.content) <= DIRECT_LIMIT_BYTES:
        _direct(context, name, package, beside)
    else:
        _by_bucket(context, name, package, beside)


def live_sha256(context: Context, name: str) -> str:
    """Return the SHA-256 of the live version's zip, "" if there is none."""
    found = context.api.get(function_path(name, "versions"))
    live: list[str] = [version["sha256"] for version in found["items"] if version["live"]]
    return live[0] if live else ""


def _direct(context: Context, name: str, package: Package, beside: dict[str, Any]) -> None:
    boundary = f"dormouse{secrets.token_hex(16)}"
    parts = [(f'name="zip"; filename="{name}.zip"', "application/zip", package.content)]
    if beside:
        parts.append(('name="@jsonPayload"', "application/json", json.dumps(beside).encode()))
    content = b"".join(_part(boundary, *part) for part in parts) + f"--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    path = function_path(name, "code")
    context.api.send("PUT", path, content, headers, context.out.progress("Uploading"))


def _part(boundary: str, named: str, kind: str, content: bytes) -> bytes:
    head = (
        f"--{boundary}\r\nContent-Disposition: form-data; {named}\r\nContent-Type: {kind}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"


def _by_bucket(context: Context, name: str, package: Package, beside: dict[str, Any]) -> None:
    about = {"sizeBytes": len(package.content)}
    upload = context.api.post(function_path(name, "code", "upload"), about)
    context.out.say(f"Uploading {size(len(package.content))} ...")
    bar = context.out.progress("Uploading")
    answer = transfer("PUT", upload["url"], package.content, upload["headers"], bar)
    if answer.status >= 300:
        raise OutOfReach(f"The bucket answered {answer.status}.", "Try again: links live shortly.")
    context.api.ask("PUT", function_path(name, "code"), {**beside, "upload": upload["id"]})
