"""File fields: names, sizes and types, modifiers, rules, batches, and what goes with a record."""

from typing import Any

import pytest

from tests.conformance.client import Part
from tests.conformance.files import check, get, one, patch, payload, post, several
from tests.conformance.pair import Pair
from tests.conformance.requests import create, records, update, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import World, base, field_of, relation, text
from tests.integration.file_client import picture

PNG, JPEG = ["image/png"], ["image/png", "image/jpeg"]

WORLD = World(
    collections=(
        base("fi", field_of("file", "f"), field_of("file", "fs", maxSelect=5), text("t")),
        base(
            "fi_typed",
            field_of("file", "f", mimeTypes=PNG, maxSize=300),
            field_of("file", "fs", mimeTypes=JPEG, maxSize=300, maxSelect=3),
        ),
        base("fi_needed", field_of("file", "f", required=True), field_of("file", "h", hidden=True)),
        base("fi_child", field_of("file", "f"), relation("of", "fi", cascadeDelete=True)),
        base(
            "fi_isset", field_of("file", "f"), createRule="@request.body.f:isset = true && f != ''"
        ),
        base(
            "fi_length",
            field_of("file", "fs", maxSelect=5),
            createRule="@request.body.fs:length = 2 && fs:length = 2",
        ),
        base("fi_like", field_of("file", "f"), createRule="@request.body.f ~ 'rule'"),
    ),
    settings={"batch": {"enabled": True, "maxRequests": 50}},
)


NAMES = [
    Scenario(f"a file called {name!r}", post("fi", one("hello", name)), 200)
    for name in (
        "plain.txt",
        "a.png",
        "ab.png",
        "abc.png",
        "CamelCaseName.Png",
        "with  spaces and-dashes.txt",
        "back.tar.gz",
        "my.long.name.txt",
        "v1.2 final.txt",
        "UPPER.TXT",
        "noextension",
        "dot.",
        "..",
        ".",
        ".htaccess",
        "../../etc/passwd",
        "dir/b.png",
        "back\\slash.png",
        "x" * 300 + ".png",
        "ünï☃.PNG",
        "日本.png",
        "percent%00.png",
        "question.PNG?x",
        "long." + "b" * 30,
        "two.abcdefghij.abcdefghijkl",
        "a..b",
        "snake_case_already.txt",
        "HTMLFile test-1.txt",
        "plus+hash#.t*t",
        "con",
        "d1.e2f3.png",
        "emoji😀.png",
        "trailing space .txt ",
        "-.-",
        "a&b=c.txt",
        "quo'te.txt",
        "semi;colon.txt",
    )
]

ALLOWED = [
    Scenario("an allowed type", post("fi_typed", one(picture())), 200),
    Scenario("a type that is not allowed", post("fi_typed", one("hello", "name.png")), 400),
    Scenario("the wrong type in a list", post("fi_typed", *several("one.png", "two.png")), 400),
    Scenario(
        "a file of the greatest size", post("fi_typed", one(b"\x89PNG\r\n\x1a\n" + b"x" * 292)), 200
    ),
    Scenario(
        "a file over the greatest size",
        post("fi_typed", one(b"\x89PNG\r\n\x1a\n" + b"x" * 293)),
        400,
    ),
    Scenario("too large and of a wrong type", post("fi_typed", one("x" * 301)), 400),
    Scenario(
        "the first wrong one counts, type",
        post("fi_typed", one("x", field="fs"), one("x" * 301, field="fs")),
        400,
    ),
    Scenario(
        "the first wrong one counts, size",
        post("fi_typed", one("x" * 301, field="fs"), one("x", field="fs")),
        400,
    ),
    Scenario("too many files", post("fi", *several(*(f"name{n}.txt" for n in range(6)))), 400),
    Scenario(
        "as many files as there may be",
        post("fi", *several(*(f"name{n}.txt" for n in range(5)))),
        200,
    ),
    Scenario("two files for one", post("fi", one(name="first.txt"), one(name="second.txt")), 200),
    Scenario("a required file is missing", post("fi_needed", Part("x", "y")), 400),
    Scenario("a required file may be empty", post("fi_needed", one("", "empty.txt")), 200),
    Scenario(
        "a hidden file from a guest", post("fi_needed", one(), one(field="h"), who="guest"), 200
    ),
    Scenario("a name that no file has, on create", create("fi", {"f": "nope.txt"}, "super"), 400),
    Scenario(
        "names that no file has, on create", create("fi", {"fs": ["a.txt", "b.txt"]}, "super"), 400
    ),
    Scenario("a text part for a file", post("fi", Part("f", "hello")), 400),
    Scenario("a file for a text", post("fi", one(field="t")), 200),
    Scenario("a file for no field", post("fi", one(field="zzz")), 200),
    Scenario("the default greatest size", post("fi", one(b"x" * (5 * 1024 * 1024 + 1))), 400),
    Scenario(
        "a taken id leaves no file",
        post("fi", Part("id", "{before.0.id}"), one()),
        400,
        before=(post("fi", one()),),
    ),
]

TEXT = (post("fi", one()),)
TWO = (post("fi", one(), *several("one.txt", "two.txt", "three.txt")),)
MODIFIERS = [
    Scenario("append", patch(*several("new.txt", field="fs+")), 200, before=TWO),
    Scenario("prepend", patch(*several("new.txt", field="+fs")), 200, before=TWO),
    Scenario("replace all", patch(*several("new.txt")), 200, before=TWO),
    Scenario(
        "all three at once",
        patch(
            *several("mid.txt"), *several("end.txt", field="fs+"), *several("top.txt", field="+fs")
        ),
        200,
        before=TWO,
    ),
    Scenario(
        "keep one and add one",
        patch(Part("fs", "{before.0.fs.1}"), *several("new.txt")),
        200,
        before=TWO,
    ),
    Scenario("remove one by form", patch(Part("fs-", "{before.0.fs.1}")), 200, before=TWO),
    Scenario(
        "remove one",
        update("fi", "{before.0.id}", {"fs-": "{before.0.fs.0}"}, "super"),
        200,
        before=TWO,
    ),
    Scenario(
        "remove two, one unknown",
        update("fi", "{before.0.id}", {"fs-": ["{before.0.fs.0}", "zz"]}, "super"),
        200,
        before=TWO,
    ),
    Scenario(
        "remove and add",
        patch(Part("fs-", "{before.0.fs.0}"), *several("new.txt", field="fs+")),
        200,
        before=TWO,
    ),
    Scenario(
        "put in another order",
        update("fi", "{before.0.id}", {"fs": ["{before.0.fs.2}", "{before.0.fs.0}"]}, "super"),
        200,
        before=TWO,
    ),
    Scenario("null clears", patch(payload({"fs": None})), 200, before=TWO),
    Scenario(
        "an empty list clears", update("fi", "{before.0.id}", {"fs": []}, "super"), 200, before=TWO
    ),
    Scenario(
        "an empty list and a file", patch(payload({"fs": []}), *several("new.txt")), 200, before=TWO
    ),
    Scenario("an empty text clears", patch(Part("f", "")), 200, before=TWO),
    Scenario(
        "an object changes a file to nothing",
        update("fi", "{before.0.id}", {"f": {"a": 1}}, "super"),
        200,
        before=TWO,
    ),
    Scenario("a single file is replaced", patch(one(name="other.txt")), 200, before=TWO),
    Scenario("a single file, appended", patch(one(name="other.txt", field="f+")), 200, before=TWO),
    Scenario(
        "a single file, removed",
        update("fi", "{before.0.id}", {"f-": "{before.0.f}"}, "super"),
        200,
        before=TWO,
    ),
    Scenario("a file where names to remove are expected", patch(one(field="fs-")), 200, before=TWO),
    Scenario(
        "the name of another field's file",
        update("fi", "{before.0.id}", {"fs": ["{before.0.f}"]}, "super"),
        400,
        before=TWO,
    ),
    Scenario(
        "the name of another record's file",
        update("fi", "{before.0.id}", {"fs": ["{before.1.f}"]}, "super"),
        400,
        before=(*TWO, *TWO),
    ),
    Scenario("a payload beside a file", patch(one(), payload({"t": "hi"})), 200, before=TWO),
    Scenario("the rule sees that a file came", post("fi_isset", one(), who="guest"), 200),
    Scenario("the rule sees that none came", post("fi_isset", Part("x", "y"), who="guest"), 400),
    Scenario(
        "the rule counts files", post("fi_length", *several("one.txt", "two.txt"), who="guest"), 200
    ),
    Scenario(
        "the rule counts other files", post("fi_length", *several("one.txt"), who="guest"), 400
    ),
    Scenario(
        "the rule sees the stored name", post("fi_like", one(name="a rule.txt"), who="guest"), 200
    ),
    Scenario(
        "the rule sees another name", post("fi_like", one(name="other.txt"), who="guest"), 400
    ),
    Scenario(
        "a kept file stays",
        get("{before.0.fs.1}"),
        200,
        before=(*TWO, patch(Part("fs-", "{before.0.fs.0}"))),
    ),
    Scenario(
        "a removed file is gone",
        get("{before.0.fs.0}"),
        404,
        before=(*TWO, patch(Part("fs-", "{before.0.fs.0}"))),
    ),
    Scenario("a replaced file is gone", get(), 404, before=(*TWO, patch(one()))),
    Scenario(
        "a deleted record's file is gone",
        get(),
        404,
        before=(*TWO, Step("DELETE", records("fi", "{before.0.id}"), "super")),
    ),
    Scenario(
        "a refused update keeps the file",
        get(),
        200,
        before=TWO,
        after=(
            patch(*several(*(f"name{n}.txt" for n in range(6)))),
            get(),
            view("fi", "{before.0.id}"),
        ),
    ),
    Scenario(
        "the file of what is deleted with a record",
        Step("GET", "/api/files/fi_child/{before.1.id}/{before.1.f}"),
        404,
        before=(
            *TEXT,
            post("fi_child", one(), Part("of", "{before.0.id}")),
            Step("DELETE", records("fi", "{before.0.id}"), "super"),
        ),
    ),
    Scenario(
        "the file of a truncated collection",
        Step("GET", "/api/files/fi_child/{before.0.id}/{before.0.f}"),
        404,
        before=(
            post("fi_child", one()),
            Step("DELETE", "/api/collections/fi_child/truncate", "super"),
        ),
    ),
]


def batched(*parts: Part, requests: list[dict[str, Any]]) -> Step:
    return Step("POST", "/api/batch", "super", parts=(*parts, payload({"requests": requests})))


NEW = {"method": "POST", "url": records("fi"), "body": {"t": "x"}}
CHANGE = {
    "method": "PATCH",
    "url": records("fi", "{before.0.id}"),
    "body": {"fs": ["{before.0.fs.1}"]},
}
BATCHES = [
    Scenario(
        "a batch with files",
        batched(
            one(field="requests.0.f"),
            *several("a.txt", "name.txt", field="requests[1].fs"),
            requests=[NEW, NEW],
        ),
        200,
    ),
    Scenario("a batch that appends", batched(one(field="requests.0.fs+"), requests=[NEW]), 200),
    Scenario(
        "a batch that keeps one and adds one",
        batched(one(field="requests.0.fs+"), requests=[CHANGE]),
        200,
        before=TWO,
    ),
    Scenario(
        "a batch whose second part fails",
        batched(one(field="requests.0.f"), requests=[NEW, {**NEW, "body": {"id": "x"}}]),
        400,
    ),
    Scenario(
        "a batch with a wrong type",
        batched(one(field="requests.0.f"), requests=[{**NEW, "url": records("fi_typed")}]),
        400,
    ),
    Scenario(
        "a batch with too large a file",
        batched(
            one("x" * 301, field="requests.0.f"), requests=[{**NEW, "url": records("fi_typed")}]
        ),
        400,
    ),
    Scenario(
        "a batch that makes and deletes",
        batched(
            one(field="requests.0.f"),
            requests=[
                {**NEW, "body": {"id": "fibatch00000001"}},
                {"method": "DELETE", "url": records("fi", "fibatch00000001")},
            ],
        ),
        200,
    ),
    Scenario(
        "a file for a part that is not there",
        batched(one(field="requests.7.f"), requests=[NEW]),
        200,
    ),
]


SCENARIOS = NAMES + ALLOWED + MODIFIERS + BATCHES


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_files(pair: Pair, scenario: Scenario) -> None:
    check(pair, scenario)
