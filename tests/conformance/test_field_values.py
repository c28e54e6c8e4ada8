"""What each field type makes of each kind of input: casts, dates, multi values, JSON, zeros."""

from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import create, update, view
from tests.conformance.scenario import Expected, Scenario, Step
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

A, B, C = "fvtarget000000a", "fvtarget000000b", "fvtarget000000c"

WORLD = World(
    collections=(
        base("fv_targets", text("n")),
        base(
            "fv",
            text("t"),
            number("n"),
            boolean("b"),
            field_of("email", "e"),
            field_of("url", "u"),
            field_of("editor", "ed"),
            date("d"),
            select("s", "a b c"),
            select("ms", "a b c d", 3),
            relation("one", "fv_targets"),
            relation("many", "fv_targets", 3),
            json_field("j"),
            field_of("geoPoint", "g"),
            field_of("password", "p"),
            field_of("file", "f"),
            field_of("file", "fs", maxSelect=3),
            field_of("autodate", "created", onCreate=True),
            field_of("autodate", "updated", onCreate=True, onUpdate=True),
            text("h", hidden=True),
        ),
    ),
    records=tuple(("fv_targets", {"id": record_id, "n": record_id[-1]}) for record_id in (A, B, C)),
)

ACCEPTED: dict[str, tuple[Any, ...]] = {
    "t": (
        "x", "", " padded ", "Ünï ☃", "line\nbreak", "a\u0000b", 123, 12.5, -0.5, 1e21, 1e-7, 0.1,
        5.0, 12345678901234567890, True, False, None, [], {}, ["a"], {"a": 1}, "x" * 5000,
    ),
    "n": (
        12, "12", "12.5", " 12 ", "-3", "+3", "abc", "", "1e3", "0x10", "007", "1_000", ".5", "5.",
        "1,5", True, False, None, [], {}, [5], 5.0, -0.0, 0.1, 1e15, 1e20, 1e21, 1e308,
        9007199254740993, -12345678.9, 1.7976931348623157e308, "1e400",
    ),
    "b": (
        True, False, "true", "false", "TRUE", "True", "tRuE", "t", "T", "f", "1", "0", 1, 0, 2, -1,
        0.5, "yes", "on", "", None, [], {}, [True],
    ),
    "e": (
        "a@example.com", "A@EXAMPLE.com", "a+b@sub.example.co", "", None, "ünï@example.com",
        '"q"@example.com',
    ),
    "u": (
        "http://example.com", "https://example.com/a?b=c#d", "http://localhost:8080/x",
        "ftp://example.com", "http://127.0.0.1", "", None, "http://exämple.com/ü",
        "http://user:pw@example.com", "example.com", "mailto:a@example.com",
    ),
    "ed": ("<p>x</p>", "<script>alert(1)</script>", 5, True, None, [], ""),
    "d": (
        "2022-03-04 03:06:07.000Z", "2022-03-04 03:06:07.123Z", "2022-03-04 03:06:07.1Z",
        "2022-03-04 03:06:07.123456Z", "2022-03-04 03:06:07Z", "2022-03-04 03:06:07",
        "2022-03-04T03:06:07Z", "2022-03-04T03:06:07+02:00", "2022-03-04T03:06:07.5-0330",
        "2022-03-04T03:06:07", "2022-03-04", "2022-3-4", "2022-03", "2022", "2022-03-04 03:06",
        "03/04/2022", "2022-02-30", "2022-13-01", "2022-03-04 25:00:00", "0001-01-01",
        "9999-12-31 23:59:59.999Z", "10000-01-01", "garbage", "", None, 0, 1646363167, 1646363167.5,
        True, [], {}, " 2022-03-04 ", "2022-03-04 03:06:07 +0200",
        "2022-03-04 03:06:07.000 +0000 UTC", "Fri, 04 Mar 2022 03:06:07 GMT",
        "2022-03-04t03:06:07z", "1600-01-01 00:00:00.000Z", "2024-02-29", "2023-02-29", "now",
        "1646363167",
    ),
    "s": (
        "a", "", None, ["a"], ["a", "b"], [], '["a","c"]', "[]", ["", "b"], ["b", "b"], {},
        {"a": 1},
    ),
    "ms": (
        "a", "", None, ["a"], ["a", "b"], ["b", "a"], ["a", "a", "b"], [], '["a","c"]', "[]",
        ["", "b"], ["a", "b", "c"], ["a", None], [None], {"a": "b"},
    ),
    "one": (A, "", None, [A], [A, B], [], f'["{A}","{B}"]', ["", A], {"id": A}),
    "many": (A, "", None, [A], [B, A], [A, A, B], [], f'["{A}","{B}"]', ["", A], [A, B, C]),
    "j": (
        None, True, False, 0, 1.5, -7, 1e21, "", "abc", "true", "false", "null", "123", "-1", "007",
        "1.50", "1e3", '"quoted"', '"open', "[1,2", "[1,2]", '{"a":1}', "{bad}", " 123 ", " true",
        "True", "-", "[]", "{}", [], {}, [1, [2, {"a": None}]], {"b": 1, "a": {"c": []}}, {"": 1},
        "ünï", 12345678901234567890, {"a.b": 1}, "-abc", "1 2", "NaN",
    ),
    "g": (
        {"lon": 1.5, "lat": -2.5}, {"lon": 180, "lat": 90}, {"lon": "5", "lat": "6"}, {"lat": 7},
        {"lon": 8}, {}, None, "", '{"lon":3,"lat":4}', "garbage", [], [1, 2], 5, True,
        {"lon": 1, "lat": 2, "x": 3}, {"lon": None, "lat": "abc"},
    ),
    "p": ("secret", "", None, 12345678, True), "f": ("", None, []), "fs": ("", None, []),
    "created": ("2000-01-01 00:00:00.000Z", "", None), "updated": ("2000-01-01 00:00:00.000Z",),
    "h": ("hidden from guests", None), "unknown": ("ignored", None, {}),
    "expand": ({"one": 1}, "x"), "collectionId": ("x", None), "collectionName": ("x",),
}  # fmt: skip

REFUSED: dict[str, tuple[Any, ...]] = {
    "t": ("x" * 5001, "☃" * 5001), "n": ("Infinity", "-Inf", "NaN"),
    "e": (
        "bad", "a@b", "@example.com", "a@", "a b@example.com", 1, True, "a@example.com ",
        "a@exa mple.com", "a@localhost", "Name <a@example.com>", "a@example.com,b@example.com",
        "a@[127.0.0.1]",
    ),
    "u": (
        "x", "//example.com", "http://", "/a/b", 5, "http://a b", "http:/x", "HTTP://EXAMPLE.COM",
    ),
    "s": ("d", "A", 1, True, ["a", "d"], "a,b", " a", "null"),
    "ms": ("e", ["a", "e"], ["a", "b", "c", "d"], 5, "a,b", [1]),
    "one": ("missing00000001", "x", 5),
    "many": (
        ["missing00000001"], [A, "missing00000001"], "nope", [5], [A, B, C, "missing00000001"],
    ),
    "g": (
        {"lon": 181, "lat": 0}, {"lon": -181, "lat": 0}, {"lon": 0, "lat": 91},
        {"lon": 1, "lat": -90.5},
    ),
    "j": ("a\u0000b",), "f": ("a.txt", ["a.txt"], "../x"), "fs": ("a.txt", ["a.txt", "b.txt"]),
    "p": ("x" * 72,),
}  # fmt: skip


def _short(value: Any) -> str:
    told = repr(value)
    return told if len(told) < 80 else f"{told[:60]}… ({len(told)})"


def _rows() -> list[Scenario]:
    rows = []
    for table, status in ((ACCEPTED, 200), (REFUSED, 400)):
        for name, values in table.items():
            for value in values:
                title = f"{name} = {_short(value)}" + ("" if status == 200 else " is refused")
                rows.append(Scenario(title, create("fv", {name: value}, "super"), status))
    return rows


OTHERS = [
    Scenario(
        "t = -0.0", Step("POST", "/api/collections/fv/records", text='{"t":-0.0}'), 200,
        has=('"t":"-0"',), differs="negative-zero", ours=Expected(200, ('"t":"0"',)),
    ),
    Scenario("nothing given: every zero value", create("fv", {}, "super"), 200),
    Scenario("nothing given, as a guest: no hidden field", create("fv", {}), 200),
    Scenario(
        "a guest cannot write a hidden field", create("fv", {"h": "x", "t": "y"}), 200,
        after=(view("fv", "{answer.id}", "super"),),
    ),
    Scenario(
        "null on update empties",
        update(
            "fv", "{before.0.id}",
            {"t": None, "n": None, "d": None, "ms": None, "many": None, "g": None},
        ),
        200,
        before=(
            create(
                "fv",
                {"t": "x", "n": 5, "d": "2022-01-01", "ms": ["a"], "many": [A], "g": {"lon": 1}},
            ),
        ),
    ),
    Scenario(
        "several bad fields are reported together",
        create(
            "fv", {"e": "bad", "u": "bad", "s": "z", "ms": ["z"], "one": "nope", "g": {"lon": 999}},
        ),
        400,
    ),
    Scenario("a select value with a number in its list", create("fv", {"ms": ["a", 5]}), 400),
    Scenario(
        "an update with bad values changes nothing",
        update("fv", "{before.0.id}", {"t": "changed", "e": "bad"}), 400,
        before=(create("fv", {"t": "kept"}),), after=(view("fv", "{before.0.id}"),),
    ),
    Scenario(
        "updated moves, created stays", update("fv", "{before.0.id}", {}), 200,
        before=(create("fv", {}),),
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", _rows() + OTHERS, ids=lambda scenario: scenario.name)
def test_values_are_cast_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
