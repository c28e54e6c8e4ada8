"""The accounts of functions: what their tokens open, and that nobody else comes by one."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from chalicelib import services, store
from chalicelib.domain import tokens
from chalicelib.domain.functions.function import Function
from chalicelib.store.functions import Stored
from tests.integration.auth_client import PASSWORD, SUPERUSERS, USERS, Client

ACCOUNTS = "/api/collections/_functions"
MAILER = Function("fnmailer0000001", "mailer", "python3.13", "app.handler", rights=("mail.send",))
OTHER = Function("fnother00000001", "other", "python3.13", "app.handler")

RULES = {
    "by_name": '@request.auth.collectionName = "_functions" && @request.auth.name = "mailer"',
    "by_right": "@request.auth.rights ~ '\"mail.send\"'",
    "by_id": '@request.auth.id = "fnmailer0000001"',
    "for_users": '@request.auth.collectionName = "users"',
    "closed": None,
    "of_shorter_right": "@request.auth.rights ~ '\"mail\"'",
}


def saved(function: Function) -> Function:
    return store.functions.put(Stored(function), None).function


def token(function: Function, depth: int = 1, later: float = 0) -> str:
    return services.service_accounts.token(function, depth, time.time() + later)


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    names = [each["name"] for each in client.as_root("GET", "/api/collections")["items"]]
    assert "_functions" not in names  # PocketBase's own set, until there is a function
    for name, rule in RULES.items():
        body = {"name": name, "type": "base", "listRule": rule, "createRule": rule}
        client.as_root("POST", "/api/collections", body)
    functions = [saved(each) for each in (MAILER, OTHER)]
    assert at_once([partial(services.service_accounts.ensure, f) for f in functions * 3]) == []
    return client


def at_once(works: list[Callable[[], None]]) -> list[BaseException]:
    """Carry out all at the same time; return what they raise."""
    failures: list[BaseException] = []

    def caught(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=caught, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def listing(client: Client, name: str, by: str) -> tuple[int, str]:
    answer = client("POST", f"/api/collections/{name}/records", {}, by)
    return answer.status, "" if answer.status == 200 else answer.body["message"]


def test_a_token_passes_the_rules_that_name_its_function_and_no_others(client: Client) -> None:
    mailer = {name: listing(client, name, token(MAILER))[0] for name in RULES}
    other = {name: listing(client, name, token(OTHER))[0] for name in RULES}
    passes = dict.fromkeys(("by_name", "by_right", "by_id"), 200)
    refused = dict.fromkeys(RULES, 400) | {"closed": 403}
    assert mailer == refused | passes
    assert other == refused


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/collections"),
        ("POST", "/api/collections"),
        ("GET", "/api/settings"),
        ("PATCH", "/api/settings"),
        ("DELETE", "/api/collections/users/truncate"),
        ("POST", SUPERUSERS + "/impersonate/x"),
        ("GET", SUPERUSERS + "/records"),
        ("GET", ACCOUNTS + "/records"),
        ("PATCH", f"{ACCOUNTS}/records/{MAILER.id}"),
    ],
)
def test_what_is_for_superusers_refuses_a_function(client: Client, method: str, path: str) -> None:
    assert client(method, path, {}, token(MAILER)).status == 403


def test_a_token_cannot_be_refreshed(client: Client) -> None:
    assert client.refresh(ACCOUNTS, token(MAILER)).status == 403


def test_a_token_ends_a_minute_after_the_functions_timeout(client: Client) -> None:
    claims = tokens.decode_unverified(token(MAILER)) or {}
    assert abs(claims["exp"] - time.time() - MAILER.timeout_seconds - 60) < 5
    assert listing(client, "by_name", token(MAILER, later=-62))[0] == 200
    assert listing(client, "by_name", token(MAILER, later=-64))[0] == 400


def test_nobody_signs_in_as_a_function(client: Client) -> None:
    for identity in ("mailer", MAILER.id, "", "a@example.com"):
        answer = client.login(ACCOUNTS, identity, "")
        assert answer.status == 403
        assert client.login(ACCOUNTS, identity).status == 403
    methods = client("GET", ACCOUNTS + "/auth-methods").body
    assert not any(methods[each]["enabled"] for each in ("password", "otp", "oauth2", "mfa"))


def test_not_even_a_superuser_gets_or_makes_an_account_of_a_function(client: Client) -> None:
    assert client("POST", f"{ACCOUNTS}/impersonate/{MAILER.id}", {}, client.root).status == 403
    secret = {"password": PASSWORD, "passwordConfirm": PASSWORD}
    record = {"name": "mailer", "rights": ["mail.send"], **secret}
    for by in ("", client.root, token(MAILER)):
        assert client("POST", ACCOUNTS + "/records", record, by).status == 403
        path = f"{ACCOUNTS}/records/{MAILER.id}"
        assert client("PATCH", path, secret, by).status == 403
        assert client("DELETE", path, None, by).status == 403
    assert client("DELETE", ACCOUNTS + "/truncate", None, client.root).status == 400
    assert client("DELETE", ACCOUNTS, None, client.root).status == 400
    rule = {"createRule": ""}
    assert client("PATCH", ACCOUNTS, rule, client.root).status == 400
    assert client("PATCH", ACCOUNTS, {"authRule": ""}, client.root).status == 400


def test_a_superuser_sees_the_accounts_without_their_keys(client: Client) -> None:
    found = client.as_root("GET", ACCOUNTS + "/records?sort=name")["items"]
    assert [(each["id"], each["name"], each["rights"]) for each in found] == [
        (MAILER.id, "mailer", ["mail.send"]),
        (OTHER.id, "other", []),
    ]
    assert not {"tokenKey", "password"} & found[0].keys()


def test_a_token_of_the_same_record_id_in_another_collection_is_no_function(
    client: Client,
) -> None:
    users = client.as_root("GET", USERS)
    body = {"id": "fnmailer0000001", "email": "x@example.com"}
    secret = {"password": PASSWORD, "passwordConfirm": PASSWORD}
    answer = client("POST", USERS + "/records", body | secret, client.root)
    assert answer.status == 400  # an id names one account only
    claims = tokens.decode_unverified(token(MAILER)) or {}
    forged = tokens.encode(claims | {"depth": 0}, "x" * 100)
    assert listing(client, "by_name", forged)[0] == 400
    assert users["id"] != claims["collectionId"]


def test_changed_rights_hold_from_the_next_request_on(client: Client) -> None:
    function = saved(Function("fnchanging00001", "changing", "python3.13", "a.b"))
    services.service_accounts.ensure(function)
    held = token(function)
    assert listing(client, "by_right", held)[0] == 400
    stored = Stored(function._replace(rights=("mail.send",)))
    changed = store.functions.put(stored, function.rev).function
    services.service_accounts.ensure(changed)
    assert listing(client, "by_right", held)[0] == 200
    services.service_accounts.ensure(function)  # a slower change, which was overtaken
    assert listing(client, "by_right", held)[0] == 200


def test_deleting_a_function_ends_its_tokens_at_once_and_for_good(client: Client) -> None:
    function = saved(Function("fnleaving000001", "leaving", "python3.13", "a.b"))
    services.service_accounts.ensure(function)
    path = f"{ACCOUNTS}/records/{function.id}"
    held = token(function)
    claims = tokens.decode_unverified(held)
    assert claims is not None
    assert client("GET", "/api/files/token", None, held).status == 404  # the route is a POST
    assert client("POST", "/api/files/token", None, held).status == 200
    store.functions.delete(function)
    services.service_accounts.remove(function)
    services.service_accounts.remove(function)
    assert client("POST", "/api/files/token", None, held).status == 401
    services.service_accounts.ensure(function)
    assert token(function) == ""
    assert client("GET", path, None, client.root).status == 404


@pytest.mark.parametrize("required", [False, True])
def test_an_account_goes_whatever_refers_to_it(client: Client, required: bool) -> None:
    function = saved(Function(f"fnreferred0000{required:d}", f"referred-{required:d}", "x", "a.b"))
    services.service_accounts.ensure(function)
    relation = {"name": "by", "type": "relation", "required": required,
                "collectionId": client.as_root("GET", ACCOUNTS)["id"]}  # fmt: skip
    name = f"refers_{required:d}"
    client.as_root("POST", "/api/collections", {"name": name, "fields": [relation]})
    path = f"/api/collections/{name}/records"
    record = client.as_root("POST", path, {"by": function.id})
    held = token(function)
    store.functions.delete(function)
    services.service_accounts.remove(function)
    assert client("POST", "/api/files/token", None, held).status == 401
    left = client.as_root("GET", f"{path}/{record['id']}")["by"]
    assert left == (function.id if required else "")


def test_an_account_that_a_crash_left_out_is_made_by_the_first_call(client: Client) -> None:
    function = saved(Function("fncrashed000001", "crashed", "python3.13", "a.b"))
    assert client("POST", "/api/files/token", None, token(function)).status == 200


def test_a_new_secret_of_the_collection_ends_tokens_and_the_next_ones_work(
    client: Client,
) -> None:
    held = token(MAILER)
    client.as_root("PATCH", ACCOUNTS, {"authToken": {"secret": "s" * 50}})
    assert client("POST", "/api/files/token", None, held).status == 401
    assert client("POST", "/api/files/token", None, token(MAILER)).status == 200


def test_functions_made_at_once_share_one_collection(client: Client) -> None:
    found = client.as_root("GET", "/api/collections?perPage=100")["items"]
    assert [each["name"] for each in found].count("_functions") == 1
    assert client.as_root("GET", ACCOUNTS)["system"] is True
