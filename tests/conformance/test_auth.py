"""Login, refresh, impersonation, auth-methods, and tokens that are forged, expired or orphaned."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import create, delete, listing, records, update, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import PASSWORD, Person, World, auth, base, text

SECRET = "s" * 40
TOKEN_KEY = "k" * 40
USER, OTHER, HIDDEN = "auuser000000001", "auuser000000002", "auuser000000003"
NICK = "CREATE UNIQUE INDEX au_nick ON au_users (nick) WHERE nick != ''"
NOCASE = "CREATE UNIQUE INDEX au_named ON au_names (name COLLATE NOCASE)"
MAIL = {"subject": "x", "body": "{TOKEN}"}

WORLD = World(
    collections=(
        auth(
            "au_users", text("name"), text("nick"), text("hid", hidden=True), indexes=[NICK],
            passwordAuth={"enabled": True, "identityFields": ["email", "nick"]},
            authToken={"secret": SECRET, "duration": 1000},
            fileToken={"secret": SECRET, "duration": 500},
            verificationToken={"secret": SECRET, "duration": 500},
        ),
        auth(
            "au_names", text("name"), indexes=[NOCASE],
            passwordAuth={"enabled": True, "identityFields": ["name"]},
        ),
        auth("au_ruled", text("name"), authRule="verified = true"),
        auth("au_closed", authRule=None),
        auth("au_none", passwordAuth={"enabled": False, "identityFields": ["email"]}),
        auth(
            "au_mfa", mfa={"enabled": True, "duration": 600, "rule": ""},
            otp={"enabled": True, "duration": 180, "length": 8},
        ),
        base("au_notes", text("n"), rule="@request.auth.id != ''"),
        base(
            "au_owned", text("n"), text("owner"),
            rule="@request.auth.id != '' && owner = @request.auth.id",
        ),
    ),
    people={
        "user": Person(
            "au_users", USER, "auuser@example.com",
            {"name": "U", "nick": "nicky", "tokenKey": TOKEN_KEY},
        ),
        "other": Person(
            "au_users", OTHER, "auother@example.com", {"name": "O", "emailVisibility": True},
        ),
        "named": Person(
            "au_names", "aunamed00000001", "Named", {"name": "Named", "email": "named@example.com"},
        ),
    },
    records=(
        (
            "au_ruled",
            {
                "id": "auruled00000001", "email": "ruled@example.com", "password": PASSWORD,
                "passwordConfirm": PASSWORD,
            },
        ),
        (
            "au_closed",
            {
                "id": "auclosed0000001", "email": "closed@example.com", "password": PASSWORD,
                "passwordConfirm": PASSWORD,
            },
        ),
        (
            "au_none",
            {
                "id": "aunone000000001", "email": "none@example.com", "password": PASSWORD,
                "passwordConfirm": PASSWORD,
            },
        ),
        (
            "au_mfa",
            {
                "id": "aumfa0000000001", "email": "mfa@example.com", "password": PASSWORD,
                "passwordConfirm": PASSWORD,
            },
        ),
        ("au_notes", {"id": "aunote000000001", "n": "x"}),
        ("au_owned", {"id": "auowned00000001", "n": "mine", "owner": USER}),
        ("au_owned", {"id": "auowned00000002", "n": "nobody's", "owner": ""}),
    ),
)  # fmt: skip


def path(collection: str, action: str) -> str:
    return f"/api/collections/{collection}/{action}"


def login(body: Any, collection: str = "au_users", **query: Any) -> Step:
    return Step("POST", path(collection, "auth-with-password"), query=query, json=body)


def by(identity: Any, password: Any = PASSWORD, **more: Any) -> dict[str, Any]:
    return {"identity": identity, "password": password, **more}


LOGINS = [
    Scenario("login by e-mail", login(by("auuser@example.com")), 200),
    Scenario("login by another identity field", login(by("nicky")), 200),
    Scenario("login by a named field", login(by("nicky", identityField="nick")), 200),
    Scenario("login by the wrong named field", login(by("nicky", identityField="email")), 400),
    Scenario("login by a field that is no identity", login(by("U", identityField="name")), 400),
    Scenario("login by an empty identityField", login(by("nicky", identityField="")), 200),
    Scenario("the e-mail is case-sensitive", login(by("AUUSER@example.com")), 400),
    Scenario("a NOCASE identity is not", login(by("nAmEd"), "au_names"), 200),
    Scenario("a wrong password", login(by("auuser@example.com", "wrong-password")), 400),
    Scenario("an unknown identity", login(by("nobody@example.com")), 400),
    Scenario("no body", login({}), 400), Scenario("no password", login({"identity": "x"}), 400),
    Scenario("no identity", login({"password": "x"}), 400),
    Scenario("null values", login(by(None, None)), 400),
    Scenario("a long identity", login(by("x" * 256)), 400),
    Scenario("a long password", login(by("x", "x" * 256)), 400),
    Scenario("255 characters", login(by("x" * 255, "x" * 255)), 400),
    Scenario("an empty collection", login(by("x"), "au_zzz"), 404),
    Scenario("a base collection", login(by("x"), "au_notes"), 404),
    Scenario("password auth is off", login(by("none@example.com"), "au_none"), 403),
    Scenario("an authRule refuses", login(by("ruled@example.com"), "au_ruled"), 403),
    Scenario(
        "an authRule refuses after a wrong password",
        login(by("ruled@example.com", "wrong-one"), "au_ruled"), 400,
    ),
    Scenario("a null authRule refuses", login(by("closed@example.com"), "au_closed"), 403),
    Scenario(
        "an authRule allows", login(by("ruled2@example.com"), "au_ruled"), 200,
        before=(
            create(
                "au_ruled",
                {
                    "email": "ruled2@example.com", "password": PASSWORD,
                    "passwordConfirm": PASSWORD, "verified": True,
                },
                "super",
            ),
        ),
    ),
    Scenario(
        "MFA asks for a second method", login(by("mfa@example.com"), "au_mfa"), 401,
        ignore=("mfaId",),
    ),
    Scenario("login with fields", login(by("nicky"), fields="token,record.id"), 200),
    Scenario("login with one field", login(by("nicky"), fields="record.email"), 200),
    Scenario(
        "login by urlencoded form",
        Step("POST", path("au_users", "auth-with-password"), form=by("nicky")), 200,
    ),
    Scenario("login by GET", Step("GET", path("au_users", "auth-with-password")), 404),
    Scenario(
        "login while logged in",
        Step("POST", path("au_users", "auth-with-password"), "other", json=by("nicky")), 200,
    ),
    Scenario(
        "a superuser logs in", login(by("root@example.com", "wrong-password"), "_superusers"), 400,
    ),
    Scenario("login by the collection's id", login(by("nicky"), "{collection.au_users}"), 200),
    Scenario("an identity with a quote", login(by("a' OR '1'='1")), 400),
    Scenario("identity with spaces around", login(by(" nicky ")), 400),
]  # fmt: skip
METHODS = [
    Scenario("methods of password", Step("GET", path("au_users", "auth-methods")), 200),
    Scenario("methods of nothing", Step("GET", path("au_none", "auth-methods")), 200),
    Scenario("methods of MFA", Step("GET", path("au_mfa", "auth-methods")), 200),
    Scenario("methods of superusers", Step("GET", path("_superusers", "auth-methods")), 200),
    Scenario(
        "methods with fields",
        Step("GET", path("au_users", "auth-methods"), query={"fields": "mfa,otp,password,oauth2"}),
        200,
    ),
    Scenario("methods of a base collection", Step("GET", path("au_notes", "auth-methods")), 404),
    Scenario("methods of a missing collection", Step("GET", path("au_zzz", "auth-methods")), 404),
]  # fmt: skip
REFRESH = [
    Scenario("refresh", Step("POST", path("au_users", "auth-refresh"), "user"), 200),
    Scenario(
        "refresh with fields",
        Step("POST", path("au_users", "auth-refresh"), "user", {"fields": "token"}), 200,
    ),
    Scenario("refresh as a guest", Step("POST", path("au_users", "auth-refresh")), 401),
    Scenario(
        "refresh in another collection", Step("POST", path("au_names", "auth-refresh"), "user"),
        403,
    ),
    Scenario(
        "refresh of a superuser", Step("POST", path("_superusers", "auth-refresh"), "super"), 200,
    ),
    Scenario(
        "a superuser refreshes as a user", Step("POST", path("au_users", "auth-refresh"), "super"),
        403,
    ),
    Scenario(
        "a user refreshes as superuser", Step("POST", path("_superusers", "auth-refresh"), "user"),
        403,
    ),
    Scenario(
        "refresh in a base collection", Step("POST", path("au_notes", "auth-refresh"), "user"), 403,
    ),
    Scenario(
        "refresh in a missing collection", Step("POST", path("au_zzz", "auth-refresh"), "user"),
        404,
    ),
    Scenario(
        "refresh with Bearer",
        Step(
            "POST", path("au_users", "auth-refresh"),
            headers={"Authorization": "Bearer {token.user}"},
        ),
        200,
    ),
    Scenario(
        "refresh with bearer",
        Step(
            "POST", path("au_users", "auth-refresh"),
            headers={"Authorization": "bearer {token.user}"},
        ),
        200,
    ),
    Scenario(
        "refresh with Basic",
        Step(
            "POST", path("au_users", "auth-refresh"),
            headers={"Authorization": "Basic {token.user}"},
        ),
        401,
    ),
    Scenario(
        "refresh by the SDK: a type and no body",
        Step("POST", path("au_users", "auth-refresh"), "user", content_type="application/json"),
        200,
    ),
]  # fmt: skip
IMPERSONATE = [
    Scenario(
        "impersonate",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": 600}), 200,
    ),
    Scenario(
        "impersonate without a duration",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super"), 200,
    ),
    Scenario(
        "impersonate for 0 seconds",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": 0}), 200,
    ),
    Scenario(
        "impersonate for -1 second",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": -1}), 400,
    ),
    Scenario(
        "impersonate for a text",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": "x"}), 400,
    ),
    Scenario(
        "impersonate for a number as text",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": "60"}),
        400,
    ),
    Scenario(
        "impersonate for half a second",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": 1.5}), 400,
    ),
    Scenario(
        "impersonate for years",
        Step(
            "POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": 315360000},
        ),
        200,
    ),
    Scenario("impersonate as a guest", Step("POST", path("au_users", f"impersonate/{USER}")), 401),
    Scenario(
        "impersonate as a user", Step("POST", path("au_users", f"impersonate/{USER}"), "user"), 403,
    ),
    Scenario(
        "impersonate nobody",
        Step("POST", path("au_users", "impersonate/missing00000001"), "super"), 404,
    ),
    Scenario(
        "impersonate in a base collection",
        Step("POST", path("au_notes", "impersonate/aunote000000001"), "super"), 404,
    ),
    Scenario(
        "an authRule does not bind superusers who impersonate",
        Step("POST", path("au_ruled", "impersonate/auruled00000001"), "super"), 200,
    ),
    Scenario(
        "impersonate with fields",
        Step("POST", path("au_users", f"impersonate/{USER}"), "super", {"fields": "record.id"}),
        200,
    ),
    Scenario(
        "an impersonated token works",
        Step("GET", records("au_notes"), headers={"Authorization": "{before.0.token}"}), 200,
        before=(Step("POST", path("au_users", f"impersonate/{USER}"), "super"),),
    ),
]  # fmt: skip


def jwt(
    claims: dict[str, Any], key: str = TOKEN_KEY + SECRET, alg: str = "HS256", typ: str = "JWT"
) -> str:
    """Return a token signed as PocketBase signs: record's tokenKey + collection's secret."""
    head = {"alg": alg, "typ": typ}
    body = ".".join(_encode(json.dumps(part).encode()) for part in (head, claims))
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(alg, hashlib.sha256)
    signature = hmac.new(key.encode(), body.encode(), digest).digest()
    return f"{body}.{'' if alg == 'none' else _encode(signature)}"


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


NOW = int(time.time())
COLLECTION = "pbc_3525749144"  # of au_users: the id is derived from its name
GOOD = {
    "id": USER, "collectionId": COLLECTION, "type": "auth", "exp": NOW + 900, "refreshable": True,
}  # fmt: skip


def _without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key not in keys}


# Shown to a list that needs `@request.auth.id != ''`: one record with a good token, else none.
TOKENS = {
    "forged with the right key": (jwt(GOOD), 1),
    "not refreshable": (jwt({**GOOD, "refreshable": False}), 1),
    "without refreshable": (jwt(_without("refreshable")), 1),
    "without exp": (jwt(_without("exp")), 1),
    "with extra claims": (jwt({**GOOD, "iat": NOW, "x": 1}), 1),
    "expired a second ago": (jwt({**GOOD, "exp": NOW - 1}), 0),
    "expired long ago": (jwt({**GOOD, "exp": 1}), 0),
    "exp is text": (jwt({**GOOD, "exp": str(NOW + 900)}), 0),
    "exp is a float": (jwt({**GOOD, "exp": NOW + 900.5}), 1),
    "not yet valid": (jwt({**GOOD, "nbf": NOW + 900}), 0),
    "issued in the future": (jwt({**GOOD, "iat": NOW + 900}), 0),
    "wrong key": (jwt(GOOD, "x" * 80), 0), "only the token key": (jwt(GOOD, TOKEN_KEY), 0),
    "only the secret": (jwt(GOOD, SECRET), 0), "empty key": (jwt(GOOD, ""), 0),
    "alg none": (jwt(GOOD, alg="none"), 0), "alg None": (jwt(GOOD, alg="None"), 0),
    "alg HS384": (jwt(GOOD, alg="HS384"), 0), "alg HS512": (jwt(GOOD, alg="HS512"), 0),
    "alg RS256": (jwt(GOOD, alg="RS256"), 0), "alg hs256": (jwt(GOOD, alg="hs256"), 0),
    "another typ": (jwt(GOOD, typ="x"), 1), "type file": (jwt({**GOOD, "type": "file"}), 0),
    "type verification": (jwt({**GOOD, "type": "verification"}), 0),
    "no type": (jwt(_without("type")), 0), "type AUTH": (jwt({**GOOD, "type": "AUTH"}), 0),
    "no id": (jwt(_without("id")), 0),
    "a missing record": (jwt({**GOOD, "id": "missing00000001"}), 0),
    "another record": (jwt({**GOOD, "id": OTHER}), 0),
    "no collection": (jwt(_without("collectionId")), 0),
    "a collection by name": (jwt({**GOOD, "collectionId": "au_users"}), 1),
    "a missing collection": (jwt({**GOOD, "collectionId": "pbc_1"}), 0),
    "a base collection": (jwt({**GOOD, "collectionId": "{collection.au_notes}"}), 0),
    "garbage": ("garbage", 0), "two dots": ("a.b.c", 0), "empty parts": ("..", 0),
    "no signature": (jwt(GOOD).rsplit(".", 1)[0] + ".", 0), "a fourth part": (jwt(GOOD) + ".x", 0),
    "a padded signature": (jwt(GOOD) + "=", 0), "spaces around": ("  " + jwt(GOOD), 1),
    "Bearer twice": ("Bearer Bearer " + jwt(GOOD), 0),
    "Bearer without a space": ("Bearer" + jwt(GOOD), 0),
    "the claims are a list": (
        ".".join((_encode(b'{"alg":"HS256","typ":"JWT"}'), _encode(b"[]"), "x")), 0,
    ),
    "10,000 bytes": ("x" * 10000, 0),
}  # fmt: skip


def _token_rows() -> list[Scenario]:
    return [
        Scenario(
            f"a token that is: {name}",
            Step("GET", records("au_notes"), headers={"Authorization": token}),
            200,
            has=(f'"totalItems":{total}',),
        )
        for name, (token, total) in TOKENS.items()
    ]


NEW = {"password": PASSWORD, "passwordConfirm": PASSWORD}
DEATHS = [
    Scenario(
        "the token of a deleted record",
        Step("GET", records("au_notes"), headers={"Authorization": "{before.1.token}"}), 200,
        before=(
            create(
                "au_users", {"id": "audeleted000001", "email": "d1@example.com", **NEW}, "super",
            ),
            login(by("d1@example.com")), delete("au_users", "audeleted000001", "super"),
        ),
        has=('"totalItems":0',),
    ),
    Scenario(
        "a refresh with the token of a deleted record",
        Step(
            "POST", path("au_users", "auth-refresh"), headers={"Authorization": "{before.1.token}"},
        ),
        401,
        before=(
            create(
                "au_users", {"id": "audeleted000002", "email": "d2@example.com", **NEW}, "super",
            ),
            login(by("d2@example.com")), delete("au_users", "audeleted000002", "super"),
        ),
    ),
    Scenario(
        "a token after a password change",
        Step("GET", records("au_notes"), headers={"Authorization": "{before.1.token}"}), 200,
        before=(
            create(
                "au_users", {"id": "auchanged000001", "email": "c1@example.com", **NEW}, "super",
            ),
            login(by("c1@example.com")),
            update(
                "au_users", "auchanged000001",
                {"password": "other-password", "passwordConfirm": "other-password"}, "super",
            ),
        ),
        has=('"totalItems":0',),
    ),
    Scenario(
        "login with the new password", login(by("c2@example.com", "other-password")), 200,
        before=(
            create(
                "au_users", {"id": "auchanged000002", "email": "c2@example.com", **NEW}, "super",
            ),
            update(
                "au_users", "auchanged000002",
                {"password": "other-password", "passwordConfirm": "other-password"}, "super",
            ),
        ),
    ),
    Scenario(
        "login with the old password", login(by("c3@example.com")), 400,
        before=(
            create(
                "au_users", {"id": "auchanged000003", "email": "c3@example.com", **NEW}, "super",
            ),
            update(
                "au_users", "auchanged000003",
                {"password": "other-password", "passwordConfirm": "other-password"}, "super",
            ),
        ),
    ),
    Scenario(
        "a token after an e-mail change",
        Step("GET", records("au_notes"), headers={"Authorization": "{before.1.token}"}), 200,
        before=(
            create(
                "au_users", {"id": "auchanged000004", "email": "c4@example.com", **NEW}, "super",
            ),
            login(by("c4@example.com")),
            update("au_users", "auchanged000004", {"email": "c4b@example.com"}, "super"),
        ),
        has=('"totalItems":0',),
    ),
    Scenario(
        "a token after a change of the name",
        Step("GET", records("au_notes"), headers={"Authorization": "{before.1.token}"}), 200,
        before=(
            create(
                "au_users", {"id": "auchanged000005", "email": "c5@example.com", **NEW}, "super",
            ),
            login(by("c5@example.com")),
            update("au_users", "auchanged000005", {"name": "new"}, "super"),
        ),
        has=('"totalItems":1',),
    ),
    Scenario(
        "a token after tokenKey:autogenerate",
        Step("GET", records("au_notes"), headers={"Authorization": "{before.1.token}"}), 200,
        before=(
            create(
                "au_users", {"id": "auchanged000006", "email": "c6@example.com", **NEW}, "super",
            ),
            login(by("c6@example.com")),
            update("au_users", "auchanged000006", {"tokenKey:autogenerate": ""}, "super"),
        ),
        has=('"totalItems":0',),
    ),
    Scenario(
        "a token after a refresh still works",
        Step("GET", records("au_notes"), headers={"Authorization": "{token.user}"}), 200,
        before=(Step("POST", path("au_users", "auth-refresh"), "user"),), has=('"totalItems":1',),
    ),
    Scenario(
        "a non-refreshable token stays the same",
        Step(
            "POST", path("au_users", "auth-refresh"), headers={"Authorization": "{before.0.token}"},
        ),
        200,
        before=(
            Step("POST", path("au_users", f"impersonate/{USER}"), "super", json={"duration": 300}),
        ),
    ),
]  # fmt: skip
SEEN = [
    Scenario("an empty owner is a guest's", listing("au_owned"), 200),
    Scenario("an owner sees theirs", listing("au_owned", "user"), 200),
    Scenario("another sees none", listing("au_owned", "other"), 200),
    Scenario("a user sees the own e-mail", view("au_users", USER, "user"), 200),
    Scenario("a guest sees no e-mail", view("au_users", USER), 200),
    Scenario("a guest sees a visible e-mail", view("au_users", OTHER), 200),
    Scenario("a superuser sees all but secrets", view("au_users", USER, "super"), 200),
    Scenario(
        "a list hides e-mails one by one",
        listing("au_users", "user", sort="id", filter=f"id = '{USER}' || id = '{OTHER}'"), 200,
    ),
    Scenario(
        "a user of the same id in another collection", view("au_names", "aunamed00000001", "user"),
        200,
    ),
    Scenario(
        "a superuser's own record",
        listing("_superusers", "super", fields="email,verified,collectionName"), 200,
    ),
    Scenario("a user lists superusers", listing("_superusers", "user"), 403),
    Scenario("a guest lists superusers", listing("_superusers"), 403),
    Scenario("a guest lists _otps", listing("_otps"), 200),
    Scenario("a guest lists _mfas", listing("_mfas"), 200),
    Scenario("a guest lists _externalAuths", listing("_externalAuths"), 200),
    Scenario("a guest lists _authOrigins", listing("_authOrigins"), 200),
    Scenario("a guest creates in _externalAuths", create("_externalAuths", {}), 403),
]  # fmt: skip


@pytest.mark.parametrize(
    "scenario",
    LOGINS + METHODS + REFRESH + IMPERSONATE + _token_rows() + DEATHS + SEEN,
    ids=lambda scenario: scenario.name,
)
def test_auth_is_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
