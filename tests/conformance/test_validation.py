"""Every validation code of a record's fields, with its message and parameters."""

from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import create, form, update, view
from tests.conformance.scenario import Expected, Scenario
from tests.conformance.world import (
    World,
    base,
    boolean,
    date,
    field_of,
    json_field,
    number,
    relation,
    select,
    text,
)

A, B = "vatarget000000a", "vatarget000000b"

REQUIRED = (
    text("t", required=True),
    number("n", required=True),
    boolean("b", required=True),
    field_of("email", "e", required=True),
    field_of("url", "u", required=True),
    field_of("editor", "ed", required=True),
    date("d", required=True),
    select("s", "a b", required=True),
    select("ms", "a b", 2, required=True),
    relation("one", "va_targets", required=True),
    relation("many", "va_targets", 2, required=True),
    json_field("j", required=True),
    field_of("geoPoint", "g", required=True),
    field_of("password", "p", required=True),
    field_of("file", "f", required=True),
)
CONSTRAINED = (
    text("t", min=3, max=5, pattern="^[a-z]+$"),
    text("longer", min=2),
    number("n", min=2, max=10, onlyInt=True),
    number("f", min=-1.5, max=2.5),
    field_of("email", "only", onlyDomains=["example.com", "example.org"]),
    field_of("email", "but", exceptDomains=["example.com"]),
    field_of("url", "uonly", onlyDomains=["example.com"]),
    field_of("url", "ubut", exceptDomains=["example.com"]),
    field_of("editor", "ed", maxSize=5),
    date("d", min="2020-01-01 00:00:00.000Z", max="2022-12-31 10:00:00.000Z"),
    select("ms", "a b c", 2),
    relation("many", "va_targets", 3, minSelect=2),
    json_field("j", maxSize=10),
    field_of("password", "p", min=4, max=6, pattern="^[a-z]+$"),
)

WORLD = World(
    collections=(
        base("va_targets", text("n")),
        base("va_required", *REQUIRED),
        base("va", *CONSTRAINED),
        base("va_ids", {"name": "id", "type": "text", "primaryKey": True, "required": True,
                        "system": True, "min": 2, "max": 20, "pattern": "^[^ ]+$",
                        "autogeneratePattern": "[a-z]{6}"}, text("n")),
        base("va_plain", text("n")),
        base("va_ruled", text("n", min=3), createRule="n != ''"),
    ),
    records=(
        ("va_targets", {"id": A}),
        ("va_targets", {"id": B}),
        ("va_plain", {"id": "taken0000000001"}),
        ("va_ids", {"id": "Taken-1"}),
    ),
)  # fmt: skip

FULL: dict[str, Any] = {
    "t": "x", "n": 1, "b": True, "e": "a@example.com", "u": "http://example.com", "ed": "x",
    "d": "2022-01-01", "s": "a", "ms": ["a"], "one": A, "many": [A], "j": 0,
    "g": {"lon": 1, "lat": 1}, "p": "secret",
}  # fmt: skip
ZEROS: dict[str, tuple[Any, ...]] = {
    "t": ("", None), "n": (0, "0", "abc", None), "b": (False, "no"), "e": ("",), "u": ("",),
    "ed": ("",), "d": ("", "garbage"), "s": ("", []), "ms": ([], ""), "one": ("",), "many": ([],),
    "j": (None, "", [], {}, "null", "[]", "{}"), "g": ({"lon": 0, "lat": 0}, None), "p": ("",),
}  # fmt: skip

BAD: dict[str, tuple[Any, ...]] = {
    "t": ("ab", "abcdef", "ABC", "ab1", "☃☃☃", "é", 12), "longer": ("a", "ü"),
    "n": (1, 11, 2.5, 1.5, 10.5, "3.5", -5), "f": (-1.6, 2.6),
    "only": ("a@EXAMPLE.COM", "a@example.net", "a@sub.example.com", "bad"),
    "but": ("a@example.com",),
    "uonly": (
        "https://example.com:8080", "http://example.org", "http://sub.example.com",
        "http://example.com.evil.org",
    ),
    "ubut": ("http://example.com",), "ed": ("123456", "☃☃"),
    "d": ("2019-12-31", "2023-01-01", "2022-12-31 10:00:00.001Z"),
    "ms": (["a", "b", "c"], ["a", "z"], ["a", "b", "z"]),
    "many": ([A], [A, "missing00000001"], ["missing00000001"]),
    "j": ('"1234567890"', {"abc": "defg"}, "12345678901", "☃☃☃☃"),
    "p": ("abc", "abcdefg", "ABCD", "☃☃☃☃"),
}  # fmt: skip
GOOD: dict[str, tuple[Any, ...]] = {
    "t": ("abc", "abcde", ""),
    "n": (2, 10, 0, 2.0),  # 0 is "no value" and passes min 2
    "f": (-1.5, 2.5, 0),
    "only": ("a@example.com", "a@example.org"),
    "but": ("a@example.org", "a@sub.example.com", "a@EXAMPLE.com"),
    "uonly": ("http://example.com/x",),  # a port is part of the host
    "ubut": ("http://example.org", "http://sub.example.com", "https://example.com:8080/x"),
    "ed": ("12345", "☃"),
    "d": ("2020-01-01", "2022-12-31 10:00:00.000Z", ""),
    "ms": (["a", "b"],),
    "many": ([A, B], []),
    "j": ("12345678", [1, 2, 3], 1234567890),
    "p": ("abcd", "abcdef", ""),
}
BAD_IDS = (
    "short", "UPPERCASE000000", "with space 0000", "toolong000000000", "taken0000000001",
    "ünïcödé00000000", "a/b000000000000", "a.b000000000000", 5, True,
)  # fmt: skip
FREE_IDS_BAD = (
    "Taken-1", "a", "x" * 21, "a/b", "a.b", "a\\b", "a|b", "a'b", 'a"b', "a`b", "a<b",
    "a>b", "a:b", "a?b", "a*b", "a%b", "a$b", "a b", "a\nb", "con", "CON", "nul", "com1", "LPT9",
    "aux", "a\tb",
)  # fmt: skip
FREE_IDS_GOOD = (
    "ab", "A-b_c", "ünï", "con1", "", None, "@x", "a+b", "a#b", "a&b", "a=b", "a,b", "a;b", "(a)",
    "com10",
)  # fmt: skip


def _rows() -> list[Scenario]:
    rows = [
        Scenario(f"required {name} = {value!r}", create("va_required", {**FULL, name: value}), 400)
        for name, values in ZEROS.items()
        for value in values
    ]
    for table, status in ((BAD, 400), (GOOD, 200)):
        rows += [
            Scenario(
                f"constrained {name} = {value!r} gets {status}", create("va", {name: value}),
                status,
            )
            for name, values in table.items()
            for value in values
        ]  # fmt: skip
    rows += [Scenario(f"id {value!r}", create("va_plain", {"id": value}), 400) for value in BAD_IDS]
    rows += [
        Scenario(f"free id {value!r}", create("va_ids", {"id": value}), 400)
        for value in FREE_IDS_BAD
    ]  # fmt: skip
    rows += [
        Scenario(
            f"good free id {value!r}",
            create("va_ids", {"id": value}),
            200,
            ignore=() if value else ("id",),
        )
        for value in FREE_IDS_GOOD
    ]
    return rows


OTHERS = [
    Scenario(
        "a free id in other case", create("va_ids", {"id": "taken-1"}), 400,
        differs="id-case", ours=Expected(200),
    ),
    Scenario("nothing of what is required", create("va_required", {}), 400),
    Scenario("all that is required but a file", create("va_required", FULL), 400),
    Scenario("an empty id is generated", create("va_plain", {"id": ""}), 200),
    Scenario("a null id is generated", create("va_plain", {"id": None}), 200),
    Scenario("a chosen id", create("va_plain", {"id": "chosen000000001"}), 200),
    Scenario(
        "an id cannot change", update("va_plain", "taken0000000001", {"id": "other0000000001"}),
        400,
    ),
    Scenario(
        "an id may be repeated",
        update("va_plain", "taken0000000001", {"id": "taken0000000001", "n": "x"}), 200,
    ),
    Scenario("an id cannot be emptied", update("va_plain", "taken0000000001", {"id": ""}), 400),
    Scenario(
        "update with all constraints broken",
        update(
            "va", "{before.0.id}",
            {
                "t": "A", "n": 99, "only": "x", "d": "1999-01-01", "ms": ["z"], "j": "x" * 20,
                "p": "1",
            },
        ),
        400, before=(create("va", {"t": "abc"}),), after=(view("va", "{before.0.id}"),),
    ),
    Scenario(
        "a required field cannot be emptied", update("va", "{before.0.id}", {"many": [A]}), 400,
        before=(create("va", {"many": [A, B]}),),
    ),
    Scenario("the rule is judged before validation", create("va_ruled", {"n": ""}), 400),
    Scenario("after the rule comes validation", create("va_ruled", {"n": "x"}), 400),
    Scenario(
        "a password over 72 bytes under no rule expression", create("va", {"p": "x" * 73}), 400,
    ),
    Scenario("validation of a form", form("va", ("n", "1"), ("ms", "z"), ("d", "1999-01-01")), 400),
]  # fmt: skip


@pytest.mark.parametrize("scenario", _rows() + OTHERS, ids=lambda scenario: scenario.name)
def test_validation_tells_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
