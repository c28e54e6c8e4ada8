"""The workers of all functions: warm ones are used again, idle ones end after some minutes.

How many calls of a function may run at once is ministack's matter (reserved concurrency). Here
only this machine's memory is a bound: the longest idle worker gives way to a new one.
"""

import threading
import time
from collections.abc import Callable

from tools.local_aws import lambda_memory
from tools.local_aws.lambda_files import Files
from tools.local_aws.lambda_guard import Guard
from tools.local_aws.lambda_versions import MIB, Key, Version
from tools.local_aws.lambda_worker import Worker

IDLE_SECONDS = 300.0
REAP_SECONDS = 5.0
WORKER_BYTES = 64 * MIB
"""What a worker is taken to hold: half of the machine's memory is for them."""


class Pool:
    """All workers. Its methods may be called by any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._idle: list[Worker] = []
        """The one used last is at the end."""
        self._busy: set[Worker] = set()
        self._files: Files | None = None
        self._guard: Guard | None = None
        self._limit = max(8, lambda_memory.machine_bytes() // 2 // WORKER_BYTES)

    def lease(self, version: Version) -> Worker | None:
        """Return a worker for a call, None if there is no room for one."""
        with self._lock:
            unfit = self._taken(lambda worker: _is_unfit(worker, version))
            found = self._take(version)
            unwanted = [] if found else self._room()
        _close([*unfit, *(unwanted or ())])
        if unwanted is None:
            return None
        return found or self._made(version)

    def release(self, worker: Worker) -> None:
        """Take a worker back after its call."""
        with self._lock:
            self._busy.discard(worker)
            worker.last_used = time.monotonic()
            if not worker.is_done:
                self._idle.append(worker)
                return
        worker.close()

    def retire(self, is_old: Callable[[Key], bool]) -> None:
        """End the workers of some versions, those in a call after it."""
        with self._lock:
            for worker in self._busy:
                worker.is_done = worker.is_done or is_old(worker.version.key)
            unwanted = self._taken(lambda worker: is_old(worker.version.key))
        _close(unwanted)

    def reset(self) -> None:
        """End all workers at once, calls or not, and forget all code."""
        with self._lock:
            for worker in self._busy:
                worker.abort()
            _close(self._taken(lambda _: True))
            if self._files and not self._busy:
                self._files.prune(0.0, set())

    def _made(self, version: Version) -> Worker:
        with self._lock:
            if not self._files or not self._guard:
                self._files = Files()
                self._guard = Guard(self._files.base)
                threading.Thread(target=self._reap, name="lambda-reaper", daemon=True).start()
            worker = Worker(version, self._files, self._guard)
            self._busy.add(worker)
        return worker

    def _take(self, version: Version) -> Worker | None:
        """Return the warm worker that was used last."""
        for worker in reversed(self._idle):
            if worker.version.key == version.key:
                self._idle.remove(worker)
                self._busy.add(worker)
                return worker
        return None

    def _room(self) -> list[Worker] | None:
        """Return which idle workers must end for a new one, None if that would not do."""
        excess = len(self._idle) + len(self._busy) + 1 - self._limit
        if excess <= 0:
            return []
        unwanted, self._idle = self._idle[:excess], self._idle[excess:]
        return unwanted if len(unwanted) == excess else None

    def _taken(self, is_unwanted: Callable[[Worker], bool]) -> list[Worker]:
        """Take idle workers out and return them."""
        unwanted = [worker for worker in self._idle if is_unwanted(worker)]
        self._idle = [worker for worker in self._idle if worker not in unwanted]
        return unwanted

    def _reap(self) -> None:
        while True:
            time.sleep(REAP_SECONDS)
            with self._lock:
                unwanted = self._taken(_is_spent)
                workers = [*self._idle, *self._busy]
            _close(unwanted)
            if self._files:
                used = {path for worker in workers for path in worker.directories}
                self._files.prune(IDLE_SECONDS, used)


def _is_unfit(worker: Worker, version: Version) -> bool:
    """Return whether a worker of a version can serve it no more."""
    is_same = worker.version.fingerprint == version.fingerprint
    return worker.version.key == version.key and not (is_same and worker.is_alive)


def _is_spent(worker: Worker) -> bool:
    return not worker.is_alive or worker.last_used < time.monotonic() - IDLE_SECONDS


def _close(workers: list[Worker]) -> None:
    for worker in workers:  # so that all end at the same time
        worker.abort()
    for worker in workers:
        worker.close()
