"""A request that dies at any of its steps leaves nothing that the next one does not put right.

Each call that leaves the process is a step. A request is killed before its first step, then after
it, before the second, ...: until one comes through. What follows a death is what a person would
do: ask again, or just look.
"""

import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from types import ModuleType
from typing import Any

import pytest

from chalicelib import aws, services, store
from chalicelib.aws.control import NotYetError, RefusedError, client
from chalicelib.domain.functions import archive
from tests.integration.function_client import Functions
from tests.integration.function_leftovers import leftovers

SOURCE = "import os\ndef handler(event, context):\n    return [{n}, os.environ.get('API_KEY')]"

STEPS: list[tuple[ModuleType, str]] = [
    *((aws.lambda_functions, name) for name in ("create", "update_code", "update_configuration",
      "publish", "put_alias", "put_concurrency", "delete")),
    *((module, name) for module in (aws.roles, aws.log_groups) for name in ("ensure", "delete")),
    *((aws.parameters, name) for name in ("save", "delete")),
    *((store.functions, name) for name in ("put", "put_version", "delete", "delete_versions")),
    *((store.function_code, name) for name in ("put", "delete_all")),
    *((services.service_accounts, name) for name in ("ensure", "remove")),
    (services.function_triggers, "apply"),
]  # fmt: skip


class KilledError(BaseException):
    """As a process that is killed, this is nobody's to handle."""


class Killer:
    """Ends the process, so to say, after one of its steps; after the 0th is before the first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps = 0
        self.last: int | None = None
        for module, name in STEPS:
            monkeypatch.setattr(module, name, self._step(getattr(module, name)))

    def _step(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **named: Any) -> Any:
            if self.last == 0:
                raise KilledError
            result = plain(*args, **named)
            self.steps += 1
            if self.steps == self.last:
                raise KilledError
            return result

        return step

    def kills(self, request: Callable[[int], Any]) -> Iterator[int]:
        """Make the request again and again, killed a step later each time, until it is not.

        It is given the number of the step, which is yielded after the death.
        """
        for last in count():
            self.steps, self.last = 0, last
            try:
                request(last)
            except KilledError:
                self.last = None
                yield last
            else:
                self.last = None
                return


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    return Functions()


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    return Killer(monkeypatch)


def let_time_pass(name: str) -> None:
    """Let the hold of a request that died be over."""
    stored = store.functions.read(name)
    if stored is not None:
        store.functions.put(stored._replace(busy_ms=1), stored.function.rev)


def in_lambda(name: str) -> dict[str, Any]:
    lambda_ = client("lambda")
    full = f"dormouse-local-fn-{name}"
    number = lambda_.get_alias(FunctionName=full, Name="live")["FunctionVersion"]
    found: dict[str, Any] = lambda_.get_function_configuration(FunctionName=full, Qualifier=number)
    return found


def sha256_of(source: str) -> str:
    return hashlib.sha256(archive.make_zip({"main.py": source})).hexdigest()


def require_consistent(functions: Functions, name: str) -> dict[str, Any]:
    """Return the function, which has to be settled, and in Lambda just as the API says."""
    found: dict[str, Any] = functions.ok("GET", f"/{name}")
    assert found["state"] == "asleep", found
    versions = functions.ok("GET", f"/{name}/versions")["items"]
    live = [each for each in versions if each["live"]]
    assert [each["version"] for each in live] == [found["liveVersion"]]
    there = in_lambda(name)
    assert int(there["Version"]) == found["liveVersion"]
    assert (there["MemorySize"], there["Runtime"]) == (found["memoryMb"], found["runtime"])
    assert live[0]["memoryMb"] == found["memoryMb"]
    return found


def test_making_a_function(functions: Functions, killer: Killer) -> None:
    schedule = {"type": "schedule", "expression": "rate(1 hour)"}
    settings = {"secrets": {"API_KEY": "k"}, "triggers": [schedule]}
    body = {"name": "made", "runtime": "python3.11", "handler": "main.handler", **settings}
    deaths = 0
    for _ in killer.kills(lambda _: functions.ok("POST", "", body)):
        deaths += 1
        let_time_pass("made")
        if functions("GET", "/made").status == 404:
            continue
        found = functions.ok("GET", "/made")
        assert found["state"] == "asleep"
        assert functions("POST", "", body).status == 400  # the name is taken
        schedules = client("scheduler").list_schedules()["Schedules"]
        assert [each["Name"] for each in schedules] == [f"made-{found['triggers'][0]['id']}"]
        assert client("iam").get_role(RoleName="dormouse-local-fn-made")
        functions.ok("DELETE", "/made")
        assert leftovers(found["id"], "made") == []
    assert deaths >= 7
    functions.code("made", SOURCE.format(n=1))
    assert functions.call("made")["result"] == [1, "k"]
    functions.ok("DELETE", "/made")


@pytest.mark.parametrize("then", ["asks again", "just looks"])
def test_giving_it_code(functions: Functions, killer: Killer, then: str) -> None:
    name = "coded-" + then[0]
    functions.make(name, SOURCE.format(n="'first'"), secrets={"API_KEY": "k"})
    live, last = 1, -1
    for last in killer.kills(lambda last: functions.code(name, SOURCE.format(n=last))):
        let_time_pass(name)
        if then == "asks again":
            functions.code(name, SOURCE.format(n=last))
        found = require_consistent(functions, name)
        assert found["liveVersion"] == found["latestVersion"]
        assert found["liveVersion"] in ((live + 1,) if then == "asks again" else (live, live + 1))
        live = found["liveVersion"]
        if then == "asks again":
            newest = functions.ok("GET", f"/{name}/versions")["items"][0]
            assert newest["sha256"] == sha256_of(SOURCE.format(n=last))
    assert last >= 8
    assert functions.call(name)["result"] == [last + 1, "k"]


def test_the_first_code(functions: Functions, killer: Killer) -> None:
    body = {"name": "first", "runtime": "python3.11", "handler": "main.handler"}
    functions.ok("POST", "", {**body, "reservedConcurrency": 2})
    deaths = 0
    for _ in killer.kills(lambda _: functions.code("first", SOURCE.format(n=1))):
        deaths += 1
        let_time_pass("first")
        if functions.ok("GET", "/first")["liveVersion"] == 0:
            continue
        found = require_consistent(functions, "first")
        assert (found["liveVersion"], found["latestVersion"]) == (1, 1)
        functions.ok("DELETE", "/first")
        functions.ok("POST", "", {**body, "reservedConcurrency": 2})
    assert deaths >= 9
    assert functions.call("first")["result"] == [1, None]
    kept = client("lambda").get_function(FunctionName="dormouse-local-fn-first")
    assert kept["Concurrency"]["ReservedConcurrentExecutions"] == 2


def test_changing_settings(functions: Functions, killer: Killer) -> None:
    functions.make("tuned", SOURCE.format(n=1), secrets={"API_KEY": "old"})
    last = -1

    def change(last: int) -> dict[str, Any]:
        body = {"memoryMb": 192 + 64 * last, "secrets": {"API_KEY": f"after {last}"}}
        found: dict[str, Any] = functions.ok("PATCH", "/tuned", body)
        return found

    for last in killer.kills(change):
        let_time_pass("tuned")
        change(last)
        found = require_consistent(functions, "tuned")
        assert found["memoryMb"] == 192 + 64 * last
        variables = in_lambda("tuned")["Environment"]["Variables"]
        assert variables["API_KEY"] == f"after {last}"
    assert last >= 8
    assert functions.call("tuned")["result"] == [1, f"after {last + 1}"]


def test_rolling_back(functions: Functions, killer: Killer) -> None:
    functions.make("swung", SOURCE.format(n=1))
    body = {"files": {"main.py": SOURCE.format(n=2)}, "settings": {"memoryMb": 256}}
    functions.ok("PUT", "/swung/code", body)
    deaths = 0
    for _ in killer.kills(lambda _: functions.ok("POST", "/swung/rollback", {"version": 1})):
        deaths += 1
        let_time_pass("swung")
        found = require_consistent(functions, "swung")
        assert found["memoryMb"] == 128 * found["liveVersion"]
        functions.ok("POST", "/swung/rollback", {"version": 2})
    assert deaths >= 5
    assert functions.call("swung")["result"][0] == 1


def test_deleting(functions: Functions, killer: Killer) -> None:
    schedule = {"type": "schedule", "expression": "rate(1 hour)"}
    settings = {"secrets": {"API_KEY": "k"}, "triggers": [schedule]}
    made = functions.make("doomed", SOURCE.format(n=1), **settings)
    deaths = 0
    for _ in killer.kills(lambda _: functions.ok("DELETE", "/doomed")):
        deaths += 1
        let_time_pass("doomed")
        if functions("GET", "/doomed").status == 200:
            continue  # it died before anything was noted
        assert leftovers(made["id"], "doomed") == []
        made = functions.make("doomed", SOURCE.format(n=1), **settings)
    assert deaths >= 11
    assert leftovers(made["id"], "doomed") == []


def test_while_a_change_is_under_way_others_wait_and_calls_go_on(
    functions: Functions, killer: Killer, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("held", SOURCE.format(n=1))
    for _ in killer.kills(lambda _: functions.code("held", SOURCE.format(n=2))):
        if functions.ok("GET", "/held")["state"] == "deploying":
            break
        let_time_pass("held")
    stored = store.functions.read("held")
    assert stored is not None
    assert services.function_holds.is_held(stored)
    assert functions.call("held")["result"] == [1, None]
    with monkeypatch.context() as patch:
        patch.setattr(services.function_holds, "seconds_left", lambda: 0.5)
        answer = functions("PATCH", "/held", {"description": "x"})
    assert answer.status == 503
    assert "being changed by another request" in answer.body["message"]
    let_time_pass("held")
    after = functions.ok("PATCH", "/held", {"description": "x"})
    assert (after["description"], after["state"]) == ("x", "asleep")
    assert functions.call("held")["result"] == [2, None]


def test_a_change_that_lambda_takes_long_for_is_answered_and_finished_later(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("slow", SOURCE.format(n=1))
    with monkeypatch.context() as patch:
        patch.setattr(services.function_deploys, "seconds_left", lambda: 1.0)
        answer = functions("PATCH", "/slow", {"memoryMb": 256})
    assert (answer.status, answer.body["state"]) == (202, "deploying")
    assert (answer.body["memoryMb"], answer.body["liveVersion"]) == (128, 1)
    assert functions.call("slow")["status"] == "succeeded"
    after = functions.ok("GET", "/slow")
    assert (after["memoryMb"], after["liveVersion"], after["state"]) == (256, 2, "asleep")


def test_a_role_that_lambda_does_not_know_of_yet_is_waited_for(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, refusals = aws.lambda_functions.create, [1, 2, 3]

    def create_later(*args: Any) -> None:
        if refusals:
            refusals.pop()
            raise NotYetError("The role defined for the function cannot be assumed by Lambda.")
        create(*args)

    monkeypatch.setattr(aws.lambda_functions, "create", create_later)
    made = functions.make("fresh", SOURCE.format(n=1))
    assert (made["liveVersion"], refusals) == (1, [])


def test_somebody_who_changes_the_lambda_function_is_overruled(functions: Functions) -> None:
    functions.make("fiddled", SOURCE.format(n=1))
    full = "dormouse-local-fn-fiddled"
    client("lambda").update_function_configuration(FunctionName=full, MemorySize=999, Timeout=99)
    assert functions.call("fiddled")["status"] == "succeeded"
    functions.code("fiddled", SOURCE.format(n=2))
    require_consistent(functions, "fiddled")


def test_what_aws_refuses_is_said_and_given_up(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("refused", SOURCE.format(n=1))

    def refuse(*_: Any) -> None:
        raise RefusedError("InvalidParameterValueException: Too much is reserved.")

    with monkeypatch.context() as patch:
        patch.setattr(aws.lambda_functions, "put_concurrency", refuse)
        answer = functions("PATCH", "/refused", {"reservedConcurrency": 900, "description": "x"})
    assert answer.status == 400
    assert answer.body["message"] == "AWS refuses the function: Too much is reserved."
    after = functions.ok("GET", "/refused")
    assert (after["reservedConcurrency"], after["description"]) == (None, "")
    assert (after["state"], after["problem"]) == ("asleep", answer.body["message"])
    mended = functions.ok("PATCH", "/refused", {"reservedConcurrency": 9})
    assert "problem" not in mended
