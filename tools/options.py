"""Where `make run` runs, from the environment; docs/settings.md describes each variable."""

import os
from pathlib import Path
from typing import NamedTuple


class OptionError(Exception):
    """A variable has a value that cannot be used; the text names it."""


class Options(NamedTuple):
    """The variables of `make run`, with their defaults."""

    port: int = 8000
    aws_port: int = 4566
    state_directory: Path = Path(".local")
    superuser_email: str = ""
    """Who is created if there is no superuser yet; "" means a default and a random password."""
    superuser_password: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def read() -> Options:
    """Return the options that the environment sets. Raises `OptionError`."""
    options = Options(
        port=_port("DORMOUSE_PORT", Options().port),
        aws_port=_port("DORMOUSE_AWS_PORT", Options().aws_port),
        state_directory=Path(os.environ.get("DORMOUSE_STATE_DIR") or Options().state_directory),
        superuser_email=os.environ.get("DORMOUSE_SUPERUSER_EMAIL", ""),
        superuser_password=os.environ.get("DORMOUSE_SUPERUSER_PASSWORD", ""),
    )
    if bool(options.superuser_email) != bool(options.superuser_password):
        raise OptionError("DORMOUSE_SUPERUSER_EMAIL and DORMOUSE_SUPERUSER_PASSWORD go together")
    return options


def _port(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise OptionError(f"{name} is {text!r}, which is no port")
    return int(text)
