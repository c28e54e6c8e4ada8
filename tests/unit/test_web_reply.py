"""How an answer leaves."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import NotFoundError
from chalicelib.web.reply import Reply, dumps, of_error


@pytest.mark.parametrize(
    ("body", "text", "content_type", "is_base64"),
    [
        ({"a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true]}', "application/json", False),
        ([], "[]", "application/json", False),
        ("<p>", "<p>", "text/plain; charset=utf-8", False),  # Chalice itself fails on these
        (b"\x00\xff", "AP8=", "application/octet-stream", True),
        (None, "", None, False),
    ],
)
def test_body_decides_the_form(
    body: Any, text: str, content_type: str | None, is_base64: bool
) -> None:
    answer = Reply(body).to_dict(["*/*"])
    assert (answer["body"], answer["isBase64Encoded"]) == (text, is_base64)
    assert answer["headers"].get("Content-Type") == content_type


def test_given_headers_win() -> None:
    answer = Reply("<p>", 201, {"Content-Type": "text/html"}).to_dict()
    assert (answer["statusCode"], answer["headers"]) == (201, {"Content-Type": "text/html"})


def test_error_has_pocketbases_envelope() -> None:
    answer = of_error(NotFoundError()).to_dict()
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"]) == {
        "status": 404,
        "message": "The requested resource wasn't found.",
        "data": {},
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"n": math.nan, "i": math.inf}, '{"n":null,"i":null}'),
        (2**70, "1180591620717411303424"),  # beyond orjson's 64 bits
        ([2**70, math.nan, -math.inf], "[1180591620717411303424,null,null]"),
        ("half a pair: \ud800", '"half a pair: ?"'),
        ({"é": "日"}, '{"é":"日"}'),
    ],
)
def test_json_text_is_always_json(value: Any, text: str) -> None:
    assert dumps(value) == text


def test_deep_value_is_written() -> None:
    value: Any = 1
    for _ in range(400):  # orjson stops at 254
        value = [value]
    assert json.loads(dumps(value)) == value


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    read = json.loads(dumps(value))
    assert read == _with_null_for_infinity(value)


def _with_null_for_infinity(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return None
    if isinstance(value, list):
        return [_with_null_for_infinity(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_null_for_infinity(item) for key, item in value.items()}
    return value
