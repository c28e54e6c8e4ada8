"""When to try again: after a random pause ("full jitter"), and never past the deadline.

The source of the pauses is AWS's "Exponential backoff and jitter": the upper bound doubles
from one attempt to the next, and the pause is random below it, so that callers who were
refused together do not come back together.
"""

import random
import time
from contextvars import ContextVar

from chalicelib.config import settings
from chalicelib.errors import UnavailableError

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
MOST_ATTEMPTS = 10
ATTEMPT_SECONDS = 8.0
"""How long one attempt may wait for an answer; the deadline may allow less."""

deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""When the current request must be answered, on `time.monotonic`'s clock; `web` sets it."""


last_start: ContextVar[float | None] = ContextVar("last_start", default=None)
"""After when no attempt is repeated any more; one on its way may still finish."""


class OutcomeUnknownError(UnavailableError):
    """Nobody can say whether the write was made: read before you try again."""

    default_message = (
        "The database did not say whether the change was saved. Please check before trying again."
    )


class Patience:
    """The attempts of one call: how many there were and how long it may go on."""

    __slots__ = ("attempts", "deadline", "in_doubt")

    def __init__(self) -> None:
        self.attempts = 0
        self.in_doubt = False
        self.deadline = deadline.get() or time.monotonic() + settings().request_seconds

    def attempt_seconds(self) -> float:
        """Return how long the next attempt may take. Raises as `pause` if it is too late."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self._over()
        return min(left, ATTEMPT_SECONDS)

    def pause(self, cause: Exception, *, in_doubt: bool = False) -> None:
        """Sleep before the next attempt.

        Raises `UnavailableError` when the deadline or the attempts are used up, and its
        kind `OutcomeUnknownError` when an earlier attempt may have made the write.
        """
        self.attempts += 1
        self.in_doubt = in_doubt
        bound = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (self.attempts - 1))
        seconds = random.uniform(0, bound)  # noqa: S311  no secret, only spread
        until = min(self.deadline, last_start.get() or self.deadline)
        if self.attempts >= MOST_ATTEMPTS or time.monotonic() + seconds >= until:
            raise self._over() from cause
        time.sleep(seconds)

    def _over(self) -> UnavailableError:
        return OutcomeUnknownError() if self.in_doubt else UnavailableError()
