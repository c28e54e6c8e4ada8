"""The local AWS reports calls word for word as Lambda does."""

import pytest

from tools.local_aws import lambda_report
from tools.local_aws.lambda_report import Report

REPORT = Report("id-1", "$LATEST", 3.534, 128, 36 * 1024 * 1024 - 5)


def test_start_names_the_version() -> None:
    assert lambda_report.start_line(REPORT) == "START RequestId: id-1 Version: $LATEST\n"


@pytest.mark.parametrize(
    ("report", "more"),
    [
        (REPORT, "Billed Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t\n"),
        (
            REPORT._replace(init_ms=123.456),
            "Billed Duration: 127 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t"
            "Init Duration: 123.46 ms\t\n",
        ),
        (
            REPORT._replace(peak_bytes=2**30, status="error", error_type="Runtime.OutOfMemory"),
            "Billed Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t"
            "Status: error\tError Type: Runtime.OutOfMemory\t\n",
        ),
    ],
)
def test_the_report_has_what_applies(report: Report, more: str) -> None:
    begin = "END RequestId: id-1\nREPORT RequestId: id-1\tDuration: 3.53 ms\t"
    assert lambda_report.end_lines(report) == begin + more


def test_a_failed_init_has_a_line_of_its_own() -> None:
    begin = "INIT_REPORT Init Duration: 1.50 ms\tPhase: init\tStatus: "
    assert lambda_report.init_line(1.5, "init", "timeout") == f"{begin}timeout\n"
    line = lambda_report.init_line(1.5, "init", "error", "Runtime.ExitError")
    assert line == f"{begin}error\tError Type: Runtime.ExitError\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "Runtime exited without providing a reason"),
        (3, "Runtime exited with error: exit status 3"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-10, "Runtime exited with error: signal: User defined signal 1"),
    ],
)
def test_ends_of_a_process_are_told_apart(code: int, text: str) -> None:
    assert lambda_report.exit_text(code) == text
