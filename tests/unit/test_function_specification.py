"""What a function's settings may be, and that all that is wrong is said at once."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.functions import specification
from chalicelib.domain.functions import triggers as triggers_
from chalicelib.domain.functions.function import Cap, Function
from chalicelib.domain.functions.specification import Change
from chalicelib.errors import BadRequestError

NOW = "2026-11-23 07:00:00.000Z"
LATER = "2026-11-24 07:00:00.000Z"
URL = "https://api.example.com"
PYTHON: dict[str, Any] = {"name": "hello", "runtime": "python3.12"}


def new(**settings: Any) -> Change:
    return specification.new({**PYTHON, **settings}, "f" * 15, NOW, URL)


def changed(function: Function, **settings: Any) -> Change:
    return specification.changed(function, settings, LATER, URL)


def errors_of(**settings: Any) -> dict[str, Any]:
    with pytest.raises(BadRequestError) as refused:
        new(**settings)
    return refused.value.data


HELLO = new(
    environment={"GREETING": "Hi"},
    secrets={"API_KEY": "k1", "OTHER": "k2"},
    triggers=[{"type": "schedule", "expression": "@daily"}, {"type": "http"}],
).function


def test_new_function_has_lambdas_defaults() -> None:
    function = new().function

    assert (function.memory_mb, function.timeout_seconds) == (128, 3)
    assert function.handler == "lambda_function.lambda_handler"
    assert new(runtime="nodejs22.x").function.handler == "index.handler"
    assert (function.created, function.updated, function.url) == (NOW, NOW, URL)
    assert function.invoke_rule is None
    assert function.live_version == 0


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("name", "", "validation_required"),
        ("name", None, "validation_required"),
        ("name", "Hello", "validation_match_invalid"),
        ("name", "1st", "validation_match_invalid"),
        ("name", "ends-", "validation_match_invalid"),
        ("name", "a" * 41, "validation_match_invalid"),
        ("name", "hello\n", "validation_match_invalid"),
        ("name", 7, "validation_invalid_value"),
        ("runtime", None, "validation_required"),
        ("runtime", "ruby3.4", "validation_in_invalid"),
        ("runtime", "python3.10", "validation_in_invalid"),
        ("handler", "", "validation_required"),
        ("handler", "main", "validation_match_invalid"),
        ("handler", "../main.handler", "validation_match_invalid"),
        ("handler", "/main.handler", "validation_match_invalid"),
        ("handler", "main.a b", "validation_match_invalid"),
        ("handler", "a." + "b" * 127, "validation_match_invalid"),
        ("memoryMb", 127, "validation_min_greater_equal_than_required"),
        ("memoryMb", 10241, "validation_max_less_equal_than_required"),
        ("memoryMb", "128", "validation_only_int_constraint"),
        ("memoryMb", 128.5, "validation_only_int_constraint"),
        ("memoryMb", True, "validation_only_int_constraint"),
        ("memoryMb", None, "validation_only_int_constraint"),
        ("timeoutSeconds", 0, "validation_min_greater_equal_than_required"),
        ("timeoutSeconds", 901, "validation_max_less_equal_than_required"),
        ("reservedConcurrency", -1, "validation_min_greater_equal_than_required"),
        ("reservedConcurrency", 1001, "validation_max_less_equal_than_required"),
        ("retryAttempts", 11, "validation_max_less_equal_than_required"),
        ("retryDelaySeconds", 0, "validation_min_greater_equal_than_required"),
        ("retentionDays", 366, "validation_max_less_equal_than_required"),
        ("description", "x" * 257, "validation_length_too_long"),
        ("description", None, "validation_invalid_value"),
        ("description", "half of a pair: \ud83d", "validation_invalid_value"),
        ("invokeRule", "\ud800", "validation_invalid_value"),
        ("redact", "password", "validation_invalid_value"),
        ("redact", [""], "validation_invalid_value"),
        ("rights", ["x" * 201], "validation_invalid_value"),
        ("rights", ["x"] * 101, "validation_invalid_value"),
        ("environment", [], "validation_invalid_value"),
        ("secrets", "k", "validation_invalid_value"),
        ("capUsd", 5, "validation_invalid_value"),
        ("triggers", {}, "validation_invalid_value"),
        ("triggers", [{"type": "http"}] * 21, "validation_too_many_values"),
        ("triggers", [{"type": "http"}] * 2, "validation_not_unique"),
        ("triggers", [{"type": "queue", "queue": "q"}] * 2, "validation_not_unique"),
        ("invokeRule", 1, "validation_invalid_value"),
        ("invokeRule", "title = 1", "validation_invalid_rule"),  # there is no record
        ("invokeRule", "@request.auth.id =", "validation_invalid_rule"),
        ("invokeRule", "@collection.users.id = 'x'", "validation_invalid_rule"),
        ("memoryMB", 128, "validation_unknown_key"),
    ],
)
def test_setting_that_cannot_be_is_refused(setting: str, value: Any, code: str) -> None:
    assert {key: error["code"] for key, error in errors_of(**{setting: value}).items()} == {
        setting: code
    }


@pytest.mark.parametrize(
    ("setting", "value", "key", "code"),
    [
        ("environment", {"A": "x"}, "A", "validation_match_invalid"),  # Lambda wants two
        ("environment", {"1A": "x"}, "1A", "validation_match_invalid"),
        ("environment", {"A-B": "x"}, "A-B", "validation_match_invalid"),
        ("environment", {"AWS_REGION": "x"}, "AWS_REGION", "validation_not_in_invalid"),
        ("environment", {"lambda_x": "x"}, "lambda_x", "validation_not_in_invalid"),
        ("environment", {"DORMOUSE_URL": "x"}, "DORMOUSE_URL", "validation_not_in_invalid"),
        ("environment", {"PORT": 80}, "PORT", "validation_invalid_value"),
        ("environment", {"PORT": "a\0b"}, "PORT", "validation_invalid_value"),
        ("secrets", {"AWS_KEY": "x"}, "AWS_KEY", "validation_not_in_invalid"),
        ("secrets", {"KEY": ""}, "KEY", "validation_required"),
        ("secrets", {"KEY": "******"}, "KEY", "validation_invalid_value"),  # masks nothing yet
        ("capUsd", {"amount": 0, "per": "day"}, "amount", "validation_invalid_value"),
        ("capUsd", {"amount": "nan", "per": "day"}, "amount", "validation_invalid_value"),
        ("capUsd", {"amount": "1e99", "per": "day"}, "amount", "validation_invalid_value"),
        ("capUsd", {"amount": "much", "per": "day"}, "amount", "validation_not_a_number"),
        ("capUsd", {"amount": True, "per": "day"}, "amount", "validation_not_a_number"),
        ("capUsd", {"per": "day"}, "amount", "validation_required"),
        (
            "capUsd",
            {"amount": "0.0000000000001", "per": "day"},
            "amount",
            "validation_invalid_value",
        ),
        ("capUsd", {"amount": 1, "per": "week"}, "per", "validation_in_invalid"),
        ("capUsd", {"amount": 1, "per": ["day"]}, "per", "validation_in_invalid"),
        ("capUsd", {"amount": 1, "per": "day", "amont": 2}, "amont", "validation_unknown_key"),
    ],
)
def test_wrong_part_of_a_setting_is_named(setting: str, value: Any, key: str, code: str) -> None:
    error = errors_of(**{setting: value})[setting]
    assert {name: each["code"] for name, each in error.items()} == {key: code}


def test_all_errors_come_at_once() -> None:
    errors = errors_of(name="X", memoryMb=1, environment={"A": ""}, triggers=[{}], nope=1)
    assert set(errors) == {"name", "memoryMb", "environment", "triggers", "nope"}


@pytest.mark.parametrize(
    ("key", "meant"),
    [("memoryMB", "memoryMb"), ("timeout", "timeoutSeconds"), ("env", None), ("cap", "capUsd")],
)
def test_unknown_key_names_the_nearest(key: str, meant: str | None) -> None:
    message = errors_of(**{key: 1})[key]["message"]
    assert f"did you mean {meant}?" in message if meant else "There are capUsd" in message


def test_what_is_shown_can_be_sent_back() -> None:
    shown = specification.export(HELLO)
    shown |= {"state": "asleep", "calls": 7}
    shown["triggers"][0] |= {"nextRuns": ["2026-11-24 00:00:00.000Z"]}

    change = changed(HELLO, **shown)

    assert change.function == HELLO._replace(updated=LATER)
    assert change.secrets == {}


def test_name_stays() -> None:
    assert changed(HELLO, name="hello").function.name == "hello"
    with pytest.raises(BadRequestError) as refused:
        changed(HELLO, name="other")
    assert refused.value.data["name"]["code"] == "validation_immutable"


def test_patch_changes_what_it_names_and_nothing_else() -> None:
    function = changed(HELLO, memoryMb=256.0, environment={"ONLY": "this"}).function
    expected = HELLO._replace(memory_mb=256, environment={"ONLY": "this"}, updated=LATER)
    assert function == expected


def test_secrets_are_set_replaced_kept_and_removed_by_name() -> None:
    secrets = {"API_KEY": "******", "OTHER": None, "NEW": "k3", "NEVER": None}
    change = changed(HELLO, secrets=secrets)

    assert change.secrets == {"OTHER": None, "NEW": "k3", "NEVER": None}
    assert change.function.secret_names == ("API_KEY", "NEW")
    shown = specification.export(change.function)
    assert shown["secrets"] == {"API_KEY": "******", "NEW": "******"}


def test_secret_values_are_nowhere_in_the_function() -> None:
    assert "k1" not in repr(HELLO)
    assert "k1" not in repr(specification.export(HELLO))


def test_name_in_both_environment_and_secrets_is_refused() -> None:
    with pytest.raises(BadRequestError) as refused:
        changed(HELLO, environment={"API_KEY": "x"})
    assert "API_KEY" in refused.value.data["secrets"]["message"]
    assert changed(HELLO, environment={"API_KEY": "x"}, secrets={"API_KEY": None})


def test_environment_is_limited_with_secrets_and_says_how_large_it_is() -> None:
    frame = len('{"BIG":"","DORMOUSE_URL":""}') + len(URL)
    assert new(environment={"BIG": "x" * (4096 - frame)})
    error = errors_of(environment={"BIG": "x" * (4097 - frame)})["environment"]
    assert error["code"] == "validation_length_too_long"
    assert "4097 bytes" in error["message"]

    assert "environment" in errors_of(secrets={"BIG": "x" * 4096})
    stored = {"API_KEY": "x" * 2000, "OTHER": "é" * 1000}
    body: dict[str, Any] = {"environment": {"BIG": "x" * 100}}
    with pytest.raises(BadRequestError):
        specification.changed(HELLO, body, NOW, URL, stored_secrets=stored)
    body = {"secrets": {"OTHER": None}, **body}
    assert specification.changed(HELLO, body, NOW, URL, stored_secrets=stored)


@pytest.mark.parametrize(
    ("given", "kept", "shown"),
    [(5, "5", 5), (0.1, "0.1", 0.1), ("0.10", "0.1", 0.1), ("1e-6", "0.000001", 1e-06),
     (" 20 ", "20", 20), (1e5, "100000", 100000), ("0.000000000001", "0.000000000001", 1e-12)],
)  # fmt: skip
def test_cap_is_kept_as_plain_decimal_text(given: Any, kept: str, shown: float) -> None:
    function = new(capUsd={"amount": given, "per": "month"}).function
    assert function.cap == Cap(kept, "month")
    assert specification.export(function)["capUsd"] == {"amount": shown, "per": "month"}
    assert changed(function, capUsd=None).function.cap is None


@pytest.mark.parametrize(
    "rule",
    [
        None,
        "",
        "@request.auth.id != ''",
        "@request.method = 'POST' && @request.headers.x_key = 'k'",
        "@request.auth.collectionName = '_functions' && @request.auth.rights ~ 'mail'",
        "@request.body.kind:isset = true || @request.query.a = 'b'",
    ],
)
def test_invoke_rule_asks_the_request(rule: str | None) -> None:
    assert new(invokeRule=rule).function.invoke_rule == rule


def test_trigger_keeps_its_id_and_since_until_it_watches_something_else() -> None:
    daily, http = HELLO.triggers
    assert len(daily["id"]) == 8
    assert daily["since"] == 1795417200000

    same = changed(HELLO, triggers=[http, daily]).function.triggers
    assert same == (http, daily)

    moved = {**daily, "expression": "@hourly", "since": 1}
    (other,) = changed(HELLO, triggers=[moved]).function.triggers
    assert other["id"] == daily["id"]
    assert other["since"] == daily["since"] + 24 * 3600 * 1000


def test_trigger_id_of_ones_own_making_is_not_taken() -> None:
    given = {"id": "mine", "type": "http"}
    (made,) = new(triggers=[given]).function.triggers
    assert made["id"] != "mine"
    twice = [*HELLO.triggers, {**HELLO.triggers[0]}]
    kept = changed(HELLO, triggers=twice).function.triggers
    assert len({each["id"] for each in kept}) == 3


def test_trigger_without_an_id_is_the_one_that_watches_the_same() -> None:
    """Settings that come from a file have no ids, and must not begin anew with each deploy."""
    given: list[dict[str, Any]] = [
        {"type": "record", "collection": "posts", "actions": ["create"]},
        {"type": "record", "collection": "posts", "rule": "title = 'x'"},
        {"type": "schedule", "expression": "at(2026-11-23T08:00:00)"},
        {"type": "queue", "queue": "emails"},
    ]
    function = new(triggers=given).function
    assert changed(function, triggers=given).function.triggers == function.triggers

    given[0], given[1] = {**given[1], "rule": "title = 'y'"}, given[0]  # one moves, one changes
    given[3] = {"type": "queue", "queue": "emails", "batchSize": 5}
    created, ruled, once, queue = function.triggers
    after = changed(function, triggers=given).function.triggers
    assert [each["id"] for each in after] == [each["id"] for each in (ruled, created, once, queue)]
    assert after[0]["since"] == ruled["since"]
    assert (after[0]["rule"], after[3]["batchSize"]) == ("title = 'y'", 5)

    given[3] = {"type": "queue", "queue": "others"}
    other = changed(function, triggers=given).function.triggers[3]
    assert other["id"] != queue["id"]


def test_trigger_of_another_type_counts_anew() -> None:
    function = new(triggers=[{"type": "file", "collection": "posts", "field": "f"}]).function
    (file,) = function.triggers
    (record,) = changed(function, triggers=[{**PLAIN_RECORD, "id": file["id"]}]).function.triggers
    assert record["since"] > file["since"]


PLAIN_RECORD = {"type": "record", "collection": "posts"}


def test_time_that_has_passed_is_refused_only_when_it_is_new() -> None:
    once = {"type": "schedule", "expression": "at(2026-11-23T08:00:00)"}
    function = new(triggers=[once]).function
    assert changed(function, triggers=list(function.triggers), memoryMb=256)
    with pytest.raises(BadRequestError) as refused:
        changed(HELLO, triggers=[once])
    assert "has passed" in refused.value.data["triggers"]["0"]["expression"]["message"]


@pytest.mark.parametrize(
    ("trigger", "key", "says"),
    [
        ({"type": "cron"}, "type", "http, schedule, record, file, queue"),
        ({}, "type", "http, schedule, record, file, queue"),
        ({"type": ["http"]}, "type", "http, schedule"),
        ({"type": "http", "path": "/x"}, "path", "no setting path, nor any"),
        ({"type": "schedule"}, "expression", "Cannot be blank"),
        ({"type": "schedule", "expression": "0 0 30 2 *"}, "expression", "never fires"),
        ({"type": "schedule", "expression": "@daily", "timezone": "X"}, "timezone", "time zone X"),
        ({"type": "schedule", "expression": "@daily", "timezone": 1}, "timezone", "text"),
        ({"type": "record"}, "collection", "Cannot be blank"),
        ({"type": "record", "collection": "posts", "actions": []}, "actions", "list"),
        ({"type": "record", "collection": "posts", "actions": ["read"]}, "actions", "only"),
        ({"type": "record", "collection": "posts", "actions": [["x"]]}, "actions", "only"),
        ({"type": "record", "collection": "posts", "rule": "a ="}, "rule", "Invalid rule"),
        ({"type": "record", "collection": "posts", "rule": "@request.auth.id = id"}, "rule",
         "no request"),
        ({"type": "file", "collection": "posts"}, "field", "Cannot be blank"),
        ({"type": "queue", "queue": "E mails"}, "queue", "lower-case"),
        ({"type": "queue", "queue": "q", "batchSize": 11}, "batchSize", "no greater than 10"),
        ({"type": "queue", "queue": "q", "windowSeconds": -1}, "windowSeconds", "less than 0"),
    ],
)  # fmt: skip
def test_wrong_trigger_is_refused_under_its_position(
    trigger: dict[str, Any], key: str, says: str
) -> None:
    errors = errors_of(triggers=[{"type": "http"}, trigger])["triggers"]
    assert set(errors) == {"1"}
    assert set(errors["1"]) == {key}
    assert says in errors["1"][key]["message"]


def test_trigger_that_is_no_object_is_refused() -> None:
    assert errors_of(triggers=["http"])["triggers"]["0"]["code"] == "validation_invalid_value"


def test_triggers_get_their_defaults() -> None:
    given = [
        {"type": "schedule", "expression": "0 3 * * *"},
        {"type": "record", "collection": "posts"},
        {"type": "queue", "queue": "emails"},
    ]
    schedule, record, queue = new(triggers=given).function.triggers
    assert schedule["timezone"] == "UTC"
    assert (record["actions"], record["rule"]) == (["create", "update", "delete"], None)
    assert (queue["batchSize"], queue["windowSeconds"]) == (10, 0)
    assert triggers_.of_type((schedule, record, queue), "queue") == [queue]


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 128, 1.5, float("nan"), float("inf"), 10**400, "", "x", "a\0", "\ud800",
     "@daily", "a = 1", [], [None], ["x"], [["x"]], {}, {"a": None}, {"KEY": "v"}, {"KEY": [1]},
     {"amount": 1, "per": "day"}, {"amount": "1e9999", "per": {}}, [{}], [{"type": "http"}]]
)  # fmt: skip
KINDS = ["http", "schedule", "record", "file", "queue"]
TRIGGER_KEYS = ["expression", "timezone", "collection", "actions", "rule", "field", "queue",
                "batchSize", "windowSeconds", "since", "id"]  # fmt: skip
TRIGGERS = st.builds(
    lambda kind, rest: [{**rest, "type": kind}],
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(TRIGGER_KEYS), ODD, max_size=4),
)
BODIES = st.dictionaries(st.sampled_from(specification.KEYS), ODD | TRIGGERS, max_size=4)


@given(BODIES)
@settings(max_examples=200, deadline=None)
def test_any_body_is_taken_or_refused_with_reasons(body: dict[str, Any]) -> None:
    try:
        change = specification.new({**PYTHON, **body}, "f" * 15, NOW, URL)
    except BadRequestError:
        return
    shown = specification.export(change.function)
    again = specification.changed(change.function, shown, NOW, URL)
    assert again.function == change.function
