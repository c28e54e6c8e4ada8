"""Feed the event edge: the table's stream, the queue of wakes and users' queues.

    python -m tools.pump --parent PID --state-dir .local

What event source mappings do on AWS; `chalicelib.events.wake` cannot tell the difference. A kill
at any moment loses nothing and repeats some: places in the stream are in a file, and messages are
deleted when they are done with.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from chalicelib import services, store
from chalicelib.config import settings
from chalicelib.domain.functions import names
from chalicelib.errors import ApiError
from chalicelib.events import wake
from chalicelib.services import wakes
from tools.pump.receiver import Receivers, Source
from tools.pump.stream import Reader, StreamError

log = logging.getLogger("dormouse")

PARENT_POLL_SECONDS = 0.25
BUSY_SECONDS, IDLE_SECONDS = 0.1, 0.8
"""The pause between looks at the stream: after a change, and when there has been none for long."""
IDLE_GROWTH = 1.15
TROUBLE_SECONDS = 1.0
QUEUES_SECONDS = 2.0
"""How often the list of queues is read."""
RESEND_SECONDS = 60.0
MAINTENANCE_SECONDS = 1800.0
GROUPS_AT_ONCE = 10


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """SIGINT or SIGTERM arrived."""


def main() -> int:
    options = _options()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()
    options.state_dir.mkdir(parents=True, exist_ok=True)
    receivers = Receivers()
    stopping = threading.Event()
    reader = threading.Thread(target=_read_stream, args=(options.state_dir, stopping), daemon=True)
    try:
        reader.start()
        _keep(receivers)
    except Stopped:
        stopping.set()
        receivers.stop()
        # Threads that wait for messages would keep the process until the next one.
        os._exit(0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.pump", description=__doc__)
    parser.add_argument("--parent", type=int, default=0, help="end when this process is gone")
    parser.add_argument("--state-dir", type=Path, default=Path(".local"))
    return parser.parse_args()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


def _end_with(parent: int) -> None:
    while parent and os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    if parent:
        os._exit(1)


def _read_stream(state_directory: Path, stopping: threading.Event) -> None:
    reader = Reader(state_directory / "stream.json", _handle)
    pause_seconds = IDLE_SECONDS
    while not stopping.is_set():
        try:
            found = reader.read()
            pause_seconds = (
                BUSY_SECONDS if found else min(IDLE_SECONDS, pause_seconds * IDLE_GROWTH)
            )
        except (StreamError, ApiError) as error:
            log.warning("The stream cannot be read: %s", error)
            found, pause_seconds = 0, TROUBLE_SECONDS
            reader.forget_iterators()
        except Exception:
            log.exception("Changes come again")
            found, pause_seconds = 0, TROUBLE_SECONDS
            reader.forget_iterators()
        if not found:
            stopping.wait(pause_seconds)


def _handle(records: list[dict[str, object]]) -> list[str]:
    event = {"Records": [{**each, "eventSource": "aws:dynamodb"} for each in records]}
    return [each["itemIdentifier"] for each in wake.handle(event)["batchItemFailures"]]


def _keep(receivers: Receivers) -> NoReturn:
    """Have every queue read, and see to what is due now and then."""
    maintained_at = time.monotonic()
    resent_at = float("-inf")
    while True:
        try:
            receivers.adjust(_sources())
            if time.monotonic() - resent_at > RESEND_SECONDS:
                overdue_ms = 0 if resent_at < 0 else int(RESEND_SECONDS * 1000)
                resent_at = time.monotonic()
                services.maintenance.resend_lost_calls(resent_at + RESEND_SECONDS, overdue_ms)
            if time.monotonic() - maintained_at > MAINTENANCE_SECONDS:
                maintained_at = time.monotonic()
                wake.handle({"source": wake.MAINTENANCE})
        except Stopped:
            raise
        except Exception as error:
            log.warning("The pump waits: %s: %s", type(error).__name__, error)
        time.sleep(QUEUES_SECONDS)


def _sources() -> list[Source]:
    found = [
        Source(wakes.queue_name(), wakes.RECEIVED_SECONDS, in_groups=True, at_once=GROUPS_AT_ONCE)
    ]
    for queue in store.queues.all_of():
        function = store.functions.load(queue.function) if queue.function else None
        if function is not None:
            seconds = function.timeout_seconds + wakes.MARGIN_SECONDS + queue.window_seconds
            name = names.queue(settings().resource_prefix, queue.name)
            found.append(Source(name, int(seconds), queue.batch_size, queue.window_seconds))
    return found


if __name__ == "__main__":
    sys.exit(main())
