"""Indexes made over existing records, while others write: nothing missing, nothing twice."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib import config, services, store
from chalicelib.aws import dynamodb
from chalicelib.domain.collection import Collection, Schema
from chalicelib.store.changes import Changes
from tests.integration.auth_client import Client

T = "/api/collections/t"
ORDERED = "CREATE INDEX ti ON t (n)"
UNIQUE = "CREATE UNIQUE INDEX ti ON t (a)"


@pytest.fixture(scope="module")
def module_client(table: str) -> Client:
    return Client()


@pytest.fixture
def client(module_client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """An operator with an empty collection `t`; waiting for older writers takes no time."""
    monkeypatch.setattr(services.index_building, "_SETTLE_SECONDS", 0)
    fields = [{"type": "text", "name": "a"}, {"type": "number", "name": "n"}]
    module_client.as_root("POST", "/api/collections", {"name": "t", "fields": fields})
    yield module_client
    module_client.as_root("DELETE", T)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """No time to fill anything, until it is called."""

    def give_time() -> None:
        monkeypatch.delenv("DORMOUSE_BACKFILL_SECONDS", raising=False)
        config.settings.cache_clear()

    monkeypatch.setenv("DORMOUSE_BACKFILL_SECONDS", "1e-9")
    monkeypatch.setattr(services.collections, "TIDY_SECONDS", 0)
    config.settings.cache_clear()
    yield give_time
    give_time()


def add(client: Client, a: str = "", n: float = 0) -> str:
    record_id: str = client.as_root("POST", T + "/records", {"a": a, "n": n})["id"]
    return record_id


def index(client: Client, *texts: str) -> Any:
    return client("PATCH", T, {"indexes": list(texts)}, client.root)


def progress(client: Client) -> list[tuple[str, int | None, str]]:
    found = client.as_root("GET", T + "/indexes")["items"]
    return [(each["name"], each["slot"], each["state"]) for each in found]


def listed(client: Client, query: str) -> tuple[list[Any], str]:
    """Return the values of `n` that a list finds, and the index that it read."""
    found = client.as_root("GET", f"{T}/records?explain=1&{query}")
    return [each["n"] for each in found["items"]], found["explain"]["keyRange"]["index"]


def collection() -> Collection:
    found: Collection | None = store.schema.load().find("t")
    assert found is not None
    return found


def guards() -> dict[str, str]:
    """Return value -> record id of every guard of the unique index."""
    values = {":p": {"S": f"UNIQUE#{collection().storage}#ti"}}
    page = dynamodb.query("PK = :p", values, consistent=True)
    return {item["SK"]["S"].rstrip("\0"): item["id"]["S"] for item in page.items}


def test_an_ordered_index_over_existing_records_serves_lists(client: Client) -> None:
    for n in (3, 1, 2):
        add(client, n=n)
    before, explained = listed(client, "sort=n&filter=n>1")
    assert before == [2, 3]
    assert explained == "id"
    assert index(client, ORDERED).status == 200
    assert progress(client) == [("ti", 1, "ready")]
    after, explained = listed(client, "sort=n&filter=n>1")
    assert after == [2, 3]
    assert explained == "ti"


def test_more_records_than_a_page_are_all_indexed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.index_filling, "PAGE_RECORDS", 2)
    monkeypatch.setattr(store.index_filling, "MAX_ACTIONS", 3)
    ids = {str(n): add(client, str(n), n) for n in range(7)}
    assert index(client, ORDERED, "CREATE UNIQUE INDEX tu ON t (a)").status == 200
    assert listed(client, "sort=-n&filter=n>=0")[0] == [6, 5, 4, 3, 2, 1, 0]
    assert index(client, UNIQUE).status == 200
    assert guards() == ids


def test_a_unique_index_over_existing_records_guards_them(client: Client) -> None:
    first, second = add(client, "x"), add(client, "y")
    assert index(client, UNIQUE).status == 200
    assert guards() == {"x": first, "y": second}
    refused = client("POST", T + "/records", {"a": "x"}, client.root)
    assert refused.body["data"]["a"]["code"] == "validation_not_unique"


def test_one_record_that_changes_does_not_hold_up_the_others(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {str(n): add(client, str(n), n) for n in range(9)}
    real = store.index_filling._page
    changed: list[str] = []

    def page(*arguments: Any) -> Any:
        entries = real(*arguments)
        if entries and not changed:
            changed.append(
                client.as_root("PATCH", f"{T}/records/{ids['4']}", {"a": "new", "n": 44})
            )
        return entries

    monkeypatch.setattr(services.index_building, "check", lambda *_: None)
    monkeypatch.setattr(store.index_filling, "_page", page)
    assert index(client, UNIQUE, "CREATE INDEX tn ON t (n)").status == 200
    assert changed
    assert guards() == {"new": ids.pop("4"), **ids}
    assert listed(client, "sort=n&filter=n>6")[0] == [7, 8, 44]


def test_a_partial_unique_index_leaves_out_what_its_condition_does(client: Client) -> None:
    add(client)
    add(client)
    kept = add(client, "x")
    assert index(client, UNIQUE + " WHERE a != ''").status == 200
    assert guards() == {"x": kept}


def test_duplicates_refuse_a_unique_index_and_the_rest_of_the_change(client: Client) -> None:
    add(client, "x", 1)
    add(client, "x", 2)
    body = {"indexes": [ORDERED.replace("ti", "tj"), UNIQUE], "listRule": "", "fields": []}
    body["fields"] = client.as_root("GET", T)["fields"]
    refused = client("PATCH", T, body, client.root)
    assert refused.status == 400
    assert refused.body["message"] == "Failed to update collection."
    assert refused.body["data"] == {
        "indexes": {
            "1": {
                "code": "validation_invalid_index_expression",
                "message": "Failed to create index ti - UNIQUE constraint failed: t.a.",
            }
        }
    }
    after = client.as_root("GET", T)
    assert (after["indexes"], after["listRule"]) == ([], None)
    assert guards() == {}


def test_a_value_too_long_for_an_ordered_index_refuses_it(client: Client) -> None:
    add(client, "x" * 2000)
    refused = index(client, "CREATE INDEX ti ON t (a)")
    assert "too long" in refused.body["data"]["indexes"]["0"]["message"]
    assert index(client, UNIQUE).status == 200  # a long guard is hashed


def test_filling_waits_until_no_writer_acts_on_the_older_schema(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.index_building, "_SETTLE_SECONDS", 2.5)
    waits: list[float] = []
    monkeypatch.setattr("chalicelib.services.index_building.time.sleep", waits.append)
    index(client, ORDERED, "CREATE INDEX tj ON t (a)")
    assert max(waits) == pytest.approx(2.5, abs=0.2)


def old_writer(schema: Schema) -> Callable[[str, float], None]:
    """Return a way to write a record as a process does that has not heard of the index."""
    before = schema.find("t")
    assert before is not None

    def write(record_id: str, n: float) -> None:
        changes = Changes(schema)
        stored = store.records.find(before, record_id)
        if n < 0:
            assert stored is not None
            changes.delete(before, stored)
        else:
            changes.put(before, stored, {"id": record_id, "a": f"{record_id}{n}", "n": n})
        changes.commit()

    return write


def between_the_passes(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let `act` run once, after the first pass of the first index."""
    real = services.index_building._wait_for_writers
    calls: list[int] = []

    def wait(*arguments: Any) -> bool:
        if not calls:
            calls.append(1)
            act()
        return bool(real(*arguments))

    monkeypatch.setattr(services.index_building, "_wait_for_writers", wait)


def test_the_second_pass_catches_a_record_written_behind_the_first(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, "x", 1)
    write = old_writer(store.schema.load())
    between_the_passes(monkeypatch, lambda: write("behind", 2))
    assert index(client, ORDERED).status == 200
    found, explained = listed(client, "sort=n&filter=n>0")
    assert found == [1, 2]
    assert explained == "ti"


def test_the_second_pass_guards_a_value_written_behind_the_first(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(client, "x")
    write = old_writer(store.schema.load())
    between_the_passes(monkeypatch, lambda: write("behind", 2))
    assert index(client, UNIQUE).status == 200
    assert guards() == {"x": first, "behind2": "behind"}


def test_a_duplicate_written_behind_the_first_pass_drops_the_index(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, "behind2")
    write = old_writer(store.schema.load())
    between_the_passes(monkeypatch, lambda: write("behind", 2))
    refused = index(client, UNIQUE)
    assert refused.status == 400
    assert "UNIQUE constraint failed: t.a" in str(refused.body["data"]["indexes"]["0"])
    assert client.as_root("GET", T)["indexes"] == []
    add(client, "behind2")  # nothing guards it


def test_no_guard_is_left_of_what_older_writers_changed_or_deleted_behind_the_first_pass(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, deleted = add(client, "x"), add(client, "y")
    write = old_writer(store.schema.load())

    def act() -> None:
        assert guards() == {"x": changed, "y": deleted}
        write(changed, 7)
        write(deleted, -1)

    between_the_passes(monkeypatch, act)
    assert index(client, UNIQUE).status == 200
    assert guards() == {f"{changed}7": changed}
    add(client, "x")


def test_a_record_that_changes_during_the_filling_keeps_its_own_value(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_id = add(client, "x", 1)
    real = store.index_filling._page

    def page(*arguments: Any) -> Any:
        entries = real(*arguments)
        if entries:  # read, and not yet filled
            client.as_root("PATCH", f"{T}/records/{record_id}", {"a": "y", "n": 5})
        return entries

    monkeypatch.setattr(store.index_filling, "_page", page)
    assert index(client, UNIQUE, "CREATE INDEX tn ON t (n)").status == 200
    monkeypatch.undo()
    assert guards() == {"y": record_id}
    assert listed(client, "sort=n&filter=n>1")[0] == [5]


def test_an_unfinished_index_serves_nothing_and_is_finished_on_request(
    client: Client, interrupted: Callable[[], None]
) -> None:
    add(client, "x", 1)
    assert index(client, ORDERED, "CREATE UNIQUE INDEX tu ON t (a)").status == 200
    assert progress(client) == [("ti", 1, "building"), ("tu", None, "building")]
    found, explained = listed(client, "sort=n&filter=n>0")
    assert found == [1]
    assert explained == "id"
    add(client, "y", 2)  # maintained by its own writer

    interrupted()
    answer = client.as_root("POST", T + "/indexes")
    assert answer["ready"]
    assert [each["state"] for each in answer["items"]] == ["ready", "ready"]
    found, explained = listed(client, "sort=n&filter=n>0")
    assert found == [1, 2]
    assert explained == "ti"


def test_an_unfinished_index_is_finished_by_any_later_change(
    client: Client, interrupted: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, "x", 1)
    index(client, ORDERED)
    assert progress(client) == [("ti", 1, "building")]
    interrupted()
    monkeypatch.setattr(services.collections, "TIDY_SECONDS", 5)
    client.as_root("POST", "/api/collections", {"name": "other"})
    assert progress(client) == [("ti", 1, "ready")]
    client.as_root("DELETE", "/api/collections/other")


def test_an_index_dropped_while_it_is_filled_is_let_go(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, "x", 1)
    between_the_passes(monkeypatch, lambda: client.as_root("PATCH", T, {"indexes": []}))
    assert index(client, ORDERED).status == 200
    assert progress(client) == []


def test_guards_of_an_earlier_index_of_the_same_name_do_not_count(client: Client) -> None:
    first = add(client, "x")
    assert index(client, UNIQUE).status == 200
    assert index(client).status == 200
    client.as_root("PATCH", f"{T}/records/{first}", {"a": "y"})  # leaves the guard of "x" behind
    second = add(client, "x")
    assert guards() == {"x": first}
    assert index(client, UNIQUE).status == 200
    assert guards() == {"x": second, "y": first}


def test_many_guards_of_one_record_are_dropped(client: Client) -> None:
    record_id = add(client, "x")
    assert index(client, UNIQUE).status == 200
    for value in ("y", "z"):  # each change leaves a guard that no index minds
        assert index(client).status == 200
        client.as_root("PATCH", f"{T}/records/{record_id}", {"a": value})
        dynamodb.put(
            {"PK": {"S": f"UNIQUE#{collection().storage}#ti"}, "SK": {"S": value + "\0"},
             "id": {"S": record_id}}
        )  # fmt: skip
    client.as_root("PATCH", f"{T}/records/{record_id}", {"a": "end"})
    assert set(guards()) == {"x", "y", "z"}
    assert index(client, UNIQUE).status == 200
    assert guards() == {"end": record_id}


def test_a_changed_definition_under_one_name_is_guarded_anew(client: Client) -> None:
    first = add(client, "X")
    assert index(client, UNIQUE).status == 200
    assert index(client, UNIQUE.replace("(a)", "(a COLLATE NOCASE)")).status == 200
    assert guards() == {"x": first}
    assert client("POST", T + "/records", {"a": "x"}, client.root).status == 400


def test_a_slot_that_is_used_again_has_nothing_of_the_index_before(client: Client) -> None:
    add(client, "only a", 0)
    add(client, "both", 7)
    assert index(client, "CREATE INDEX ta ON t (a)").status == 200
    assert index(client, ORDERED + " WHERE n > 5").status == 200
    assert progress(client) == [("ti", 1, "ready")]
    page = dynamodb.query(
        "PK = :p", {":p": {"S": f"RECORDS#{collection().storage}"}}, consistent=True
    )
    assert sorted("ix1" in item for item in page.items) == [False, True]


def test_a_renamed_field_keeps_its_index_ready(client: Client) -> None:
    add(client, "x", 1)
    made = client.as_root("PATCH", T, {"indexes": [ORDERED]})
    fields = [each | {"name": "number"} if each["name"] == "n" else each for each in made["fields"]]
    renamed = "CREATE INDEX ti ON t (number)"
    client.as_root("PATCH", T, {"fields": fields, "indexes": [renamed]})
    assert progress(client) == [("ti", 1, "ready")]
    found = client.as_root("GET", T + "/records?explain=1&sort=number&filter=number>0")
    assert [each["number"] for each in found["items"]] == [1]
    assert found["explain"]["keyRange"]["index"] == "ti"
