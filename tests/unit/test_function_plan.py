"""What is done with Lambda, for what is wanted and what is there."""

from typing import Any

import pytest

from chalicelib.domain.functions import plan
from chalicelib.domain.functions.function import Function
from chalicelib.domain.functions.plan import (
    CREATE,
    PUBLISH,
    SET_CONCURRENCY,
    UPDATE_CODE,
    UPDATE_CONFIGURATION,
    WAIT,
    Actual,
    Target,
)
from chalicelib.domain.functions.version import Code, Version, of_document, of_function, settings_of

CODE = Code("ab" * 32, 1000)
HELLO = Function(
    id="f" * 15, name="hello", runtime="python3.11", handler="main.handler",
    environment={"COLOUR": "red"}, secret_names=("KEY",), url="https://api.example.com",
)  # fmt: skip
SECRETS = {"KEY": "s3cret", "FORGOTTEN": "old"}


def target(publishes: bool = True, **changes: Any) -> Target:
    function = HELLO._replace(**changes)
    return plan.target("dormouse-test", function, CODE, SECRETS, publishes)


def actual(**changes: Any) -> Actual:
    """Return Lambda's state when it has all of HELLO."""
    wanted = target()
    there = Actual(
        wanted.code.sha256, wanted.runtime, wanted.handler, wanted.memory_mb,
        wanted.timeout_seconds, wanted.environment, None, "r1", "Active", "Successful",
    )  # fmt: skip
    return there._replace(**changes)


def test_names_are_derived_and_the_secrets_that_are_named_are_variables() -> None:
    wanted = target()
    assert wanted.name == "dormouse-test-fn-hello"
    assert wanted.code_key == f".functions/{HELLO.id}/code/{CODE.sha256}.zip"
    assert wanted.environment == {
        "DORMOUSE_URL": "https://api.example.com", "COLOUR": "red", "KEY": "s3cret",
    }  # fmt: skip


def test_without_a_known_url_there_is_no_variable_of_it() -> None:
    assert target(url="").environment == {"COLOUR": "red", "KEY": "s3cret"}


PLANS = {
    "nothing is there": (target(), None, (CREATE, WAIT, PUBLISH)),
    "nothing is there, some concurrency is kept for it": (
        target(reserved_concurrency=2), None, (CREATE, WAIT, SET_CONCURRENCY, PUBLISH),
    ),
    "all is there but perhaps its version": (target(), actual(), (PUBLISH,)),
    "nothing is to be published": (target(publishes=False), actual(sha256="00"), ()),
    "other code": (target(), actual(sha256="00"), (UPDATE_CODE, WAIT, PUBLISH)),
    "other memory": (target(memory_mb=256), actual(), (UPDATE_CONFIGURATION, WAIT, PUBLISH)),
    "another secret": (
        target(), actual(environment={}), (UPDATE_CONFIGURATION, WAIT, PUBLISH),
    ),
    "code goes before configuration": (
        target(timeout_seconds=9), actual(sha256="00"),
        (UPDATE_CODE, WAIT, UPDATE_CONFIGURATION, WAIT, PUBLISH),
    ),
    "Lambda is still at work": (target(), actual(update="InProgress"), (WAIT, PUBLISH)),
    "Lambda is making it": (target(), actual(state="Pending"), (WAIT, PUBLISH)),
    "the last update failed": (
        target(), actual(update="Failed"), (UPDATE_CODE, WAIT, PUBLISH),
    ),
    "concurrency alone makes no version": (
        target(publishes=False, reserved_concurrency=0), actual(), (SET_CONCURRENCY,),
    ),
    "concurrency is given back": (
        target(publishes=False), actual(concurrency=5), (SET_CONCURRENCY,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PLANS)
def test_what_is_left_is_planned(case: str) -> None:
    wanted, there, actions = PLANS[case]
    assert plan.plan(wanted, there) == actions


def carry_out(action: str, wanted: Target, there: Actual | None) -> Actual:
    """Return Lambda's state after an action, as its API describes it."""
    there = there or actual(sha256=wanted.code.sha256, state="Pending")
    configuration = {
        "runtime": wanted.runtime, "handler": wanted.handler, "memory_mb": wanted.memory_mb,
        "timeout_seconds": wanted.timeout_seconds, "environment": wanted.environment,
    }  # fmt: skip
    changes: dict[str, Any] = {
        CREATE: {**configuration},
        UPDATE_CODE: {"sha256": wanted.code.sha256, "update": "InProgress"},
        UPDATE_CONFIGURATION: {**configuration, "update": "InProgress"},
        SET_CONCURRENCY: {"concurrency": wanted.concurrency},
        WAIT: {"state": "Active", "update": "Successful"},
        PUBLISH: {},
    }
    return there._replace(**changes[action])


@pytest.mark.parametrize("case", PLANS)
def test_a_plan_made_anew_after_each_action_is_the_rest_of_the_plan(case: str) -> None:
    wanted, there, actions = PLANS[case]
    for position, action in enumerate(actions):
        assert plan.plan(wanted, there)[:1] == (action,)
        there = carry_out(action, wanted, there)
        if action != PUBLISH:
            assert plan.plan(wanted, there) == actions[position + 1 :]


VERSIONED = {
    "runtime": "nodejs22.x", "handler": "x.y", "memory_mb": 256, "timeout_seconds": 9,
    "environment": {}, "secret_names": (),
}  # fmt: skip
UNVERSIONED = {
    "description": "x", "triggers": ({"id": "a", "type": "http"},), "invoke_rule": "",
    "cap": None, "retention_days": 1, "reserved_concurrency": 1, "url": "", "updated": "x",
    "redact": ("a",), "rights": ("b",), "retry_attempts": 0, "retry_delay_seconds": 1,
}  # fmt: skip
ITS_OWN = {"id", "name", "live_version", "latest_version", "created", "rev"}


def test_what_lambda_runs_makes_a_version_and_the_rest_does_not() -> None:
    assert VERSIONED.keys() | UNVERSIONED.keys() | ITS_OWN == set(Function._fields)
    for name, value in VERSIONED.items():
        assert plan.needs_version(HELLO, HELLO._replace(**{name: value})), name  # type: ignore[arg-type]
    for name, value in UNVERSIONED.items():
        assert not plan.needs_version(HELLO, HELLO._replace(**{name: value})), name  # type: ignore[arg-type]


def test_a_version_brings_its_settings_back_and_leaves_the_others() -> None:
    version = of_function(HELLO, 3, CODE, "2026-11-23 00:00:00.000Z")
    later = HELLO._replace(memory_mb=512, environment={}, description="later", live_version=4)
    assert settings_of(version, later) == HELLO._replace(description="later", live_version=3)


def test_a_version_is_read_as_it_was_written() -> None:
    version: Version = of_function(HELLO, 3, CODE, "2026-11-23 00:00:00.000Z")
    document = {**version._asdict(), "code": [*version.code], "secret_names": ["KEY"]}
    assert of_document(document) == version
