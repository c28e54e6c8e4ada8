"""The file of tokens: for its owner's eyes, one token per server, and the environment's word."""

import os
import stat
from pathlib import Path

import pytest

from tools.cli import session
from tools.cli.failures import Failure, SignInNeeded
from tools.cli.session import Session

HERE, THERE = "http://127.0.0.1:8000", "https://api.example.com"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("DORMOUSE_URL", "DORMOUSE_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_only_the_owner_can_read_the_file_even_if_it_was_open_before() -> None:
    old = os.umask(0)
    try:
        file = session.remember(Session(HERE, "secret"))
        file.chmod(0o666)
        session.remember(Session(HERE, "newer"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["credentials.json"]


def test_the_last_server_signed_in_to_is_the_current_one() -> None:
    session.remember(Session(HERE, "a"))
    session.remember(Session(THERE, "b"))
    assert session.current() == Session(THERE, "b")
    assert session.current(HERE + "/") == Session(HERE, "a")


def test_a_token_goes_to_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    session.remember(Session(HERE, "a"))
    monkeypatch.setenv("DORMOUSE_URL", THERE)
    with pytest.raises(SignInNeeded) as caught:
        session.current()
    assert f"login --url {THERE}" in caught.value.hint
    monkeypatch.setenv("DORMOUSE_TOKEN", "from the pipeline")
    assert session.current() == Session(THERE, "from the pipeline")


def test_signing_out_forgets_the_token_and_falls_back_to_another_server() -> None:
    session.remember(Session(HERE, "a"))
    session.remember(Session(THERE, "b"))
    assert session.forget() == THERE
    assert session.current() == Session(HERE, "a")
    assert session.forget(HERE) == HERE
    assert session.forget() == ""
    with pytest.raises(SignInNeeded):
        session.current()


def test_a_file_that_cannot_be_read_says_what_to_do() -> None:
    file = session.remember(Session(HERE, "a"))
    file.write_text("{")
    with pytest.raises(Failure) as caught:
        session.current()
    assert "Delete it" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" http://a:1/ ", "http://a:1"),
        ("https://a/api/", "https://a"),
        ("https://a/p", "https://a/p"),
    ],
)
def test_a_url_is_kept_in_one_form(text: str, url: str) -> None:
    assert session.normal(text) == url


@pytest.mark.parametrize("text", ["127.0.0.1:8000", "ftp://a", ""])
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(Failure, match="is no URL"):
        session.normal(text)
