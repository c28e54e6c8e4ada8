"""The collections API through the whole app: what it answers and what becomes of records."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import store
from chalicelib.aws import dynamodb
from tests.integration.auth_client import Client, refused

COLLECTIONS = "/api/collections"
NOT_FOUND = refused(404, "The requested resource wasn't found.")
USERS_ID = "_pb_users_auth_"


@pytest.fixture(scope="module")
def module_client(table: str) -> Client:
    return Client()


@pytest.fixture
def client(module_client: Client) -> Iterator[Client]:
    """A signed-in operator; what a test makes is deleted after it."""
    yield module_client
    listed = module_client.as_root("GET", COLLECTIONS + "?perPage=500&sort=-created")["items"]
    for _ in range(2):  # a target goes once what points to it is gone
        for each in listed:
            if not each["system"] and each["id"] != USERS_ID:
                module_client("DELETE", f"{COLLECTIONS}/{each['id']}", token=module_client.root)


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"type": "text", "name": name, **options}


def make(client: Client, name: str, *fields: dict[str, Any], **options: Any) -> dict[str, Any]:
    body = {"name": name, "fields": list(fields), **options}
    made: dict[str, Any] = client.as_root("POST", COLLECTIONS, body)
    return made


def add(client: Client, name: str, **values: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.as_root("POST", f"{COLLECTIONS}/{name}/records", values)
    return made


def records(client: Client, name: str) -> list[dict[str, Any]]:
    listed = client.as_root("GET", f"{COLLECTIONS}/{name}/records?sort=id&perPage=1000")
    found: list[dict[str, Any]] = listed["items"]
    return found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/users"),
        ("PATCH", "/nope"),  # whether it exists is nobody's business
        ("DELETE", "/users"),
        ("DELETE", "/users/truncate"),
        ("PUT", "/import"),
        ("GET", "/meta/scaffolds"),
        ("GET", "/meta/oauth2-providers"),
        ("POST", "/meta/dry-run-view"),
        ("GET", "/users/indexes"),
        ("POST", "/users/indexes"),
    ],
)
def test_collections_are_for_superusers(client: Client, method: str, path: str) -> None:
    refusal = client(method, COLLECTIONS + path, {}).refusal
    assert refusal == refused(401, "The request requires valid record authorization token.")


def test_a_new_deployment_has_the_system_collections_and_users(client: Client) -> None:
    listed = client.as_root("GET", COLLECTIONS)
    assert [each["name"] for each in listed["items"]] == [
        "_mfas", "_otps", "_externalAuths", "_authOrigins", "_superusers", "users",
    ]  # fmt: skip
    assert (listed["page"], listed["perPage"]) == (1, 30)
    assert (listed["totalItems"], listed["totalPages"]) == (6, 1)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("perPage=2&page=2", ["_externalAuths", "_authOrigins"]),
        ("sort=-name&perPage=2", ["users", "_superusers"]),
        ("sort=type,-name&perPage=2", ["users", "_superusers"]),
        ("sort=-@rowid&perPage=1", ["users"]),
        ("filter=system=true%26%26type='auth'", ["_superusers"]),
        ("filter=name~'user'", ["_superusers", "users"]),
        ("filter=created>@now", []),
        ("filter=name='a:b @request.x'", []),  # inside a text they are no paths
        ("page=9", []),
    ],
)
def test_collections_are_filtered_sorted_and_paged(
    client: Client, query: str, names: list[str]
) -> None:
    listed = client.as_root("GET", f"{COLLECTIONS}?{query}")
    assert [each["name"] for each in listed["items"]] == names


@pytest.mark.parametrize(
    "query",
    [
        "filter=fields~'x'",
        "filter=viewRule=null",
        "filter=(",
        "filter=name:lower='users'",
        "filter=@request.auth.id!=''",
        "filter=@collection.users.id!=''",
        "sort=listRule",
        "sort=name:lower",
        "page=1.5",
        "perPage=x",
        "skipTotal=x",
    ],
)
def test_a_list_that_asks_for_more_is_refused(client: Client, query: str) -> None:
    refusal = client("GET", f"{COLLECTIONS}?{query}", token=client.root).refusal
    assert refusal == refused(400, "Something went wrong while processing your request.")


def test_a_collection_is_made_seen_changed_and_deleted(client: Client) -> None:
    made = make(client, "Posts", text("title"), listRule="")
    assert client.as_root("GET", COLLECTIONS + "/posts") == made  # by name in any case
    assert client.as_root("GET", f"{COLLECTIONS}/{made['id']}") == made
    changed = client.as_root("PATCH", COLLECTIONS + "/Posts", {"name": "articles"})
    assert changed == made | {"name": "articles", "updated": changed["updated"]}
    assert client("GET", COLLECTIONS + "/Posts", token=client.root).refusal == NOT_FOUND
    assert client("DELETE", COLLECTIONS + "/articles", token=client.root).status == 204
    assert client("GET", COLLECTIONS + "/articles", token=client.root).refusal == NOT_FOUND
    assert client("DELETE", COLLECTIONS + "/articles", token=client.root).refusal == NOT_FOUND


@pytest.mark.parametrize("raw", ["[]", "{", "5", '"x"'])
def test_a_body_that_is_no_object_is_refused(client: Client, raw: str) -> None:
    loading = "Failed to load the {} due to invalid formatting."
    cases = (
        ("POST", "", loading.format("collection type data")),
        ("PATCH", "/users", loading.format("submitted data")),
        ("PUT", "/import", "An error occurred while loading the submitted data."),
    )
    for method, path, message in cases:
        answer = client(method, COLLECTIONS + path, token=client.root, raw=raw)
        assert answer.refusal == refused(400, message)


def test_an_unknown_identifier_in_a_rule_is_refused_on_saving(client: Client) -> None:
    refusal = client("POST", COLLECTIONS, {"name": "t", "listRule": "nope = 1"}, client.root)
    assert refusal.body["data"]["listRule"]["code"] == "validation_invalid_rule"
    make(client, "t", text("a"), listRule="a = 1 && @collection.t.a != ''")  # itself included


def test_a_rule_is_obeyed_by_the_next_request(client: Client) -> None:
    make(client, "t", text("a"))
    path = f"{COLLECTIONS}/t/records"
    assert client("GET", path).status == 403
    client.as_root("PATCH", COLLECTIONS + "/t", {"listRule": ""})
    assert client("GET", path).status == 200


def test_a_renamed_field_keeps_its_values_and_a_new_one_of_the_old_name_is_empty(
    client: Client,
) -> None:
    made = make(client, "t", text("a"), text("b"))
    add(client, "t", a="1", b="2")
    id_field, a, b = made["fields"]
    client.as_root(
        "PATCH", COLLECTIONS + "/t", {"fields": [id_field, a | {"name": "c"}, b, text("a", id="x")]}
    )
    (record,) = records(client, "t")
    assert (record["a"], record["b"], record["c"]) == ("", "2", "1")


def test_a_deleted_field_takes_its_values_with_it(client: Client) -> None:
    made = make(client, "t", text("a"), text("b"))
    add(client, "t", a="1", b="2")
    client.as_root("PATCH", COLLECTIONS + "/t", {"fields": [text("b")]})
    client.as_root("PATCH", COLLECTIONS + "/t", {"fields": made["fields"]})  # the same ids again
    (record,) = records(client, "t")
    assert (record["a"], record["b"]) == ("", "2")


def test_values_follow_a_change_of_max_select(client: Client) -> None:
    select = {"type": "select", "name": "s", "values": ["x", "y"]}
    make(client, "t", select)
    add(client, "t", s="x")
    client.as_root("PATCH", COLLECTIONS + "/t", {"fields": [select | {"maxSelect": 2}]})
    (record,) = records(client, "t")
    assert record["s"] == ["x"]
    client.as_root("PATCH", f"{COLLECTIONS}/t/records/{record['id']}", {"s": ["x", "y"]})
    client.as_root("PATCH", COLLECTIONS + "/t", {"fields": [select]})
    assert records(client, "t")[0]["s"] == "y"  # the last one


def test_a_collection_made_again_does_not_have_the_old_records(client: Client) -> None:
    make(client, "t", text("a"), indexes=["CREATE UNIQUE INDEX ta ON t (a)"])
    add(client, "t", a="1")
    client.as_root("DELETE", COLLECTIONS + "/t")
    make(client, "t", text("a"), indexes=["CREATE UNIQUE INDEX ta ON t (a)"])
    assert records(client, "t") == []
    add(client, "t", a="1")


def test_system_and_referenced_collections_are_not_deleted(client: Client) -> None:
    make(client, "t", {"type": "relation", "name": "r", "collectionId": USERS_ID})
    assert client("DELETE", COLLECTIONS + "/users", token=client.root).refusal == refused(
        400, "Failed to delete collection probably due to existing reference in t."
    )
    assert client("DELETE", COLLECTIONS + "/_mfas", token=client.root).refusal == refused(
        400, "Failed to delete collection."
    )


def items_of(storage: str) -> list[str]:
    """Return the keys of every item that a storage has anywhere in the table."""
    found = []
    for partition in (f"RECORDS#{storage}", f"UNIQUE#{storage}#ta"):
        page = dynamodb.query("PK = :p", {":p": {"S": partition}}, consistent=True)
        found += [item["PK"]["S"] + " " + item["SK"]["S"] for item in page.items]
    return found


def references_to(storage: str, record_id: str) -> int:
    partition = {"S": f"REFS#{storage}#{record_id}"}
    return dynamodb.query("PK = :p", {":p": partition}, consistent=True).count


def storage_of(name: str) -> str:
    collection = store.schema.load().find(name)
    assert collection is not None
    return str(collection.storage)


@pytest.mark.parametrize("action", ["delete", "truncate"])
def test_what_is_dropped_leaves_nothing_behind(client: Client, action: str) -> None:
    make(client, "target", text("a"))
    target = add(client, "target")
    relation = {"type": "relation", "name": "r", "collectionId": target["collectionId"]}
    many = relation | {"name": "m", "maxSelect": 3}
    make(client, "t", text("a"), relation, many, indexes=["CREATE UNIQUE INDEX ta ON t (a)"])
    for number in range(3):
        add(client, "t", a=str(number), r=target["id"], m=[target["id"]])
    dropped, pointed_to = storage_of("t"), storage_of("target")
    assert len(items_of(dropped)) == 6
    assert references_to(pointed_to, target["id"]) == 6

    client.as_root("DELETE", COLLECTIONS + ("/t" if action == "delete" else "/t/truncate"))
    assert items_of(dropped) == []
    assert references_to(pointed_to, target["id"]) == 0
    client.as_root("DELETE", f"{COLLECTIONS}/target/records/{target['id']}")


def test_a_dropped_storage_is_forgotten_when_no_writer_can_fill_it_any_more(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(client, "t", text("a"))
    add(client, "t", a="1")
    storage = storage_of("t")
    client.as_root("DELETE", COLLECTIONS + "/t")
    assert storage in [note.storage for note in store.dropped.all_of()]
    late = {"PK": {"S": f"RECORDS#{storage}"}, "SK": {"S": "late"}, "doc": {"S": "{}"}}
    dynamodb.put(late | {"rev": {"S": "1"}, "seq": {"S": "1"}})
    monkeypatch.setattr(store.dropped, "SETTLED_SECONDS", -1)
    make(client, "u")
    assert items_of(storage) == []
    assert store.dropped.all_of() == []


def test_the_guards_of_a_unique_index_that_was_dropped_go_with_the_collection(
    client: Client,
) -> None:
    make(client, "t", text("a"), indexes=["CREATE UNIQUE INDEX ta ON t (a)"])
    add(client, "t", a="1")
    storage = storage_of("t")
    client.as_root("PATCH", COLLECTIONS + "/t", {"indexes": []})
    assert len(items_of(storage)) == 2
    client.as_root("DELETE", COLLECTIONS + "/t")
    assert items_of(storage) == []


@pytest.mark.parametrize("action", ["", "/truncate"])
def test_what_is_kept_about_auth_records_goes_with_their_collection(
    client: Client, action: str
) -> None:
    made = make(client, "people", type="auth")
    for owner in (made["id"], USERS_ID):
        row = {"collectionRef": owner, "recordRef": "r1", "fingerprint": "f"}
        client.as_root("POST", COLLECTIONS + "/_authOrigins/records", row)
    client.as_root("DELETE", f"{COLLECTIONS}/people{action}")
    (kept,) = records(client, "_authOrigins")
    assert kept["collectionRef"] == USERS_ID
    client.as_root("DELETE", f"{COLLECTIONS}/_authOrigins/records/{kept['id']}")


def test_emptying_goes_on_where_it_was_interrupted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(client, "t", text("a"))
    for _ in range(3):
        add(client, "t")
    collection = store.schema.load().find("t")
    assert collection is not None
    note = store.dropped.of_collection(collection, store.schema.load())
    monkeypatch.setattr(store.dropped, "CHUNK_RECORDS", 1)
    assert not store.dropped.empty(note, until=0)
    assert len(items_of(collection.storage)) == 2
    assert store.dropped.empty(note, until=float("inf"))
    assert items_of(collection.storage) == []


def test_truncating_keeps_the_collection_and_empties_it(client: Client) -> None:
    made = make(client, "t", text("a"), indexes=["CREATE UNIQUE INDEX ta ON t (a)"])
    add(client, "t", a="1")
    client.as_root("DELETE", COLLECTIONS + "/t/truncate")
    assert client.as_root("GET", COLLECTIONS + "/t") == made
    assert records(client, "t") == []
    add(client, "t", a="1")


def test_truncating_follows_references(client: Client) -> None:
    target = make(client, "target")
    relation = {"type": "relation", "name": "r", "collectionId": target["id"]}
    make(client, "kept", relation)
    make(client, "gone", relation | {"cascadeDelete": True})
    pointed_to = add(client, "target")
    for name in ("kept", "gone"):
        add(client, name, r=pointed_to["id"])
        add(client, name)
    for _ in range(30):
        add(client, "target")
    client.as_root("DELETE", COLLECTIONS + "/target/truncate")
    assert records(client, "target") == []
    assert [each["r"] for each in records(client, "kept")] == ["", ""]
    assert [each["r"] for each in records(client, "gone")] == [""]


def test_truncating_is_refused_as_a_whole_if_a_reference_is_required(client: Client) -> None:
    target = make(client, "target")
    relation = {"type": "relation", "name": "r", "collectionId": target["id"], "required": True}
    make(client, "t", relation)
    add(client, "t", r=add(client, "target")["id"])
    add(client, "target")
    message = (
        "Failed to truncate collection (most likely due to required cascade delete record"
        " references)."
    )
    for name in ("target", "_superusers"):
        answer = client("DELETE", f"{COLLECTIONS}/{name}/truncate", token=client.root)
        assert answer.refusal == refused(400, message)
    assert len(records(client, "target")) == 2


def test_an_import_makes_all_or_nothing(client: Client) -> None:
    relation = {"type": "relation", "name": "r", "collectionId": "bid"}
    sent = [{"name": "a", "fields": [relation]}, {"name": "b", "id": "bid"}]
    answer = client("PUT", COLLECTIONS + "/import", {"collections": sent[:1]}, client.root)
    assert answer.body["message"] == "Failed to import collections."
    assert client("GET", COLLECTIONS + "/a", token=client.root).refusal == NOT_FOUND
    assert client.as_root("PUT", COLLECTIONS + "/import", {"collections": sent}) is None
    add(client, "a", r=add(client, "b")["id"])
    missing = {"collections": sent[1:], "deleteMissing": True}
    kept_users = {"id": USERS_ID}
    missing["collections"] = [*sent[1:], kept_users]
    client.as_root("PUT", COLLECTIONS + "/import", missing)
    assert client("GET", COLLECTIONS + "/a", token=client.root).refusal == NOT_FOUND
    assert len(records(client, "b")) == 1


def test_scaffolds_have_secrets_in_none_of_the_three(client: Client) -> None:
    found = client.as_root("GET", COLLECTIONS + "/meta/scaffolds")
    assert list(found) == ["base", "auth", "view"]
    assert found["auth"]["authToken"] == {"duration": 432000}
    assert found["base"]["id"] == found["base"]["created"] == ""


def test_providers_have_logos_of_our_own(client: Client) -> None:
    found = client.as_root("GET", COLLECTIONS + "/meta/oauth2-providers")
    assert [each["name"] for each in found[:3]] == ["apple", "google", "microsoft"]
    assert len(found) == 32
    assert all(each["logo"].startswith("<svg") and len(each["logo"]) < 400 for each in found)


def test_view_collections_are_refused_clearly(client: Client) -> None:
    body = {"name": "v", "type": "view", "viewQuery": "select id from users"}
    error = client("POST", COLLECTIONS, body, client.root).body["data"]["type"]
    assert error["message"] == "View collections are not supported yet."
    path = COLLECTIONS + "/meta/dry-run-view"
    assert client("POST", path, {"query": "select 1"}, client.root).status == 400
    blank = client("POST", path, {}, client.root).body["data"]["query"]["code"]
    assert blank == "validation_required"
    long = client("POST", path, {"query": "x" * 5001}, client.root).body["data"]["query"]["code"]
    assert long == "validation_length_too_long"


def test_writers_who_meet_all_have_their_change(client: Client) -> None:
    make(client, "t", text("a"))
    rules = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
    answers = []

    def change(rule: str) -> None:
        answers.append(client("PATCH", COLLECTIONS + "/t", {rule: f"a = '{rule}'"}, client.root))

    threads = [threading.Thread(target=change, args=(rule,)) for rule in rules]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 5
    found = client.as_root("GET", COLLECTIONS + "/t")
    assert {rule: found[rule] for rule in rules} == {rule: f"a = '{rule}'" for rule in rules}


def test_one_name_is_given_once(client: Client) -> None:
    answers = []

    def create() -> None:
        answers.append(client("POST", COLLECTIONS, {"name": "t"}, client.root).status)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 400, 400, 400]


def test_too_large_a_definition_is_refused_before_anything_is_written(client: Client) -> None:
    fields = [text(f"field{number}", help="x" * 300) for number in range(800)]
    answer = client("POST", COLLECTIONS, {"name": "t", "fields": fields}, client.root)
    assert answer.status == 400
    assert "bytes" in answer.body["message"]
    assert client("GET", COLLECTIONS + "/t", token=client.root).refusal == NOT_FOUND
