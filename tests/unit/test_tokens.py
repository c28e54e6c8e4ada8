"""Tokens: every case was first put to PocketBase 0.40.6 with a token forged for it."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain import tokens
from chalicelib.domain.collection import Collection

KEY = "k" * 80
SECONDS = 1_800_000_000
NOW = datetime.fromtimestamp(SECONDS, UTC)
CLAIMS: dict[str, Any] = {
    "id": "r1",
    "collectionId": "pbc_1",
    "type": "auth",
    "exp": SECONDS + 100,
    "refreshable": True,
}
HS256 = '{"alg":"HS256","typ":"JWT"}'
FRACTION = datetime.fromtimestamp(SECONDS + 0.25, UTC)


def base64_of(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def forged(
    payload: dict[str, Any] | str, header: str = HS256, key: str = KEY, digest: str = "sha256"
) -> str:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    signed = f"{base64_of(header.encode())}.{base64_of(text.encode())}"
    return f"{signed}.{base64_of(hmac.new(key.encode(), signed.encode(), digest).digest())}"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


def test_a_token_is_written_as_pocketbase_writes_it() -> None:
    token = tokens.encode(
        {
            "refreshable": True,
            "type": "auth",
            "id": "ajqsuoruprr8fe2",
            "exp": 1795837744,
            "collectionId": "pbc_1615637088",
        },
        KEY,
    )
    # Header and payload of a token that PocketBase 0.40.6 gave for these claims.
    assert token.rpartition(".")[0] == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJjb2xsZWN0aW9uSWQiOiJwYmNfMTYxNTYzNzA4OCIsImV4cCI6MTc5NTgzNzc0NCwi"
        "aWQiOiJhanFzdW9ydXBycjhmZTIiLCJyZWZyZXNoYWJsZSI6dHJ1ZSwidHlwZSI6ImF1dGgifQ"
    )


def test_what_is_encoded_is_verified_and_says_the_same() -> None:
    claims = {**CLAIMS, "email": "é<&>@example.com"}
    assert tokens.verify(tokens.encode(claims, KEY), KEY, NOW) == claims


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (HS256, True),
        ('{"alg":"HS256"}', True),
        ('{"alg":"HS256","typ":"x"}', True),  # typ is not looked at
        ('{"alg":"HS256","crit":["x"]}', True),  # nor is crit
        (' {"alg" : "HS256"} ', True),
        ('{"alg":"none","alg":"HS256"}', True),  # the last one counts
        ('{"alg":"HS256","alg":"none"}', False),
        ('{"alg":"none"}', False),
        ('{"alg":"hs256"}', False),
        ('{"Alg":"HS256"}', False),
        ('{"alg":1}', False),
        ('{"alg":["HS256"]}', False),
        ('{"typ":"JWT"}', False),
        ("[]", False),
        ("null", False),
        ('"HS256"', False),
    ],
)
def test_only_hs256_is_understood(header: str, accepted: bool) -> None:
    token = forged(CLAIMS, header)
    assert (tokens.decode_unverified(token) is not None) is accepted
    assert (tokens.verify(token, KEY, NOW) is not None) is accepted


@pytest.mark.parametrize(("name", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
def test_other_hashes_are_refused_even_if_rightly_signed(name: str, digest: str) -> None:
    token = forged(CLAIMS, json.dumps({"alg": name, "typ": "JWT"}), digest=digest)
    assert tokens.verify(token, KEY, NOW) is None


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        (CLAIMS, True),
        ({**CLAIMS, "exp": SECONDS - 1}, False),
        ({**CLAIMS, "exp": SECONDS}, False),  # it ends with that second
        ({**CLAIMS, "exp": SECONDS + 1}, True),
        ({**CLAIMS, "exp": SECONDS + 0.5}, True),
        (without("exp"), True),  # never expires
        ({**CLAIMS, "exp": 0}, True),  # the same as none
        ({**CLAIMS, "exp": 0.4}, False),
        ({**CLAIMS, "exp": -5}, False),
        ({**CLAIMS, "exp": None}, False),
        ({**CLAIMS, "exp": True}, False),
        ({**CLAIMS, "exp": str(SECONDS + 100)}, False),
        ({**CLAIMS, "exp": []}, False),
        ({**CLAIMS, "exp": 10**18}, True),
        ({**CLAIMS, "exp": 2**63 - 1}, False),  # beyond 64 bits
        ({**CLAIMS, "exp": 1e300}, False),
        ({**CLAIMS, "exp": 10**400}, False),
        ({**CLAIMS, "iat": SECONDS + 2}, False),
        ({**CLAIMS, "iat": SECONDS}, True),
        ({**CLAIMS, "iat": 0}, True),
        ({**CLAIMS, "iat": "x"}, False),
        ({**CLAIMS, "iat": None}, False),
        ({**CLAIMS, "iat": True}, False),
        ({**CLAIMS, "nbf": SECONDS + 2}, False),
        ({**CLAIMS, "nbf": SECONDS}, True),
        ({**CLAIMS, "nbf": -1}, True),
        ({**CLAIMS, "nbf": "5"}, False),
        ({**CLAIMS, "nbf": []}, False),
        ({**CLAIMS, "aud": 3, "iss": [], "sub": 1, "jti": {}}, True),  # not looked at
        (without("type"), True),  # whose business it is to ask for a type
    ],
)
def test_times_are_judged_as_pocketbase_judges_them(claims: dict[str, Any], accepted: bool) -> None:
    assert (tokens.verify(forged(claims), KEY, FRACTION) is not None) is accepted


TOKEN = forged(CLAIMS)
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
NONE = base64_of(b'{"alg":"none"}')
OTHER = base64_of(json.dumps({**CLAIMS, "id": "r2"}).encode())


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "garbage",
        "Bearer",
        "Token " + TOKEN,
        HEADER + "." + PAYLOAD,
        HEADER + "." + PAYLOAD + ".",
        NONE + "." + PAYLOAD + ".",
        NONE + "." + PAYLOAD + "." + SIGNATURE,
        TOKEN + ".x",
        TOKEN + "=",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN + "é",
        HEADER + "." + PAYLOAD + "=." + SIGNATURE,
        HEADER + "." + PAYLOAD + ".A",  # no base64 has this length
        HEADER + "." + PAYLOAD + "." + SIGNATURE[:-4],
        HEADER + "." + PAYLOAD + "." + base64_of(b"\0" * 32),
        HEADER + "." + PAYLOAD + "." + SIGNATURE.swapcase(),
        HEADER + "." + PAYLOAD + "." + base64_of(hashlib.sha256(b"").digest()) + "+/",
        HEADER + "." + OTHER + "." + SIGNATURE,  # another record, the same signature
        forged("[]"),
        forged('"x"'),
        forged("null"),
        forged("1"),
        forged(""),
        forged("{"),
        forged(json.dumps(CLAIMS) + " x"),
        forged(json.dumps(CLAIMS)[:-1] + ', "x": NaN}'),
        forged(json.dumps(CLAIMS)[:-1] + ', "x": Infinity}'),
        forged("\ufeff" + json.dumps(CLAIMS)),
        forged('{"x":' + "[" * 2000 + "]" * 2000 + "}"),
        forged('{"exp":' + "9" * 5000 + "}"),
        f"{HEADER}.{base64_of(bytes([255, 254]))}.{SIGNATURE}",
        forged({**CLAIMS, "x": "y" * tokens.MAX_TOKEN_CHARS}),
        forged(CLAIMS, key="another key"),
        forged(CLAIMS, key=""),
    ],
)
def test_a_bad_token_is_refused_and_never_raises(token: str) -> None:
    tokens.decode_unverified(token)
    assert tokens.verify(token, KEY, NOW) is None


def test_every_single_changed_character_spoils_the_signature() -> None:
    for position in range(len(TOKEN) - 1):  # the last one carries two unused bits
        changed = "A" if TOKEN[position] != "A" else "B"
        spoilt = TOKEN[:position] + changed + TOKEN[position + 1 :]
        assert tokens.verify(spoilt, KEY, NOW) is None, position


def test_claims_are_the_callers_to_change() -> None:
    (tokens.decode_unverified(TOKEN) or {})["id"] = "r2"
    assert tokens.decode_unverified(TOKEN) == CLAIMS


def test_an_empty_key_signs_and_proves_nothing() -> None:
    assert tokens.verify(forged(CLAIMS, key=""), "", NOW) is None
    with pytest.raises(ValueError, match="key"):
        tokens.encode(CLAIMS, "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("true", True),
        (1, True),
        (0, False),
        (False, False),
        ("no", False),
        (None, False),
    ],
)
def test_refreshable_is_cast_to_a_boolean(value: Any, expected: bool) -> None:
    assert tokens.is_refreshable({"refreshable": value}) is expected
    assert tokens.is_refreshable({}) is False


def auth_collection() -> Collection:
    kinds = ("auth", "file", "verification", "passwordReset", "emailChange")
    options = {f"{kind}Token": {"secret": kind * 10, "duration": 60} for kind in kinds}
    return Collection(
        {"id": "pbc_1", "name": "users", "type": "auth", "storage": "s", "fields": [], **options}
    )


def test_each_kind_has_a_key_of_its_own_from_record_and_collection() -> None:
    record = {"id": "r1", "tokenKey": "t" * 30}
    users = auth_collection()
    assert tokens.signing_key("auth", users, record) == "t" * 30 + "auth" * 10
    reset = tokens.issue(tokens.PASSWORD_RESET, users, record, NOW, email="a@b.c")
    key = tokens.signing_key(tokens.PASSWORD_RESET, users, record)
    assert tokens.verify(reset, tokens.signing_key(tokens.AUTH, users, record), NOW) is None
    assert tokens.verify(reset, key, NOW) == {
        "id": "r1",
        "collectionId": "pbc_1",
        "type": "passwordReset",
        "exp": SECONDS + 60,
        "email": "a@b.c",
    }


def test_half_a_key_is_none() -> None:
    users = auth_collection()
    assert tokens.signing_key("auth", users, {"id": "r1", "tokenKey": ""}) == ""
    users.auth["authToken"]["secret"] = ""
    assert tokens.signing_key("auth", users, {"id": "r1", "tokenKey": "t"}) == ""


def test_a_wished_duration_goes_before_the_collections() -> None:
    record = {"id": "r1", "tokenKey": "t" * 30}
    token = tokens.issue("auth", auth_collection(), record, NOW, 7, refreshable=False)
    claims = tokens.decode_unverified(token) or {}
    assert (claims["exp"], claims["refreshable"]) == (SECONDS + 7, False)


def test_extra_claims_cannot_replace_who_the_token_is_for() -> None:
    record = {"id": "r1", "tokenKey": "t" * 30}
    token = tokens.issue("auth", auth_collection(), record, NOW, id="r2", exp=0)
    claims = tokens.decode_unverified(token) or {}
    assert (claims["id"], claims["exp"]) == ("r1", SECONDS + 60)
