"""A thread that receives a queue's messages, has them worked on, and deletes those done with."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from chalicelib import aws
from chalicelib.aws.sqs import MissingQueueError
from chalicelib.events import wake
from chalicelib.services.queue_delivery import as_event
from chalicelib.services.wakes import Message

log = logging.getLogger("dormouse")

PAUSE_SECONDS = 1.0
STOP_SECONDS = 5.0
ARN = "arn:aws:sqs:local:000000000000:"


class Source(NamedTuple):
    """One queue, and how it is to be read."""

    queue: str
    """As SQS calls it."""
    hidden_seconds: int
    """How long messages are kept from others: the longest that the work on them may take."""
    batch: int = aws.sqs.MAX_BATCH
    window_seconds: int = 0
    """How long to wait for a batch to fill."""
    in_groups: bool = False
    """Each message group is worked on by itself, so that none waits for another."""
    at_once: int = 4
    """So many batches or groups are worked on side by side."""


class Receiver:
    """Reads one source until `stop`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._stopping = threading.Event()
        self._slots = threading.Semaphore(source.at_once)
        self._pool = ThreadPoolExecutor(source.at_once, thread_name_prefix=source.queue)
        self._thread = threading.Thread(target=self._run, name=source.queue, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Receive nothing more; what is being worked on goes on."""
        self._stopping.set()

    def wait(self, until: float) -> None:
        """Wait for what is being worked on, at most until `until` (monotonic seconds)."""
        for _ in range(self.source.at_once):
            if not self._slots.acquire(timeout=max(0.0, until - time.monotonic())):
                return

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._slots:
                pass  # nothing is received that nobody has time for
            for unit in self._units():
                self._slots.acquire()
                self._pool.submit(self._work, unit)
        self._pool.shutdown(wait=False)

    def _units(self) -> list[list[Message]]:
        try:
            found = self._receive()
        except MissingQueueError:
            self._stopping.wait(PAUSE_SECONDS)
            return []
        except Exception:
            if not self._stopping.wait(PAUSE_SECONDS):
                log.warning("The queue %s cannot be read", self.source.queue, exc_info=True)
            return []
        if not self.source.in_groups:
            return [found] if found else []
        groups: dict[str, list[Message]] = {}
        for message in found:
            groups.setdefault(message["attributes"]["MessageGroupId"], []).append(message)
        return list(groups.values())

    def _receive(self) -> list[Message]:
        source = self.source
        found = aws.sqs.receive(
            source.queue, source.hidden_seconds, aws.sqs.MAX_WAIT_SECONDS, source.batch
        )
        until = time.monotonic() + source.window_seconds
        while found and len(found) < source.batch and time.monotonic() < until:
            wait_seconds = min(aws.sqs.MAX_WAIT_SECONDS, int(until - time.monotonic()) + 1)
            room = source.batch - len(found)
            found += aws.sqs.receive(source.queue, source.hidden_seconds, wait_seconds, room)
        return [as_event(each, ARN + source.queue) for each in found]

    def _work(self, unit: list[Message]) -> None:
        try:
            answer = wake.handle({"Records": unit})
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            done = [each["receiptHandle"] for each in unit if each["messageId"] not in failed]
            aws.sqs.delete_batch(self.source.queue, done)
        except Exception:
            log.exception("Messages of %s come again", self.source.queue)
        finally:
            self._slots.release()


class Receivers:
    """The receivers of all sources there are; `adjust` when that may have changed."""

    def __init__(self) -> None:
        self._running: dict[str, Receiver] = {}

    def adjust(self, wanted: list[Source]) -> None:
        """Start, stop and replace receivers, so that each source has one."""
        sources = {each.queue: each for each in wanted}
        for queue, receiver in list(self._running.items()):
            if sources.get(queue) != receiver.source:
                receiver.stop()
                del self._running[queue]
        for queue, source in sources.items():
            if queue not in self._running:
                self._running[queue] = Receiver(source)

    def stop(self) -> None:
        """Stop all, and wait a moment for what they are at."""
        for receiver in self._running.values():
            receiver.stop()
        until = time.monotonic() + STOP_SECONDS
        for receiver in self._running.values():
            receiver.wait(until)
