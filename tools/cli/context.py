"""What every command gets: where to say things, and the server that it asks."""

from functools import cached_property
from typing import Any

from tools.cli import session
from tools.cli.api import Api, segment
from tools.cli.failures import NotThere
from tools.cli.output import Output


class Context:
    """One run of the command line."""

    def __init__(self, out: Output, url: str = "") -> None:
        self.out = out
        self._url = url

    @cached_property
    def api(self) -> Api:
        """The server, asked as who is signed in. Raises `SignInNeeded`."""
        return Api(session.current(self._url))

    def function(self, name: str) -> dict[str, Any] | None:
        """Return a function as the API has it, None if there is none."""
        try:
            found: dict[str, Any] = self.api.get(function_path(name))
        except NotThere:
            return None
        return found


def function_path(name: str, *more: str) -> str:
    """Return the path of a function, or of what belongs to it."""
    return "/".join(["/api/functions", segment(name), *map(segment, more)])
