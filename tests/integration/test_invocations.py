"""The list of calls, replays, logs, and calls in the background, on the local AWS."""

import threading
import time
from typing import Any

import pytest

from chalicelib import config, services, store
from chalicelib.domain.functions.log_cursor import LATE_MS
from tests.integration.function_client import Functions, make_wakes_queue, work_on_wakes

SOURCE = """
import time

def handler(event, context):
    for n in range(event.get("lines", 0)):
        print("line", event.get("call"), n, "password=hunter2" if n == 7 else "")
    time.sleep(event.get("seconds", 0))
    return {"halves": [value / 2 for value in event.get("values", [])]}
"""
FIXED = SOURCE.replace("value / 2", "float(value) / 2")


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    made = Functions()
    make_wakes_queue()
    made.make("halver", SOURCE, timeoutSeconds=10)
    made.make("listed", SOURCE)
    for n in range(12):
        made.call("listed", {"values": [n if n % 4 else "x"]})
    return made


def test_calls_are_listed_newest_first_by_cursor(functions: Functions) -> None:
    seen: list[Any] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        page = functions.ok("GET", f"/listed/invocations?perPage=5&cursor={cursor}")
        seen += page["items"]
        cursor, pages = page["nextCursor"], pages + 1
    assert [call["event"]["values"] for call in seen] == [
        [n if n % 4 else "x"] for n in reversed(range(12))
    ]
    assert pages == 3
    assert [call["id"] for call in seen] == sorted((call["id"] for call in seen), reverse=True)


def test_a_call_that_is_made_meanwhile_shifts_no_page(functions: Functions) -> None:
    functions.make("moving", SOURCE)
    ids = [functions.call("moving")["id"] for _ in range(4)]
    first = functions.ok("GET", "/moving/invocations?perPage=2")
    functions.call("moving")
    second = functions.ok("GET", f"/moving/invocations?perPage=2&cursor={first['nextCursor']}")
    listed = [call["id"] for call in first["items"] + second["items"]]
    assert listed == ids[::-1]
    assert second["nextCursor"] == ""


def test_calls_are_listed_by_status(functions: Functions) -> None:
    failed = functions.ok("GET", "/listed/invocations?status=failed&perPage=2")
    assert [call["status"] for call in failed["items"]] == ["failed", "failed"]
    rest = functions.ok(
        "GET", f"/listed/invocations?status=failed&perPage=2&cursor={failed['nextCursor']}"
    )
    assert len(rest["items"]) == 1
    assert functions.ok("GET", "/listed/invocations?status=capped")["items"] == []
    assert len(functions.ok("GET", "/listed/invocations?status=succeeded")["items"]) == 9


def test_a_list_that_reads_its_fill_goes_on_where_it_stopped(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.invocations, "READ_CALLS", 4)
    monkeypatch.setattr(services.invocations, "_READ_AT_ONCE", 3)
    found: list[Any] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        page = functions.ok("GET", f"/listed/invocations?status=failed&cursor={cursor}")
        found += page["items"]
        cursor, pages = page["nextCursor"], pages + 1
    assert [call["event"]["values"] for call in found] == [["x"]] * 3
    assert pages >= 3


@pytest.mark.parametrize(
    "query", ["perPage=0", "perPage=101", "perPage=x", "status=good", "cursor=x", "cursor=~~"]
)
def test_a_list_that_asks_for_nonsense_is_refused(functions: Functions, query: str) -> None:
    assert functions("GET", f"/listed/invocations?{query}").status == 400


def test_an_expired_call_is_gone(functions: Functions) -> None:
    functions.make("brief", SOURCE)
    call = functions.call("brief")
    function = functions.function("brief")
    stored = store.invocations.load(function.id, call["id"])
    assert stored is not None
    store.invocations.change(stored, -1)
    assert functions("GET", f"/brief/invocations/{call['id']}").status == 404
    assert functions.ok("GET", "/brief/invocations") == {"items": [], "nextCursor": ""}
    assert functions("GET", "/brief/invocations/" + "0" * 20).status == 404


def test_a_replay_on_the_fixed_version_shows_what_changed(functions: Functions) -> None:
    functions.make("fixed", SOURCE)
    failed = functions.call("fixed", {"values": [4, "6"]})
    assert (failed["status"], failed["error"]["type"]) == ("failed", "TypeError")
    functions.code("fixed", FIXED)
    again = functions.ok("POST", f"/fixed/invocations/{failed['id']}/replay", {})
    assert again["original"]["id"] == failed["id"] == again["invocation"]["replayOf"]
    assert (again["invocation"]["trigger"], again["invocation"]["version"]) == ("replay", 2)
    assert again["invocation"]["result"] == {"halves": [2.0, 3.0]}
    diff = again["diff"]
    assert diff["equal"] is False
    assert diff["version"] == {"before": 1, "after": 2}
    assert diff["status"] == {"before": "failed", "after": "succeeded"}
    assert {change["path"] for change in diff["changes"]} == {"$.status", "$.result", "$.error"}
    assert diff["durationMs"]["after"] == again["invocation"]["durationMs"]
    old = functions.ok("POST", f"/fixed/invocations/{failed['id']}/replay", {"version": 1})
    assert (old["diff"]["equal"], old["diff"]["changes"]) == (True, [])
    assert "redacted" not in old
    assert (
        functions("POST", f"/fixed/invocations/{failed['id']}/replay", {"version": 9}).status == 400
    )


def test_a_replay_says_when_the_event_is_not_whole(functions: Functions) -> None:
    call = functions.call("halver", {"values": [1], "password": "p"})
    again = functions.ok("POST", f"/halver/invocations/{call['id']}/replay", {})
    assert again["redacted"] is True
    assert "secret" in again["warning"]
    assert again["diff"]["equal"] is True
    assert again["invocation"]["event"]["password"] == "******"


def test_a_replay_that_the_cap_refuses_is_a_429(functions: Functions) -> None:
    functions.make("dear", SOURCE)
    call = functions.call("dear")
    functions.ok("PATCH", "/dear", {"capUsd": {"amount": "0.0000001", "per": "day"}})
    answer = functions("POST", f"/dear/invocations/{call['id']}/replay", {})
    assert (answer.status, answer.body["data"]["code"]) == (429, "capped")


def test_an_async_call_is_answered_at_once_and_made_later(functions: Functions) -> None:
    answer, headers = functions.whole(
        "POST", "/halver/invoke?mode=async", {"event": {"values": [8]}}, {"idempotency-key": "a"}
    )
    assert answer.status == 202
    assert answer.body["status"] == "queued"
    path = headers["location"].removeprefix("/api/functions")
    assert path == f"/halver/invocations/{answer.body['id']}"
    assert functions.ok("GET", "/halver")["state"] == "waking"
    again = functions.whole(
        "POST", "/halver/invoke?mode=async", {"event": {"values": [8]}}, {"idempotency-key": "a"}
    )
    assert (again[0].status, again[0].body["id"]) == (202, answer.body["id"])
    assert work_on_wakes() == 1
    done = functions.ok("GET", path)
    assert (done["status"], done["result"]) == ("succeeded", {"halves": [4.0]})
    assert "sqsFifo" in [line["what"] for line in done["receipt"]["lines"]]
    assert functions.ok("GET", "/halver")["state"] == "asleep"


def test_a_function_longer_than_the_request_is_waited_for_and_then_answered_202(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORMOUSE_REQUEST_SECONDS", "3")
    config.settings.cache_clear()
    try:
        body = {"event": {"values": [1], "seconds": 0.2}}
        late = functions("POST", "/halver/invoke", body)
        assert (late.status, late.body["status"]) == (202, "queued")
        consumer = threading.Thread(target=work_on_wakes, args=(2.0,))
        consumer.start()
        key = {"idempotency-key": "long"}
        made = functions("POST", "/halver/invoke", body, key)
        consumer.join()
        assert (made.status, made.body["status"]) == (200, "succeeded")
        assert functions("POST", "/halver/invoke", body, key).body == made.body
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()
    assert functions.ok("GET", f"/halver/invocations/{late.body['id']}")["status"] == "succeeded"


def test_a_long_call_that_somebody_waited_for_is_not_tried_again(functions: Functions) -> None:
    function = functions.function("halver")
    queued = services.background_calls.queue(
        function, {"values": ["x"]}, trigger="invoke", once=True
    )
    done = services.background_calls.run_queued(function, queued.id)
    assert (done.status, done.attempt) == ("failed", 1)


def lines_of(functions: Functions, name: str, limit: int, after: str = "") -> tuple[list[str], str]:
    """Return what is to be read from there on, page by page, and where to go on later."""
    found: list[str] = []
    while True:
        page = functions.ok("GET", f"/{name}/logs?limit={limit}&after={after}")
        after = page["after"]
        if not page["items"]:
            return found, after
        found += [line["message"] for line in page["items"]]


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_a_log_is_read_whole_and_nothing_twice(functions: Functions, limit: int) -> None:
    name = f"writer-{limit}"
    functions.make(name, SOURCE)
    assert lines_of(functions, name, limit)[0] == []
    functions.call(name, {"lines": 12, "call": "a"})
    first, after = lines_of(functions, name, limit)
    functions.call(name, {"lines": 5, "call": "b"})
    second, after = lines_of(functions, name, limit, after)
    assert lines_of(functions, name, limit, after)[0] == []
    own = [line.split()[:3] for line in first + second if line.startswith("line")]
    assert own == [["line", call, str(n)] for call, count in (("a", 12), ("b", 5))
                   for n in range(count)]  # fmt: skip
    assert sum(line.startswith("REPORT") for line in first + second) == 2


def test_a_line_names_its_call_and_holds_no_secret(functions: Functions) -> None:
    functions.make("teller", SOURCE)
    call = functions.call("teller", {"lines": 9, "call": "c"})
    items = functions.ok("GET", "/teller/logs")["items"]
    assert {line["requestId"] for line in items} == {call["requestId"]}
    assert not any("hunter2" in line["message"] for line in items)
    assert "hunter2" not in call["logs"]
    since = items[0]["time"].replace(" ", "%20")
    assert len(functions.ok("GET", f"/teller/logs?after={items[0]['time']}")["items"]) == len(items)
    assert since


@pytest.mark.parametrize("query", ["after=x", "after=W10", "limit=0", "limit=2001", "limit=x"])
def test_a_log_that_is_asked_for_nonsense_is_refused(functions: Functions, query: str) -> None:
    assert functions("GET", f"/halver/logs?{query}").status == 400


def test_who_follows_a_log_while_many_write_misses_nothing(functions: Functions) -> None:
    functions.make("chorus", SOURCE)
    over = threading.Event()

    def sing(voice: int) -> None:
        for n in range(5):
            functions.call("chorus", {"lines": 3, "call": f"{voice}-{n}"})

    voices = [threading.Thread(target=sing, args=(voice,)) for voice in range(4)]
    heard: list[str] = []
    after, deadline = "", time.monotonic() + 30
    for voice in voices:
        voice.start()
    while not over.is_set():
        if not any(voice.is_alive() for voice in voices):
            over.set()
        more, after = lines_of(functions, "chorus", 10, after)
        heard += more
        assert time.monotonic() < deadline
    own = sorted(" ".join(line.split()[:3]) for line in heard if line.startswith("line"))
    assert own == sorted(f"line {v}-{n} {i}" for v in range(4) for n in range(5) for i in range(3))
    assert LATE_MS >= 1000
