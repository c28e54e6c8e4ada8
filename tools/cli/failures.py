"""Why a command failed, and the exit status that tells a script.

    Failure            5  refused: what was given is not accepted, here or by the server
    ├── CallFailed     1  the function ran and failed
    ├── SignInNeeded   3  no token, an old one, or one without the right
    ├── NotThere       4  no such function or call
    ├── OutOfReach     6  no connection, or the server failed
    └── HeldBack       7  throttled by the concurrency, or stopped by the money cap

2 is argparse's own status for a command that cannot be read, 130 Ctrl-C's.
"""

from typing import Any

INTERRUPTED = 130


class Failure(Exception):  # noqa: N818 - reads as what it is; subclasses name the kind
    """A failure that the person at the terminal can do something about."""

    exit_status = 5
    code = "refused"

    def __init__(self, message: str, hint: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.data = data or {}


class CallFailed(Failure):
    exit_status = 1
    code = "callFailed"


class SignInNeeded(Failure):
    exit_status = 3
    code = "signInNeeded"


class NotThere(Failure):
    exit_status = 4
    code = "notFound"


class OutOfReach(Failure):
    exit_status = 6
    code = "outOfReach"


class HeldBack(Failure):
    exit_status = 7
    code = "heldBack"
