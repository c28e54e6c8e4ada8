"""Login by password. Every status, message and code was first asked of PocketBase 0.40.6."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bcrypt
import pytest

from chalicelib.errors import field_error
from tests.integration.auth_client import PASSWORD, USERS, Client, refused

MEMBERS = "/api/collections/members"
LOGIN = MEMBERS + "/auth-with-password"
REQUIRED = field_error("validation_required", "Cannot be blank.")
NOT_IN = field_error("validation_in_invalid", "Must be a valid value.")
TOO_LONG = field_error(
    "validation_length_out_of_range",
    "The length must be between 1 and 255.",
    {"min": 1, "max": 255},
)
LOGIN_NAMES = ("identity", "password")
WRONG_FIELD = {"identity": "a", "password": "b"}
FAILED = refused(400, "Failed to authenticate.")
INVALID = "An error occurred while validating the submitted data."
UNREADABLE = refused(400, "An error occurred while loading the submitted data.")
REFUSED = refused(403, "The request doesn't satisfy the collection requirements to authenticate.")


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    client = Client()
    client.as_root(
        "POST",
        "/api/collections",
        {
            "name": "members",
            "type": "auth",
            "fields": [
                {"name": "username", "type": "text"},
                {"name": "nick", "type": "text"},
                {"name": "note", "type": "text", "hidden": True},
                {"name": "level", "type": "number"},
                {"name": "badge", "type": "number"},
            ],
            "indexes": [
                "CREATE UNIQUE INDEX members_username ON members (username COLLATE NOCASE)",
                "CREATE UNIQUE INDEX members_nick ON members (nick) WHERE nick != ''",
                "CREATE UNIQUE INDEX members_badge ON members (badge) WHERE level > 0",
            ],
            "passwordAuth": {"enabled": True, "identityFields": ["username", "email", "nick"]},
        },
    )
    client.account(
        MEMBERS, "ann@example.com", username="Ann", nick="Nan", note="n", level=1, badge=7
    )
    client.account(MEMBERS, "Bob@example.com", username="ann@example.com", nick="bob")
    client.as_root("POST", "/api/collections", {"name": "plain", "type": "base"})
    return client


@pytest.fixture
def rule(client: Client) -> Any:
    """Sets options of `members` for one test."""
    before = client.as_root("GET", MEMBERS)
    names = ("authRule", "manageRule", "passwordAuth", "mfa", "otp")
    yield lambda **options: client.as_root("PATCH", MEMBERS, options)
    client.as_root("PATCH", MEMBERS, {name: before[name] for name in names})


@pytest.mark.parametrize(
    ("body", "username"),
    [
        ({"identity": "ann@example.com"}, "Ann"),  # by e-mail before by user name
        ({"identity": "ANN@example.com"}, "ann@example.com"),  # no such e-mail; NOCASE finds this
        ({"identity": "aNN"}, "Ann"),
        ({"identity": "Nan"}, "Ann"),
        ({"identity": "Nan", "identityField": "nick"}, "Ann"),
        ({"identity": "ann@example.com", "identityField": "username"}, "ann@example.com"),
        ({"identity": "Nan", "identityField": ""}, "Ann"),
        ({"identity": "Nan", "identityField": None, "foo": 1}, "Ann"),
        ({"Identity": "Nan"}, "Ann"),
    ],
)
def test_a_right_password_signs_in(client: Client, body: dict[str, Any], username: str) -> None:
    answer = client("POST", LOGIN, {**body, "password": PASSWORD})
    assert answer.status == 200
    assert set(answer.body) == {"record", "token"}
    assert answer.body["record"]["username"] == username


def test_one_sees_oneself_without_hidden_fields(client: Client) -> None:
    record = client.login(MEMBERS, "Nan").body["record"]
    assert set(record) == {
        "collectionId",
        "collectionName",
        "id",
        "email",
        "emailVisibility",
        "verified",
        "username",
        "nick",
        "level",
        "badge",
    }
    assert record["email"] == "ann@example.com"


def test_a_superuser_who_signs_in_as_another_sees_no_more(client: Client) -> None:
    body = {"identity": "Nan", "password": PASSWORD}
    assert "note" not in client("POST", LOGIN, body, client.root).body["record"]


@pytest.mark.parametrize(
    "body",
    [
        {"identity": "ann@example.com", "password": "12345679"},
        {"identity": "nobody", "password": PASSWORD},
        {"identity": "nan", "password": PASSWORD},  # a plain index minds the case
        {"identity": " Nan", "password": PASSWORD},
        {"identity": "  ", "password": "  "},
        {"identity": "a" * 255, "password": "b" * 255},
        {"identity": "Nan", "password": PASSWORD, "identityField": "username"},
        {"identity": "Nan", "password": PASSWORD, "identityField": "email"},
    ],
)
def test_all_that_fails_fails_alike(client: Client, body: dict[str, Any]) -> None:
    assert client("POST", LOGIN, body).refusal == FAILED


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"identity": REQUIRED, "password": REQUIRED}),
        (None, {"identity": REQUIRED, "password": REQUIRED}),
        ({"identity": None, "password": ""}, {"identity": REQUIRED, "password": REQUIRED}),
        (dict.fromkeys(LOGIN_NAMES, "a" * 256), dict.fromkeys(LOGIN_NAMES, TOO_LONG)),
        ({"identity": "é" * 128, "password": "b"}, {"identity": TOO_LONG}),  # bytes
        ({"identity": "a", "password": "b", "identityField": "x"}, {"identityField": NOT_IN}),
        ({"identity": "a", "password": "b", "identityField": " "}, {"identityField": NOT_IN}),
        ({"identity": "a", "password": "b", "identityField": "NICK"}, {"identityField": NOT_IN}),
        ({**WRONG_FIELD, "identityField": "x" * 256}, {"identityField": TOO_LONG}),
    ],
)  # fmt: skip
def test_what_is_missing_or_too_long_is_told(client: Client, body: Any, errors: Any) -> None:
    assert client("POST", LOGIN, body).refusal == (400, INVALID, errors)


@pytest.mark.parametrize(
    "raw",
    [
        "{x",
        "[]",
        "[1]",
        '"x"',
        "1",
        '{"identity": 123, "password": "12345678"}',
        '{"identity": "a", "password": true}',
        '{"identity": "a", "password": "b", "identityField": 1}',
        '{"identity": "a", "IDENTITY": "b", "password": "c"}',
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(client: Client, raw: str) -> None:
    assert client("POST", LOGIN, raw=raw).refusal == UNREADABLE


def test_bodies_of_other_types(client: Client) -> None:
    form = {"identity": "Nan", "password": PASSWORD}
    assert client.form(LOGIN, form).status == 200
    assert client.form(LOGIN, {**form, "identity": "123"}).refusal == FAILED
    missing = client.form(LOGIN, {"Identity": "Nan", "password": PASSWORD})  # a form minds the case
    assert missing.refusal == (400, INVALID, {"identity": REQUIRED})
    text = client("POST", LOGIN, raw="hi", content_type="text/plain")
    assert text.refusal == refused(400, "Unsupported Content-Type.")


@pytest.mark.parametrize("action", ["auth-with-password", "auth-methods"])
def test_collections_that_nobody_signs_in_to(client: Client, action: str) -> None:
    method = "GET" if action == "auth-methods" else "POST"
    answer = client(method, f"/api/collections/plain/{action}")
    assert answer.refusal == refused(404, "Missing or invalid auth collection context.")
    answer = client(method, f"/api/collections/nope/{action}")
    assert answer.refusal == refused(404, "Missing or invalid collection context.")


@pytest.mark.parametrize(
    ("auth_rule", "query", "allowed"),
    [
        ("", "", True),
        (None, "", False),
        ("verified = true", "", False),
        ("username = 'Ann' && level = 1", "", True),
        ("note = 'n'", "", True),  # a hidden field
        ("@request.context = 'password'", "", True),
        ("@request.context = 'default'", "", False),
        ("@request.body.identity = 'Nan'", "", True),
        ("@request.auth.id = ''", "", True),  # who signs in is a guest still
        ("@request.auth.id = id", "", False),
        ("@request.query.q = '1' && @request.method = 'POST'", "?q=1", True),
        ("@request.query.q = '1'", "", False),
    ],
)
def test_the_auth_rule(
    client: Client, rule: Any, auth_rule: str | None, query: str, allowed: bool
) -> None:
    rule(authRule=auth_rule)
    answer = client("POST", LOGIN + query, {"identity": "Nan", "password": PASSWORD})
    assert answer.status == (200 if allowed else 403)
    if not allowed:
        assert answer.refusal == REFUSED


def test_the_auth_rule_comes_after_the_password_and_not_for_superusers(
    client: Client, rule: Any
) -> None:
    rule(authRule=None)
    assert client.login(MEMBERS, "Nan", "wrong").refusal == FAILED
    body = {"identity": "Nan", "password": PASSWORD}
    assert client("POST", LOGIN, body, client.root).status == 200


def test_password_auth_that_is_off(client: Client, rule: Any) -> None:
    rule(passwordAuth={"enabled": False})
    message = "The collection is not configured to allow password authentication."
    assert client("POST", LOGIN, {}).refusal == refused(403, message)
    methods = client("GET", MEMBERS + "/auth-methods").body
    assert methods["password"] == {"identityFields": [], "enabled": False}
    assert (methods["emailPassword"], methods["usernamePassword"]) == (False, False)


def test_one_identity_field_is_the_only_way_in(client: Client, rule: Any) -> None:
    rule(passwordAuth={"enabled": True, "identityFields": ["nick"]})
    assert client.login(MEMBERS, "ann@example.com").refusal == FAILED
    assert client.login(MEMBERS, "Nan").status == 200


def test_an_identity_field_may_hold_numbers_and_its_index_leave_records_out(
    client: Client, rule: Any
) -> None:
    rule(passwordAuth={"enabled": True, "identityFields": ["badge"]})
    for identity in ("7", "7.0", " 7", "7e0"):
        assert client.login(MEMBERS, identity).body["record"]["username"] == "Ann"
    for identity in ("8", "seven", "nan", "1e999", "0x7", "0_7"):
        assert client.login(MEMBERS, identity).refusal == FAILED


def test_auth_methods(client: Client) -> None:
    expected = {
        "password": {"identityFields": ["username", "email", "nick"], "enabled": True},
        "oauth2": {"providers": [], "enabled": False},
        "mfa": {"enabled": False, "duration": 0},
        "otp": {"enabled": False, "duration": 0},
        "authProviders": [],
        "usernamePassword": True,
        "emailPassword": True,
    }
    assert client("GET", MEMBERS + "/auth-methods").body == expected
    assert client("GET", "/api/collections/MEMBERS/auth-methods?fields=mfa,otp").body == {
        "mfa": expected["mfa"],
        "otp": expected["otp"],
    }


def test_a_second_method_is_asked_for(client: Client, rule: Any) -> None:
    rule(otp={"enabled": True}, mfa={"enabled": True})
    methods = client("GET", MEMBERS + "/auth-methods").body
    assert methods["mfa"] == {"enabled": True, "duration": 600}
    challenged = client.login(MEMBERS, "Nan")
    assert challenged.status == 401
    assert set(challenged.body) == {"mfaId"}
    mfa_id = challenged.body["mfaId"]
    stored = client.as_root("GET", f"/api/collections/_mfas/records/{mfa_id}")
    assert stored["method"] == "password"
    body = {"identity": "Nan", "password": PASSWORD}
    same = refused(400, "A different authentication method is required.")
    assert client("POST", LOGIN, {**body, "mfaId": mfa_id}).refusal == same
    assert client("POST", f"{LOGIN}?mfaId={mfa_id}", body).refusal == same
    assert client("POST", LOGIN, {**body, "mfaId": "nope"}).refusal == refused(
        400, "Invalid or expired MFA session."
    )
    other = {"identity": "bob", "password": PASSWORD, "mfaId": mfa_id}
    assert client("POST", LOGIN, other).refusal == refused(400, "Invalid MFA session.")


def test_a_second_method_is_asked_for_only_of_those_whom_the_rule_names(
    client: Client, rule: Any
) -> None:
    rule(otp={"enabled": True}, mfa={"enabled": True, "rule": "level > 1"})
    assert client.login(MEMBERS, "Nan").status == 200
    rule(mfa={"enabled": True, "rule": "level = 1"})
    assert client.login(MEMBERS, "Nan").status == 401


def test_a_challenge_that_another_method_left_is_met_once(client: Client, rule: Any) -> None:
    rule(otp={"enabled": True}, mfa={"enabled": True})
    own = client.as_root("GET", f"{MEMBERS}/records?filter=(nick='Nan')")["items"][0]
    challenge = {"collectionRef": own["collectionId"], "recordRef": own["id"], "method": "otp"}
    mfa_id = client.as_root("POST", "/api/collections/_mfas/records", challenge)["id"]
    body = {"identity": "Nan", "password": PASSWORD, "mfaId": mfa_id}
    assert client("POST", LOGIN, body).status == 200
    again = client("POST", LOGIN, body)
    assert again.refusal == refused(400, "Invalid or expired MFA session.")


def test_two_who_meet_one_challenge_at_once_do_not_both_sign_in(client: Client, rule: Any) -> None:
    rule(otp={"enabled": True}, mfa={"enabled": True})
    own = client.as_root("GET", f"{MEMBERS}/records?filter=(nick='Nan')")["items"][0]
    challenge = {"collectionRef": own["collectionId"], "recordRef": own["id"], "method": "otp"}
    mfa_id = client.as_root("POST", "/api/collections/_mfas/records", challenge)["id"]
    body = {"identity": "Nan", "password": PASSWORD, "mfaId": mfa_id}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client("POST", LOGIN, body).status, range(4)))
    assert sorted(answers) == [200, 400, 400, 400]


def test_an_unknown_account_costs_as_much_as_a_wrong_password(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []
    check = bcrypt.checkpw

    def counted(plain: bytes, stored: bytes) -> bool:
        rounds.append(2 ** int(stored.split(b"$")[2]))
        return check(plain, stored)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    for identity in ("Nan", "nobody", "nobody@example.com"):
        assert client.login(MEMBERS, identity, "wrong").refusal == FAILED
    assert rounds == [2**10] * 3


def test_long_passwords(client: Client) -> None:
    account = client.account(USERS, "long@example.com")
    path = f"{USERS}/records/{account['id']}"
    widest = "é" * 36  # 72 bytes: all that bcrypt sees
    client.as_root("PATCH", path, {"password": widest, "passwordConfirm": widest})
    assert client.login(USERS, "long@example.com", widest).status == 200
    assert client.login(USERS, "long@example.com", widest + "x").status == 200
    assert client.login(USERS, "long@example.com", widest[:-1]).refusal == FAILED
    wider = {"password": widest + "é", "passwordConfirm": widest + "é"}
    refused = client("PATCH", path, wider, client.root)
    assert refused.body["data"]["password"]["code"] == "validation_invalid_value"
