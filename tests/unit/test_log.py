"""Log lines are JSON, one per event, and tell no secret."""

import json
from typing import Any

import pytest

from chalicelib import log


def _logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    text = capsys.readouterr().err
    assert text.endswith("\n")
    assert text.count("\n") == 1
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_line_has_time_level_event_and_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("record created", collection="posts", took_ms=12)
    line = _logged(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info", "event": "record created", "collection": "posts", "took_ms": 12
    }  # fmt: skip


def test_the_level_is_the_function_that_logs(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning("slow")
    assert _logged(capsys)["level"] == "warning"
    log.error("broken")
    assert _logged(capsys)["level"] == "error"


@pytest.mark.parametrize("name", ["password", "tokenKey", "Authorization", "authToken", "secret"])
def test_values_of_secret_fields_are_masked(capsys: pytest.CaptureFixture[str], name: str) -> None:
    log.info("request", **{name: "abc123"}, body={name: "abc123", "list": [{name: "abc123"}]})
    assert "abc123" not in json.dumps(_logged(capsys))


def test_an_unset_secret_is_shown_as_unset(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("settings", smtp_password="")
    assert _logged(capsys)["smtp_password"] == ""


def test_a_value_that_json_cannot_hold_is_logged_as_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.info("failed", error=ValueError("no such thing"), text="line\nbreak")
    line = _logged(capsys)
    assert (line["error"], line["text"]) == ("no such thing", "line\nbreak")
