"""A long poll of SQS ends with its caller.

ministack waits on for a caller that is gone, and then hands it the next message, which stays
hidden from everybody else until its visibility timeout has passed. SQS does not.
"""

import asyncio
import contextlib
from typing import Any

from tools.local_aws.server import AsgiApp

_POLL = b"AmazonSQS.ReceiveMessage"


def ending_with_caller(app: AsgiApp) -> AsgiApp:
    """Return `app`, giving up polls whose connection was closed."""

    async def ending(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or (b"x-amz-target", _POLL) not in scope["headers"]:
            await app(scope, receive, send)
            return
        body = await _whole(receive)
        given = asyncio.Event()

        async def replay() -> Any:
            if given.is_set():
                return await receive()
            given.set()
            return {"type": "http.request", "body": body, "more_body": False}

        answering = asyncio.ensure_future(app(scope, replay, send))
        leaving = asyncio.ensure_future(_gone(receive))
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not answering.done():
            answering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering

    return ending


async def _whole(receive: Any) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
