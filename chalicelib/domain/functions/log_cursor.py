"""Where somebody who follows a function's log has got to, though lines come late and together.

Many lines share one millisecond, and a line may become visible after later ones of other
streams. Within one stream lines keep their order. So a cursor says from when it looks again
(`since_ms`, some seconds before the last line), and of each stream how many lines from then on
were handed out. Nothing is handed out twice; nothing is lost that becomes visible within
`LATE_MS`.

A stream is known by a short hash: of all streams of some seconds no two need share it.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple

LATE_MS = 10_000
"""How much later than a line of another stream one may become visible."""
_LATEST_MS = 2**53
MOST_LINES, MOST_STREAMS = 5_000, 200
"""What is read again, and what a cursor names, at most; then it looks back less far."""


class Line(NamedTuple):
    time_ms: int
    stream: str
    message: str


class Cursor(NamedTuple):
    since_ms: int
    seen: dict[str, int]
    """By stream, how many of its lines since then were handed out."""


class WrongCursorError(Exception):
    """The text is no cursor of ours."""


class Reader:
    """Goes over the lines since a cursor, in order, and tells new ones from old."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._left = dict(cursor.seen)
        self._read: list[tuple[int, str]] = []

    def is_new(self, line: Line) -> bool:
        """Say whether a line was not handed out yet; from now on it was."""
        stream = name_of(line.stream)
        self._read.append((line.time_ms, stream))
        if not self._left.get(stream):
            return True
        self._left[stream] -= 1
        return False

    def cursor(self) -> Cursor:
        """Return where to go on. If nothing was read that is where we were."""
        if not self._read:
            return self._cursor
        last_ms = max(time_ms for time_ms, _ in self._read)
        for since_ms in (max(last_ms - LATE_MS, self._cursor.since_ms), last_ms):
            # What was handed out but not read again lies behind what was read.
            seen = {stream: count for stream, count in self._left.items() if count}
            for time_ms, stream in self._read:
                if time_ms >= since_ms:
                    seen[stream] = seen.get(stream, 0) + 1
            if len(seen) <= MOST_STREAMS and sum(seen.values()) <= MOST_LINES:
                break
        return Cursor(since_ms, seen)


def name_of(stream: str) -> str:
    return sha256(stream.encode("utf-8", "replace")).hexdigest()[:8]


def text_of(cursor: Cursor) -> str:
    """Return a cursor as clients carry it."""
    return urlsafe_b64encode(json.dumps(cursor).encode()).rstrip(b"=").decode()


def read(text: str) -> Cursor:
    """Return the cursor of a text. Raises `WrongCursorError`."""
    try:
        since_ms, seen = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        known = {str(name): int(count) for name, count in seen.items()}
        if not 0 <= since_ms <= _LATEST_MS or any(count < 0 for count in known.values()):
            raise WrongCursorError(text[:80])
        return Cursor(int(since_ms), known)
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise WrongCursorError(text[:80]) from None
