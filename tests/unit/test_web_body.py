"""Request bodies. Each verdict is PocketBase 0.40.6's, asked."""

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.config import settings
from chalicelib.errors import BadRequestError, TooLargeError
from chalicelib.web import body, forms, limits
from chalicelib.web.gateway import Edge

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=XX"


def edge(
    raw: bytes | str | None,
    content_type: str | None = JSON,
    method: str = "POST",
    query: dict[str, list[str]] | None = None,
    is_base64: bool = False,
) -> Edge:
    headers = {} if content_type is None else {"content-type": content_type}
    event = {"body": raw, "isBase64Encoded": is_base64}
    return Edge(method, "/api/x", "/api/x", {}, headers, query or {}, "", event)


def data(raw: bytes | str | None, content_type: str | None = JSON, **more: Any) -> Any:
    return body.read(edge(raw, content_type, **more)).data


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'{"a":1} junk', {"a": 1}),  # the first value counts
        (b' \n{"a":1}', {"a": 1}),
        (b"null", {}),
        (b'{"a":[],"A":{"a":null}}', {"a": [], "A": {"a": None}}),
        (b'{"n":12345678901234567890}', {"n": 12345678901234567000.0}),  # a float64
        (b'{"n":9007199254740992}', {"n": 9007199254740992}),
        (b'{"n":1.0}', {"n": 1.0}),
        ('{"a":"é\\u00e9\\ud83d\\ude00"}'.encode(), {"a": "éé😀"}),
    ],
)
def test_json_object_is_read(raw: bytes, value: dict[str, Any]) -> None:
    assert data(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"[1]",
        b'"text"',
        b"1",
        b"  ",
        b"{bad",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":2}}',
        b'\xef\xbb\xbf{"a":1}',  # a byte order mark
        b'{"a":"\xff\xfe"}',
        b'{"a":"\\ud800"}',  # half a surrogate pair
        b'{"\\udfff":1}',
        b'{"a":"x\ny"}',
        b'{"a":' + b"9" * 400 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_other_json_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequestError):
        data(raw)


@pytest.mark.parametrize("levels", [body.MAX_DEPTH, 9_000, 100_000])
def test_deep_nesting_is_refused_cleanly(levels: int) -> None:
    with pytest.raises(BadRequestError):
        data(b'{"j":' + b"[" * levels + b"]" * levels + b"}")


def test_nesting_up_to_the_limit_is_read() -> None:
    levels = body.MAX_DEPTH - 1
    value = data(b'{"j":' + b"[" * levels + b"]" * levels + b"}")
    for _ in range(levels):
        (value,) = value.values() if isinstance(value, dict) else value
    assert value == []


@pytest.mark.parametrize(
    "content_type",
    [JSON, "application/json; charset=utf-8", "application/jsonx", "  application/json"],
)
def test_json_is_told_by_how_its_type_begins(content_type: str) -> None:
    assert data(b'{"a":1}', content_type) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "Application/JSON", "application/vnd.api+json", "multipart/mixed"],
)
def test_unknown_type_is_refused(content_type: str | None) -> None:
    with pytest.raises(BadRequestError, match="Unsupported Content-Type"):
        data(b'{"a":1}', content_type)


@pytest.mark.parametrize("content_type", [None, "text/plain", JSON, FORM, MULTIPART, "text/xml"])
@pytest.mark.parametrize("raw", [None, "", b""])
def test_nothing_is_an_empty_body_whatever_its_type(
    raw: bytes | str | None, content_type: str | None
) -> None:
    assert body.read(edge(raw, content_type)) == ({}, {})


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml"])
def test_xml_is_refused_as_records_refuse_it(content_type: str) -> None:
    with pytest.raises(BadRequestError):
        data(b"<r><title>x</title></r>", content_type)


def test_body_arrives_in_base64_from_api_gateway() -> None:
    encoded = base64.b64encode(b'{"a":"\xc3\xa9"}').decode()
    assert data(encoded, is_base64=True) == {"a": "é"}


def test_body_arrives_as_text_from_some_emulators() -> None:
    assert data('{"a":"é"}') == {"a": "é"}


def test_body_over_the_limit_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = settings()._replace(body_limit_bytes=10)
    monkeypatch.setattr(limits, "settings", lambda: limited)
    assert data(b'{"a": 123}') == {"a": 123}
    assert data(base64.b64encode(b'{"a": 123}'), is_base64=True) == {"a": 123}
    with pytest.raises(TooLargeError):
        data(b'{"a": 1234}')
    with pytest.raises(TooLargeError):
        data(base64.b64encode(b'{"a": 12345678}'), is_base64=True)


@given(st.binary(max_size=200), st.sampled_from([JSON, FORM, MULTIPART, "text/xml", "x/y"]))
def test_any_bytes_are_read_or_refused_cleanly(raw: bytes, content_type: str) -> None:
    with contextlib.suppress(BadRequestError):
        assert isinstance(data(raw, content_type), dict)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("TRUE", "TRUE"),
        ("null", "null"),
        ("", ""),
        ("12", 12),
        ("-3.5", -3.5),
        ("0.1", 0.1),
        ("0.0000001", 1e-7),
        ("100000000000000000000000", 1e23),
        ("007", "007"),  # a number is written in one way only
        ("1.50", "1.50"),
        ("1.0", "1.0"),
        ("1.", "1."),
        ("1e3", "1e3"),
        ("1e21", "1e21"),
        (".5", ".5"),
        ("-.5", "-.5"),
        ("-", "-"),
        ("--", "--"),
        ("1-2", "1-2"),
        ("1.2.3", "1.2.3"),
        ("+1", "+1"),
        ("0x1", "0x1"),
        ("٣", "٣"),  # a digit, but not one of ours
        ("1\n", "1\n"),
        ("9007199254740993", "9007199254740993"),  # no float64 is written so
        ("123456789012345678901", "123456789012345678901"),
        ("9" * 400, "9" * 400),
    ],
)
def test_form_text_that_is_written_as_a_value_becomes_one(text: str, value: Any) -> None:
    inferred = forms.infer(text)
    assert inferred == value
    assert type(inferred) is type(value)


@given(st.integers(-(2**53), 2**53))
def test_every_exact_integer_is_inferred(number: int) -> None:
    assert forms.infer(str(number)) == number


@given(st.text())
def test_inference_never_fails(text: str) -> None:
    assert isinstance(forms.infer(text), str | int | float)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("t=a+b%20c&n=12&b=true&s=a&s=b", {"t": "a b c", "n": 12, "b": True, "s": ["a", "b"]}),
        ("=a&n=3", {"": "a", "n": 3}),
        ("title&n=4", {"title": "", "n": 4}),
        ("j=1&j=x&j=true", {"j": [1, "x", True]}),
        ("title=%ff%C3%A9", {"title": "\ufffdé"}),
        ('title=x&%40jsonPayload={"title":"y","j":{"a":1}}', {"title": "y", "j": {"a": 1}}),
        ("title=x&%40jsonPayload=null", {}),  # null clears what was there
        ('title=x&@jsonPayload=null&@jsonPayload={"n":1}', {"n": 1}),
        ('%40jsonPayload={"a":"1"}&a=x', {"a": "1"}),  # the payload wins, and is not inferred
        (
            '@jsonPayload={"j":{"a":{"x":1,"l":[1,2]}}}&@jsonPayload={"j":{"a":{"y":2,"l":[3]}}}',
            {"j": {"a": {"x": 1, "y": 2, "l": [3]}}},
        ),
        ('j=1&j=2&@jsonPayload={"j":[5]}', {"j": [5]}),
        ('n=1&@jsonPayload={"n":2.5}', {"n": 2.5}),
        ('@jsonPayload={"j":{"a":1}}&@jsonPayload={"j":null}', {"j": None}),
        ('@jsonPayload={"j":null}&@jsonPayload={"j":true}', {"j": True}),
        ('@jsonPayload={"a":1,"b":1}&@jsonPayload={"b":2}', {"a": 1, "b": 2}),
    ],
)
def test_urlencoded_form_is_read(raw: str, value: dict[str, Any]) -> None:
    assert data(raw.encode(), FORM) == value


@pytest.mark.parametrize(
    "raw",
    [
        "title=%zz",
        "title=a;n=3",
        "@jsonPayload={bad",
        "@jsonPayload=[1]",
        '@jsonPayload={"n":3} junk',  # strict, unlike a JSON body
        '@jsonPayload={"n":3,"n":4}',
        'n=5&@jsonPayload={"n":"7"}',  # another kind of value than the form's
        'title=a&@jsonPayload={"title":7}',
        'j=a&@jsonPayload={"j":[1]}',
        '@jsonPayload={"j":1}&@jsonPayload={"j":true}',
        '@jsonPayload={"j":{"a":1}}&@jsonPayload={"j":{"a":"x"}}',
    ],
)
def test_malformed_form_is_refused(raw: str) -> None:
    with pytest.raises(BadRequestError):
        data(raw.encode(), FORM)


def test_query_joins_a_form_behind_the_bodys_values() -> None:
    query = {"title": ["q"], "n": ["1"]}
    assert data(b"title=body", FORM, query=query) == {"title": ["body", "q"], "n": 1}


def test_urlencoded_body_of_a_get_is_not_read() -> None:
    assert data(b"a=1", FORM, method="GET", query={"q": ["2"]}) == {"q": 2}


def part(name: str, value: bytes | str, more: str = "") -> bytes:
    content = value.encode() if isinstance(value, str) else value
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = b"--XX--\r\n"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (part("title", "x") + part("n", "3") + END, {"title": "x", "n": 3}),
        (
            # The SDK's order: payloads between scalars.
            part("a", "1") + part("@jsonPayload", '{"n":null}') + part("b", "true") + END,
            {"a": 1, "n": None, "b": True},
        ),
        (part("sel+", "a") + part("sel+", "b") + END, {"sel+": ["a", "b"]}),
        (part("title", "line\r\nline\n") + END, {"title": "line\r\nline\n"}),
        (part("é", "日") + END, {"é": "日"}),
        (part("title", b"\xff") + END, {"title": "\ufffd"}),
        (part("", "nameless") + END, {}),
        (b"preamble\r\n" + part("title", "x") + END + b"epilogue", {"title": "x"}),
        (part("f", "hello", '; filename=""') + END, {"f": "hello"}),  # no name, no file
        (END, {}),
    ],
)
def test_multipart_form_is_read(raw: bytes, value: dict[str, Any]) -> None:
    assert data(raw, MULTIPART) == value


@pytest.mark.parametrize(
    ("more", "name", "content_type"),
    [
        ('; filename="a.txt"\r\nContent-Type: text/plain', "a.txt", "text/plain"),
        ('; filename="a.txt"', "a.txt", "application/octet-stream"),
        ('; filename="../../a.txt"', "a.txt", "application/octet-stream"),
        ("; filename*=UTF-8''a%20%C3%A9.txt", "a é.txt", "application/octet-stream"),
    ],
)
def test_part_with_a_filename_is_a_file(more: str, name: str, content_type: str) -> None:
    content = bytes(range(256)) * 300
    raw = part("f", content, more) + part("f", "two", '; filename="b"') + part("t", "x") + END
    read = body.read(edge(raw, MULTIPART))
    assert read.data == {"t": "x"}
    assert read.files["f"][0][:3] == (name, content_type, content)
    assert [file.name for file in read.files["f"]] == [name, "b"]


def test_multipart_survives_api_gateway() -> None:
    raw = base64.b64encode(part("f", b"\x00\xff", '; filename="a"') + END).decode()
    read = body.read(edge(raw, MULTIPART, is_base64=True))
    assert read.files["f"][0].content == b"\x00\xff"


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (part("title", "x"), MULTIPART),  # no end
        (part("title", "x") + END, "multipart/form-data"),
        (part("title", "x") + END, "multipart/form-data; boundary=YY"),
        (part("title", "x") * (forms.MAX_PARTS + 1) + END, MULTIPART),
        (part("@jsonPayload", '{"title"') + END, MULTIPART),
    ],
)
def test_malformed_multipart_is_refused(raw: bytes, content_type: str) -> None:
    with pytest.raises(BadRequestError):
        data(raw, content_type)


def test_a_thousand_parts_are_read() -> None:
    assert len(data(part("t", "x") * forms.MAX_PARTS + END, MULTIPART)["t"]) == forms.MAX_PARTS
