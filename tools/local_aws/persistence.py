"""Keep everything that is not DynamoDB: buckets at once, the rest within two seconds.

ministack saves a service only at a clean stop. Object bodies it writes as they come
(S3_PERSIST); the list of buckets and their settings follows here before the answer. Queues,
functions, stacks and the rest are written when something changed; all of them, so if there is
much of it, less often. Open multipart uploads are lost at any restart.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import persistence
from ministack.services import s3

from tools.local_aws.durability import Recorder
from tools.local_aws.server import AsgiApp

SAVE_SECONDS = 2.0
SAVE_SHARE = 0.1
"""Of the time at most: nothing is answered while the rest is written down."""
_KEPT_ELSEWHERE = (b"DynamoDB_", b"DynamoDBStreams_", b"AmazonSQS.ReceiveMessage")
"""Beginnings of actions that leave nothing to be saved here. A message that was received and
then forgotten to be so comes once more, as it may anyway."""

_handle_s3_plain = s3.handle_request


def install(emulator_app: Any, state_directory: Path) -> AsgiApp:
    """Restore DynamoDB; return the application that keeps its state in `state_directory`.

    Raises `CorruptJournalError`.
    """
    recorder = Recorder(state_directory / "dynamodb.journal")
    recorder.load()
    recorder.install()
    s3.handle_request = _handle_s3
    states_plain = emulator_app._build_persistence_save_dict
    save_plain = emulator_app.save_all

    def states() -> dict[str, Callable[[], Any]]:
        return {name: state for name, state in states_plain().items() if name != "dynamodb"}

    def save_and_stop(services: Any) -> None:
        save_plain(services)
        recorder.stop()

    def save() -> None:
        save_plain(states())
        recorder.save_metadata()

    emulator_app._build_persistence_save_dict = states
    emulator_app.save_all = save_and_stop
    return _saving(emulator_app.app, save)


async def _handle_s3(method: str, path: str, *arguments: Any, **options: Any) -> Any:
    response = await _handle_s3_plain(method, path, *arguments, **options)
    if method in ("PUT", "DELETE") and "/" not in path.strip("/"):
        persistence.save_state("s3", s3.get_state())
    return response


def _saving(app: AsgiApp, save: Callable[[], Any]) -> AsgiApp:
    """Return `app`, saving on its event loop after requests that may have changed something.

    On the loop, because in a thread the state changes while it is being written.
    """
    is_dirty = False

    async def save_often() -> None:
        nonlocal is_dirty
        pause_seconds = SAVE_SECONDS
        while True:
            await asyncio.sleep(pause_seconds)
            if is_dirty:
                is_dirty = False
                began = time.monotonic()
                save()
                pause_seconds = max(SAVE_SECONDS, (time.monotonic() - began) / SAVE_SHARE)

    async def saving(scope: Any, receive: Any, send: Any) -> None:
        nonlocal is_dirty
        if scope["type"] != "lifespan":
            is_dirty = is_dirty or _may_change(scope)
            await app(scope, receive, send)
            return
        saver = asyncio.create_task(save_often())
        await app(scope, receive, send)
        saver.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saver

    return saving


def _may_change(scope: Any) -> bool:
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    return not dict(scope["headers"]).get(b"x-amz-target", b"").startswith(_KEPT_ELSEWHERE)
