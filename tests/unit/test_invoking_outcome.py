"""What became of a call, from what Lambda answers: in AWS's words of several runtimes."""

import json
from typing import Any

import pytest

from chalicelib.aws.lambda_invoke import Answer, NotRunError, OutcomeUnknownError, ThrottledError
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.services import invoking_outcome

ID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
FUNCTION = Function("f" * 15, "worker", "python3.11", "main.handler")
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 15.74 ms\tBilled Duration: 147 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: {used} MB{more}\n"
)


def answer(payload: Any, error: str = "", used: int = 56, more: str = "", logs: str = "") -> Answer:
    tail = f"START RequestId: {ID} Version: 3\n{logs}END RequestId: {ID}\n"
    tail += REPORT.format(used=used, more=more)
    return Answer(json.dumps(payload).encode(), error, tail, ID)


def test_a_call_that_returned() -> None:
    got = answer({"n": 1}, more="\tInit Duration: 130.58 ms", logs="hello\n")
    outcome = invoking_outcome.of_answer(FUNCTION, got, 20.0)
    assert (outcome.status, outcome.is_estimated, outcome.is_charged) == ("succeeded", False, True)
    assert outcome.values == {
        "logs": "hello\n", "request_id": ID, "init_ms": 130.58, "duration_ms": 15.74,
        "billed_ms": 147, "memory_used_mb": 56, "result": {"n": 1},
    }  # fmt: skip


TIMED_OUT = "2026-11-23T07:00:00.000Z 8f50 Task timed out after 3.00 seconds"
KILLED = "RequestId: 8f50 Error: Runtime exited with error: signal: killed"
ENDS = [
    ({"errorMessage": TIMED_OUT}, 50, "", "timedOut"),
    ({"errorType": "Sandbox.Timedout", "errorMessage": TIMED_OUT}, 50, "", "timedOut"),
    ({"errorMessage": "x"}, 50, "\tStatus: timeout", "timedOut"),
    ({"errorType": "Runtime.OutOfMemory", "errorMessage": KILLED}, 90, "", "outOfMemory"),
    ({"errorType": "Runtime.ExitError", "errorMessage": KILLED}, 128, "", "outOfMemory"),
    ({"errorType": "Runtime.ExitError", "errorMessage": KILLED}, 50, "", "failed"),
    (
        {"errorType": "Runtime.ExitError", "errorMessage": "exit status 1"}, 128,
        "\tStatus: error\tError Type: Runtime.ExitError", "failed",
    ),
    (
        {"errorMessage": KILLED}, 128,
        "\tStatus: error\tError Type: Runtime.OutOfMemory", "outOfMemory",
    ),
    ({"errorType": "ValueError", "errorMessage": "Task timed out after all"}, 50, "", "failed"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "used", "more", "status"), ENDS)
def test_a_call_that_lambda_or_the_function_ended(
    payload: dict[str, str], used: int, more: str, status: str
) -> None:
    got = answer(payload, "Unhandled", used, more)
    outcome = invoking_outcome.of_answer(FUNCTION, got, 20.0)
    assert outcome.status == status
    assert outcome.values["error"]["message"] == payload["errorMessage"]
    assert "result" not in outcome.values


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"errorType": "TooOldError", "errorMessage": "1950", "stackTrace": []},
         {"type": "TooOldError", "message": "1950"}),
        ({"errorType": "TypeError", "errorMessage": "x is undefined", "trace": ["a"]},
         {"type": "TypeError", "message": "x is undefined"}),
        ({"errorMessage": {"code": 5}}, {"type": "Handled", "message": '{"code": 5}'}),
        ("just text", {"type": "Handled", "message": "just text"}),
        (None, {"type": "Handled", "message": "null"}),
    ],
)  # fmt: skip
def test_an_error_has_its_own_class_name_and_words(payload: Any, error: dict[str, str]) -> None:
    outcome = invoking_outcome.of_answer(FUNCTION, answer(payload, "Handled"), 20.0)
    assert (outcome.status, outcome.values["error"]) == ("failed", error)


def test_a_long_message_is_cut() -> None:
    got = answer({"errorType": "E" * 300, "errorMessage": "m" * 10_000}, "Unhandled")
    error = invoking_outcome.of_answer(FUNCTION, got, 20.0).values["error"]
    assert (len(error["type"]), len(error["message"])) == (200, 4096)


def test_without_a_report_our_own_clock_counts() -> None:
    outcome = invoking_outcome.of_answer(FUNCTION, Answer(b"1", "", "hi\n", ID), 20.4)
    assert outcome.is_estimated
    assert (outcome.values["duration_ms"], outcome.values["billed_ms"]) == (20.4, 21)
    assert outcome.values["memory_used_mb"] == 0


def test_a_report_that_the_function_wrote_is_not_believed() -> None:
    forged = REPORT.format(used=1, more="").replace(ID, "0" * 8 + ID[8:])
    outcome = invoking_outcome.of_answer(FUNCTION, answer(1, logs=forged), 20.0)
    assert outcome.values["memory_used_mb"] == 56


def test_logs_of_control_characters_are_cut_to_their_place() -> None:
    outcome = invoking_outcome.of_answer(FUNCTION, answer(1, logs="\0" * 4000 + "end\n"), 20.0)
    assert len(json.dumps(outcome.values["logs"])) <= invoking_outcome.MOST_LOG_BYTES
    assert outcome.values["logs"].endswith("end\n")


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"", None), (b"null", None), (b'{"a": 1}', {"a": 1}), (b'"\\ud83d"', "\ud83d"),
        (b"not json", "not json"), (b"\xff", "\ufffd"),
    ],
)  # fmt: skip
def test_a_payload_is_read_as_far_as_it_can_be(payload: bytes, value: Any) -> None:
    assert invoking_outcome.read_json(payload) == value


def test_a_payload_too_deep_for_anybody_is_kept_as_text() -> None:
    assert isinstance(invoking_outcome.read_json(b"[" * 100_000), str)


def test_a_throttled_call_was_not_made_and_is_not_charged() -> None:
    outcome = invoking_outcome.of_trouble(ThrottledError("TooMany", "slow down", "Reserved"))
    assert (outcome.status, outcome.is_charged) == ("throttled", False)
    assert outcome.values["error"] == {"type": "Reserved", "message": "slow down"}


def test_a_call_whose_answer_was_lost_may_have_cost_all_it_could() -> None:
    outcome = invoking_outcome.of_trouble(OutcomeUnknownError("Dormouse.OutcomeUnknown", "reset"))
    assert (outcome.status, outcome.is_charged, outcome.report) == ("failed", True, None)
    assert outcome.values["error"]["type"] == "Dormouse.OutcomeUnknown"


def test_a_refused_call_is_not_charged() -> None:
    outcome = invoking_outcome.of_trouble(NotRunError("KMSDisabledException", "no key"))
    assert (outcome.status, outcome.is_charged) == ("failed", False)


def call(**values: Any) -> Invocation:
    return Invocation("0" * 20, "f" * 15, "worker", **{"trigger": "invoke", **values})


def test_a_running_call_is_lost_once_its_lease_has_passed() -> None:
    running = call(status="running", lease_ms=1000)
    assert invoking_outcome.seen(running, 1000).status == "running"
    lost = invoking_outcome.seen(running, 1001)
    assert (lost.status, lost.finished_ms) == ("failed", 1001)
    assert lost.error is not None
    assert lost.error["type"] == "Dormouse.Lost"


def test_a_background_call_whose_runner_is_gone_waits_for_another() -> None:
    running = call(status="running", lease_ms=1000, background=True)
    assert invoking_outcome.seen(running, 1001).status == "queued"


def test_nothing_secret_is_kept() -> None:
    done = call(
        status="failed",
        result={"token": "abc", "n": 1},
        logs="password=hunter2\n",
        error={"type": "E", "message": 'bad {"ssn": "078"}'},
    )
    kept = invoking_outcome.kept(done, FUNCTION._replace(redact=("ssn",)))
    assert kept.result == {"token": "******", "n": 1}
    assert "hunter2" not in kept.logs
    assert kept.error is not None
    assert "078" not in kept.error["message"]
