"""What a write leaves in the table: records, guards and references, after one request each."""

from typing import Any

import pytest

from chalicelib import services, store
from chalicelib.aws import dynamodb
from chalicelib.domain import definition_indexes
from chalicelib.store import keys
from chalicelib.store.changes import Changes
from tests.integration.auth_client import SETTINGS, USERS, Answer, Client

NODES = "/api/collections/nodes/records"
LINKS = "/api/collections/links/records"
BATCH = "/api/batch"


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    client.as_root("PATCH", SETTINGS, {"batch": {"enabled": True, "maxRequests": 200}})
    nodes = client.as_root(
        "POST",
        "/api/collections",
        {"name": "nodes", "type": "base", "fields": [{"name": "name", "type": "text"}]},
    )
    own: dict[str, Any] = {"type": "relation", "collectionId": nodes["id"], "maxSelect": 1}
    client.as_root(
        "PATCH",
        "/api/collections/nodes",
        {
            "fields": [
                *nodes["fields"],
                {"name": "parent", **own, "cascadeDelete": True},
                {"name": "friend", **own},
                {"name": "kin", **own, "maxSelect": 5, "cascadeDelete": True},
            ]
        },
    )
    links: list[dict[str, Any]] = [
        {"name": "a", **own, "cascadeDelete": True},
        {"name": "b", **own, "cascadeDelete": True},
        {"name": "many", **own, "maxSelect": 5},
        {"name": "both", **own, "maxSelect": 5, "cascadeDelete": True},
        {"name": "must", **own},
    ]
    client.as_root("POST", "/api/collections", {"name": "links", "type": "base", "fields": links})
    return client


def new(client: Client, path: str, **values: Any) -> str:
    record_id: str = client.as_root("POST", path, values)["id"]
    return record_id


def exists(client: Client, path: str, record_id: str) -> bool:
    return client("GET", f"{path}/{record_id}", token=client.root).status == 200


def batch(client: Client, *parts: tuple[str, str, Any]) -> Answer:
    requests = [{"method": method, "url": url, "body": body} for method, url, body in parts]
    return client("POST", BATCH, {"requests": requests}, client.root)


def collection(name: str) -> Any:
    return store.schema.load().find(name)


def references_to(record_id: str) -> list[str]:
    partition = keys.references_partition(collection("nodes").storage, record_id)
    found = dynamodb.query("PK = :p", {":p": {"S": partition}}, consistent=True)
    return [item["SK"]["S"] for item in found.items]


def test_a_record_that_goes_by_one_way_is_not_kept_by_another(client: Client) -> None:
    """The grandchild is one of two records found to lose an id; the first takes it along."""
    root, other = new(client, NODES), new(client, NODES)
    child = new(client, NODES, kin=root)
    grandchild = new(client, NODES, parent=child, kin=[root, other])
    client.as_root("DELETE", f"{NODES}/{root}")
    assert not exists(client, NODES, child)
    assert not exists(client, NODES, grandchild)
    assert [references_to(each) for each in (root, child, other)] == [[], [], []]


def test_ids_that_go_one_after_the_other_all_count(client: Client) -> None:
    """The second record loses the first one's id while the ids of the root are taken out."""
    root = new(client, NODES)
    first = new(client, NODES, kin=root)
    second = new(client, NODES, kin=[root, first])
    client.as_root("DELETE", f"{NODES}/{root}")
    assert not exists(client, NODES, second)
    assert [references_to(each) for each in (root, first)] == [[], []]


def test_ids_taken_out_on_several_ways_are_all_out(client: Client) -> None:
    root, other = new(client, NODES), new(client, NODES)
    child = new(client, NODES, parent=root)
    link = new(client, LINKS, both=[root, child, other], many=[child, root], must=root)
    client.as_root("DELETE", f"{NODES}/{root}")
    left = client.as_root("GET", f"{LINKS}/{link}")
    assert (left["both"], left["many"], left["must"]) == ([other], [], "")
    assert references_to(root) == references_to(child) == []
    assert len(references_to(other)) == 1


def test_a_cycle_of_cascades_goes_as_a_whole(client: Client) -> None:
    first = new(client, NODES)
    second = new(client, NODES, parent=first)
    third = new(client, NODES, parent=second, friend=third_friend(client, first))
    client.as_root("PATCH", f"{NODES}/{first}", {"parent": third})
    client.as_root("DELETE", f"{NODES}/{second}")
    assert not any(exists(client, NODES, each) for each in (first, second, third))


def third_friend(client: Client, of: str) -> str:
    return new(client, NODES, friend=of)


def test_a_record_that_refers_to_itself_can_go(client: Client) -> None:
    own = new(client, NODES)
    client.as_root("PATCH", f"{NODES}/{own}", {"parent": own, "friend": own})
    client.as_root("DELETE", f"{NODES}/{own}")
    assert references_to(own) == []


def test_a_chain_deeper_than_a_stack_is_refused_with_a_reason(client: Client) -> None:
    """Thousands of levels were a crash by recursion; nothing of them is deleted."""
    ids = [f"chain{n:010d}" for n in range(400)]
    for start in range(0, 400, 20):
        parts = [
            ("POST", NODES, {"id": each, "parent": ids[n - 1] if n else ""})
            for n, each in list(enumerate(ids))[start : start + 20]
        ]
        assert batch(client, *parts).status == 200
    answer = client("DELETE", f"{NODES}/{ids[0]}", token=client.root)
    assert answer.status == 400
    assert "at most 100" in answer.body["message"]
    assert exists(client, NODES, ids[0])
    assert exists(client, NODES, ids[-1])


def test_a_cascade_that_fits_a_transaction_goes(client: Client) -> None:
    top = new(client, NODES)
    parts: list[tuple[str, str, Any]] = [("POST", NODES, {"parent": top}) for _ in range(30)]
    assert batch(client, *parts).status == 200
    client.as_root("DELETE", f"{NODES}/{top}")
    assert references_to(top) == []


def test_a_batch_of_more_than_a_transaction_writes_nothing(client: Client) -> None:
    parts = [("POST", NODES, {"id": f"batch{n:010d}"}) for n in range(101)]
    answer = batch(client, *parts)
    assert (answer.status, "at most 100" in answer.body["message"]) == (400, True)
    assert not exists(client, NODES, "batch0000000000")
    assert batch(client, *parts[:100]).status == 200
    assert exists(client, NODES, "batch0000000099")


def test_what_a_batch_makes_and_deletes_leaves_nothing(client: Client) -> None:
    target = new(client, NODES)
    answer = batch(
        client,
        ("POST", LINKS, {"id": "passing00000000", "a": target}),
        ("PATCH", f"{LINKS}/passing00000000", {"b": target}),
        ("DELETE", f"{LINKS}/passing00000000", None),
    )
    assert answer.status == 200, answer
    assert references_to(target) == []
    assert not exists(client, LINKS, "passing00000000")


def test_a_batch_may_refer_to_what_it_makes_and_delete_it_again(client: Client) -> None:
    answer = batch(
        client,
        ("POST", NODES, {"id": "fresh0000000000"}),
        ("POST", LINKS, {"id": "follows00000000", "must": "fresh0000000000"}),
        ("DELETE", f"{NODES}/fresh0000000000", None),
    )
    assert answer.status == 200, answer
    assert client.as_root("GET", f"{LINKS}/follows00000000")["must"] == ""
    assert references_to("fresh0000000000") == []


def test_a_batch_cannot_refer_to_what_it_has_deleted(client: Client) -> None:
    target = new(client, NODES)
    answer = batch(client, ("DELETE", f"{NODES}/{target}", None), ("POST", LINKS, {"must": target}))
    assert answer.status == 400
    assert exists(client, NODES, target)
    # The announced delete was taken back: nobody has to wait.
    assert new(client, LINKS, must=target)


def test_a_record_deleted_and_made_again_in_a_batch_is_the_new_one(client: Client) -> None:
    target = new(client, NODES, name="old")
    link = new(client, LINKS, must=target)
    answer = batch(
        client,
        ("DELETE", f"{NODES}/{target}", None),
        ("POST", NODES, {"id": target, "name": "new"}),
    )
    assert answer.status == 200, answer
    assert client.as_root("GET", f"{NODES}/{target}")["name"] == "new"
    assert client.as_root("GET", f"{LINKS}/{link}")["must"] == ""


def test_a_reference_lies_in_the_table_as_long_as_the_value(client: Client) -> None:
    one, two = new(client, NODES), new(client, NODES)
    link = new(client, LINKS, many=[one, two], must=one)
    assert len(references_to(one)) == 2
    client.as_root("PATCH", f"{LINKS}/{link}", {"many-": one, "must": two})
    assert (len(references_to(one)), len(references_to(two))) == (0, 2)
    client.as_root("DELETE", f"{LINKS}/{link}")
    assert references_to(two) == []


def test_the_same_id_many_times_is_one_reference(client: Client) -> None:
    one = new(client, NODES)
    link = new(client, LINKS, many=[one, one, one])
    assert client.as_root("GET", f"{LINKS}/{link}")["many"] == [one]
    assert len(references_to(one)) == 1


def test_a_failed_write_leaves_neither_guard_nor_reference(client: Client) -> None:
    target = new(client, NODES)
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*_: Any) -> None:
            raise OSError("the process dies here")

        patch.setattr(Changes, "commit", refuse)
        assert client("POST", LINKS, {"must": target}, client.root).status == 500
    assert references_to(target) == []


def test_a_value_given_up_while_an_index_is_filled_may_be_another_s_still(client: Client) -> None:
    """Both had it before the index; the first pass has guarded it for one of them."""
    fields = [{"name": "v", "type": "text"}]
    made = client.as_root(
        "POST", "/api/collections", {"name": "dups", "type": "base", "fields": fields}
    )
    path = "/api/collections/dups/records"
    guarded, other = new(client, path, v="x"), new(client, path, v="x")

    def with_index(definition: Any) -> Any:
        wanted = definition | {"indexes": ["CREATE UNIQUE INDEX dups_v ON dups (v)"]}
        states = definition_indexes.states(wanted, definition, definition_indexes.BUILDING)
        return wanted | {"indexStates": states}

    services.collections.change(made["id"], with_index)
    guard = keys.unique_guard(collection("dups").storage, "dups_v", "x\0")
    dynamodb.put(guard | {"id": {"S": guarded}})
    client.as_root("PATCH", f"{path}/{other}", {"v": "y"})
    held = dynamodb.get(guard)
    assert held is not None
    assert held["id"]["S"] == guarded
    client.as_root("PATCH", f"{path}/{guarded}", {"v": "z"})
    assert dynamodb.get(guard) is None


def test_a_collection_that_is_referred_to_meanwhile_keeps_its_records(client: Client) -> None:
    made = client.as_root("POST", "/api/collections", {"name": "targets", "type": "base"})
    path = "/api/collections/targets/records"
    target = new(client, path)
    replace = services.collections.replace_storage

    def late(collection_id: str) -> None:
        to_it = {"name": "to", "type": "relation", "collectionId": made["id"], "maxSelect": 1}
        body = {"name": "sources", "type": "base", "fields": [to_it]}
        client.as_root("POST", "/api/collections", body)
        new(client, "/api/collections/sources/records", to=target)
        replace(collection_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.collections, "replace_storage", late)
        truncated = client("DELETE", "/api/collections/targets/truncate", token=client.root)
    assert truncated.status == 503
    assert exists(client, path, target)
    client.as_root("DELETE", "/api/collections/targets/truncate")  # reference by reference
    assert client.as_root("GET", "/api/collections/sources/records")["items"][0]["to"] == ""


def test_an_email_given_up_is_free_at_once(client: Client) -> None:
    account = client.account(USERS, "first@example.com")
    path = f"{USERS}/records/{account['id']}"
    client.as_root("PATCH", path, {"email": "moved@example.com"})
    client.account(USERS, "first@example.com")
    client.as_root("DELETE", path)
    client.account(USERS, "moved@example.com")


@pytest.mark.parametrize(
    ("method", "path", "body", "round_trips"),
    [
        ("GET", "{record}", None, 1),
        ("PATCH", "{record}", {"name": "x"}, 2),
        ("POST", NODES, {"name": "x"}, 2),
        ("POST", NODES, {"parent": "{id}"}, 2),  # its target is read with the session
        ("GET", NODES + "?sort=id&perPage=5&skipTotal=1", None, 2),
        ("DELETE", "{record}", None, 4),  # read, announce, look for references, commit
        ("DELETE", "{link}", None, 2),
    ],
)
def test_round_trips(client: Client, method: str, path: str, body: Any, round_trips: int) -> None:
    """On a warm process; each costs a client some milliseconds."""
    node = new(client, NODES)
    link = new(client, LINKS)
    path = path.format(record=f"{NODES}/{node}", link=f"{LINKS}/{link}")
    body = {name: value.format(id=node) for name, value in body.items()} if body else None
    with dynamodb.meter() as meter:
        client.as_root(method, path, body)
    assert meter.calls == round_trips
