"""Serve ministack on a socket of our own, until a signal or until the parent is gone.

The parent's death is watched because a `kill -9` of `make run` would otherwise leave a local AWS
behind that holds the port and the state directory.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 1.0
PARENT_POLL_SECONDS = 0.25
BACKLOG = 512

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


def bind(port: int) -> socket.socket:
    """Return a listening socket on 127.0.0.1; port 0 takes a free one. Raises `OSError`."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(BACKLOG)
    return listener


def run(app: AsgiApp, listener: socket.socket, parent: int, on_ready: Callable[[], None]) -> None:
    """Serve until SIGTERM, SIGINT or the end of process `parent` (0: do not watch)."""
    asyncio.run(_serve(app, listener, parent, on_ready))


async def _serve(
    app: AsgiApp, listener: socket.socket, parent: int, on_ready: Callable[[], None]
) -> None:
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.graceful_timeout = STOP_SECONDS
    config.loglevel = "WARNING"
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watcher = asyncio.create_task(_watch_parent(parent, stop))
    announced: Any = _announcing(app, on_ready)
    await hypercorn_serve(announced, config, shutdown_trigger=stop.wait)
    watcher.cancel()


async def _watch_parent(parent: int, stop: asyncio.Event) -> None:
    while parent and os.getppid() == parent:
        await asyncio.sleep(PARENT_POLL_SECONDS)
    if parent:
        stop.set()


def _announcing(app: AsgiApp, on_ready: Callable[[], None]) -> AsgiApp:
    """Return `app`, calling `on_ready` when its start-up is complete."""

    async def announced(scope: Any, receive: Any, send: Any) -> None:
        async def send_and_tell(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                on_ready()

        await app(scope, receive, send_and_tell if scope["type"] == "lifespan" else send)

    return announced
