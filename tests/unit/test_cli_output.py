"""What the command line shows: results, failures, tables, sums of money, progress."""

import io
import json
from decimal import Decimal

import pytest

from tools.cli import output
from tools.cli.failures import Failure, NotThere
from tools.cli.output import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(as_json: bool) -> tuple[Output, io.StringIO, io.StringIO]:
    stdout, stderr = io.StringIO(), io.StringIO()
    return Output(as_json, stdout, stderr), stdout, stderr


def test_with_json_stdout_holds_the_document_and_nothing_else() -> None:
    out, stdout, stderr = shown(True)
    out.say("Uploading")
    out.result({"usd": Decimal("0.0000002"), "name": "ä"}, "two lines\nof text")
    assert json.loads(stdout.getvalue()) == {"usd": 2e-7, "name": "ä"}
    assert stderr.getvalue() == ""


def test_without_json_stdout_holds_the_text_alone() -> None:
    out, stdout, stderr = shown(False)
    out.say("Uploading")
    out.result({}, "done")
    assert (stdout.getvalue(), stderr.getvalue()) == ("done\n", "Uploading\n")


def test_a_failure_says_why_for_each_field_and_what_to_do() -> None:
    out, stdout, stderr = shown(False)
    data = {
        "memoryMb": {"code": "x", "message": "Must be at least 128"},
        "triggers": {"0": {"type": {"code": "x", "message": "Unknown"}}},
        "limit": 3,
    }
    out.failure(Failure("Refused.", "Try again.", data))
    assert stdout.getvalue() == ""
    assert stderr.getvalue().splitlines() == [
        "dormouse: Refused.",
        "  memoryMb: Must be at least 128",
        "  triggers.0.type: Unknown",
        "  limit: 3",
        "  -> Try again.",
    ]


def test_a_failure_as_json_goes_to_stderr() -> None:
    out, stdout, stderr = shown(True)
    out.failure(NotThere("No such function.", "list"))
    assert stdout.getvalue() == ""
    assert json.loads(stderr.getvalue())["error"] == {
        "code": "notFound", "exit": 4, "message": "No such function.", "hint": "list", "data": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (Decimal("2.083E-7"), "$0.0000002083"),  # never in powers of ten
        (Decimal("1.50"), "$1.5"),
        (10, "$10"),
        (Decimal("100.0"), "$100"),
        (None, "$0"),
    ],
)
def test_money(usd: Decimal | int | None, text: str) -> None:
    assert output.money(usd) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 KB"),
        (52_428_800, "52.4 MB"),
        (2e9, "2.0 GB"),
    ],
)
def test_size(size_bytes: float, text: str) -> None:
    assert output.size(size_bytes) == text


def test_a_table_aligns_texts_left_and_numbers_right() -> None:
    assert output.table(("name", "calls"), [["a", 5], ["longer", 1234]]).splitlines() == [
        "name    calls",
        "a           5",
        "longer   1234",
    ]


def test_a_terminal_gets_a_bar() -> None:
    terminal = Terminal()
    show = Output(False, io.StringIO(), terminal).progress("Uploading")
    for sent in (0, 50, 100):
        show(sent, 100)
    frames = terminal.getvalue().split("\r")
    assert "  0% of 100 bytes" in frames[1]
    assert f"[{'#' * 15:<30}]  50%" in frames[2]
    assert frames[3].endswith("\n")
    assert terminal.getvalue().count("\n") == 1


def test_no_terminal_gets_plain_lines_and_json_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LINE_SECONDS", 0.0)
    out, _, stderr = shown(False)
    out.progress("Uploading")(1_000_000, 4_000_000)
    assert stderr.getvalue() == "Uploading 1.0 MB of 4.0 MB\n"
    out, stdout, stderr = shown(True)
    out.progress("Uploading")(1, 4)
    assert stdout.getvalue() + stderr.getvalue() == ""
