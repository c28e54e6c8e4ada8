"""Which command lines there are, and what each failure of a call means for a script."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from tools.cli import api, options
from tools.cli.api import Answer
from tools.cli.commands import calls, invoke, kinds
from tools.cli.failures import Failure


@pytest.mark.parametrize(
    "line",
    [
        "deploy examples --name a", "list", "show a", "delete a --yes", "rollback a 2",
        "invoke a --event {} --version 2 --idempotency-key k", "invoke a --async",
        "logs a -f --after x", "invocations a --status failed", "invocations a 01",
        "replay a 01 --version 2", "download a -o a.zip", "dead-letters a --redrive-all",
    ],
)  # fmt: skip
def test_a_function_command_is_the_same_alone_and_in_its_group(line: str) -> None:
    alone = options.parse(line.split())
    assert options.parse(["functions", *line.split()]) == alone
    assert callable(alone.run)


@pytest.mark.parametrize("line", ["--json list", "list --json", "functions list --json"])
def test_json_may_stand_before_and_after_the_command(line: str) -> None:
    assert options.parse(line.split()).json is True
    assert options.parse(["list"]).json is False


@pytest.mark.parametrize("line", ["list --url http://a", "--url http://a list"])
def test_so_may_the_url(line: str) -> None:
    assert options.parse(line.split()).url == "http://a"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "required: COMMAND"),
        ("fly", "invalid choice: 'fly'"),
        ("invoke", "required: NAME"),
        ("invoke a --async --dry-run", "not allowed with"),
        ("invoke a --version 0", "no whole number from 1"),
        ("rollback a live", "no whole number from 1"),
        ("deploy a --env NAME", "not NAME=VALUE"),
        ("deploy a --trigger {", "no JSON"),
        ("queues send a", "required: --body"),
    ],
)
def test_what_cannot_be_read_ends_with_2(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        options.parse(line.split())
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("status", "data", "exit_status", "hint"),
    [
        (301, {}, 6, "URL that it sends to"),
        (400, {}, 5, ""),
        (401, {}, 3, "login --url http://a"),
        (403, {}, 3, "login --url http://a"),
        (404, {}, 4, "list"),
        (413, {}, 5, ""),
        (429, {"code": "capped"}, 7, "cap_usd"),
        (429, {"code": "throttled"}, 7, "Try again in 3 s"),
        (500, {}, 6, "log"),
        (503, {}, 6, "Try again"),
    ],
)
def test_an_answers_status_decides_how_the_command_ends(
    status: int, data: dict[str, str], exit_status: int, hint: str
) -> None:
    content = json.dumps({"message": "Why.", "data": data, "status": status}).encode()
    failure = api.failure(Answer(status, {"retry-after": "3"}, content), "http://a")
    assert failure.exit_status == exit_status
    assert "Why." in str(failure) or status < 400
    assert hint in failure.hint


def test_an_answer_that_is_no_envelope_is_told_by_its_status() -> None:
    failure = api.failure(Answer(502, {}, b"<html>"), "http://a")
    assert "The server answered 502." in str(failure)
    with pytest.raises(Failure, match="no JSON"):
        Answer(200, {}, b"<html>").json()


def test_pairs_keep_everything_behind_the_first_sign() -> None:
    assert kinds.pair("A=b=c") == ("A", "b=c")
    with pytest.raises(argparse.ArgumentTypeError):
        kinds.pair("=b")


def test_a_diff_reads_line_by_line() -> None:
    difference: list[dict[str, Any]] = [
        {"path": "$.total", "before": 1, "after": 2},
        {"path": "$.new", "after": "x"},
        {"more": 7},
    ]
    assert calls.difference_text(difference, "01").splitlines() == [
        "Compared with 01:",
        "  $.total",
        "    - 1",
        "    + 2",
        "  $.new",
        '    + "x"',
        "  7 more",
    ]
    assert calls.difference_text([], "01") == "The same outcome as 01."


def test_an_event_comes_from_the_option_or_a_file(tmp_path: Path) -> None:
    assert invoke.event('{"a": 1}') == {"a": 1}
    with pytest.raises(Failure) as caught:
        invoke.event("{a: 1}")
    assert "Quote it" in caught.value.hint
    with pytest.raises(Failure, match="cannot be read"):
        invoke.event(f"@{tmp_path / 'nothing.json'}")
