import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from chalicelib.aws import credentials
from chalicelib.aws.credentials import Credentials

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    credentials.forget()
    yield
    credentials.forget()


class Provided:
    """What botocore's chain gives: each freeze may bring renewed keys."""

    def __init__(self) -> None:
        self.freezes = 0

    def get_frozen_credentials(self) -> Any:
        self.freezes += 1
        return SimpleNamespace(access_key=f"key{self.freezes}", secret_key="s", token="t")


def put_botocore_in_place(monkeypatch: pytest.MonkeyPatch, provided: Provided | None) -> list[str]:
    """Replace `botocore.session` and return a list that grows with each session made."""
    made: list[str] = []

    def get_session() -> Any:
        made.append("session")
        return SimpleNamespace(get_credentials=lambda: provided)

    module = ModuleType("botocore.session")
    module.get_session = get_session  # type: ignore[attr-defined]
    package = ModuleType("botocore")
    package.session = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "botocore", package)
    monkeypatch.setitem(sys.modules, "botocore.session", module)
    return made


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    made = put_botocore_in_place(monkeypatch, Provided())
    for name in VARIABLES:
        monkeypatch.setenv(name, name.lower())

    assert credentials.current() == Credentials(*(name.lower() for name in VARIABLES))
    assert made == []


def test_an_empty_session_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")

    assert credentials.current() == Credentials("a", "b", None)


def test_half_a_key_pair_in_the_environment_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_botocore_in_place(monkeypatch, Provided())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")

    assert credentials.current().access_key == "key1"


def test_provided_credentials_are_asked_each_time_so_that_they_renew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = put_botocore_in_place(monkeypatch, Provided())

    assert [credentials.current().access_key for _ in range(3)] == ["key1", "key2", "key3"]
    assert made == ["session"]


def test_without_any_provider_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    put_botocore_in_place(monkeypatch, None)

    with pytest.raises(credentials.MissingCredentialsError, match="AWS_ACCESS_KEY_ID"):
        credentials.current()
