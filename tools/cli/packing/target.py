"""For which machine packages are taken."""

import platform
import sys
from typing import NamedTuple
from urllib.parse import urlsplit

from chalicelib.domain.functions.function import ARCHITECTURE

AL2_PYTHON = "3.11"
"""The last Python whose runtime is Amazon Linux 2 (glibc 2.26); later ones have glibc 2.34."""

_MACHINES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


class Target(NamedTuple):
    """A runtime on a machine. `native`: the very machine and interpreter that packs."""

    runtime: str
    architecture: str
    native: bool = False

    @property
    def python(self) -> str:
        """The Python version that packages must suit, as 3.13."""
        if self.native:
            return f"{sys.version_info.major}.{sys.version_info.minor}"
        return self.runtime.removeprefix("python")

    @property
    def machine(self) -> str:
        """The architecture as wheels name it."""
        return "aarch64" if self.architecture == "arm64" else "x86_64"

    @property
    def glibc_minor(self) -> int:
        """The newest glibc 2.x that a wheel may ask for."""
        return 26 if self.python <= AL2_PYTHON else 34


def choose(runtime: str, url: str, architecture: str = "") -> Target:
    """Return the target of a function. `architecture` is the server's word, "" if it has none.

    The local AWS runs every Python runtime with its own interpreter on this machine, so what is
    deployed to it takes the packages of that one.
    """
    if is_local(url):
        return Target(runtime, host_architecture(), native=True)
    return Target(runtime, architecture or ARCHITECTURE)


def is_local(url: str) -> bool:
    """Return whether a server's URL is this machine."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def host_architecture() -> str:
    machine = platform.machine().lower()
    return _MACHINES.get(machine, machine)
