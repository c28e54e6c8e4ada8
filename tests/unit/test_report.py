"""The platform's REPORT line, in every form it takes, and lines that only look like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.functions import report
from chalicelib.domain.functions.report import Report

ID = "8f507cfc-7a1c-4b0e-9d3a-1c2b3a4d5e6f"
OTHER = "00000000-7a1c-4b0e-9d3a-1c2b3a4d5e6f"
LINE = (
    f"REPORT RequestId: {ID}\tDuration: 12.34 ms\tBilled Duration: 13 ms"
    "\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t"
)
WARM = Report(ID, 12.34, 13, 128, 40)


def tail(line: str = LINE, output: str = "hello\n", request_id: str = ID) -> str:
    return (
        f"START RequestId: {request_id} Version: $LATEST\n{output}"
        f"END RequestId: {request_id}\n{line}\n"
    )


FORMS = {
    "warm": (LINE, WARM),
    "cold": (LINE + "Init Duration: 120.12 ms\t", WARM._replace(init_ms=120.12)),
    "restored": (
        LINE + "Restore Duration: 476.22 ms\tBilled Restore Duration: 85 ms\t",
        WARM._replace(restore_ms=476.22, billed_restore_ms=85),
    ),
    "timed out": (LINE + "Status: timeout", WARM._replace(status="timeout")),
    "timed out when cold": (
        LINE + "Init Duration: 99.00 ms\tStatus: timeout",
        WARM._replace(init_ms=99.0, status="timeout"),
    ),
    "out of memory": (
        LINE + "Status: error\tError Type: Runtime.OutOfMemory",
        WARM._replace(status="error", error_type="Runtime.OutOfMemory"),
    ),
    "exited": (
        LINE + "Status: error\tError Type: Runtime.ExitError",
        WARM._replace(status="error", error_type="Runtime.ExitError"),
    ),
    "traced": (LINE + f"\nXRAY TraceId: 1-5f\tSegmentId: 1a\tSampled: true\t\nX {ID}", WARM),
    "with a carriage return": (LINE + "\r", WARM),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str) -> None:
    line, expected = FORMS[form]
    assert report.parse(tail(line), ID) == expected
    assert report.parse(tail(line)) == expected


def test_a_tail_whose_beginning_is_lost_is_read() -> None:
    whole = tail(LINE, "x" * 5000)
    assert report.parse(whole[-4096:], ID) == WARM
    assert report.parse(LINE, ID) == WARM


@pytest.mark.parametrize(
    "text", ["", "hello", LINE[:-20], LINE[1:], "said: " + LINE, LINE.replace("13 ms", "no ms")]
)
def test_a_tail_without_the_line_gives_none(text: str) -> None:
    assert report.parse(text, ID) is None


def test_a_function_cannot_pass_off_its_own_line() -> None:
    lie = LINE.replace("Billed Duration: 13 ms", "Billed Duration: 0 ms")
    assert report.parse(tail(output=lie + "\n"), ID) == WARM
    of_another = LINE.replace(ID, OTHER)
    assert report.parse(tail(of_another), ID) is None
    assert report.parse(tail() + of_another + "\n", ID) == WARM


@given(st.text(max_size=200))
def test_any_output_leaves_the_report_as_it_is(output: str) -> None:
    assert report.parse(tail(output=output + "\n"), ID) == WARM


def test_what_the_function_wrote_is_left() -> None:
    cold = "INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:aws:lambda:x\n"
    traced = LINE + "\nXRAY TraceId: 1-5f\tSegmentId: 1a\tSampled: true\t"
    assert report.without_platform_lines(cold + tail(traced, "one\n\ntwo\n"), ID) == "one\n\ntwo\n"
    assert report.without_platform_lines(tail(), "") == "hello\n"


def test_lines_that_only_look_like_the_platforms_stay() -> None:
    own = f"START now\nEND of it\nREPORT of the day\n{LINE.replace(ID, OTHER)}\n"
    assert report.without_platform_lines(tail(output=own), ID) == own


def test_output_without_a_line_end_loses_only_the_platforms_end() -> None:
    assert report.without_platform_lines(tail(output="no line end"), ID) == "no line end"


def test_a_start_line_that_is_cut_goes_too() -> None:
    whole = tail()
    assert report.without_platform_lines(whole[10:], ID) == "hello\n"
    assert report.without_platform_lines(whole[40:], ID) == "hello\n"
    assert report.without_platform_lines(f"My Version: 2\n{LINE}", ID) == "My Version: 2\n"


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_ordinary_output_comes_back_whole(lines: list[str]) -> None:
    output = "".join(f"> {line}\n" for line in lines)
    assert report.without_platform_lines(tail(output=output), ID) == output
