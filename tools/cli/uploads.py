"""Code to the server: nothing if it has it, in the request if it is small, else to the bucket."""

import secrets

from tools.cli.api import failure, transfer
from tools.cli.context import Context, function_path
from tools.cli.output import size
from tools.cli.packing.pack import Package

DIRECT_LIMIT_BYTES = 4 * 1000 * 1000
"""A larger zip would not fit through Lambda's 6 MB request, and goes by a presigned upload."""


def code(context: Context, name: str, package: Package) -> bool:
    """Make the server's live code this one; return whether anything was uploaded."""
    if live_sha256(context, name) == package.sha256:
        return False
    if len(package.content) <= DIRECT_LIMIT_BYTES:
        _direct(context, name, package)
    else:
        _by_bucket(context, name, package)
    return True


def live_sha256(context: Context, name: str) -> str:
    """Return the SHA-256 of the live version's zip, "" if there is none."""
    found = context.api.get(function_path(name, "versions"))
    live: list[str] = [version["sha256"] for version in found["items"] if version["live"]]
    return live[0] if live else ""


def _direct(context: Context, name: str, package: Package) -> None:
    boundary = f"dormouse{secrets.token_hex(16)}"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="zip"; filename="{name}.zip"\r\n'
        "Content-Type: application/zip\r\n\r\n"
    )
    content = head.encode() + package.content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    path = function_path(name, "code")
    context.api.send("PUT", path, content, headers, context.out.progress("Uploading"))


def _by_bucket(context: Context, name: str, package: Package) -> None:
    about = {"sizeBytes": len(package.content)}
    upload = context.api.post(function_path(name, "code", "upload"), about)
    context.out.say(f"Uploading {size(len(package.content))} ...")
    bar = context.out.progress("Uploading")
    answer = transfer("PUT", upload["url"], package.content, upload["headers"], bar)
    if answer.status >= 400:
        raise failure(answer, context.api.session.url)
    context.api.ask("PUT", function_path(name, "code"), {"upload": upload["id"]})
