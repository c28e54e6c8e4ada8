"""Auth records: passwords, e-mails and `verified` on create and update, by caller; manageRule."""

from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import create, listing, update, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import PASSWORD, Person, World, auth, base, select, text

USER, OTHER, BOSS = "aruser000000001", "aruser000000002", "arboss000000001"

WORLD = World(
    collections=(
        auth(
            "ar_users", text("name"), select("role", "staff boss"), text("hid", hidden=True),
            manageRule="@request.auth.role = 'boss'",
        ),
        auth("ar_plain", text("name")),
        auth(
            "ar_optional", {"name": "email", "type": "email", "system": True, "required": False},
            text("name"),
        ),
        auth(
            "ar_strict",
            {
                "name": "password", "type": "password", "system": True, "hidden": True,
                "required": True, "min": 10, "max": 20, "pattern": "^[a-z-]+$",
            },
        ),
        auth(
            "ar_verified", text("name"), createRule="verified = false",
            updateRule="verified = false",
        ),
        auth("ar_ruled", text("name"), createRule="name != ''"), base("ar_notes", text("n")),
    ),
    people={
        "user": Person("ar_users", USER, "aruser@example.com", {"name": "U", "role": "staff"}),
        "other": Person(
            "ar_users", OTHER, "arother@example.com", {"name": "O", "emailVisibility": True},
        ),
        "boss": Person("ar_users", BOSS, "arboss@example.com", {"role": "boss"}),
        "plain": Person("ar_plain", "arplain00000001", "arplain@example.com"),
    },
)  # fmt: skip

PW = {"password": PASSWORD, "passwordConfirm": PASSWORD}
_serial = iter(range(10_000))


def mail() -> str:
    """Return an address that no other row uses."""
    return f"row{next(_serial)}@example.com"


CREATES: tuple[tuple[str, dict[str, Any], str, int], ...] = (
    ("no passwords", {"email": mail()}, "guest", 400),
    ("no passwords, as superuser", {"email": mail()}, "super", 400), ("nothing", {}, "guest", 400),
    ("a bad e-mail and no password", {"email": "bad"}, "guest", 400),
    ("a bad e-mail", {"email": "bad", **PW}, "guest", 400), ("no e-mail", {**PW}, "guest", 400),
    (
        "passwords differ", {"email": mail(), "password": PASSWORD, "passwordConfirm": "x"},
        "guest", 400,
    ),
    ("no confirmation", {"email": mail(), "password": PASSWORD}, "guest", 400),
    ("only the confirmation", {"email": mail(), "passwordConfirm": PASSWORD}, "guest", 400),
    (
        "a short password", {"email": mail(), "password": "1234567", "passwordConfirm": "1234567"},
        "guest", 400,
    ),
    (
        "8 characters", {"email": mail(), "password": "12345678", "passwordConfirm": "12345678"},
        "guest", 200,
    ),
    (
        "71 characters", {"email": mail(), "password": "x" * 71, "passwordConfirm": "x" * 71},
        "guest", 200,
    ),
    (
        "72 characters", {"email": mail(), "password": "x" * 72, "passwordConfirm": "x" * 72},
        "guest", 400,
    ),
    (
        "73 characters", {"email": mail(), "password": "x" * 73, "passwordConfirm": "x" * 73},
        "guest", 400,
    ),
    (
        "40 wide characters", {"email": mail(), "password": "ü" * 40, "passwordConfirm": "ü" * 40},
        "guest", 400,
    ),
    (
        "a numeric password", {"email": mail(), "password": 12345678, "passwordConfirm": 12345678},
        "guest", 200,
    ),
    ("all well", {"email": mail(), **PW}, "guest", 200),
    ("all well, as superuser", {"email": mail(), **PW}, "super", 200),
    ("all well, as another", {"email": mail(), **PW}, "user", 200),
    ("verified by a guest", {"email": mail(), "verified": True, **PW}, "guest", 400),
    ("verified false by a guest", {"email": mail(), "verified": False, **PW}, "guest", 200),
    ("verified by a superuser", {"email": mail(), "verified": True, **PW}, "super", 200),
    ("verified by a manager", {"email": mail(), "verified": True, **PW}, "boss", 200),
    ("emailVisibility", {"email": mail(), "emailVisibility": True, **PW}, "guest", 200),
    ("a taken e-mail", {"email": "aruser@example.com", **PW}, "guest", 400),
    ("a taken e-mail in capitals", {"email": "ARUSER@example.com", **PW}, "guest", 200),
    ("a taken id", {"id": USER, "email": mail(), **PW}, "guest", 400),
    (
        "an id of another auth collection", {"id": "arplain00000001", "email": mail(), **PW},
        "guest", 400,
    ),
    ("a tokenKey by a guest", {"email": mail(), "tokenKey": "x" * 40, **PW}, "guest", 200),
    ("a short tokenKey by a superuser", {"email": mail(), "tokenKey": "x", **PW}, "super", 400),
    ("a hidden field by a guest", {"email": mail(), "hid": "x", **PW}, "guest", 200),
    ("oldPassword on create", {"email": mail(), "oldPassword": "x", **PW}, "guest", 200),
    (
        "a bad select with a bad password",
        {"email": mail(), "role": "zzz", "password": "x", "passwordConfirm": "x"}, "guest", 400,
    ),
    ("a bad select", {"email": mail(), "role": "zzz", **PW}, "guest", 400),
)  # fmt: skip

UPDATES: tuple[tuple[str, dict[str, Any], str, int], ...] = (
    ("name by themselves", {"name": "new"}, "self", 200),
    ("name by a guest", {"name": "new"}, "guest", 200),
    ("e-mail by themselves", {"email": mail()}, "self", 400),
    ("the same e-mail by themselves", {"email": "{before.0.email}"}, "self", 200),
    ("e-mail by a superuser", {"email": mail()}, "super", 200),
    ("e-mail by a manager", {"email": mail()}, "boss", 200),
    ("e-mail by a guest", {"email": mail()}, "guest", 400),
    ("a bad e-mail by a superuser", {"email": "bad"}, "super", 400),
    ("an empty e-mail by a superuser", {"email": ""}, "super", 400),
    ("a taken e-mail by a superuser", {"email": "aruser@example.com"}, "super", 400),
    ("verified by themselves", {"verified": True}, "self", 400),
    ("unverified by themselves", {"verified": False}, "self", 200),
    ("verified by a superuser", {"verified": True}, "super", 200),
    ("verified by a manager", {"verified": True}, "boss", 200),
    ("emailVisibility by themselves", {"emailVisibility": True}, "self", 200),
    (
        "password by themselves without the old",
        {"password": "new-password", "passwordConfirm": "new-password"}, "self", 400,
    ),
    (
        "password with a wrong old one",
        {"password": "new-password", "passwordConfirm": "new-password", "oldPassword": "x"}, "self",
        400,
    ),
    (
        "password with the old one",
        {"password": "new-password", "passwordConfirm": "new-password", "oldPassword": PASSWORD},
        "self", 200,
    ),
    (
        "password without the confirmation", {"password": "new-password", "oldPassword": PASSWORD},
        "self", 400,
    ),
    (
        "password, other confirmation",
        {"password": "new-password", "passwordConfirm": "x", "oldPassword": PASSWORD}, "self", 400,
    ),
    ("only the confirmation", {"passwordConfirm": "new-password"}, "self", 400),
    ("only the old password", {"oldPassword": PASSWORD}, "self", 400),
    (
        "a short password",
        {"password": "short", "passwordConfirm": "short", "oldPassword": PASSWORD}, "self", 400,
    ),
    ("an empty password", {"password": "", "passwordConfirm": ""}, "self", 400),
    ("a null password", {"password": None}, "self", 400),
    (
        "password by a superuser", {"password": "new-password", "passwordConfirm": "new-password"},
        "super", 200,
    ),
    ("password by a superuser, unconfirmed", {"password": "new-password"}, "super", 400),
    (
        "password by a manager", {"password": "new-password", "passwordConfirm": "new-password"},
        "boss", 200,
    ),
    (
        "a wrong old password by a superuser",
        {"password": "new-password", "passwordConfirm": "new-password", "oldPassword": "x"},
        "super", 200,
    ),
    ("tokenKey by themselves", {"tokenKey": "x" * 40}, "self", 200),
    ("tokenKey by a superuser", {"tokenKey": "y" * 40}, "super", 200),
    ("a short tokenKey by a superuser", {"tokenKey": "x"}, "super", 400),
    ("a tokenKey of 61", {"tokenKey": "x" * 61}, "super", 400),
    ("tokenKey:autogenerate by themselves", {"tokenKey:autogenerate": ""}, "self", 200),
    ("nothing", {}, "self", 200),
    ("several errors", {"email": mail(), "verified": True, "password": "x"}, "self", 400),
    (
        "several field errors by a superuser",
        {"email": "bad", "role": "zzz", "password": "x", "passwordConfirm": "x"}, "super", 400,
    ),
)  # fmt: skip

OTHERS = [
    Scenario("an e-mail may be missing when it is optional", create("ar_optional", {**PW}), 200),
    Scenario(
        "twice no e-mail", create("ar_optional", {**PW}), 200,
        before=(create("ar_optional", {**PW}),),
    ),
    Scenario(
        "a stricter password",
        create(
            "ar_strict", {"email": mail(), "password": "abcdefghi", "passwordConfirm": "abcdefghi"},
        ),
        400,
    ),
    Scenario(
        "a password against its pattern",
        create(
            "ar_strict",
            {"email": mail(), "password": "ABCDEFGHIJ1", "passwordConfirm": "ABCDEFGHIJ1"},
        ),
        400,
    ),
    Scenario(
        "a password over its maximum",
        create("ar_strict", {"email": mail(), "password": "x" * 21, "passwordConfirm": "x" * 21}),
        400,
    ),
    Scenario(
        "a password that fits",
        create(
            "ar_strict",
            {"email": mail(), "password": "abcdefghij", "passwordConfirm": "abcdefghij"},
        ),
        200,
    ),
    Scenario(
        "createRule sees verified as false",
        create("ar_verified", {"email": mail(), "verified": True, **PW}, "guest"), 400,
    ),
    Scenario(
        "updateRule sees the stored verified",
        update("ar_verified", "{before.0.id}", {"name": "x"}), 404,
        before=(create("ar_verified", {"email": mail(), "verified": True, **PW}, "super"),),
    ),
    Scenario(
        "a false createRule tells nothing of passwords", create("ar_ruled", {"email": "bad"}), 400,
    ),
    Scenario(
        "a false createRule with an over-long password",
        create(
            "ar_ruled",
            {"name": "x", "email": mail(), "password": "x" * 80, "passwordConfirm": "x" * 80},
        ),
        400,
    ),
    Scenario("a superuser is made", create("_superusers", {"email": mail(), **PW}, "super"), 200),
    Scenario(
        "a superuser is made by a user", create("_superusers", {"email": mail(), **PW}, "user"),
        403,
    ),
    Scenario(
        "a superuser is always verified",
        create("_superusers", {"email": mail(), "verified": False, **PW}, "super"), 200,
    ),
    Scenario(
        "a user of the default collection", create("users", {"email": mail(), "name": "N", **PW}),
        200,
    ),
    Scenario("the default users hide each other", listing("users"), 200),
    Scenario(
        "a guest sees only visible e-mails",
        listing("ar_users", filter=f"id = '{USER}' || id = '{OTHER}'", sort="id"), 200,
    ),
    Scenario(
        "a manager sees all e-mails",
        listing("ar_users", "boss", filter=f"id = '{USER}' || id = '{OTHER}'", sort="id"), 200,
    ),
    Scenario("a manager views an e-mail", view("ar_users", USER, "boss"), 200),
    Scenario("another views no e-mail", view("ar_users", USER, "other"), 200),
    Scenario(
        "the password shows nowhere",
        view("ar_users", USER, "super", fields="*,password,tokenKey,hid"), 200,
    ),
    Scenario(
        "the last change wins at login",
        Step(
            "POST", "/api/collections/ar_users/auth-with-password",
            json={"identity": "{before.0.email}", "password": "new-password"},
        ),
        200,
        before=(
            create("ar_users", {"email": mail(), "emailVisibility": True, **PW}),
            update(
                "ar_users", "{before.0.id}",
                {"password": "new-password", "passwordConfirm": "new-password"}, "super",
            ),
        ),
    ),
]  # fmt: skip


def _rows() -> list[Scenario]:
    rows = [
        Scenario(f"create: {name}", create("ar_users", body, who), status)
        for name, body, who, status in CREATES
    ]
    for name, body, who, status in UPDATES:
        made = create("ar_users", {"email": mail(), "emailVisibility": True, **PW})
        before = [made]
        step = update("ar_users", "{before.0.id}", body, who)
        if who == "self":
            before.append(
                Step("POST", "/api/collections/ar_users/auth-with-password",
                     json={"identity": "{before.0.email}", "password": PASSWORD})
            )  # fmt: skip
            headers = {"Authorization": "{before.1.token}"}
            step = Step("PATCH", step.path, json=body, headers=headers)
        rows.append(Scenario(f"update: {name}", step, status, before=tuple(before)))
    return rows


@pytest.mark.parametrize("scenario", _rows() + OTHERS, ids=lambda scenario: scenario.name)
def test_auth_records_are_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
