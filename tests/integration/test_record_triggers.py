"""Record and file triggers: from a write through the API to a real function, by the real stream."""

import time
from typing import Any

import pytest

from chalicelib import services, store
from chalicelib.aws import dynamodb
from chalicelib.config import settings
from chalicelib.domain.functions import matching
from chalicelib.events import wake
from chalicelib.store import keys, leaving
from tests.conformance.client import Part
from tests.integration.event_edge import SEER, Edge, all_letters, work_until
from tests.integration.file_client import Files
from tests.integration.function_client import Functions, work_on_wakes

FIELDS = [
    {"name": "title", "type": "text"},
    {"name": "status", "type": "text"},
    {"name": "body", "type": "text", "max": 2_000_000},
    {"name": "n", "type": "number"},
    {"name": "picture", "type": "file", "maxSelect": 3, "maxSize": 1_000_000},
]
ACTIONS = ["create", "update", "delete"]


@pytest.fixture(scope="module")
def functions(table: str) -> Functions:
    return Functions()


@pytest.fixture(scope="module")
def edge(functions: Functions, tmp_path_factory: pytest.TempPathFactory) -> Edge:
    folder = tmp_path_factory.mktemp("edge")
    folder.parent.chmod(0o755)
    edge = Edge(folder)
    for name in ("posts", "quiet", "loops", "doomed"):
        body = {"name": name, "type": "base", "fields": FIELDS}
        functions.client.as_root("POST", "/api/collections", body)
    triggers = [{"type": "record", "collection": "posts"}]
    functions.make("seer", SEER, environment=edge.environment, retryAttempts=0, triggers=triggers)
    return edge


@pytest.fixture(autouse=True)
def _nothing_seen(edge: Edge) -> None:
    edge.forget()


def make(functions: Functions, collection: str = "posts", **values: Any) -> dict[str, Any]:
    path = f"/api/collections/{collection}/records"
    record: dict[str, Any] = functions.client.as_root("POST", path, values)
    return record


def change(functions: Functions, record: dict[str, Any], **values: Any) -> dict[str, Any]:
    path = f"/api/collections/{record['collectionName']}/records/{record['id']}"
    changed: dict[str, Any] = functions.client.as_root("PATCH", path, values)
    return changed


def delete(functions: Functions, record: dict[str, Any]) -> None:
    path = f"/api/collections/{record['collectionName']}/records/{record['id']}"
    functions.client.as_root("DELETE", path)


def set_triggers(functions: Functions, *triggers: dict[str, Any]) -> None:
    functions.ok("PATCH", "/seer", {"triggers": list(triggers)})


@pytest.fixture
def only_on(functions: Functions) -> Any:
    """Give the function other triggers for one test."""
    yield lambda *triggers: set_triggers(functions, *triggers)
    set_triggers(functions, {"type": "record", "collection": "posts"})


def titles(edge: Edge) -> list[tuple[str, str, str]]:
    return [
        (
            each["action"],
            (each["original"] or {}).get("title", "-"),
            (each["record"] or {}).get("title", "-"),
        )
        for each in edge.seen
    ]


def test_each_change_comes_in_order_with_both_images(functions: Functions, edge: Edge) -> None:
    record = make(functions, title="a", n=1)
    change(functions, record, title="b")
    change(functions, record, title="c")
    delete(functions, record)
    edge.bring()
    assert titles(edge) == [
        ("create", "-", "a"), ("update", "a", "b"), ("update", "b", "c"), ("delete", "c", "-"),
    ]  # fmt: skip
    first = edge.seen[0]
    assert first["record"] == record
    assert first["type"] == "record"
    assert first["collectionId"] == record["collectionId"]


def test_a_call_tells_what_woke_it(functions: Functions, edge: Edge) -> None:
    record = make(functions, title="told")
    edge.bring()
    (call,) = functions.ok("GET", "/seer/invocations?perPage=1")["items"]
    assert (call["trigger"], call["status"], call["depth"]) == ("record", "succeeded", 1)
    assert call["source"]["recordId"] == record["id"]
    assert call["source"]["action"] == "create"
    assert call["event"]["record"]["title"] == "told"


def test_a_batch_that_comes_twice_wakes_once(functions: Functions, edge: Edge) -> None:
    make(functions, title="once")
    edge.bring()
    wake.handle({"Records": edge.batches[-1]})
    work_on_wakes()
    assert titles(edge) == [("create", "-", "once")]


def test_a_batch_that_was_cut_short_before_its_messages_were_sent_is_made_good(
    functions: Functions, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(functions, title="cut")

    def die(*args: Any, **options: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(services.wakes, "send", die)
        with pytest.raises(SystemExit):
            edge.reader.read()
    assert work_on_wakes() == 0
    edge.reader.forget_iterators()
    edge.bring()
    assert titles(edge) == [("create", "-", "cut")]


def test_marks_and_index_fillings_are_no_changes(functions: Functions, edge: Edge) -> None:
    record = make(functions, title="marked")
    edge.bring()
    edge.file.unlink()
    collection = store.schema.load().find("posts")
    assert collection is not None
    stored = store.records.find(collection, record["id"])
    assert stored is not None
    leaving.withdraw(collection, stored, leaving.announce(collection, stored, depth=2))
    dynamodb.update(
        keys.record(collection.storage, record["id"]), "SET ix8 = :x", {":x": {"S": "x"}}
    )
    edge.bring()
    assert edge.seen == []


def test_other_collections_and_what_is_no_record_wake_nobody(
    functions: Functions, edge: Edge
) -> None:
    make(functions, "quiet", title="unseen")
    functions.call("seer", {"record": {"title": "direct"}})
    before = len(functions.ok("GET", "/seer/invocations")["items"])
    edge.bring()
    assert [each["record"]["title"] for each in edge.seen] == ["direct"]
    assert len(functions.ok("GET", "/seer/invocations")["items"]) == before


def test_a_trigger_may_want_some_actions_only(
    functions: Functions, edge: Edge, only_on: Any
) -> None:
    only_on({"type": "record", "collection": "posts", "actions": ["delete"]})
    record = make(functions, title="x")
    change(functions, record, title="y")
    delete(functions, record)
    edge.bring()
    assert titles(edge) == [("delete", "y", "-")]


def test_a_rule_sees_the_new_record_and_the_old_one(
    functions: Functions, edge: Edge, only_on: Any
) -> None:
    rule = "status = 'published' && original.status != 'published'"
    only_on({"type": "record", "collection": "posts", "actions": ["update"], "rule": rule})
    record = make(functions, title="draft", status="draft")
    change(functions, record, title="still a draft")
    change(functions, record, title="out", status="published")
    change(functions, record, title="corrected")
    edge.bring()
    assert titles(edge) == [("update", "still a draft", "out")]


def test_changes_from_before_the_trigger_are_nobodys(
    functions: Functions, edge: Edge, only_on: Any
) -> None:
    make(functions, "quiet", title="early")
    for batch in edge.batches:
        batch.clear()
    only_on({"type": "record", "collection": "quiet"})
    function = functions.function("seer")
    since = function.triggers[0]["since"]
    edge.reader.read()
    early = [
        {**each, "dynamodb": {**each["dynamodb"], "ApproximateCreationDateTime": since // 1000 - 1}}
        for batch in edge.batches
        for each in batch
    ]
    edge.forget()
    wake.handle({"Records": early})
    work_on_wakes()
    assert edge.seen == []


def test_a_poisonous_change_ends_as_a_dead_letter_and_later_ones_go_on(
    functions: Functions, edge: Edge
) -> None:
    functions.ok("PATCH", "/seer", {"retryAttempts": 1, "retryDelaySeconds": 1})
    record = make(functions, title="poison")
    other = make(functions, title="healthy")
    change(functions, record, title="cured")
    edge.bring()
    work_until(lambda: len(edge.seen) == 4)
    functions.ok("PATCH", "/seer", {"retryAttempts": 0})
    of_record = [each for each in edge.seen if each["record"]["id"] == record["id"]]
    assert [each["record"]["title"] for each in of_record] == ["poison", "poison", "cured"]
    assert other["id"] in [each["record"]["id"] for each in edge.seen[:2]], "it was kept waiting"
    (letter,) = all_letters(functions, "seer")
    assert letter["error"] == {"type": "ValueError", "message": "poison"}
    assert letter["attempts"] == 2
    assert letter["event"]["record"]["title"] == "poison"
    functions.ok("DELETE", f"/seer/dead-letters/{letter['id']}")
    assert all_letters(functions, "seer") == []


def test_a_dead_letter_is_sent_again_as_a_new_call_once(functions: Functions, edge: Edge) -> None:
    make(functions, title="poison again")
    edge.bring()
    (letter,) = all_letters(functions, "seer")
    functions.code("seer", SEER.replace("raise ValueError", "return str"))
    edge.file.unlink()
    answer = functions.ok("POST", f"/seer/dead-letters/{letter['id']}/redrive")
    assert all_letters(functions, "seer") == []
    assert functions("POST", f"/seer/dead-letters/{letter['id']}/redrive").status == 404
    work_on_wakes()
    call = functions.ok("GET", f"/seer/invocations/{answer['invocation']}")
    assert (call["status"], call["replayOf"]) == ("succeeded", letter["id"])
    assert call["event"] == letter["event"]
    assert len(edge.seen) == 1
    functions.code("seer", SEER)


def test_all_dead_letters_are_sent_again_oldest_first(functions: Functions, edge: Edge) -> None:
    records = [make(functions, title=f"poison {n}") for n in range(3)]
    edge.bring()
    assert len(all_letters(functions, "seer")) == 3
    page = functions.ok("GET", "/seer/dead-letters?perPage=2")
    rest = functions.ok("GET", f"/seer/dead-letters?perPage=2&cursor={page['nextCursor']}")
    assert len(page["items"]) == 2
    assert len(rest["items"]) == 1
    edge.file.unlink()
    assert functions.ok("POST", "/seer/dead-letters/redrive") == {"redriven": 3, "more": False}
    work_on_wakes()
    assert {each["record"]["id"] for each in edge.seen} == {each["id"] for each in records}
    assert len(all_letters(functions, "seer")) == 3, "they failed again"
    for letter in all_letters(functions, "seer"):
        functions.ok("DELETE", f"/seer/dead-letters/{letter['id']}")


def test_an_event_is_sent_again_as_it_came_although_its_secrets_are_not_shown(
    functions: Functions, edge: Edge
) -> None:
    functions.ok("PATCH", "/seer", {"redact": ["status"]})
    make(functions, title="poison secret", status="my secret")
    edge.bring()
    (letter,) = all_letters(functions, "seer")
    assert "my secret" not in str(letter)
    edge.file.unlink()
    functions.ok("POST", f"/seer/dead-letters/{letter['id']}/redrive")
    work_on_wakes()
    assert edge.seen[0]["record"]["status"] == "my secret"
    functions.ok("PATCH", "/seer", {"redact": []})
    for each in all_letters(functions, "seer"):
        functions.ok("DELETE", f"/seer/dead-letters/{each['id']}")


def test_a_change_that_no_call_can_be_made_of_is_a_dead_letter_and_blocks_nobody(
    functions: Functions, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = matching.matches

    def break_on_cursed(trigger: Any, change: Any, *others: Any) -> bool:
        if change.record["title"] == "cursed":
            raise RecursionError("too deep")
        return plain(trigger, change, *others)

    record = make(functions, title="cursed")
    change(functions, record, title="blessed")
    with monkeypatch.context() as patch:
        patch.setattr(matching, "matches", break_on_cursed)
        edge.bring()
    assert titles(edge) == [("update", "cursed", "blessed")]
    (letter,) = all_letters(functions, "seer")
    assert letter["error"] == {"type": "RecursionError", "message": "too deep"}
    assert letter["source"]["recordId"] == record["id"]
    path = f"/seer/dead-letters/{letter['id']}"
    assert functions("POST", f"{path}/redrive").status == 404
    functions.ok("DELETE", path)


def test_a_large_old_document_that_is_gone_is_told_so(functions: Functions, edge: Edge) -> None:
    record = make(functions, title="large", body="x" * 400_000)
    change(functions, record, title="small", body="")
    edge.bring()
    created, updated = edge.seen
    assert created["recordMissing"]
    assert created["record"]["id"] == record["id"]
    assert updated["originalMissing"]
    assert updated["action"] == "update"
    assert updated["record"]["title"] == "small"
    assert "recordMissing" not in updated


def test_an_event_over_lambdas_limit_comes_without_the_values(
    functions: Functions, edge: Edge
) -> None:
    record = make(functions, title="huge", body="x" * 1_200_000)
    edge.bring()
    (event,) = edge.seen
    assert event["record"] == {key: record[key] for key in ("id", "collectionId", "collectionName")}
    assert event["recordMissing"]
    delete(functions, record)


def test_a_deleted_collections_records_are_no_changes(
    functions: Functions, edge: Edge, only_on: Any
) -> None:
    only_on({"type": "record", "collection": "doomed"})
    make(functions, "doomed", title="goes")
    edge.bring()
    edge.file.unlink()
    functions.client.as_root("DELETE", "/api/collections/doomed/truncate")
    edge.bring()
    assert edge.seen == []
    make(functions, "doomed", title="after")
    edge.bring()
    assert titles(edge) == [("create", "-", "after")]
    edge.file.unlink()
    functions.client.as_root("DELETE", "/api/collections/doomed")
    edge.bring()
    assert edge.seen == []


def test_each_new_file_is_an_event_that_names_it(
    functions: Functions, edge: Edge, only_on: Any
) -> None:
    only_on({"type": "file", "collection": "posts", "field": "picture"})
    pictures = [Part("picture", b"one", "one.txt"), Part("picture", b"two", "two.txt")]
    path = "/api/collections/posts/records"
    root = functions.client.root
    record = Files(functions.client).form("POST", path, *pictures, token=root).json
    edge.bring()
    assert {each["file"]["name"] for each in edge.seen} == set(record["picture"])
    for event in edge.seen:
        name = event["file"]["name"]
        assert event["file"]["url"] == f"/api/files/{record['collectionId']}/{record['id']}/{name}"
    edge.file.unlink()
    change(functions, record, title="no new file")
    edge.bring()
    assert edge.seen == []


def test_a_function_that_writes_its_own_collection_stops_at_the_limit(
    functions: Functions, edge: Edge
) -> None:
    source = """
def handler(event, context):
    return event["record"]["n"]
"""
    triggers = [{"type": "record", "collection": "loops"}]
    functions.make("looper", source, triggers=triggers, retryAttempts=0, rights=["loops"])
    path = "/api/collections/loops"
    rule = "@request.auth.collectionName = '_functions' && @request.auth.name = 'looper'"
    functions.client.as_root("PATCH", path, {"updateRule": rule})
    record = make(functions, "loops", n=0)
    for _ in range(settings().chain_limit + 3):
        edge.bring()
        call = functions.ok("GET", "/looper/invocations?perPage=1")["items"][0]
        if call["status"] != "succeeded":
            break
        whole = functions.ok("GET", f"/looper/invocations/{call['id']}")
        assert whole["depth"] == whole["event"]["record"]["n"] + 1
        _write_as_the_function(functions, record, whole)
    stopped = functions.ok("GET", "/looper/invocations")["items"]
    assert len(stopped) == settings().chain_limit + 1
    assert stopped[0]["error"]["type"] == "Dormouse.LoopStopped"
    assert stopped[0]["depth"] == settings().chain_limit + 1
    assert all_letters(functions, "looper") == []


def _write_as_the_function(
    functions: Functions, record: dict[str, Any], call: dict[str, Any]
) -> None:
    """Write what the function would write through the API, with a token as it was given."""
    function = functions.function("looper")
    token = services.service_accounts.token(function, call["depth"], time.time())
    path = f"/api/collections/loops/records/{record['id']}"
    answer = functions.client("PATCH", path, {"n": call["depth"]}, token)
    assert answer.status == 200, answer
