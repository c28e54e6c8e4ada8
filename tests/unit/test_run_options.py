"""`make run` reads its options from the environment and says which one is wrong."""

from pathlib import Path

import pytest

from tools import options
from tools.options import OptionError, Options

VARIABLES = ["PORT", "AWS_PORT", "STATE_DIR", "SUPERUSER_EMAIL", "SUPERUSER_PASSWORD"]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"DORMOUSE_{name}", raising=False)


def test_without_variables_the_defaults_hold() -> None:
    assert options.read() == Options(8000, 4566, Path(".local"), "", "")


def test_each_variable_sets_its_option(monkeypatch: pytest.MonkeyPatch) -> None:
    values = ["8001", "4567", "/tmp/state", "me@example.com", "secret123"]
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(f"DORMOUSE_{name}", value)
    expected = Options(8001, 4567, Path("/tmp/state"), "me@example.com", "secret123")
    assert options.read() == expected


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "80.5", "²"])
def test_a_bad_port_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DORMOUSE_AWS_PORT", value)
    with pytest.raises(OptionError, match="DORMOUSE_AWS_PORT"):
        options.read()


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DORMOUSE_PORT", "")
    assert options.read().port == 8000


@pytest.mark.parametrize("name", ["DORMOUSE_SUPERUSER_EMAIL", "DORMOUSE_SUPERUSER_PASSWORD"])
def test_half_a_superuser_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "something")
    with pytest.raises(OptionError, match="go together"):
        options.read()
