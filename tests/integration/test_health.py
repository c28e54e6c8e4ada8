"""GET /api/health"""

import pytest

from chalicelib.aws import dynamodb
from tests.integration.auth_client import USERS, Client

HEALTH = "/api/health"
FOR_GUESTS = {"message": "API is healthy.", "code": 200, "data": {}}


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    return Client()


def test_guest_costs_no_database_call(client: Client) -> None:
    with dynamodb.meter() as meter:
        assert client("GET", HEALTH).body == FOR_GUESTS
    assert meter.calls == 0


def test_superuser_sees_more(client: Client) -> None:
    assert client("GET", HEALTH, token=client.root, ip="192.0.2.7").body == {
        **FOR_GUESTS,
        "data": {"canBackup": False, "realIP": "192.0.2.7", "possibleProxyHeader": ""},
    }


def test_others_see_what_guests_see(client: Client) -> None:
    client.account(USERS, "user@example.com")
    user = client.login(USERS, "user@example.com").body["token"]
    for token in (user, "garbage", client.root[:-2]):
        assert client("GET", HEALTH, token=token).body == FOR_GUESTS


def test_fields_apply_here_too(client: Client) -> None:
    assert client("GET", HEALTH + "?fields=code,message:excerpt(3,true)").body == {
        "code": 200,
        "message": "API...",
    }


def test_body_is_not_looked_at(client: Client) -> None:
    assert client("GET", HEALTH, raw="{bad").status == 200
