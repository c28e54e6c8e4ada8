"""Holds: one request at a time works on a function; the others wait their turn.

A hold is a time in the function's item. It ends with the request, or by itself when the request
died. Each write of the holder fails if somebody else has written meanwhile.
"""

import time
from contextlib import suppress
from typing import Any

from chalicelib import store
from chalicelib.aws import retries
from chalicelib.config import settings
from chalicelib.errors import ApiError, NotFoundError, UnavailableError
from chalicelib.store.functions import MovedError, Stored

_PAUSE_SECONDS = 0.1
_MARGIN_SECONDS = 2.0
"""A call to AWS that has begun may end a little after the request's deadline."""


class Hold:
    """A function that nobody else works on."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.is_over = False

    def put(self, **changes: Any) -> None:
        """Write the function's item with these changes. Raises `UnavailableError`."""
        rev = self.stored.function.rev
        try:
            self.stored = store.functions.put(self.stored._replace(**changes), rev)
        except MovedError as error:
            self.is_over = True
            raise _held_by_another() from error

    def delete(self) -> None:
        """Forget the function. Raises `UnavailableError`."""
        self.is_over = True
        try:
            store.functions.delete(self.stored.function)
        except MovedError as error:
            raise _held_by_another() from error

    def release(self) -> None:
        """Let others go on."""
        if not self.is_over:
            self.put(busy_ms=0)
            self.is_over = True

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Release it, unless the process is being killed: then nothing more is done."""
        if kind is None:
            self.release()
        elif issubclass(kind, Exception):
            with suppress(ApiError):
                self.release()


def held(name: str) -> Hold:
    """Return a hold of a function, for a `with`; wait for whoever holds it now.

    Raises `NotFoundError`, or `UnavailableError` if the wait is too long.
    """
    return Hold(_taken(name))


def is_held(stored: Stored) -> bool:
    """Whether a request works on the function now."""
    return stored.busy_ms > time.time() * 1000


def until_ms() -> int:
    """Return the time in an item that holds it for this request."""
    return int((time.time() + max(seconds_left(), 0.0) + _MARGIN_SECONDS) * 1000)


def seconds_left() -> float:
    """Return how long this request may still work."""
    deadline = retries.deadline.get()
    return settings().request_seconds if deadline is None else deadline - time.monotonic()


def _taken(name: str) -> Stored:
    until = time.monotonic() + seconds_left() / 2  # the rest is for the work
    while time.monotonic() < until:
        stored = store.functions.read(name)
        if stored is None:
            raise NotFoundError
        if not is_held(stored):
            with suppress(MovedError):
                taken = stored._replace(busy_ms=until_ms())
                return store.functions.put(taken, stored.function.rev)
        time.sleep(_PAUSE_SECONDS)
    raise _held_by_another()


def _held_by_another() -> UnavailableError:
    return UnavailableError("The function is being changed by another request. Please try again.")
