"""Refreshing, impersonating and ending tokens; each fact was asked of PocketBase 0.40.6."""

import time
from typing import Any

import pytest

from chalicelib import store
from chalicelib.domain import tokens
from chalicelib.domain.collection import Collection
from chalicelib.domain.request import Record
from tests.integration.auth_client import PASSWORD, SUPERUSERS, USERS, Client, refused

GUEST = refused(401, "The request requires valid record authorization token.")
NOT_ALLOWED = refused(403, "The authorized record is not allowed to perform this action.")
ABSENT = refused(404, "The requested resource wasn't found.")
UNREADABLE = refused(400, "An error occurred while loading the submitted data.")
EMAIL = "ann@example.com"


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    fields = client.as_root("GET", USERS)["fields"]
    fields += [
        {"name": "friend", "type": "relation", "collectionId": "_pb_users_auth_"},
        {"name": "hid", "type": "text", "hidden": True},
    ]
    client.as_root("PATCH", USERS, {"fields": fields})
    client.as_root("POST", "/api/collections", {"name": "plain", "type": "base"})
    return client


@pytest.fixture
def account(client: Client) -> Any:
    made = client.account(USERS, EMAIL, name="Ann", hid="h")
    yield made
    client.as_root("DELETE", f"{USERS}/records/{made['id']}")


def path_of(account: dict[str, Any]) -> str:
    return f"{USERS}/records/{account['id']}"


def stored(account: dict[str, Any]) -> tuple[Collection, Record]:
    collection = store.schema.load().find("users")
    assert collection is not None
    found = store.records.find(collection, account["id"])
    assert found is not None
    return collection, found.record


def forged(account: dict[str, Any], *, secret: str = "authToken", **claims: Any) -> str:
    """Return a token that is right but for what the caller changes."""
    collection, record = stored(account)
    key = record["tokenKey"] + collection.auth[secret]["secret"]
    right = {
        "id": record["id"],
        "collectionId": collection.id,
        "type": "auth",
        "exp": int(time.time()) + 100,
        "refreshable": True,
    }
    return tokens.encode(right | claims, key)


def test_a_refresh_gives_a_new_token_and_writes_nothing(
    client: Client, account: dict[str, Any]
) -> None:
    old = forged(account)
    answer = client.refresh(USERS, old)
    assert answer.status == 200
    assert answer.body["record"] == {k: v for k, v in account.items() if k != "hid"}
    claims = tokens.decode_unverified(answer.body["token"]) or {}
    assert claims["refreshable"] is True
    assert abs(claims["exp"] - time.time() - 432000) < 60
    assert client.refresh(USERS, old).status == 200  # the old one still counts


@pytest.mark.parametrize("claims", [{"refreshable": False}, {"refreshable": None}])
def test_a_token_that_is_not_renewable_comes_back_as_it_is(
    client: Client, account: dict[str, Any], claims: dict[str, Any]
) -> None:
    token = forged(account, **claims)
    assert client.refresh(USERS, token).body["token"] == token
    assert client.refresh(USERS, "Bearer " + token).body["token"] == token


@pytest.mark.parametrize(
    "claims",
    [
        {"type": "file"},
        {"type": "AUTH"},
        {"type": None},
        {"collectionId": "_superusers"},
        {"collectionId": "pbc_3142635823"},
        {"id": ""},
        {"id": "nobodynobody123"},
        {"exp": 1},
        {"exp": "tomorrow"},
        {"secret": "passwordResetToken"},
    ],
)
def test_forged_tokens_are_guests(
    client: Client, account: dict[str, Any], claims: dict[str, Any]
) -> None:
    assert client.refresh(USERS, forged(account, **claims)).refusal == GUEST


def test_a_token_of_another_record_is_a_guest(client: Client, account: dict[str, Any]) -> None:
    other = client.account(USERS, "other@example.com")
    assert client.refresh(USERS, forged(account, id=other["id"])).refusal == GUEST
    client.as_root("DELETE", path_of(other))


def test_garbage_is_a_guest_and_not_an_error(client: Client) -> None:
    for token in ("x", "a.b.c", "Bearer", "Bearer " + "x" * 9000, "é"):
        assert client("GET", "/api/collections/users/auth-methods", token=token).status == 200
        assert client.refresh(USERS, token).refusal == GUEST


def test_refreshing_with_the_wrong_or_no_token(client: Client, account: dict[str, Any]) -> None:
    message = "The request requires auth record from {} collection."
    missing = refused(404, "Missing or invalid collection context.")
    assert client.refresh(USERS, "").refusal == GUEST
    assert client.refresh(USERS, client.root).refusal == refused(403, message.format("_superusers"))
    own = forged(account)
    assert client.refresh(SUPERUSERS, own).refusal == refused(403, message.format("users"))
    plain, nope = "/api/collections/plain", "/api/collections/nope"
    assert client.refresh(plain, "").refusal == GUEST
    assert client.refresh(plain, own).refusal == refused(403, message.format("users"))
    assert client.refresh(nope, own).refusal == missing
    assert client.refresh(nope, "").refusal == missing


def test_expand_and_fields_are_honoured_as_the_one_who_signed_in(
    client: Client, account: dict[str, Any]
) -> None:
    client.as_root("PATCH", path_of(account), {"friend": account["id"]})
    body = {"identity": EMAIL, "password": PASSWORD}
    login = client("POST", USERS + "/auth-with-password?expand=friend", body).body
    # The users' view rule lets one see oneself only.
    assert login["record"]["expand"]["friend"]["email"] == EMAIL
    refreshed = client.refresh(USERS, login["token"], "?expand=friend&fields=record.expand").body
    assert refreshed["record"]["expand"]["friend"]["id"] == account["id"]
    assert set(refreshed) == {"record"}


def test_superusers_see_their_hidden_fields(client: Client) -> None:
    before = client.as_root("GET", SUPERUSERS)["fields"]
    hidden = [{"name": "hid", "type": "text", "hidden": True}]
    client.as_root("PATCH", SUPERUSERS, {"fields": before + hidden})
    assert client.refresh(SUPERUSERS, client.root).body["record"]["hid"] == ""
    client.as_root("PATCH", SUPERUSERS, {"fields": before})


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"name": "Anna"}, False),
        ({"emailVisibility": True}, False),
        ({"password": "87654321", "passwordConfirm": "87654321"}, True),
        ({"email": "anna@example.com"}, True),
        ({"tokenKey:autogenerate": ""}, True),
    ],
)
def test_what_ends_the_tokens_of_a_record(
    client: Client, account: dict[str, Any], change: dict[str, Any], ends: bool
) -> None:
    token = forged(account)
    client.as_root("PATCH", path_of(account), change)
    assert client.refresh(USERS, token).status == (401 if ends else 200)


def test_changing_the_auth_rule_ends_every_token(client: Client, account: dict[str, Any]) -> None:
    token = forged(account)
    client.as_root("PATCH", USERS, {"authRule": "name != ''"})
    assert client.refresh(USERS, token).refusal == GUEST
    assert client.login(USERS, EMAIL).status == 200
    client.as_root("PATCH", USERS, {"authRule": ""})


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("@request.context = 'default'", 200),
        ("@request.context = 'password'", 403),
        ("@request.auth.id = id", 200),
        ("verified = true", 403),
    ],
)
def test_the_auth_rule_holds_for_refreshing_too(
    client: Client, account: dict[str, Any], rule: str, status: int
) -> None:
    client.as_root("PATCH", USERS, {"authRule": rule})
    assert client.refresh(USERS, forged(account)).status == status
    client.as_root("PATCH", USERS, {"authRule": ""})


def test_a_deleted_account_is_a_guest(client: Client) -> None:
    made = client.account(USERS, "gone@example.com")
    token = forged(made)
    client.as_root("DELETE", path_of(made))
    assert client.refresh(USERS, token).refusal == GUEST


def impersonated(client: Client, account: dict[str, Any], body: Any = None) -> Any:
    path = f"{USERS}/impersonate/{account['id']}"
    return client("POST", path, body, client.root)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (None, 432000),
        ({}, 432000),
        ({"duration": 0}, 432000),
        ({"duration": None}, 432000),
        ({"duration": 100}, 100),
        ({"Duration": 77}, 77),
    ],
)
def test_impersonating_gives_a_token_that_is_not_renewable(
    client: Client, account: dict[str, Any], body: Any, seconds: int
) -> None:
    answer = impersonated(client, account, body)
    assert answer.status == 200
    assert "hid" not in answer.body["record"]  # seen as the one impersonated
    assert answer.body["record"]["email"] == EMAIL
    token = answer.body["token"]
    claims = tokens.decode_unverified(token) or {}
    assert claims["refreshable"] is False
    assert abs(claims["exp"] - time.time() - seconds) < 30
    assert client.refresh(USERS, token).body["token"] == token


@pytest.mark.parametrize("value", ["5", 5.5, 5.0, True, [], 10**19])
def test_a_duration_of_the_wrong_type(client: Client, account: dict[str, Any], value: Any) -> None:
    assert impersonated(client, account, {"duration": value}).refusal == UNREADABLE


def test_a_duration_in_other_bodies(client: Client, account: dict[str, Any]) -> None:
    path = f"{USERS}/impersonate/{account['id']}"
    assert client.form(path, {"duration": "7"}, client.root).status == 200
    assert client.form(path, {"duration": "x"}, client.root).refusal == UNREADABLE
    text = client("POST", path, token=client.root, raw="7", content_type="text/plain")
    assert text.refusal == UNREADABLE  # a login says that it is the type


def test_a_negative_duration(client: Client, account: dict[str, Any]) -> None:
    answer = impersonated(client, account, {"duration": -1})
    assert answer.body["message"] == "An error occurred while validating the submitted data."
    assert answer.body["data"]["duration"] == {
        "code": "validation_min_greater_equal_than_required",
        "message": "Must be no less than 0.",
        "params": {"threshold": 0},
    }


def test_a_very_long_impersonation_still_works(client: Client, account: dict[str, Any]) -> None:
    token = impersonated(client, account, {"duration": 10**12}).body["token"]
    assert client.refresh(USERS, token).status == 200


def test_only_superusers_impersonate(client: Client, account: dict[str, Any]) -> None:
    path = f"{USERS}/impersonate/{account['id']}"
    assert client("POST", path).refusal == GUEST
    assert client("POST", path, token=forged(account)).refusal == NOT_ALLOWED
    assert client("POST", "/api/collections/nope/impersonate/x").refusal == GUEST


def test_impersonating_nobody(client: Client) -> None:
    no_auth = refused(404, "Missing or invalid auth collection context.")
    for name in ("plain", "nope"):
        path = f"/api/collections/{name}/impersonate/x"
        assert client("POST", path, token=client.root).refusal == no_auth
    for name in ("nope", "x" * 300):
        path = f"{USERS}/impersonate/{name}"
        # Before the body is looked at.
        assert client("POST", path, {"duration": -1}, client.root).refusal == ABSENT


def test_superusers_can_be_impersonated(client: Client) -> None:
    root = client.refresh(SUPERUSERS, client.root).body["record"]
    path = f"{SUPERUSERS}/impersonate/{root['id']}"
    token = client("POST", path, {"duration": 50}, client.root).body["token"]
    assert client("GET", "/api/settings", token=token).status == 200


def test_the_operator_makes_a_superuser_once() -> None:
    from chalicelib import services  # noqa: PLC0415 - after the table is there

    who = ("operator@example.com", "operator-1")
    assert services.auth.create_superuser(*who) is True
    assert services.auth.create_superuser(*who) is False


def test_the_operator_resets_a_superusers_password(client: Client) -> None:
    from chalicelib import services  # noqa: PLC0415 - after the table is there

    services.auth.create_superuser("second@example.com", "old-password")
    token = client.login(SUPERUSERS, "second@example.com", "old-password").body["token"]
    assert services.auth.create_superuser("second@example.com", "new-password") is True
    assert client.login(SUPERUSERS, "second@example.com", "old-password").status == 400
    answer = client.login(SUPERUSERS, "second@example.com", "new-password")
    assert answer.body["record"]["verified"] is True
    assert client.refresh(SUPERUSERS, token).refusal == GUEST
