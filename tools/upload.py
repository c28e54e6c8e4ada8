"""Upload a file in chunks, with a progress bar; start it again to go on where it was.

    python -m tools.upload FILE --url http://127.0.0.1:8000 --token TOKEN

Prints the upload's id, for `{"upload": "<id>"}` in a record. Ctrl-C pauses: `FILE.upload`
remembers the upload until it is whole. Speaks tus 1.0; nothing but the standard library.
"""

import argparse
import http.client
import json
import os
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

MIB = 1024 * 1024
BAR_CHARACTERS = 30
LONGEST_PAUSE_SECONDS = 15.0
TIMEOUT_SECONDS = 60.0
PAUSED_STATUS = 130

Progress = Callable[[int], None]


class UploadError(Exception):
    """The upload cannot go on; the text says why."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    """Lower-case names."""
    text: str


class Target(NamedTuple):
    """Where to upload, and as whom."""

    url: str
    token: str
    give_up_seconds: float = 300.0
    """How long the server may be out of reach."""


def main() -> int:
    options = _options()
    target = Target(options.url.rstrip("/") + "/api/uploads", options.token)
    bar = _bar(options.file) if sys.stderr.isatty() or options.progress else _silent
    try:
        url = upload(options.file, target, int(options.chunk_mb * MIB), bar)
    except KeyboardInterrupt:
        print("\nPaused: the same command goes on.", file=sys.stderr)
        return PAUSED_STATUS
    except (UploadError, OSError) as error:
        print(f"\nupload: {error}", file=sys.stderr)
        return 1
    print(file=sys.stderr)
    print(url.rpartition("/")[2])
    return 0


def upload(file: Path, target: Target, chunk_bytes: int, progress: Progress) -> str:
    """Upload a file, from where an earlier call left off; return the upload's URL.

    Raises `UploadError`.
    """
    size_bytes = file.stat().st_size
    memory = file.with_name(file.name + ".upload")
    url = _remembered(memory, file, target)
    offset = _offset(target, url) if url else None
    if offset is None:
        url, offset = _create(target, file, size_bytes), 0
        memory.write_text(json.dumps({"url": url, **_identity(file)}))
    with file.open("rb") as opened:
        while offset < size_bytes:
            progress(offset)
            opened.seek(offset)
            offset = _send(target, url, offset, opened.read(chunk_bytes))
    progress(size_bytes)
    memory.unlink(missing_ok=True)
    return url


def _send(target: Target, url: str, offset: int, chunk: bytes) -> int:
    """Send one chunk and return the offset then, whatever became of the chunk."""
    if not chunk:
        raise UploadError("the file became shorter")
    headers = {
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
    }
    answer = _ask_patiently(target, "PATCH", url, headers, chunk)
    if answer is not None and answer.status == 204:
        return int(answer.headers["upload-offset"])
    if answer is not None and answer.status not in (409, 500, 502, 503, 504):
        raise UploadError(_reason(answer))
    known = _offset(target, url)
    if known is None:
        raise UploadError("the upload is gone: start again")
    return known


def _create(target: Target, file: Path, size_bytes: int) -> str:
    name = b64encode(file.name.encode("utf-8", "replace")).decode()
    headers = {"Upload-Length": str(size_bytes), "Upload-Metadata": f"filename {name}"}
    answer = _patiently(target, "POST", target.url, headers)
    if answer.status != 201:
        raise UploadError(_reason(answer))
    return urljoin(target.url, answer.headers["location"])


def _offset(target: Target, url: str) -> int | None:
    """Return how far the upload is, None if it is gone or not this account's."""
    answer = _patiently(target, "HEAD", url, {})
    if answer.status == 200:
        return int(answer.headers["upload-offset"])
    if answer.status in (401, 403):
        raise UploadError("the token is not accepted")
    return None


def _patiently(target: Target, method: str, url: str, headers: dict[str, str]) -> Answer:
    """Return the answer to a request without a body, asked again while nobody answers."""
    give_up_at = time.monotonic() + target.give_up_seconds
    while True:
        answer = _ask_patiently(target, method, url, headers, b"")
        if answer is not None and answer.status < 500:
            return answer
        if time.monotonic() > give_up_at:
            raise UploadError(_reason(answer) if answer else f"{target.url} does not answer")
        time.sleep(1.0)


def _ask_patiently(
    target: Target, method: str, url: str, headers: dict[str, str], body: bytes
) -> Answer | None:
    """Return the answer, None if the connection broke; waits for a server that is away."""
    pause_seconds = 0.2
    give_up_at = time.monotonic() + target.give_up_seconds
    while True:
        try:
            return _ask(target, method, url, headers, body)
        except ConnectionRefusedError as error:
            if time.monotonic() > give_up_at:
                raise UploadError(f"{target.url} does not answer") from error
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        except (OSError, http.client.HTTPException):
            return None


def _ask(target: Target, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
    own = {"Tus-Resumable": "1.0.0", "Authorization": target.token}
    try:
        connection.request(method, parts.path, body or None, {**own, **headers})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read().decode("utf-8", "replace"))
    finally:
        connection.close()


def _reason(answer: Answer) -> str:
    try:
        return f"{json.loads(answer.text)['message']} ({answer.status})"
    except (ValueError, KeyError):
        return f"the server answered {answer.status}"


def _identity(file: Path) -> dict[str, int]:
    """Return what tells this content of the file from a later one."""
    status = file.stat()
    return {"size": status.st_size, "modified": status.st_mtime_ns}


def _remembered(memory: Path, file: Path, target: Target) -> str:
    """Return the URL of an upload of this very file to this very server, else an empty text."""
    try:
        found = json.loads(memory.read_text())
        url = str(found.pop("url"))
    except (OSError, ValueError, KeyError):
        return ""
    return url if found == _identity(file) and url.startswith(target.url + "/") else ""


def _silent(_offset_bytes: int) -> None:
    pass


def _bar(file: Path) -> Progress:
    started = time.monotonic()
    first: list[int] = []

    def show(offset: int) -> None:
        size_bytes = file.stat().st_size
        first.append(offset)
        share = offset / size_bytes if size_bytes else 1.0
        done = "#" * int(share * BAR_CHARACTERS)
        rate = (offset - first[0]) / max(time.monotonic() - started, 0.001)
        left = (size_bytes - offset) / rate if rate else 0.0
        text = f"[{done:<{BAR_CHARACTERS}}] {share:4.0%} of {size_bytes / 1e6:.0f} MB"
        text += f"  {rate / 1e6:5.1f} MB/s  {left:4.0f} s left"
        print(f"\r{text}", end="", file=sys.stderr, flush=True)

    return show


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.upload",
        description="Upload a file in chunks; the same command goes on after Ctrl-C or a failure.",
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the server")
    parser.add_argument(
        "--token", default=os.environ.get("DORMOUSE_TOKEN", ""), help="or DORMOUSE_TOKEN"
    )
    parser.add_argument("--chunk-mb", type=float, default=4.0, help="in MiB; Lambda takes 4")
    parser.add_argument("--progress", action="store_true", help="show it without a terminal too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
