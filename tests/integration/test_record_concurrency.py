"""Writers that meet: another one acts between the two steps of a change, or many act at once.

`interrupting` runs something just before a change is committed, the first time only: what a
second instance does at the worst moment. Processes of their own are in tests/e2e.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib import services, store
from chalicelib.aws import dynamodb, retries
from chalicelib.services import session as sessions
from chalicelib.store import keys
from chalicelib.store.changes import Changes
from tests.integration.auth_client import SETTINGS, USERS, Answer, Client

TEAMS = "/api/collections/teams/records"
PEOPLE = "/api/collections/people/records"
BATCH = "/api/batch"
WRITERS = 8


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    client.as_root("PATCH", SETTINGS, {"batch": {"enabled": True}})
    fields: list[dict[str, Any]] = [
        {"name": "name", "type": "text"},
        {"name": "n", "type": "number"},
    ]
    indexes = ["CREATE UNIQUE INDEX team_name ON teams (name) WHERE name != ''"]
    teams = client.as_root(
        "POST",
        "/api/collections",
        {"name": "teams", "type": "base", "fields": fields, "indexes": indexes},
    )
    to_team = {"type": "relation", "collectionId": teams["id"]}
    relations: list[dict[str, Any]] = [
        {"name": "team", "maxSelect": 1, **to_team},
        {"name": "home", "maxSelect": 1, "cascadeDelete": True, **to_team},
        {"name": "needed", "maxSelect": 2, "required": False, **to_team},
    ]
    client.as_root(
        "POST", "/api/collections", {"name": "people", "type": "base", "fields": relations}
    )
    return client


@contextmanager
def interrupting(act: Callable[[], Any]) -> Iterator[list[int]]:
    """Run `act` just before the first commit; yield the commits that came after."""
    commits: list[int] = []
    commit = Changes.commit

    def interrupted(changes: Changes, checks: Any = None) -> None:
        commits.append(len(commits))
        if len(commits) == 1:
            act()
        commit(changes, checks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Changes, "commit", interrupted)
        yield commits


def new(client: Client, path: str, **values: Any) -> str:
    record_id: str = client.as_root("POST", path, values)["id"]
    return record_id


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def partition(name: str) -> list[dict[str, Any]]:
    return dynamodb.query("PK = :p", {":p": {"S": name}}, consistent=True).items


def collection(name: str) -> Any:
    return store.schema.load().find(name)


def references_to(record_id: str) -> list[dict[str, Any]]:
    return partition(keys.references_partition(collection("teams").storage, record_id))


def test_an_increment_made_meanwhile_is_not_lost(client: Client) -> None:
    team = new(client, TEAMS, n=1)
    with interrupting(lambda: client.as_root("PATCH", f"{TEAMS}/{team}", {"n+": 10})) as commits:
        client.as_root("PATCH", f"{TEAMS}/{team}", {"n+": 100})
    assert client.as_root("GET", f"{TEAMS}/{team}")["n"] == 111
    assert len(commits) == 3  # the interrupted one, the other's, and once more


def test_a_rule_is_judged_again_on_what_another_wrote(client: Client) -> None:
    team = new(client, TEAMS, n=1)
    client.as_root("PATCH", "/api/collections/teams", {"updateRule": "n = 1"})
    path = f"{TEAMS}/{team}"
    with interrupting(lambda: client.as_root("PATCH", path, {"n": 2})):
        assert client("PATCH", path, {"name": "taken over"}).status == 404
    assert client.as_root("GET", path)["name"] == ""


def test_a_rule_changed_meanwhile_holds_for_a_write_that_waited(client: Client) -> None:
    team = new(client, TEAMS, n=1)
    client.as_root("PATCH", "/api/collections/teams", {"updateRule": ""})

    def close_and_wait() -> None:
        client.as_root("PATCH", "/api/collections/teams", {"updateRule": None})

    renew = sessions.Session.renew
    with pytest.MonkeyPatch.context() as patch:

        def late(session: sessions.Session) -> None:
            if client.root not in session.call.headers.values():
                patch.setattr(sessions.Session, "renew", renew)
                close_and_wait()
                session.opened_at -= sessions.WRITE_WINDOW_SECONDS
            renew(session)

        patch.setattr(sessions.Session, "renew", late)
        assert client("PATCH", f"{TEAMS}/{team}", {"n": 5}).status == 403
    assert client.as_root("GET", f"{TEAMS}/{team}")["n"] == 1


def test_a_slow_write_on_an_unchanged_schema_is_made_at_once(client: Client) -> None:
    """Fifty passwords take longer to hash than the window of a write lasts."""
    team = new(client, TEAMS, n=1)
    renew, seen = sessions.Session.renew, []
    with pytest.MonkeyPatch.context() as patch:

        def late(session: sessions.Session) -> None:
            session.opened_at -= sessions.WRITE_WINDOW_SECONDS
            seen.append(session)
            renew(session)

        patch.setattr(sessions.Session, "renew", late)
        client.as_root("PATCH", f"{TEAMS}/{team}", {"n": 5})
    assert len(seen) == 1


def test_no_attempt_begins_once_the_schema_is_too_old(client: Client) -> None:
    """Throttled past the window: nobody who fills an index expects this writer any more."""
    team = new(client, TEAMS, n=1)
    put, calls = dynamodb.put, []

    def throttled(item: Any, **more: Any) -> None:
        calls.append(item)
        if len(calls) > 1:
            put(item, **more)
            return
        patience = retries.Patience()
        for _ in range(50):
            patience.pause(TimeoutError("throttled"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "WRITE_WINDOW_SECONDS", 0.3)
        patch.setattr(dynamodb, "put", throttled)
        client.as_root("PATCH", f"{TEAMS}/{team}", {"n+": 1})
    assert len(calls) == 2
    assert client.as_root("GET", f"{TEAMS}/{team}")["n"] == 2


def test_a_write_of_unknown_outcome_is_not_repeated(client: Client) -> None:
    """It was made: whoever counts again counts twice."""
    team = new(client, TEAMS, n=1)
    put, calls = dynamodb.put, []

    def lost(item: Any, **more: Any) -> None:
        calls.append(item)
        put(item, **more)
        raise retries.OutcomeUnknownError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamodb, "put", lost)
        assert client("PATCH", f"{TEAMS}/{team}", {"n+": 1}, client.root).status == 503
    assert len(calls) == 1
    assert client.as_root("GET", f"{TEAMS}/{team}")["n"] == 2


def test_doubt_outlasts_the_deadline() -> None:
    patience = retries.Patience()
    patience.pause(TimeoutError("no answer"), in_doubt=True)
    patience.deadline = time.monotonic() - 1
    with pytest.raises(retries.OutcomeUnknownError):
        patience.attempt_seconds()


@pytest.mark.parametrize("field", ["team", "home"])
def test_a_reference_made_while_its_target_is_deleted_does_not_dangle(
    client: Client, field: str
) -> None:
    """The delete has looked for references already when this one comes."""
    team = new(client, TEAMS, name=f"going-{field}")
    made: list[Answer] = []
    other = threading.Thread(
        target=lambda: made.append(client("POST", PEOPLE, {field: team}, client.root))
    )

    def refer() -> None:
        other.start()
        other.join(0.5)  # it waits for what becomes of its target

    with interrupting(refer):
        client.as_root("DELETE", f"{TEAMS}/{team}")
    other.join(30)
    assert made[0].status == 400, made
    assert made[0].body["data"][field]["code"] == "validation_missing_rel_records"
    assert references_to(team) == []


def test_a_reference_made_just_before_the_announcement_is_found(client: Client) -> None:
    team = new(client, TEAMS, name="announced")
    made: list[str] = []
    announce = store.leaving.announce
    with pytest.MonkeyPatch.context() as patch:

        def late(*given: Any) -> int:
            made.append(new(client, PEOPLE, home=team))
            return announce(*given)

        patch.setattr(store.leaving, "announce", late)
        client.as_root("DELETE", f"{TEAMS}/{team}")
    assert client("GET", f"{PEOPLE}/{made[0]}", token=client.root).status == 404
    assert references_to(team) == []


def test_a_refused_delete_lets_others_refer_again_at_once(client: Client) -> None:
    client.as_root("PATCH", "/api/collections/people", require("team", True))
    team = new(client, TEAMS, name="kept")
    new(client, PEOPLE, team=team)
    assert client("DELETE", f"{TEAMS}/{team}", token=client.root).status == 400
    before = time.monotonic()
    new(client, PEOPLE, team=team)
    assert time.monotonic() - before < store.leaving.LEAVING_SECONDS / 2
    client.as_root("PATCH", "/api/collections/people", require("team", False))


def require(name: str, required: bool) -> dict[str, Any]:
    fields = [dict(each) for each in collection("people").definition["fields"]]
    return {
        "fields": [
            {**each, "required": required} if each["name"] == name else each for each in fields
        ]
    }


def test_an_update_of_the_target_undoes_the_announcement(client: Client) -> None:
    team = new(client, TEAMS, name="renamed")
    with interrupting(lambda: client.as_root("PATCH", f"{TEAMS}/{team}", {"n": 7})):
        client.as_root("DELETE", f"{TEAMS}/{team}")
    assert client("GET", f"{TEAMS}/{team}", token=client.root).status == 404


def test_references_and_deletes_at_once_leave_nothing_dangling(client: Client) -> None:
    teams = [new(client, TEAMS, name=f"crowd{n}") for n in range(4)]

    def work(number: int) -> list[int]:
        if number < 2:
            time.sleep(0.05)
            return [client("DELETE", f"{TEAMS}/{t}", token=client.root).status for t in teams[::-1]]
        field = ("team", "home")[number % 2]
        return [client("POST", PEOPLE, {field: t}, client.root).status for t in teams]

    answers = at_once(6, work)
    assert {status for statuses in answers[2:] for status in statuses} <= {200, 400}
    people = client.as_root("GET", PEOPLE + "?perPage=1000")["items"]
    left = {team["id"] for team in client.as_root("GET", TEAMS + "?perPage=1000")["items"]}
    assert [
        p for p in people for field in ("team", "home") if p[field] and p[field] not in left
    ] == []
    assert [references_to(team) for team in teams] == [[]] * len(teams)


def test_counters_of_threads_end_exact(client: Client) -> None:
    team = new(client, TEAMS, n=0)
    answers = at_once(WRITERS, lambda _: client("PATCH", f"{TEAMS}/{team}", {"n+": 1}, client.root))
    assert [answer.status for answer in answers] == [200] * WRITERS
    assert client.as_root("GET", f"{TEAMS}/{team}")["n"] == WRITERS


def test_a_unique_value_has_one_winner(client: Client) -> None:
    answers = at_once(WRITERS, lambda _: client("POST", TEAMS, {"name": "winner"}, client.root))
    assert sorted(answer.status for answer in answers) == [200] + [400] * (WRITERS - 1)
    codes = {answer.body["data"]["name"]["code"] for answer in answers if answer.status == 400}
    assert codes == {"validation_not_unique"}


def test_an_id_has_one_winner(client: Client) -> None:
    body = {"id": "theoneandonly00"}
    answers = at_once(WRITERS, lambda _: client("POST", TEAMS, body, client.root))
    assert sorted(answer.status for answer in answers) == [200] + [400] * (WRITERS - 1)


def test_a_batch_is_all_or_nothing_beside_other_writers(client: Client) -> None:
    a, b = new(client, TEAMS, n=0), new(client, TEAMS, n=0)

    def work(number: int) -> int:
        first, second = (a, b) if number % 2 else (b, a)
        parts = [
            {"method": "PATCH", "url": f"{TEAMS}/{team}", "body": {"n+": 1}}
            for team in (first, second)
        ]
        return client("POST", BATCH, {"requests": parts}, client.root).status

    assert at_once(WRITERS, work) == [200] * WRITERS
    assert [client.as_root("GET", f"{TEAMS}/{t}")["n"] for t in (a, b)] == [WRITERS, WRITERS]


def test_a_value_passes_from_one_record_to_another_in_a_batch(client: Client) -> None:
    a, b = new(client, TEAMS, name="left"), new(client, TEAMS, name="right")
    parts = [
        {"method": "PATCH", "url": f"{TEAMS}/{a}", "body": {"name": "aside"}},
        {"method": "PATCH", "url": f"{TEAMS}/{b}", "body": {"name": "left"}},
        {"method": "PATCH", "url": f"{TEAMS}/{a}", "body": {"name": "right"}},
    ]
    assert client("POST", BATCH, {"requests": parts}, client.root).status == 200
    for name in ("left", "right"):
        assert client("POST", TEAMS, {"name": name}, client.root).status == 400
    assert client("POST", TEAMS, {"name": "aside"}, client.root).status == 200


def test_two_superusers_cannot_delete_each_other(client: Client) -> None:
    superusers = "/api/collections/_superusers"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.settings, "require_superuser_address", lambda _call: None)
        second = client.account(superusers, "second@example.com")
        token = client.login(superusers, "second@example.com").body["token"]
        first = client.login(superusers, "root@example.com", "rootpass123").body["record"]
        path = superusers + "/records/"
        answers = at_once(
            2,
            lambda n: client(
                "DELETE", path + [second["id"], first["id"]][n], token=[client.root, token][n]
            ),
        )
    # Whoever came second was refused, or was no superuser any more.
    assert sorted(answer.status for answer in answers)[0] == 204
    left = [s for s in store.records.all_of(collection("_superusers"))]
    assert len(left) == 1
    services.auth.create_superuser("root@example.com", "rootpass123")
    client.root = client.login(superusers, "root@example.com", "rootpass123").body["token"]


def test_the_last_superuser_may_be_changed_in_a_batch_that_deletes_another(client: Client) -> None:
    """The one that must remain is written in the same transaction."""
    superusers = "/api/collections/_superusers"
    other = client.account(superusers, "third@example.com")
    rest = [s.record["id"] for s in store.records.all_of(collection("_superusers"))]
    own = [
        {"method": "PATCH", "url": f"{superusers}/records/{i}", "body": {"emailVisibility": True}}
        for i in rest
        if i != other["id"]
    ]
    parts = [{"method": "DELETE", "url": f"{superusers}/records/{other['id']}"}, *own]
    assert client("POST", BATCH, {"requests": parts}, client.root).status == 200


def test_a_token_ends_with_its_account_for_requests_on_their_way(client: Client) -> None:
    account = client.account(USERS, "brief@example.com")
    token = client.login(USERS, "brief@example.com").body["token"]
    path = f"{USERS}/records/{account['id']}"
    with interrupting(lambda: client.as_root("DELETE", path)):
        assert client("PATCH", path, {"name": "x"}, token).status in (403, 404)
    assert client("GET", path, token=client.root).status == 404
