"""What functions promise, as somebody outside sees it: real functions called through a server.

The details of each are tested by its own file; the storm of changes and the examples, which need
more processes, by tests/e2e.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from chalicelib.aws import dynamodb
from chalicelib.store import keys
from tests.integration.auth_client import Client
from tests.integration.serving import ROOT, Answer, Server, serving
from tools import bootstrap
from tools.local_aws.client import LocalAws

SOURCE = """
import time
from dormouse.api import api

class Misfortune(Exception):
    pass

runs = 0

def handler(event, context):
    global runs
    runs += 1
    do, given = event.get("do"), event.get("given")
    if do == "raise":
        raise Misfortune(given)
    if do == "sleep":
        time.sleep(given)
    if do == "fill":
        return len(bytearray(given * 1024 * 1024))
    if "rawPath" in event:  # by HTTP: call itself again, without end
        return api(context).get(event["rawPath"])
    return {"version": 1, "given": given, "runs": runs}
"""
FILES = {
    "main.py": SOURCE,
    "dormouse/__init__.py": "",
    "dormouse/api.py": (ROOT / "dormouse/api.py").read_text(),
}
NEWER = FILES | {"main.py": SOURCE.replace('"version": 1', '"version": 2')}
CALL_KEYS = {
    "id", "status", "result", "error", "logs", "version", "trigger", "initMs", "durationMs",
    "billedMs", "memoryUsedMb", "receipt",
}  # fmt: skip


class Api(NamedTuple):
    """A superuser's requests."""

    server: Server
    root: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self.server(method, f"/api/functions{path}", body, self.root, headers)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self(method, path, body)
        assert answer.status == 200, answer
        return answer.json

    def make(self, name: str, **settings: Any) -> str:
        body = {"name": name, "runtime": "python3.11", "handler": "main.handler", **settings}
        self.ok("POST", "", body)
        self.ok("PUT", f"/{name}/code", {"files": FILES})
        return name

    def call(self, name: str, do: str = "", given: Any = None, **more: Any) -> Any:
        return self.ok("POST", f"/{name}/invoke", {"event": {"do": do, "given": given}, **more})

    def calls(self, name: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.ok("GET", f"/{name}/invocations?perPage=100")["items"]
        return items


@pytest.fixture(scope="module")
def api(local_aws: LocalAws, table: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    bootstrap.wakes_queue()
    root = Client().root
    with serving(local_aws, tmp_path_factory.mktemp("shown")) as server:
        made = Api(server, root)
        made.make("shown", timeoutSeconds=2)
        yield made


def at_once(count: int, ask: Callable[[int], Any]) -> list[Any]:
    """Return the answers to so many requests that leave at the same moment."""
    together = threading.Barrier(count)

    def one(number: int) -> Any:
        together.wait()
        return ask(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_it_wakes_cold_and_then_is_warm(api: Api) -> None:
    cold = api.call("shown", given=[1, None, {"é": 0.5}])
    warm = api.call("shown")
    assert cold["initMs"] > 0
    assert warm["initMs"] == 0
    assert (cold["result"]["runs"], warm["result"]["runs"]) == (1, 2)
    assert cold["result"]["given"] == [1, None, {"é": 0.5}]
    for call in (cold, warm):
        assert call.keys() >= CALL_KEYS
        receipt = call["receipt"]
        assert all(line.keys() >= {"what", "quantity", "unit", "usd"} for line in receipt["lines"])
        total = sum(Decimal(str(line["usd"])) for line in receipt["lines"])
        assert total == Decimal(str(receipt["totalUsd"])) > 0
    stored = api.ok("GET", f"/shown/invocations/{cold['id']}")
    assert (stored["initMs"], stored["receipt"]) == (cold["initMs"], cold["receipt"])


def test_twenty_run_in_parallel_and_the_function_says_how_many(api: Api) -> None:
    api.make("busy", timeoutSeconds=10)
    with ThreadPoolExecutor(1) as pool:
        calls = pool.submit(at_once, 20, lambda _n: api.call("busy", "sleep", 2))
        seen = []
        while not calls.done():
            doing = api.ok("GET", "/busy")
            seen.append((doing["state"], doing["running"]))
            time.sleep(0.1)
    answers = calls.result()
    assert Counter(call["status"] for call in answers) == {"succeeded": 20}
    assert len({call["id"] for call in answers}) == 20
    state, most = max(seen, key=lambda each: each[1])
    assert (state, 10 < most <= 20) == ("running", True)
    doing = api.ok("GET", "/busy")
    assert (doing["state"], doing["running"], doing["calls"]) == ("asleep", 0, 20)
    assert 0 < doing["coldShare"] <= 1
    assert doing["costThisMonthUsd"] > 0
    assert doing["lastWake"]


def test_limits_end_a_call_and_an_exception_is_named(api: Api) -> None:
    late = api.call("shown", "sleep", 30)
    assert (late["status"], late["error"]["type"]) == ("timedOut", "Sandbox.Timedout")
    assert late["billedMs"] >= 2000
    large = api.call("shown", "fill", 500)
    assert (large["status"], large["result"]) == ("outOfMemory", None)
    raised = api.call("shown", "raise", "rain")
    assert raised["status"] == "failed"
    assert raised["error"] == {"type": "Misfortune", "message": "rain"}
    found = api.ok("GET", "/shown/invocations?status=failed")["items"]
    assert [call["id"] for call in found] == [raised["id"]]


def test_too_many_at_once_are_429(api: Api) -> None:
    api.make("alone", reservedConcurrency=1)
    body = {"event": {"do": "sleep", "given": 1}}
    answers = at_once(4, lambda _n: api("POST", "/alone/invoke", body))
    assert Counter(answer.status for answer in answers) == {200: 1, 429: 3}
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.json["data"]["code"] == "throttled"
    assert int(refused.header("retry-after")) >= 1
    assert Counter(call["status"] for call in api.calls("alone")) == {
        "succeeded": 1, "throttled": 3,
    }  # fmt: skip


def test_versions_roll_back_and_a_replay_tells_the_difference(api: Api) -> None:
    api.make("changing")
    first = api.call("changing", given="x")
    assert api.ok("PUT", "/changing/code", {"files": NEWER})["liveVersion"] == 2
    assert api.ok("PUT", "/changing/code", {"files": NEWER})["unchanged"] is True
    assert api.call("changing")["result"]["version"] == 2
    assert api.call("changing", version=1)["result"]["version"] == 1
    again = api.ok("POST", f"/changing/invocations/{first['id']}/replay", {"version": 2})
    assert again["invocation"]["event"] == first["event"]
    changed = {each["path"]: (each["before"], each["after"]) for each in again["diff"]["changes"]}
    assert changed["$.result.version"] == (1, 2)
    assert again["diff"]["equal"] is False
    back = api.ok("POST", "/changing/rollback", {"version": 1})
    assert (back["liveVersion"], back["latestVersion"]) == (1, 2)
    assert api.call("changing")["version"] == 1
    assert api.call("changing", version=2)["result"]["version"] == 2


def test_twenty_at_once_under_one_key_run_it_once(api: Api) -> None:
    api.make("once")
    body, key = {"event": {"do": "sleep", "given": 0.5}}, {"Idempotency-Key": "twenty"}
    answers = at_once(20, lambda _n: api("POST", "/once/invoke", body, **key))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert api.call("once")["result"]["runs"] == 2
    assert len(api.calls("once")) == 2


def test_a_key_is_free_again_after_24_hours(api: Api) -> None:
    body, key = {"event": {"given": "a day"}}, {"Idempotency-Key": "daily"}
    first = api("POST", "/shown/invoke", body, **key).json
    assert api("POST", "/shown/invoke", body, **key).json["id"] == first["id"]
    partition = keys.idempotency(api.ok("GET", "/shown")["id"], "")["PK"]
    (item,) = dynamodb.query("PK = :p", {":p": partition}).items
    lives_seconds = int(item["ttl"]["N"]) - time.time()
    assert 24 * 3600 - 60 < lives_seconds <= 24 * 3600
    dynamodb.put(item | {"ttl": {"N": str(int(time.time()) - 1)}})  # not yet swept by the table
    later = api("POST", "/shown/invoke", body, **key).json
    assert later["id"] != first["id"]
    assert api("POST", "/shown/invoke", body, **key).json["id"] == later["id"]


def test_fifty_callers_never_pass_the_money_cap(api: Api) -> None:
    api.make("dear", timeoutSeconds=1)
    event = {"event": {"given": 1}}
    worst = Decimal(str(api.ok("POST", "/dear/invoke?mode=dry-run", event)["worstCaseUsd"]))
    amount = (worst * Decimal("3.5")).quantize(Decimal("1e-9"))
    cap = {"amount": str(amount), "per": "day"}
    assert api.ok("PATCH", "/dear", {"capUsd": cap})["capUsd"]["per"] == "day"
    answers = at_once(50, lambda _n: api("POST", "/dear/invoke", event))
    ran = [answer.json for answer in answers if answer.status == 200]
    refused = [answer.json for answer in answers if answer.status == 429]
    assert len(ran) + len(refused) == 50
    assert 3 <= len(ran) < 50
    assert {each["data"]["code"] for each in refused} == {"capped"}
    assert "money cap" in refused[0]["message"]
    paid = sum(Decimal(str(call["receipt"]["totalUsd"])) for call in ran)
    told = api.ok("POST", "/dear/invoke?mode=dry-run", event)["cap"]
    assert paid <= Decimal(str(told["spentUsd"])) <= amount
    total = api.server("GET", "/api/usage?function=dear", token=api.root).json["total"]
    assert (total["calls"], total["capped"]) == (len(ran), len(refused))
    assert Decimal(str(total["totalUsd"])) == paid


def test_a_loop_is_stopped_and_says_so(api: Api) -> None:
    api.make("loop", triggers=[{"type": "http"}], invokeRule="", timeoutSeconds=20)
    assert api.server("GET", "/fn/loop").status == 502
    calls = api.calls("loop")
    assert sorted(call["depth"] for call in calls) == list(range(1, 10))
    stopped = calls[0]
    assert (stopped["depth"], stopped["error"]["type"]) == (9, "Dormouse.LoopStopped")
    assert "ends after 8" in stopped["error"]["message"]


def test_errors_have_pocketbases_shape(api: Api) -> None:
    wrong = {"name": "wrong", "runtime": "ruby3.3", "memoryMb": 127, "timeoutSeconds": 901}
    answer = api("POST", "", wrong)
    assert (answer.status, answer.json["status"]) == (400, 400)
    assert answer.json["data"].keys() == {"runtime", "memoryMb", "timeoutSeconds"}
    assert "ruby3.3" in answer.json["data"]["runtime"]["message"]
    assert api.server("GET", "/api/functions").status == 401
    assert json.loads(api("GET", "/absent").content)["status"] == 404
