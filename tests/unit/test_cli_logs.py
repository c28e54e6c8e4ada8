"""Following a log while the server comes and goes."""

import io
from typing import Any

import pytest

from tools.cli import options
from tools.cli.api import Api
from tools.cli.commands import logs
from tools.cli.context import Context
from tools.cli.failures import OutOfReach
from tools.cli.output import Output
from tools.cli.session import Session

GONE = OutOfReach("Nothing listens at 127.0.0.1:1.")


class Served(Api):
    """A server whose answers are known; the last is Ctrl-C."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(Session("http://127.0.0.1:1", "token"))
        self.answers = list(answers)
        self.asked_after: list[str] = []

    def get(self, path: str, **query: Any) -> Any:
        self.asked_after.append(query["after"])
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def page(after: str, *messages: str) -> dict[str, Any]:
    items = [{"time": "2026-11-23 07:00:00.000Z", "message": text} for text in messages]
    return {"items": items, "after": after}


def run(server: Served, *words: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    context = Context(Output(False, out, err))
    context.api = server
    chosen = options.parse(["logs", "talk", *words])
    chosen.run(context, chosen)
    return out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(logs, "AWAY_SECONDS", 0.0)


def test_all_pages_are_read_and_then_it_ends() -> None:
    server = Served(page("1", "one"), page("2", "two"), page("2"))
    out, _ = run(server)
    assert [line.split("  ")[1] for line in out.splitlines()] == ["one", "two"]
    assert server.asked_after == ["", "1", "2"]


def test_who_follows_waits_for_a_server_that_is_away_and_misses_nothing() -> None:
    server = Served(page("1", "one"), GONE, GONE, page("2", "two"), page("2"), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(server, "-f")
    assert server.asked_after == ["", "1", "1", "1", "2", "2"]


def test_a_server_that_was_never_there_is_not_waited_for() -> None:
    with pytest.raises(OutOfReach):
        run(Served(GONE), "-f")
    with pytest.raises(OutOfReach):
        run(Served(page("1", "one"), GONE))
