"""Sorting, paging, the `fields` picker with `:excerpt`, and `skipTotal`."""

from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import create, listing, records, update, view
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

COUNT = 65
HTML = "<p>Hello <b>big</b>   wide\n world</p><script>alert(1)</script> &amp; more <br>text ünï"


def _record(i: int) -> dict[str, Any]:
    return {
        "id": f"lirecord00000{i:02}", "n": f"{'abAB'[i % 4]}{(i * 37) % COUNT:02}",
        "v": (i * 7) % 10 - 3, "b": i % 3 == 0, "d": f"20{10 + i % 20}-01-01" if i % 5 else "",
        "s": ["x", "y", ""][i % 3], "ms": ["x", "y", "z"][: i % 4],
        "js": {"k": i % 4, "list": [{"a": i, "b": 1}]} if i % 2 else i, "g": {"lon": i, "lat": -i},
        "ed": HTML, "one": f"litarget000000{i % 3}" if i % 7 else "", "hid": f"h{i:02}",
    }  # fmt: skip


WORLD = World(
    collections=(
        base("li_targets", text("n"), number("v"), text("hid", hidden=True)),
        base(
            "li", text("n"), number("v"), boolean("b"), date("d"), select("s", "x y"),
            select("ms", "x y z", 3), json_field("js"), field_of("geoPoint", "g"),
            field_of("editor", "ed"), relation("one", "li_targets"), text("hid", hidden=True),
        ),
        base("li_empty", text("n")),
    ),
    records=(
        *(("li_targets", {"id": f"litarget000000{i}", "n": f"t{2 - i}", "v": i}) for i in range(3)),
        *(("li", _record(i)) for i in range(COUNT)),
    ),
)  # fmt: skip

# Each sort ends in a unique key, so that the order is total: ties are nobody's promise.
SORTS = (
    "n", "-n", "+n", "id", "-id", "v,n", "-v,n", "-v,-n", "b,n", "-b,-n", "d,n", "-d,n", "s,n",
    "ms,n", "-ms,-n", "g,id", "one,n", "-one,n", "one.n,n", "-one.n,n", "one.v,-n", "one.id,n",
    "js.k,n", "-js.k,n", "js.list.0.a,n", "g.lon", "-g.lat", "n:lower,n", "-n:lower,-n",
    "ms:length,n", "-ms:length,n", " n", "n ", " -n ,v", "v, n", "n,n", "v,-v,n", "@rowid",
    "-@rowid", "v,@rowid", "-v,-@rowid", "d,v,b,s,ms,one,n,id", "js.zzz,n",
)  # fmt: skip
SORTS_REFUSED = (
    "zzz", "n,zzz", "-", "one.zzz", "@zzz", "n desc", "n;v", "n:zzz", "--n", "hid",
    "one.hid", "null", "'n'", "(n)", "n.x", "@now", "v,n,b,d,s,ms,g,one,id", "x" * 256, ",n", "n,",
)  # fmt: skip
SORTS_OF_SUPERUSERS = ("hid", "-hid", "one.hid,n")

PAGING: tuple[tuple[dict[str, Any], int], ...] = (
    ({}, 200), ({"page": 1}, 200), ({"page": 2}, 200), ({"page": 3}, 200), ({"page": 4}, 200),
    ({"page": 0}, 200), ({"page": -1}, 200), ({"page": 99999999}, 200), ({"page": "x"}, 400),
    ({"page": "1.5"}, 400), ({"page": ""}, 200), ({"page": " 1"}, 400), ({"page": "+1"}, 200),
    ({"page": "1e1"}, 400), ({"page": "0x1"}, 400), ({"page": "9" * 30}, 400),
    ({"perPage": 10}, 200), ({"perPage": 1}, 200), ({"perPage": 0}, 200), ({"perPage": -5}, 200),
    ({"perPage": 65}, 200), ({"perPage": 64}, 200), ({"perPage": 500}, 200),
    ({"perPage": 1000}, 200), ({"perPage": 1001}, 200), ({"perPage": 5000}, 200),
    ({"perPage": "x"}, 400), ({"perPage": "1.5"}, 400), ({"perPage": ""}, 200),
    ({"page": 7, "perPage": 10}, 200), ({"page": 8, "perPage": 10}, 200),
    ({"page": 2, "perPage": 33}, 200),
    *(
        ({"skipTotal": value, "perPage": 5}, 200)
        for value in ("1", "true", "t", "T", "TRUE", "True", "0", "false", "f", "F", "False", "")
    ),
    *(({"skipTotal": value}, 400) for value in ("yes", "2", "tRUE", "on", "null")),
    ({"skipTotal": 1, "page": 2, "perPage": 60}, 200), ({"skipTotal": 1, "page": 9}, 200),
    ({"unknown": "x"}, 200), ({"filter": "v > 0", "perPage": 7}, 200),
    ({"filter": "v > 0", "perPage": 7, "page": 3}, 200), ({"filter": "v > 100"}, 200),
    ({"filter": "n = 'zzz'", "skipTotal": 1}, 200), ({"filter": "b = true", "perPage": 1000}, 200),
)  # fmt: skip

# (fields, status) of a list as a guest
PICKS: tuple[tuple[str, int], ...] = (
    ("id", 200), ("id,n", 200), ("*", 200), ("*,n", 200), ("n,*", 200), ("", 200), (" ", 200),
    ("zzz", 200), ("id,zzz", 200), ("js", 200), ("js.k", 200), ("js.list", 200), ("js.list.a", 200),
    ("js.list.*", 200), ("js.*", 200), ("g.lon", 200), ("g.*", 200), ("n.x", 200), ("id.x", 200),
    ("collectionId,collectionName", 200), ("hid", 200), ("items.id", 200), ("totalItems", 200),
    ("page", 200), ("id,page", 200), ("expand", 200), ("expand.one.n", 200),
    ("id,expand.one.n", 200), ("*,expand.one.n", 200), ("*,expand.*", 200), ("expand.one.*", 200),
    ("expand.*", 200), ("*.n", 200), ("*.k", 200), (" id , n ", 200), ("id,,n", 200), (",id", 200),
    ("ID", 200), ("ed:excerpt(10)", 200), ("ed:excerpt(10,true)", 200),
    ("ed:excerpt(10, true)", 200), ("ed:excerpt(10,false)", 200), ("ed:excerpt(1000,true)", 200),
    ("ed:excerpt(0)", 400), ("ed:excerpt(0,true)", 400), ("ed:excerpt(-1)", 400),
    ("ed:excerpt()", 400), ("ed:excerpt", 400), ("ed:excerpt(x)", 400), ("ed:excerpt(5,x)", 200),
    ("ed:excerpt(5,true,1)", 400), ("ed:zzz(1)", 400), ("n:excerpt(2)", 200),
    ("n:excerpt(2,true)", 200), ("v:excerpt(2)", 200), ("js:excerpt(2)", 200),
    ("js.k:excerpt(1)", 200), ("*:excerpt(3)", 200), ("*:excerpt(3,true)", 200),
    ("ed:excerpt(5),n", 200), ("ed:excerpt(5),ed", 200), ("ed,ed:excerpt(5)", 200),
    ("*,ed:excerpt(5,true)", 200), ("zzz:excerpt(5)", 200), ("zzz:zzz()", 400),
    ("expand.one.n:excerpt(1)", 200), ("ed:excerpt(4,true)", 200), ("ed:excerpt( 6 , true )", 200),
    ("ed:excerpt(5,1)", 200), ("ed:excerpt(5", 400), ("ms", 200), ("ms.0", 200), ("a.b.c.d", 200),
)  # fmt: skip


def _rows() -> list[Scenario]:
    rows = [
        Scenario(f"sort {sort!r}", listing("li", sort=sort, perPage=100, fields="id"), 200)
        for sort in SORTS
    ]  # fmt: skip
    rows += [
        Scenario(f"sort {sort!r} is refused", listing("li", sort=sort), 400)
        for sort in SORTS_REFUSED
    ]  # fmt: skip
    rows += [
        Scenario(
            f"superuser sorts by {sort!r}", listing("li", "super", sort=sort, fields="id"), 200,
        )
        for sort in SORTS_OF_SUPERUSERS
    ]  # fmt: skip
    rows += [
        Scenario(f"page {query}", listing("li", sort="id", fields="id", **query), status)
        for query, status in PAGING
    ]
    rows += [
        Scenario(
            f"fields {fields!r}",
            listing("li", fields=fields, sort="id", perPage=4, expand="one"),
            status,
        )
        for fields, status in PICKS
    ]
    return rows


OTHERS = [
    Scenario("an empty collection", listing("li_empty"), 200),
    Scenario("an empty collection, skipTotal", listing("li_empty", skipTotal=1), 200),
    Scenario("an empty collection, page 3", listing("li_empty", page=3), 200),
    Scenario("an empty sort", Step("GET", records("li") + "?sort=&perPage=100&fields=id"), 200),
    Scenario("an empty filter", Step("GET", records("li") + "?filter=&perPage=100&fields=id"), 200),
    Scenario(
        "the first of repeated parameters counts",
        Step("GET", records("li") + "?perPage=2&perPage=5&sort=id&fields=id"), 200,
    ),
    Scenario(
        "@random, all there",
        listing("li", filter="v >= -100 || @now = ''", perPage=100, fields="zzz"), 200,
    ),
    Scenario("@random is a sort", listing("li", sort="@random", perPage=100, fields="zzz"), 200),
    Scenario(
        "sort and filter", listing("li", filter="v > 0 && b = true", sort="-v,n", fields="id,v"),
        200,
    ),
    Scenario(
        "sort through a relation with a filter through it",
        listing("li", filter="one.v = 1", sort="one.n,-n", fields="id"), 200,
    ),
    Scenario(
        "eight sort keys", listing("li", sort="v,b,d,s,ms,one,n,id", fields="id", perPage=100), 200,
    ),
    Scenario(
        "nine sort keys", listing("li", sort="v,b,d,s,ms,one,n,id,g", fields="id", perPage=100),
        400,
    ),
    Scenario(
        "a plus sign in a query is a space",
        Step("GET", records("li") + "?filter=n+!=+'zzz'&perPage=3&sort=id&fields=id"), 200,
    ),
    Scenario(
        "a raw query with brackets",
        Step("GET", records("li") + "?filter=(v>0)&perPage=3&sort=id&fields=id"), 200,
    ),
    Scenario(
        "a broken escape in a query",
        Step("GET", records("li") + "?filter=%zz&perPage=3&sort=id&fields=id"), 200,
        differs="broken-query", ours=Expected(400),
    ),
    Scenario(
        "a semicolon in a query", Step("GET", records("li") + "?perPage=3;sort=id&fields=id"), 200,
        differs="broken-query", ours=Expected(400),
    ),
    Scenario("picking of a view", view("li", "lirecord0000000", fields="id"), 200),
    Scenario("a guest sorts by the request", listing("li", sort="@request.auth.id"), 403),
    Scenario("a guest sorts by another collection", listing("li", sort="@collection.li.n"), 403),
    Scenario(
        "fields of one record", view("li", "lirecord0000001", fields="n,js.k,ed:excerpt(5)"), 200,
    ),
    Scenario("fields of one record, all", view("li", "lirecord0000001", fields="*"), 200),
    Scenario("fields of one record, broken", view("li", "lirecord0000001", fields="n:zzz()"), 400),
    Scenario("fields of a created record", create("li_empty", {"n": "x"}, fields="n"), 200),
    Scenario(
        "fields of a created record, broken", create("li_empty", {"n": "x"}, fields="n:zzz()"), 400,
    ),
    Scenario(
        "fields of an updated record", update("li_empty", "{before.0.id}", {"n": "y"}, fields="n"),
        200, before=(create("li_empty", {"n": "x"}),),
    ),
    Scenario("fields do not touch errors", view("li", "missing00000001", fields="status"), 404),
    Scenario("fields of health", Step("GET", "/api/health", query={"fields": "code"}), 200),
    Scenario(
        "fields of collections",
        Step(
            "GET", "/api/collections", "super",
            {"fields": "name,type", "filter": "name ~ 'li_'", "sort": "name"},
        ),
        200,
    ),
    Scenario(
        "fields of settings",
        Step("GET", "/api/settings", "super", {"fields": "batch.enabled,meta.appName"}), 200,
    ),
    Scenario("HEAD of a list", Step("HEAD", records("li")), 200),
    Scenario("HEAD of a record", Step("HEAD", records("li", "lirecord0000001")), 200),
    Scenario("HEAD of a missing record", Step("HEAD", records("li", "missing00000001")), 404),
]  # fmt: skip


@pytest.mark.parametrize("scenario", _rows() + OTHERS, ids=lambda scenario: scenario.name)
def test_lists_are_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
