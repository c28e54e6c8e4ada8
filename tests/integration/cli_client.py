"""The command line for functions, with a home of its own, as tests use it."""

import fcntl
import io
import json
import os
import pty
import subprocess
import sys
import termios
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tools.cli.__main__ import main

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """The command line with a home of its own; calling it runs one command."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("DORMOUSE_")
        }
        self.environment |= {"XDG_CONFIG_HOME": str(home), "DORMOUSE_STATE_DIR": str(home)}

    def __call__(self, *words: str, given: str = "", **environment: str) -> Done:
        """Run one command in this process, which saves the start of another."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("DORMOUSE_")]:
                patch.delenv(name)
            for name, value in (self.environment | environment).items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(given))
            with redirect_stdout(out), redirect_stderr(err):
                status = _status(list(words))
        return Done(status, out.getvalue(), err.getvalue())

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start one command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "tools.cli", *words],
            cwd=ROOT, env=self.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def ok(self, *words: str) -> Any:
        """Return the JSON of what must succeed."""
        done = self(*words, "--json")
        assert done.status == 0, done
        return done.json

    def sign_in(self, email: str, password: str) -> Done:
        where = ("--url", self.url, "--email", email, "--password-stdin")
        return self("login", *where, given=password + "\n")


def _status(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as ended:  # argparse's way
        return int(ended.code or 0)


class Terminal:
    """A command at a terminal, to be answered as a person would."""

    def __init__(self, cli: Cli, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.cli", *words],
            cwd=ROOT, env=cli.environment, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(theirs)
        self.text = ""

    def until(self, text: str) -> "Terminal":
        while text not in self.text:
            self.text += os.read(self._ours, 4096).decode()
        return self

    def type(self, text: str) -> "Terminal":
        os.write(self._ours, text.encode())
        return self

    def end(self) -> int:
        """Return the exit status; `text` is all that was shown then."""
        with suppress(OSError):  # Linux's way to say that nobody has the terminal open any more
            while shown := os.read(self._ours, 4096):
                self.text += shown.decode()
        os.close(self._ours)
        return self.process.wait(20)


def _take_terminal() -> None:
    """Make standard input the terminal that getpass opens."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
