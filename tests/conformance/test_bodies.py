"""Bodies: content types, broken JSON, inference of form values, `@jsonPayload`, odd shapes."""

import pytest

from tests.conformance.client import Part
from tests.conformance.pair import Pair
from tests.conformance.requests import records, view
from tests.conformance.scenario import Expected, Scenario, Step
from tests.conformance.world import World, base, boolean, date, json_field, number, select, text

WORLD = World(
    settings={"batch": {"enabled": False}},
    collections=(
        base(
            "bo",
            text("t"),
            number("n"),
            boolean("b"),
            date("d"),
            select("ms", "a b c", 3),
            json_field("j"),
        ),
        base("bo_typed", json_field("j"), createRule="@request.body.j = 12"),
    ),
)
PATH = records("bo")


def _text(name: str, body: str | bytes, status: int = 200, content_type: str = "") -> Scenario:
    step = Step("POST", PATH, text=body, content_type=content_type)
    return Scenario(name, step, status)


def _form(name: str, *parts: tuple[str, str], status: int = 200) -> Scenario:
    return Scenario(name, Step("POST", PATH, parts=tuple(Part(*part) for part in parts)), status)


def _url(name: str, body: str, status: int = 200) -> Scenario:
    content_type = "application/x-www-form-urlencoded"
    return Scenario(name, Step("POST", PATH, text=body, content_type=content_type), status)


JSON = [
    _text("a JSON object", '{"t":"x"}'),
    _text("with a charset", '{"t":"x"}', content_type="application/json; charset=utf-8"),
    _text("with an upper-case type", '{"t":"x"}', 400, content_type="Application/JSON"),
    _text("white space around", ' \n\t{"t":"x"} \n'),
    _text("trailing junk", '{"t":"x"} junk'),
    _text("two values", '{"t":"x"}{"t":"y"}'),
    _text("repeated keys", '{"t":"x","t":"y"}', 400),
    _text("an empty body", ""),
    _text("null", "null"),
    _text("an empty object", "{}"),
    _text("an array", "[]", 400),
    _text("an array of objects", '[{"t":"x"}]', 400),
    _text("a number", "5", 400),
    _text("a string", '"x"', 400),
    _text("true", "true", 400),
    _text("an open object", '{"t":"x"', 400),
    _text("no quotes", "{t:1}", 400),
    _text("single quotes", "{'t':1}", 400),
    _text("a trailing comma", '{"t":"x",}', 400),
    _text("a comment", '{"t":"x"/**/}', 400),
    _text("NaN", '{"n":NaN}', 400),
    _text("Infinity", '{"n":Infinity}', 400),
    _text("-Infinity", '{"n":-Infinity}', 400),
    _text("a number too large", '{"n":1e400}', 400),
    _text("a leading zero", '{"n":012}', 400),
    _text("a leading plus", '{"n":+1}', 400),
    _text("a bare point", '{"n":.5}', 400),
    _text("an exponent", '{"n":1E2}'),
    _text("a control character", '{"t":"a\nb"}', 400),
    _text("an escaped NUL", '{"t":"a\\u0000b"}'),
    _text("a lone surrogate", '{"t":"\\ud800"}', 400),
    _text("a surrogate pair", '{"t":"\\ud83d\\ude00"}'),
    _text("broken UTF-8", b'{"t":"\xff\xfe"}', 400),
    _text("a byte order mark", b'\xef\xbb\xbf{"t":"x"}', 400),
    _text("nested 50 deep", '{"j":' + "[" * 50 + "]" * 50 + "}"),
    _text("nested 200 deep", '{"j":' + "[" * 200 + "]" * 200 + "}"),
    Scenario(
        "nested 9,000 deep",
        Step("POST", PATH, query={"fields": "t"}, text='{"j":' + "[" * 9000 + "]" * 9000 + "}"),
        200,
        differs="json-depth",
        ours=Expected(400),
    ),
    Scenario(
        "nested 300 deep",
        Step("POST", PATH, query={"fields": "t"}, text='{"j":' + "[" * 300 + "]" * 300 + "}"),
        200,
        differs="json-depth",
        ours=Expected(400, ("nested more than 230 levels",)),
    ),
    _text("nested 10,001 deep", '{"j":' + "[" * 10001 + "]" * 10001 + "}", 400),
    _text("not JSON at all", "hello", 400),
    _text("an escaped key", '{"\\u0074":"x"}'),
    _text("many unknown keys", "{" + ",".join(f'"k{i}":{i}' for i in range(500)) + "}"),
    _text("an empty key", '{"":1}'),
]
TYPES = [
    _text("plain text", '{"t":"x"}', 400, content_type="text/plain"),
    _text("octets", '{"t":"x"}', 400, content_type="application/octet-stream"),
    _text("another JSON type", '{"t":"x"}', 400, content_type="application/vnd.api+json"),
    _text("a type that starts like JSON", '{"t":"x"}', content_type="application/jsonx"),
    _text("a broken type", '{"t":"x"}', 400, content_type="application"),
    _text("plain text without a body", "", content_type="text/plain"),
    _text("multipart without a boundary", "x", 400, content_type="multipart/form-data"),
    _text(
        "multipart that is JSON", '{"t":"x"}', 400, content_type="multipart/form-data; boundary=x",
    ),
    Scenario(
        "no type at all", Step("POST", PATH, text='{"t":"x"}', headers={"Content-Type": ""}), 400,
    ),
]  # fmt: skip
FORMS = [
    _form("text parts", ("t", "x"), ("n", "5"), ("b", "true")),
    _form("numbers are inferred", ("j", "12")), _form("a negative number", ("j", "-3.5")),
    _form("007 stays text", ("j", "007")), _form("1.50 stays text", ("j", "1.50")),
    _form("1e3 stays text", ("j", "1e3")), _form("-0 stays text", ("j", "-0")),
    _form("a minus", ("j", "-")), _form("a long integer", ("j", "12345678901234567890")),
    _form("a long fraction", ("j", "0.1234567890123456789")),
    _form("true is inferred", ("j", "true")), _form("True is not", ("j", "True")),
    _form("null is text", ("j", "null")), _form("an empty value", ("j", "")),
    _form("JSON text in a form", ("j", '{"a":1}')), _form("1.50 in a number field", ("n", "1.50")),
    _form("an address of four numbers", ("j", "1.2.3.4")),
    _form("a date-like value", ("d", "2022-01-01")), _form("a number for a date", ("d", "2022")),
    _form("repeated keys are a list", ("ms", "a"), ("ms", "b")),
    _form("repeated keys of a text field", ("t", "a"), ("t", "b")),
    _form("repeated numbers in JSON", ("j", "1"), ("j", "x"), ("j", "true")),
    _form("one key of a multi field", ("ms", "a")),
    _form("a JSON list as text", ("ms", '["a","b"]')),
    _form("a comma list", ("ms", "a,b"), status=400),
    _form("@jsonPayload", ("@jsonPayload", '{"t":"x","n":5}')),
    _form("@jsonPayload with null", ("t", "x"), ("@jsonPayload", '{"j":null}')),
    _form("@jsonPayload wins over a part before it", ("t", "x"), ("@jsonPayload", '{"t":"y"}')),
    _form("@jsonPayload wins over a part after it", ("@jsonPayload", '{"t":"y"}'), ("t", "x")),
    _form(
        "two @jsonPayload parts", ("@jsonPayload", '{"t":"y","n":1}'), ("@jsonPayload", '{"n":2}'),
    ),
    _form(
        "@jsonPayload merges at the top only", ("@jsonPayload", '{"j":{"a":1}}'),
        ("@jsonPayload", '{"j":{"b":2}}'),
    ),
    _form("@jsonPayload is not inferred", ("@jsonPayload", '{"t":"5","j":["12","true"]}')),
    _form("broken @jsonPayload", ("@jsonPayload", "{bad"), status=400),
    _form("an array as @jsonPayload", ("@jsonPayload", "[1]"), status=400),
    _form("null as @jsonPayload", ("t", "x"), ("@jsonPayload", "null")),
    _form("an empty @jsonPayload", ("t", "x"), ("@jsonPayload", ""), status=400),
    _form("a part without a name", ("", "x"), ("t", "y")),
    _form("an unknown part", ("zzz", "x"), ("t", "y")), _form("Unicode in a part", ("t", "ünï ☃")),
    _form("line ends in a part", ("t", "a\r\nb\n")),
    Scenario(
        "a form of no parts",
        Step(
            "POST", PATH, parts=(), text="--b--\r\n",
            content_type="multipart/form-data; boundary=b",
        ),
        200,
    ),
    Scenario(
        "a cut form",
        Step(
            "POST", PATH, text='--b\r\nContent-Disposition: form-data; name="t"\r\n\r\nx',
            content_type="multipart/form-data; boundary=b",
        ),
        400,
    ),
    Scenario(
        "a quoted boundary",
        Step(
            "POST", PATH,
            text='--b b\r\nContent-Disposition: form-data; name="t"\r\n\r\nx\r\n--b b--\r\n',
            content_type='multipart/form-data; boundary="b b"',
        ),
        200,
    ),
    Scenario(
        "a rule does not compare inferred JSON with a number",
        Step("POST", records("bo_typed"), parts=(Part("j", "12"),)), 400,
    ),
    Scenario(
        "a rule sees @jsonPayload's text as text",
        Step("POST", records("bo_typed"), parts=(Part("@jsonPayload", '{"j":"x12"}'),)), 400,
    ),
]  # fmt: skip
ENCODED = [
    _url("urlencoded", "t=x&n=5&b=true"),
    _url("urlencoded: numbers are inferred", "j=12"),
    _url("urlencoded: repeated keys", "ms=a&ms=b"),
    _url("urlencoded: plus is a space", "t=a+b%20c"),
    _url("urlencoded: UTF-8", "t=%C3%BC"),
    _url("urlencoded: a broken escape", "t=%zz", 400),
    _url("urlencoded: a key without a value", "t"),
    _url("urlencoded: a semicolon", "t=a;b=c", 400),
    _url("urlencoded: @jsonPayload", "t=x&@jsonPayload=%7B%22n%22%3A7%7D"),
    _url("urlencoded: nothing", ""),
    _url("urlencoded: an equals sign", "t=a=b"),
]
XML = [
    _text("XML", "<x><t>1</t></x>", 400, content_type="application/xml"),
    _text("text XML", "<x/>", 400, content_type="text/xml"),
]
UPDATES = [
    Scenario(
        "PATCH with a broken body", Step("PATCH", records("bo", "{before.0.id}"), text="{bad"), 400,
        before=(Step("POST", PATH, json={"t": "kept"}),), after=(view("bo", "{before.0.id}"),),
    ),
    Scenario(
        "PATCH with a wrong type",
        Step("PATCH", records("bo", "{before.0.id}"), text="t=x", content_type="text/plain"), 400,
        before=(Step("POST", PATH, json={"t": "kept"}),),
    ),
    Scenario(
        "PATCH with an array", Step("PATCH", records("bo", "{before.0.id}"), text="[]"), 400,
        before=(Step("POST", PATH, json={"t": "kept"}),),
    ),
    Scenario(
        "PATCH without a body", Step("PATCH", records("bo", "{before.0.id}")), 200,
        before=(Step("POST", PATH, json={"t": "kept"}),),
    ),
    Scenario(
        "PATCH with a form",
        Step("PATCH", records("bo", "{before.0.id}"), parts=(Part("t", "new"), Part("j", "null"))),
        200, before=(Step("POST", PATH, json={"t": "kept", "j": 1}),),
    ),
    Scenario(
        "DELETE with a body", Step("DELETE", records("bo", "{before.0.id}"), text="{bad"), 400,
        before=(Step("POST", PATH, json={"t": "kept"}),),
    ),
    Scenario(
        "GET with a body", Step("GET", records("bo", "{before.0.id}"), text="{bad"), 400,
        before=(Step("POST", PATH, json={"t": "kept"}),),
    ),
    Scenario(
        "login with a broken body",
        Step("POST", "/api/collections/users/auth-with-password", text="{bad"), 400,
    ),
    Scenario(
        "login with an array", Step("POST", "/api/collections/users/auth-with-password", text="[]"),
        400,
    ),
    Scenario(
        "login with a wrong type",
        Step(
            "POST", "/api/collections/users/auth-with-password", text="x",
            content_type="text/plain",
        ),
        400,
    ),
    Scenario(
        "login with a number",
        Step(
            "POST", "/api/collections/users/auth-with-password",
            json={"identity": 5, "password": "x"},
        ),
        400,
    ),
    Scenario(
        "a collection from a broken body", Step("POST", "/api/collections", "super", text="{bad"),
        400,
    ),
    Scenario(
        "a collection from an array", Step("POST", "/api/collections", "super", text="[]"), 400,
    ),
    Scenario(
        "settings from a broken body", Step("PATCH", "/api/settings", "super", text="{bad"), 400,
    ),
    Scenario("a batch from a broken body", Step("POST", "/api/batch", "super", text="{bad"), 403),
]  # fmt: skip


@pytest.mark.parametrize(
    "scenario", JSON + TYPES + FORMS + ENCODED + XML + UPDATES, ids=lambda scenario: scenario.name
)
def test_bodies_are_read_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
