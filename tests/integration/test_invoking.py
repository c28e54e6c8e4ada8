"""Calls of real functions on the local AWS: what becomes of them, and what they may cost."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib import services, store
from chalicelib.aws import dynamodb
from chalicelib.config import settings
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions.function import PICODOLLARS
from chalicelib.errors import TooLargeError
from chalicelib.services.background_calls import BusyError, GoneError
from chalicelib.store import keys
from tests.conftest import subprocess_environment
from tests.integration.fault_proxy import FaultProxy, reset_after
from tests.integration.function_client import Functions, make_wakes_queue
from tools.local_aws.client import ROOT, LocalAws

SOURCE = """
import time

class TooOldError(Exception):
    pass

def handler(event, context):
    custom = context.client_context.custom
    match event["do"]:
        case "echo":
            print("echo", event.get("n"))
            return event
        case "sleep":
            time.sleep(event["seconds"])
            return "slept"
        case "raise":
            raise TooOldError("born " + str(event["born"]))
        case "fill":
            return len(bytearray(400 * 1024 * 1024))
        case "large":
            return "x" * event["size"]
        case "nan":
            return {"value": float("nan"), "half": chr(0xD83D)}
        case "chat":
            print("y" * event["size"])
        case "context":
            return {"url": custom["dormouse_url"], "call": custom["dormouse_invocation"],
                    "token": custom["dormouse_token"].count(".")}
"""


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    made = Functions()
    make_wakes_queue()
    made.make("worker", SOURCE)
    made.make("brief", SOURCE, timeoutSeconds=1)
    return made


def test_the_first_call_is_cold_and_the_next_warm(functions: Functions) -> None:
    functions.make("sleeper", SOURCE)
    cold = functions.call("sleeper", {"do": "echo", "n": 1})
    warm = functions.call("sleeper", {"do": "echo", "n": 2})
    assert cold["initMs"] > 0
    assert warm["initMs"] == 0
    assert cold["billedMs"] > warm["billedMs"] > 0
    assert [line["what"] for line in cold["receipt"]["lines"]][:3] == [
        "requests", "compute", "init",
    ]  # fmt: skip
    assert "init" not in [line["what"] for line in warm["receipt"]["lines"]]


def test_a_call_tells_all_about_itself(functions: Functions) -> None:
    answer, headers = functions.whole(
        "POST", "/worker/invoke", {"event": {"do": "echo", "n": [1, {"deep": None}]}}
    )
    call = answer.body
    assert answer.status == 200
    assert headers["x-dormouse-invocation"] == call["id"]
    assert call["status"] == "succeeded"
    assert call["result"] == call["event"] == {"do": "echo", "n": [1, {"deep": None}]}
    assert (call["function"], call["trigger"], call["version"]) == ("worker", "invoke", 1)
    assert (call["attempt"], call["depth"], call["error"]) == (1, 1, None)
    assert call["logs"] == "echo [1, {'deep': None}]\n"
    assert call["created"] <= call["started"] <= call["finished"]
    assert 0 < call["memoryUsedMb"] <= 128
    assert call["source"]["caller"].startswith("_superusers/")
    assert functions.ok("GET", f"/worker/invocations/{call['id']}") == call


def test_the_receipt_adds_up(functions: Functions) -> None:
    receipt = functions.call("worker", {"do": "echo"})["receipt"]
    lines = [Decimal(str(line["usd"])) for line in receipt["lines"]]
    assert sum(lines) == Decimal(str(receipt["totalUsd"])) > Decimal("0.0000002")
    assert receipt["currency"] == "USD"
    assert receipt["sheet"]["region"] == "us-east-1"
    assert "estimated" not in receipt


def test_twenty_calls_at_once_all_succeed(functions: Functions) -> None:
    before = functions.runs("worker")
    with ThreadPoolExecutor(20) as pool:
        calls = list(
            pool.map(lambda n: functions.call("worker", {"do": "echo", "n": n}), range(20))
        )
    assert sorted(call["result"]["n"] for call in calls) == list(range(20))
    assert len({call["id"] for call in calls}) == 20
    assert functions.runs("worker") - before == 20


def test_an_exception_is_told_by_its_own_class(functions: Functions) -> None:
    call = functions.call("worker", {"do": "raise", "born": 1950})
    assert (call["status"], call["result"]) == ("failed", None)
    assert call["error"] == {"type": "TooOldError", "message": "born 1950"}
    assert "TooOldError" in call["logs"]
    assert call["receipt"]["totalUsd"] > 0


def test_a_timeout_ends_the_call(functions: Functions) -> None:
    began = time.monotonic()
    call = functions.call("brief", {"do": "sleep", "seconds": 20})
    assert time.monotonic() - began < 8
    assert call["status"] == "timedOut"
    assert "timed out after 1.00 seconds" in call["error"]["message"]
    assert call["billedMs"] >= 1000


def test_memory_over_the_limit_ends_the_call(functions: Functions) -> None:
    call = functions.call("worker", {"do": "fill"})
    assert call["status"] == "outOfMemory"
    assert call["memoryUsedMb"] >= 100
    assert functions.call("worker", {"do": "echo"})["status"] == "succeeded"


def test_over_its_concurrency_a_function_answers_429_and_runs_nothing(functions: Functions) -> None:
    functions.make("single", SOURCE, reservedConcurrency=1)
    functions.call("single", {"do": "echo"})
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(functions.call, "single", {"do": "sleep", "seconds": 1.5})
        time.sleep(0.5)
        answer, headers = functions.whole(
            "POST", "/single/invoke", {"event": {"do": "echo"}}, {"idempotency-key": "k"}
        )
        assert busy.result()["status"] == "succeeded"
    assert answer.status == 429
    assert answer.body["data"]["code"] == "throttled"
    assert "Concurren" in answer.body["data"]["reason"]
    assert int(headers["retry-after"]) >= 1
    call = functions.ok("GET", f"/single/invocations/{answer.body['data']['invocation']}")
    assert (call["status"], call["receipt"]) == ("throttled", None)
    assert functions.runs("single") == 2
    again = functions("POST", "/single/invoke", {"event": {"do": "echo"}}, {"idempotency-key": "k"})
    assert again.status == 200  # what was held back has not used up its key


def test_fifty_callers_at_once_never_pass_the_cap(functions: Functions) -> None:
    functions.make("capped", SOURCE, timeoutSeconds=1)
    worst = services.invoking_money.worst_case_picodollars(functions.function("capped"), now_ms())
    amount = Decimal(worst * 4 + worst // 2) / PICODOLLARS
    functions.ok("PATCH", "/capped", {"capUsd": {"amount": str(amount), "per": "day"}})
    runs = functions.runs("capped")
    seen: list[int] = []
    with ThreadPoolExecutor(50) as pool:
        futures = [pool.submit(functions.invoke, "capped", {"do": "echo"}) for _ in range(50)]
        while not all(future.done() for future in futures):
            seen.append(spent(functions, "capped"))
    answers = [future.result() for future in futures]
    ran = [answer.body for answer in answers if answer.status == 200]
    refused = [answer.body for answer in answers if answer.status == 429]
    assert len(ran) + len(refused) == 50
    assert len(ran) == functions.runs("capped") - runs > 0
    assert {each["data"]["code"] for each in refused} == {"capped"}
    assert "cap" in refused[0]["message"]
    assert max(seen) <= int(amount * PICODOLLARS)
    paid = sum(Decimal(str(each["receipt"]["totalUsd"])) for each in ran)
    counted = spent(functions, "capped")
    assert abs(counted - int(paid * PICODOLLARS)) <= len(ran)  # each is rounded up
    assert counted <= int(amount * PICODOLLARS)


def test_a_call_dearer_than_the_cap_is_never_made(functions: Functions) -> None:
    functions.make("poor", SOURCE, capUsd={"amount": "0.0000001", "per": "month"})
    answer, headers = functions.whole("POST", "/poor/invoke", {"event": {"do": "echo"}})
    assert answer.status == 429
    assert int(headers["retry-after"]) > 1
    assert "lower the timeout or the memory" in answer.body["message"]
    dry = functions.ok("POST", "/poor/invoke?mode=dry-run", {"event": {"do": "echo"}})
    assert (dry["wouldRun"], dry["cap"]["per"]) == (False, "month")
    assert dry["worstCaseUsd"] > dry["cap"]["amountUsd"] > dry["cap"]["spentUsd"] == 0
    assert functions.runs("poor") == 0


def test_twenty_callers_with_one_key_run_it_once(functions: Functions) -> None:
    before = functions.runs("worker")
    body = {"event": {"do": "sleep", "seconds": 0.5}}

    def ask(_n: int) -> tuple[Any, Any]:
        return functions.whole("POST", "/worker/invoke", body, {"idempotency-key": "twenty"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert {answer.status for answer, _ in answers} == {200}
    assert {answer.body["result"] for answer, _ in answers} == {"slept"}
    assert len({answer.body["id"] for answer, _ in answers}) == 1
    assert sum("idempotent-replayed" in headers for _, headers in answers) == 19
    assert functions.runs("worker") - before == 1


def test_a_key_stands_for_one_event_and_version(functions: Functions) -> None:
    key = {"idempotency-key": "one"}
    first = functions("POST", "/worker/invoke", {"event": {"do": "echo", "n": 1}}, key)
    same = functions("POST", "/worker/invoke", {"event": {"n": 1, "do": "echo"}}, key)
    assert same.body == first.body
    for body in (
        {"event": {"do": "echo", "n": 2}},
        {"event": {"do": "echo", "n": 1}, "version": 1},
    ):
        other = functions("POST", "/worker/invoke", body, key)
        assert other.status == 400
        assert "Idempotency-Key" in other.body["message"]
    elsewhere = functions("POST", "/brief/invoke", {"event": {"do": "echo", "n": 1}}, key)
    assert elsewhere.body["id"] != first.body["id"]
    too_long = functions("POST", "/worker/invoke", {"event": {}}, {"idempotency-key": "k" * 256})
    assert too_long.status == 400


def test_an_old_version_is_called_by_its_number(functions: Functions) -> None:
    functions.make("versioned", "def handler(event, context):\n    return 'old'\n", memoryMb=256)
    functions.code("versioned", "def handler(event, context):\n    return 'new'\n")
    assert functions.call("versioned")["result"] == "new"
    old = functions.call("versioned", version=1)
    assert (old["result"], old["version"]) == ("old", 1)
    for version in (3, 0, -1, 10**9, "1", True, 1.5):
        answer = functions.invoke("versioned", version=version)
        assert answer.status == 400, version


def test_a_function_without_code_says_how_to_upload_it(functions: Functions) -> None:
    functions.ok("POST", "", {"name": "empty", "runtime": "python3.11", "handler": "main.handler"})
    answer = functions.invoke("empty", {})
    assert answer.status == 400
    assert "PUT /api/functions/empty/code" in answer.body["message"]


@pytest.mark.parametrize("query", ["?mode=later", "?mode=SYNC"])
def test_an_unknown_mode_is_refused(functions: Functions, query: str) -> None:
    assert functions.invoke("worker", {"do": "echo"}, query).status == 400


def test_only_superusers_call_list_and_read(functions: Functions) -> None:
    for method, path in (
        ("POST", "/worker/invoke"),
        ("GET", "/worker/invocations"),
        ("GET", "/worker/invocations/x"),
        ("POST", "/worker/invocations/x/replay"),
        ("GET", "/worker/logs"),
    ):
        answer = functions.client(method, "/api/functions" + path, {})
        assert answer.status == 401, path
        assert functions(method, path.replace("worker", "nobody"), {}).status == 404


def test_a_dry_run_runs_nothing(functions: Functions) -> None:
    before = functions.runs("worker")
    calls = functions.ok("GET", "/worker/invocations?perPage=1")["items"]
    dry = functions.ok("POST", "/worker/invoke?mode=dry-run", {"event": {"do": "echo"}})
    assert dry["dryRun"] is True
    assert (dry["version"], dry["wouldRun"], dry["cap"]) == (1, True, None)
    assert dry["eventBytes"] == len('{"do":"echo"}')
    assert dry["worstCaseUsd"] > functions.call("worker", {"do": "echo"})["receipt"]["totalUsd"]
    assert functions.runs("worker") - before == 1
    assert len(functions.ok("GET", "/worker/invocations")["items"]) >= len(calls)


def test_events_and_results_of_megabytes_survive(functions: Functions) -> None:
    event = {"do": "echo", "text": "é" + "x" * 5_500_000}
    call = functions.call("worker", event)
    assert call["result"] == event
    stored = functions.ok("GET", f"/worker/invocations/{call['id']}")
    assert stored["event"] == stored["result"] == event
    listed = functions.ok("GET", "/worker/invocations?perPage=1")["items"][0]
    assert (listed["event"], listed["result"]) == (None, None)
    assert listed["omitted"] == ["event", "result"]
    item = dynamodb.get(keys.invocation(functions.function("worker").id, call["id"]))
    assert item is not None
    assert len(item["doc"]["S"]) < 8000


def test_a_large_values_objects_are_noted_to_be_removed(functions: Functions) -> None:
    call = functions.call("worker", {"do": "large", "size": 20_000})
    notes = dynamodb.query("PK = :p", {":p": {"S": keys.SWEEPS}}).items
    named = {
        name: note["SK"]["S"] for note in notes for name in json.loads(note["doc"]["S"])
        if call["id"] in name
    }  # fmt: skip
    assert [name.rpartition("/")[2] for name in named] == ["result.json"]
    due = int(next(iter(named.values())).partition("#")[0])
    assert 14 * 86400 < due - time.time() < 16 * 86400  # after the call itself has expired


def test_an_event_over_lambdas_limit_is_a_413(functions: Functions) -> None:
    before = functions.runs("worker")
    answer = functions.invoke("worker", {"do": "echo", "text": "x" * 6_291_456})
    assert answer.status == 413
    assert "6291456" in answer.body["message"]
    later = functions.invoke("worker", {"do": "echo", "text": "x" * 1_048_576}, "?mode=async")
    assert later.status == 413
    assert "background" in later.body["message"]
    assert functions.runs("worker") == before


def test_a_result_over_lambdas_limit_fails_the_call(functions: Functions) -> None:
    call = functions.call("worker", {"do": "large", "size": 6_400_000})
    assert call["status"] == "failed"
    assert "ResponseSizeTooLarge" in call["error"]["type"]


def test_what_is_no_json_is_answered_as_far_as_it_can_be(functions: Functions) -> None:
    assert functions.call("worker", {"do": "nan"})["result"]["value"] is None


def test_the_report_is_found_behind_much_output(functions: Functions) -> None:
    call = functions.call("worker", {"do": "chat", "size": 50_000})
    assert call["status"] == "succeeded"
    assert "estimated" not in call["receipt"]
    assert 3000 < len(call["logs"]) <= 4096


def test_secrets_reach_the_function_and_are_not_kept(functions: Functions) -> None:
    functions.make("secretive", SOURCE, redact=["ssn"])
    event = {"do": "echo", "password": "hunter2", "person": {"ssn": "078-05-1120"}}
    call = functions.call("secretive", event)
    assert call["result"] == event
    assert call["redacted"] is True
    assert call["event"]["password"] == call["event"]["person"]["ssn"] == "******"
    stored = functions.ok("GET", f"/secretive/invocations/{call['id']}")
    assert stored["event"] == stored["result"] == call["event"]
    item = dynamodb.get(keys.invocation(functions.function("secretive").id, call["id"]))
    assert "hunter2" not in json.dumps(item)
    assert "078-05-1120" not in json.dumps(item)


def test_a_function_learns_where_the_api_is_and_who_it_is(functions: Functions) -> None:
    call = functions.call("worker", {"do": "context"})
    assert call["result"] == {"url": "http://api.example.com", "call": call["id"], "token": 2}


def test_a_chain_that_is_too_long_is_stopped_and_seen(functions: Functions) -> None:
    before = functions.runs("worker")
    function = functions.function("worker")
    for depth in (settings().chain_limit, settings().chain_limit + 1):
        done = services.invoking.run(function, {"do": "echo"}, trigger="http", depth=depth)
    assert functions.runs("worker") - before == 1
    stored = functions.ok("GET", f"/worker/invocations/{done.id}")
    assert (stored["status"], stored["depth"]) == ("failed", 9)
    assert stored["error"]["type"] == "Dormouse.LoopStopped"


def test_how_long_a_chain_may_be_is_a_setting(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = functions.function("worker")
    monkeypatch.setenv("DORMOUSE_CHAIN_LIMIT", "9")
    settings.cache_clear()
    try:
        for depth, status in ((9, "succeeded"), (10, "failed")):
            done = services.invoking.run(function, {"do": "echo"}, trigger="http", depth=depth)
            assert done.status == status
        queued = services.background_calls.queue(function, {"do": "echo"}, trigger="http", depth=10)
        assert "ends after 9" in (queued.error or {})["message"]
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_an_answer_that_is_lost_is_not_asked_for_again(
    functions: Functions, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("unlucky", SOURCE, capUsd={"amount": "1", "per": "day"})
    proxy = FaultProxy(local_aws.url)
    proxy.plan([reset_after])
    proxy.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", proxy.url)
    try:
        call = functions.call("unlucky", {"do": "echo"})
    finally:
        proxy.stop()
    assert call["status"] == "failed"
    assert call["error"]["type"] == "Dormouse.OutcomeUnknown"
    assert call["receipt"] is None
    assert functions.runs("unlucky") == 1
    worst = services.invoking_money.worst_case_picodollars(functions.function("unlucky"), now_ms())
    assert spent(functions, "unlucky") == worst  # it may have cost all of it


def test_where_lambda_cannot_be_reached_nothing_is_charged(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("remote", SOURCE, capUsd={"amount": "1", "per": "day"})
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")
    token = dynamodb.deadline.set(time.monotonic() + 2.0)
    try:
        done = services.invoking.run(functions.function("remote"), {}, trigger="http")
    finally:
        dynamodb.deadline.reset(token)
    call = functions.ok("GET", f"/remote/invocations/{done.id}")
    assert (call["status"], call["receipt"]) == ("failed", None)
    assert call["error"]["type"] == "Dormouse.Unreachable"
    assert spent(functions, "remote") == 0


def test_a_request_that_has_to_be_answered_leaves_a_call_that_says_so(
    functions: Functions,
) -> None:
    token = dynamodb.deadline.set(time.monotonic() + 2.2)
    try:
        done = services.invoking.run(
            functions.function("worker"), {"do": "sleep", "seconds": 2.5}, trigger="http"
        )
        assert (dynamodb.deadline.get() or 0) > time.monotonic()
    finally:
        dynamodb.deadline.reset(token)
    stored = functions.ok("GET", f"/worker/invocations/{done.id}")
    assert (stored["status"], stored["error"]["type"]) == ("failed", "Dormouse.OutcomeUnknown")


KILLED = """
import sys
from chalicelib import services, store
services.invoking.run(store.functions.load("killed"), {"do": "sleep", "seconds": 2}, trigger="http")
"""


def test_a_call_whose_process_was_killed_is_shown_as_lost(
    functions: Functions, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("killed", SOURCE, capUsd={"amount": "1", "per": "day"})
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], env=subprocess_environment(local_aws), cwd=ROOT
    )
    path = "/killed/invocations"
    deadline = time.monotonic() + 20
    while not functions.runs("killed") and not functions.ok("GET", path)["items"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (running,) = functions.ok("GET", path)["items"]
    assert running["status"] == "running"
    assert functions.ok("GET", "/killed")["state"] == "running"
    later = now_ms() + 60_000
    monkeypatch.setattr(services.invocations, "now_ms", lambda: later)
    assert functions.ok("GET", path + "?status=running")["items"] == []
    (lost,) = functions.ok("GET", path + "?status=failed")["items"]
    assert lost["error"]["type"] == "Dormouse.Lost"
    stored = store.invocations.load(functions.function("killed").id, running["id"])
    assert stored is not None
    assert stored.status == "failed"  # whoever sees it writes it down
    worst = services.invoking_money.worst_case_picodollars(functions.function("killed"), now_ms())
    assert spent(functions, "killed") == worst


def test_a_background_call_is_tried_again_and_then_given_up(functions: Functions) -> None:
    functions.make("stubborn", SOURCE, retryAttempts=2)
    function = functions.function("stubborn")
    queued = waiting(functions, "stubborn", {"do": "raise", "born": 1, "password": "p"})
    attempts = []
    for _ in range(4):
        done = services.background_calls.run_queued(function, queued.id)
        attempts.append((done.status, done.attempt))
    assert attempts == [("queued", 2), ("queued", 3), ("failed", 3), ("failed", 3)]
    assert functions.runs("stubborn") == 3
    assert done.input == '{"do":"raise","born":1,"password":"p"}'  # for its dead letter
    shown = functions.ok("GET", f"/stubborn/invocations/{queued.id}")
    assert shown["event"]["password"] == "******"
    assert "input" not in shown


def test_a_background_call_gets_its_event_as_it_came_and_then_forgets_it(
    functions: Functions,
) -> None:
    event = {"do": "echo", "password": "p" * 10_000}
    queued = waiting(functions, "worker", event)
    assert queued.spilled == ("input",)
    done = services.background_calls.run_queued(functions.function("worker"), queued.id)
    assert done.result == event
    assert (done.input, "input" in done.spilled) == ("", False)
    again = services.background_calls.run_queued(functions.function("worker"), queued.id)
    assert again.status == "succeeded"
    stored = store.invocations.load(done.function_id, done.id)
    assert stored is not None
    assert "pppp" not in repr(stored)


def test_a_background_call_is_made_by_one_at_a_time(functions: Functions) -> None:
    functions.make("alone", SOURCE)  # of others a run that nobody waits for may end meanwhile
    function = functions.function("alone")
    queued = waiting(functions, "alone", {"do": "sleep", "seconds": 0.6})

    def attempt(_n: int) -> str:
        try:
            return services.background_calls.run_queued(function, queued.id).status
        except BusyError:
            return "busy"

    with ThreadPoolExecutor(5) as pool:
        statuses = sorted(pool.map(attempt, range(5)))
    assert statuses == ["busy"] * 4 + ["succeeded"]
    assert functions.runs("alone") == 1


def test_a_background_call_whose_runner_died_is_made_again(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = functions.function("worker")
    queued = waiting(functions, "worker", {"do": "echo"})
    running = queued._replace(status="running", lease_ms=now_ms() + 60_000, started_ms=now_ms())
    store.invocations.change(running, 14)
    with pytest.raises(BusyError):
        services.background_calls.run_queued(function, queued.id)
    at = now_ms() + 61_000
    monkeypatch.setattr(services.background_calls, "now_ms", lambda: at)
    done = services.background_calls.run_queued(function, queued.id)
    assert (done.status, done.attempt) == ("succeeded", 2)


def test_a_background_call_whose_end_was_not_written_down_keeps_its_message(
    functions: Functions,
) -> None:
    function = functions.function("worker")
    queued = waiting(functions, "worker", {"do": "sleep", "seconds": 1})
    with ThreadPoolExecutor(1) as pool:
        attempt = pool.submit(services.background_calls.run_queued, function, queued.id)
        running = until_it_runs(queued)
        other = store.invocations.change(running, 14)  # whoever took it for lost
        with pytest.raises(BusyError):
            attempt.result()
    stored = store.invocations.load(queued.function_id, queued.id)
    assert stored is not None
    assert (stored.status, stored.rev) == ("running", other.rev)


def test_a_background_call_that_lambda_throttles_waits_without_counting(
    functions: Functions,
) -> None:
    functions.make("blocked", SOURCE, reservedConcurrency=0, retryAttempts=0)
    queued = waiting(functions, "blocked", {"do": "echo"})
    for _ in range(2):
        with pytest.raises(BusyError):
            services.background_calls.run_queued(functions.function("blocked"), queued.id)
    call = functions.ok("GET", f"/blocked/invocations/{queued.id}")
    assert (call["status"], call["attempt"]) == ("queued", 1)
    assert functions.ok("GET", "/blocked")["state"] == "waking"


def test_an_unknown_background_call_is_gone(functions: Functions) -> None:
    with pytest.raises(GoneError):
        services.background_calls.run_queued(
            functions.function("worker"), services.invoking.new_id()
        )
    with pytest.raises(TooLargeError):
        services.background_calls.queue(
            functions.function("worker"), "x" * 1_048_576, trigger="record", source={}
        )


def waiting(functions: Functions, name: str, event: Any) -> invocations.Invocation:
    """Return a background call that waits; the tests make its attempts themselves."""
    function = functions.function(name)
    made: invocations.Invocation = services.background_calls.queue(
        function, event, trigger="record"
    )
    return made


def until_it_runs(queued: invocations.Invocation) -> invocations.Invocation:
    """Return a call as soon as an attempt has begun."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = store.invocations.load(queued.function_id, queued.id)
        if found is not None and found.status == "running":
            return found
        time.sleep(0.02)
    raise AssertionError("it does not begin")


def spent(functions: Functions, name: str) -> int:
    return store.caps.spent(functions.function(name), datetime.now(UTC))


def now_ms() -> int:
    return time.time_ns() // 1_000_000
