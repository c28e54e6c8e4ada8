"""Who is signed in where: a file that only its owner can read, or the environment.

`~/.config/dormouse/credentials.json` (under XDG_CONFIG_HOME if that is set) holds one token per
server and no password. DORMOUSE_URL and DORMOUSE_TOKEN override it. A stored token is sent only
to the server that gave it.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from tools.cli import program
from tools.cli.failures import Failure, SignInNeeded

DEFAULT_URL = "http://127.0.0.1:8000"
SIGN_IN = program.NAME + " login --url {url} --email YOU"


class Session(NamedTuple):
    """A server, and the token with which it is asked."""

    url: str
    token: str


def current(url: str = "") -> Session:
    """Return the server to talk to, `url` if given, and its token. Raises `SignInNeeded`."""
    stored = _read()
    wanted = normal(url or os.environ.get("DORMOUSE_URL") or stored["current"] or DEFAULT_URL)
    token = os.environ.get("DORMOUSE_TOKEN") or stored["tokens"].get(wanted, "")
    if not token:
        raise SignInNeeded(f"You are not signed in to {wanted}.", SIGN_IN.format(url=wanted))
    return Session(wanted, token)


def remember(session: Session) -> Path:
    """Keep a session as the current one; return the file it is in."""
    stored = _read()
    stored["tokens"][session.url] = session.token
    return _write({**stored, "current": session.url})


def forget(url: str = "") -> str:
    """Drop the token of a server, the current one by default; return its URL, "" if none."""
    stored = _read()
    gone = normal(url) if url else str(stored["current"])
    if stored["tokens"].pop(gone, None) is None:
        return ""
    left = next(iter(stored["tokens"]), "")
    _write({**stored, "current": left if stored["current"] == gone else stored["current"]})
    return gone


def normal(url: str) -> str:
    """Return a server's URL as it is stored. Raises `Failure` for what is no http(s) URL."""
    text = url.strip().rstrip("/").removesuffix("/api")
    if not text.startswith(("http://", "https://")):
        raise Failure(f"{url!r} is no URL of a server.", f"Try http://{text or '127.0.0.1:8000'}")
    return text


def file() -> Path:
    """Return where the tokens are."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "dormouse" / "credentials.json"


def _read() -> dict[str, Any]:
    try:
        stored = json.loads(file().read_text())
        return {"current": str(stored["current"]), "tokens": dict(stored["tokens"])}
    except FileNotFoundError:
        return {"current": "", "tokens": {}}
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{file()} cannot be read.", "Delete it and sign in again.") from error


def _write(stored: dict[str, Any]) -> Path:
    """Replace the file in one step; it never exists with a mode that others can read."""
    path = file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        json.dump(stored, opened, indent=1)
    new.replace(path)
    return path
