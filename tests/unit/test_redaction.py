"""Redaction: no secret is kept, wherever it stands, and what is none stays as it was."""

import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.functions import redaction, secret_keys
from chalicelib.domain.functions.redaction import MASK, redact, redact_text

SECRET = "hunter2-S3cr3t"

SECRET_KEYS = [
    "password", "Passwd", "PASSWORD", "passwordConfirm", "secret", "client_secret", "clientSecret",
    "token", "refreshToken", "access-token", "id_token", "Authorization", "proxy-authorization",
    "Cookie", "set-cookie", "Set-Cookie", "apikey", "api_key", "x-api-key", "X-Api-Key", "apiKey",
    "private_key", "privateKey", "private key", "AWS_SECRET_ACCESS_KEY", "X-Amz-Security-Token",
    "dormouse_token", "DB_PASSWORD", "credentials", "pwd", "tokenKey",
]  # fmt: skip
PLAIN_KEYS = ["name", "tokens", "passwordless", "author", "keyboard", "auth", "secretary", "user"]


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_standard_keys_are_secret_in_any_case_and_spelling(key: str) -> None:
    assert redact({key: SECRET}) == ({key: MASK}, True)


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_keys_that_only_look_so_are_not(key: str) -> None:
    assert redact({key: "value"}) == ({key: "value"}, False)


def test_given_keys_join_the_standard_ones() -> None:
    assert redact({"Social-Number": "1", "token": "2"}, ("socialnumber",)) == (
        {"Social-Number": MASK, "token": MASK},
        True,
    )


def test_every_standard_key_has_a_fragment_that_a_text_is_looked_through_for() -> None:
    for word in (*secret_keys._ENDINGS, *secret_keys._WHOLE):
        assert any(fragment in word for fragment in secret_keys.FRAGMENTS), word


PLACES: dict[str, Any] = {
    "deep in objects and lists": {"a": [{"b": [[{"password": SECRET}]]}]},
    "an object under a key": {"credentials": {"user": "ann", "code": SECRET}},
    "a list under a key": {"token": [SECRET, SECRET]},
    "a multi-value header": {"multiValueHeaders": {"Cookie": [f"a={SECRET}", "b=1"]}},
    "a header": {"headers": {"authorization": f"Bearer {SECRET}"}},
    "a header under another name": {"headers": {"x-forwarded": f"Bearer {SECRET}"}},
    "HTTP API's cookies": {"cookies": [f"session={SECRET}"]},
    "query parameters": {"queryStringParameters": {"token": SECRET}},
    "a raw query string": {"rawQueryString": f"page=1&api_key={SECRET}&x=2"},
    "an escaped query string": {"rawQueryString": f"pass%77ord={SECRET}"},
    "a URL": {"url": f"https://example.com/a?token={SECRET}#top"},
    "a JSON body": {"body": json.dumps({"user": "ann", "password": SECRET})},
    "a JSON body with blanks before it": {"body": "\n " + json.dumps([{"secret": SECRET}])},
    "JSON in JSON": {"body": json.dumps({"inner": json.dumps({"password": SECRET})})},
    "JSON with escapes": {"body": '{"pass\\u0077ord": "' + SECRET + '"}'},
    "JSON with a key twice": {"body": '{"a": {"password": "' + SECRET + '"}, "a": 1}'},
    "JSON that is cut": {"body": '{"password": "' + SECRET + '", "user": '},
    "a form body": {"body": urlencode({"user": "ann", "password": SECRET})},
    "a body in base64": {
        "body": base64.b64encode(json.dumps({"password": SECRET}).encode()).decode(),
        "isBase64Encoded": True,
    },
    "a multipart body": {
        "body": '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n'
        f"{SECRET}\r\n--x--\r\n"
    },
    "a pair of name and value": {"fields": [{"name": "password", "value": SECRET}]},
    "a token known by its look": {"text": "eyJhbGciOiJI.eyJpZCI6ImFi." + SECRET},
    "a private key": {"pem": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"},
}


def decoded(value: Any) -> str:
    text = json.dumps(value)
    if isinstance(value, dict) and value.get("isBase64Encoded"):
        text += base64.b64decode(value["body"]).decode()
    return text


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_goes_wherever_it_stands(place: str) -> None:
    event = PLACES[place]
    before = json.dumps(event)
    assert SECRET in decoded(event)
    clean, changed = redact(event)
    assert SECRET not in decoded(clean)
    assert changed
    assert json.dumps(event) == before  # what was given is as it was


def test_the_shape_stays_and_so_does_everything_else() -> None:
    event = {
        "headers": {"host": "x", "cookie": "a=b"},
        "multiValueHeaders": {"cookie": ["a=b", "c=d"]},
        "body": '{"user": "ann", "password": "x", "n": 1.5}',
        "rawQueryString": "page=1&token=x&z=2",
        "secret": None,
        "password": "",
        "token": 5,
        "n": [1, 2.5, True, None],
    }
    assert redact(event)[0] == {
        "headers": {"host": "x", "cookie": MASK},
        "multiValueHeaders": {"cookie": [MASK, MASK]},
        "body": '{"user":"ann","password":"******","n":1.5}',
        "rawQueryString": f"page=1&token={MASK}&z=2",
        "secret": None,
        "password": "",
        "token": MASK,
        "n": [1, 2.5, True, None],
    }


@pytest.mark.parametrize(
    "value",
    [
        None, 5, "plain", "a: b, c=d", {"body": '{ "a" : 1 }'}, [{"x": "https://e.com/?a=b"}],
        {"body": "{not json"}, {"body": "AAEC/w==", "isBase64Encoded": True}, {"password": ""},
        {"body": "not base64!", "isBase64Encoded": True}, {"name": "Ann", "value": "x"},
    ],
)  # fmt: skip
def test_what_holds_no_secret_is_not_touched(value: Any) -> None:
    assert redact(value) == (value, False)


def test_what_is_too_deep_to_look_through_is_left_out() -> None:
    deep: Any = SECRET
    for _ in range(redaction.MAX_DEPTH + 10):
        deep = [deep]
    clean, changed = redact(deep)
    assert changed
    assert SECRET not in json.dumps(clean)


def test_what_is_too_much_to_look_through_is_left_out() -> None:
    many = ["x"] * redaction.MAX_VALUES + ["unseen"]
    clean, changed = redact(many)
    assert changed
    assert "unseen" not in clean


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000])
def test_a_nested_bomb_does_no_harm(text: str) -> None:
    clean, _ = redact({"body": text, "password": SECRET})
    assert SECRET not in json.dumps(clean)


LINES = {
    "user=ann password=X ok": f"user=ann password={MASK} ok",
    "password: X": f"password: {MASK}",
    'login {"user": "ann", "password": "X"}': f'login {{"user": "ann", "password": "{MASK}"}}',
    "login {'user': 'ann', 'password': 'X'}": f"login {{'user': 'ann', 'password': '{MASK}'}}",
    '"{\\"password\\": \\"X\\", \\"a\\": 1}"': f'"{{\\"password\\": \\"{MASK}\\", \\"a\\": 1}}"',
    '{"token": 12345, "a": 1}': f'{{"token": {MASK}, "a": 1}}',
    '{"token": null, "a": 1}': '{"token": null, "a": 1}',
    'password="a b \\" X" next': f'password="{MASK}" next',
    'password="a token=X" next': f'password="{MASK}" next',
    "GET /?token=X&a=1 200": f"GET /?token={MASK}&a=1 200",
    "Authorization: Basic X Y": f"Authorization: {MASK}",
    "Set-Cookie: a=X; Path=/\nnext": f"Set-Cookie: {MASK}\nnext",
    "sent Bearer abcdefX": f"sent Bearer {MASK}",
    "saw: password=X": f"saw: password={MASK}",
    "API_KEY=X": f"API_KEY={MASK}",
    "AWS_SECRET_ACCESS_KEY=X": f"AWS_SECRET_ACCESS_KEY={MASK}",
    'password="X unclosed': f"password={MASK} unclosed",
    "no secrets: here, a=1": "no secrets: here, a=1".replace("here,", MASK),
    "total: 5 tokens=7": "total: 5 tokens=7",
}


@pytest.mark.parametrize("line", LINES)
def test_logs_lose_their_secrets(line: str) -> None:
    assert redact_text(line) == (LINES[line], line != LINES[line])


def test_logs_obey_given_keys() -> None:
    assert redact_text("iban=DE02 a=b", ("IBAN",)) == (f"iban={MASK} a=b", True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@given(json_values)
def test_redacting_again_changes_nothing(value: Any) -> None:
    once, _ = redact(value)
    assert redact(once) == (once, False)


@given(json_values, st.sampled_from(SECRET_KEYS), st.integers(0, 5), st.booleans())
def test_a_secret_anywhere_in_any_value_goes(
    value: Any, key: str, levels: int, as_text: bool
) -> None:
    for level in range(levels):
        held = {key: SECRET, "x": value} if level == 0 else {"x": value}
        value = json.dumps(held) if as_text and level % 2 else [held]
    clean, _ = redact(value)
    assert SECRET not in json.dumps(clean)


@given(st.text(max_size=60), st.sampled_from(["password", "token", "API_KEY"]))
def test_a_quoted_secret_in_any_log_line_goes(text: str, key: str) -> None:
    # A word or quote right before the key would be part of it.
    clean, changed = redact_text(f'{text}\n{key}="{SECRET}"')
    assert SECRET not in clean
    assert changed


EVIL = {
    "open quotes": 'password="\\' * 20_000,
    "escaped quotes": 'password=\\"a' * 20_000,
    "backslashes": "password='" + "\\" * 200_000,
    "keys": "password" * 40_000,
    "separated keys": "a-" * 100_000,
    "form parts": 'form-data name="a"\n' * 20_000,
    "tokens": "eyJ-" * 50_000,
    "dotted tokens": "eyJaaaaaaaaa." * 20_000,
    "bearers": "bearer " * 40_000,
    "keys in a row": "PRIVATE KEY-----BEGIN " * 10_000,
    "cookies": "cookie " * 40_000,
    "colons": "a:" * 100_000,
    "blanks": "password" + " " * 200_000,
    "blanks between": ("a" + " " * 500) * 400,
}


@pytest.mark.parametrize("name", EVIL)
def test_no_text_takes_long(name: str) -> None:
    started = time.process_time()
    redact_text(EVIL[name])
    assert time.process_time() - started < 2
