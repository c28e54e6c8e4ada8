"""Downloads: headers, conditions, ranges, what is not found, and tokens for protected files."""

import functools

import pytest

from tests.conformance import files
from tests.conformance.files import HEADERS, NOT_MODIFIED, check, one, post
from tests.conformance.pair import Pair
from tests.conformance.scenario import Expected, Scenario, Step
from tests.conformance.world import Person, World, auth, base, field_of
from tests.integration.file_client import picture

get = functools.partial(files.get, collection="dl")

WORLD = World(
    collections=(
        auth("dl_users"),
        base("dl", field_of("file", "f"), field_of("file", "h", hidden=True)),
        base("dl_open", field_of("file", "f", protected=True)),
        base(
            "dl_signed",
            field_of("file", "f", protected=True),
            viewRule="@request.context = 'protectedFile' && @request.auth.id != ''",
        ),
        base("dl_closed", field_of("file", "f", protected=True), viewRule=None),
        base("dl_query", field_of("file", "f", protected=True), viewRule="@request.query.x = '1'"),
        base("dl_hidden_public", field_of("file", "f"), viewRule=None),
    ),
    people={"ann": Person("dl_users", "dlann0000000001", "ann@example.com")},
)

TEXT = (post("dl", one()),)
IMAGE = (post("dl", one(picture(), "name.png")),)
OLD = "Mon, 23 Nov 2020 04:34:40 GMT"
NEWER = "Mon, 23 Nov 2099 04:34:40 GMT"
CONDITIONS: tuple[tuple[int, dict[str, str]], ...] = (
    (304, {"If-Modified-Since": NEWER}),
    (200, {"If-Modified-Since": OLD}),
    (200, {"If-Modified-Since": "x"}),
    (304, {"If-None-Match": "*"}),
    (200, {"If-None-Match": '"x"'}),
    (200, {"If-None-Match": '"x"', "If-Modified-Since": NEWER}),
    (412, {"If-Unmodified-Since": OLD}),
    (200, {"If-Unmodified-Since": NEWER}),
    (412, {"If-Match": '"x"'}),
    (200, {"Range": "bytes=0-1", "If-Range": '"x"'}),
    (206, {"Range": "bytes=0-1", "If-Modified-Since": OLD}),
    (200, {"Range": "bytes=0-1", "If-Range": OLD}),
)
RANGES = {
    "bytes=0-1": 206,
    "bytes=5-": 206,
    "bytes=-3": 206,
    "bytes=0-100": 206,
    "bytes=10-": 416,
    "bytes=5-2": 416,
    "bytes=-0": 206,
    "bytes=": 200,
    "items=0-1": 416,
    "bytes=a-b": 416,
    "bytes=-100": 206,
    "bytes= 1-2": 206,
    "bytes=0-1,20-30": 206,
    "bytes=20-30,40-50": 416,
    "bytes=0-9,0-9,0-9": 200,
    "bytes=9-9": 206,
    "bytes=-": 416,
    "bytes=1": 416,
    "bytes=0-0, ": 206,
    "bytes=,0-0": 206,
    "bytes=99999999999999999999-": 416,
}
DOWNLOADS = (
    [
        Scenario("a download", get(), 200, before=TEXT, headers=HEADERS),
        Scenario("a download's head", get(method="HEAD"), 200, before=TEXT, headers=HEADERS),
        Scenario(
            "the head of a range",
            get(method="HEAD", headers={"Range": "bytes=0-1"}),
            206,
            before=TEXT,
            headers=HEADERS,
        ),
        Scenario(
            "the head of what is not modified",
            get(method="HEAD", headers={"If-Modified-Since": NEWER}),
            304,
            before=TEXT,
            headers=NOT_MODIFIED,
        ),
        Scenario(
            "a download from another origin",
            get(headers={"Origin": "http://x.example"}),
            200,
            before=TEXT,
            headers=HEADERS,
        ),
        Scenario("a picture", get(), 200, before=IMAGE, headers=HEADERS),
        Scenario(
            "by the collection's id",
            Step("GET", "/api/files/{before.0.collectionId}/{before.0.id}/{before.0.f}"),
            200,
            before=TEXT,
            headers=HEADERS,
        ),
        Scenario(
            "by the collection's name in capitals",
            Step("GET", "/api/files/DL/{before.0.id}/{before.0.f}"),
            200,
            before=TEXT,
            headers=HEADERS,
        ),
        Scenario("with fields", get(fields="x"), 200, before=TEXT, headers=HEADERS),
        Scenario("a missing file", get("zzz.txt"), 404, before=TEXT, headers=HEADERS),
        Scenario(
            "a missing record", Step("GET", "/api/files/dl/zzz/{before.0.f}"), 404, before=TEXT
        ),
        Scenario(
            "another record's file",
            Step("GET", "/api/files/dl/{before.0.id}/{before.1.f}"),
            404,
            before=(*TEXT, *TEXT),
        ),
        Scenario(
            "a missing collection",
            Step("GET", "/api/files/zzz/{before.0.id}/{before.0.f}"),
            404,
            before=TEXT,
        ),
        Scenario("the folder of thumbs", get("thumbs_{before.0.f}"), 404, before=TEXT),
        Scenario("a path out of the folder", get("..%2F..%2F{before.0.f}"), 404, before=TEXT),
        Scenario("a path within", get("x%2F..%2F{before.0.f}"), 404, before=TEXT),
        Scenario("a POST", get(method="POST"), 404, before=TEXT),
        Scenario("a slash at the end", get("{before.0.f}/"), 404, before=TEXT),
        Scenario("no file name", Step("GET", "/api/files/dl/{before.0.id}"), 404, before=TEXT),
        Scenario(
            "a public file of a closed collection",
            get(collection="dl_hidden_public"),
            200,
            before=(post("dl_hidden_public", one()),),
        ),
        Scenario("a bad token for a public file", get(token="zzz"), 200, before=TEXT),
        Scenario(
            "a hidden field's file",
            get("{before.0.h}"),
            200,
            before=(post("dl", one(), one(field="h")),),
        ),
    ]
    + [
        Scenario(f"download={value}", get(download=value), 200, before=IMAGE, headers=HEADERS)
        for value in ("1", "0", "", "true", "t", "T", "TRUE", "x", "2", "false", "yes")
    ]
    + [
        Scenario(
            f"{headers}",
            get(headers=headers),
            status,
            before=TEXT,
            headers=HEADERS if status != 304 else NOT_MODIFIED,
        )
        for status, headers in CONDITIONS
    ]
    + [
        Scenario(
            f"Range: {value}", get(headers={"Range": value}), status, before=TEXT, headers=HEADERS
        )
        for value, status in RANGES.items()
    ]
    + [
        Scenario(
            f"Range of an empty file: {value}",
            get(headers={"Range": value}),
            200,
            before=(post("dl", one("", "name.txt")),),
            headers=HEADERS,
        )
        for value in ("bytes=0-", "bytes=0-5", "bytes=3-")
    ]
)


def token_of(who: str) -> Step:
    return Step("POST", "/api/files/token", who)


def protected(collection: str) -> tuple[Step, ...]:
    return post(collection, one("secret")), token_of("ann"), token_of("super")


ANN, ROOT = "{before.1.token}", "{before.2.token}"
TOKENS = [
    Scenario("a guest's token", token_of("guest"), 401),
    Scenario("an account's token", token_of("ann"), 200),
    Scenario("a superuser's token", token_of("super"), 200, ignore=("token",)),
    Scenario("the token by GET", Step("GET", "/api/files/token", "ann"), 404),
    Scenario(
        "a protected file without a token",
        get(collection="dl_signed"),
        404,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a protected file with a token",
        get(collection="dl_signed", token=ANN),
        200,
        before=protected("dl_signed"),
        headers=HEADERS,
    ),
    Scenario(
        "a superuser's protected file",
        get(collection="dl_signed", token=ROOT),
        200,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a protected file with a header",
        get(collection="dl_signed", who="ann"),
        404,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a protected file with a superuser's header",
        get(collection="dl_signed", who="super"),
        404,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a protected file with an auth token",
        get(collection="dl_signed", token="{token.ann}"),
        404,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a protected file with a bad token",
        get(collection="dl_signed", token="x"),
        404,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a protected file with a forged token",
        get(collection="dl_signed", token=ANN + "x"),
        404,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a protected file's head",
        get(collection="dl_signed", method="HEAD"),
        404,
        before=protected("dl_signed"),
    ),
    Scenario(
        "a file token is no auth token",
        Step("GET", "/api/collections/dl_signed/records", headers={"Authorization": ANN}),
        200,
        before=protected("dl_signed"),
    ),
    Scenario(
        "null for an account",
        get(collection="dl_closed", token=ANN),
        404,
        before=protected("dl_closed"),
    ),
    Scenario(
        "null for a superuser",
        get(collection="dl_closed", token=ROOT),
        200,
        before=protected("dl_closed"),
    ),
    Scenario(
        "an open rule without a token", get(collection="dl_open"), 200, before=protected("dl_open")
    ),
    Scenario(
        "a rule on the query holds",
        get(collection="dl_query", x="1", token=ANN),
        200,
        before=protected("dl_query"),
    ),
    Scenario(
        "a rule on the query does not hold",
        get(collection="dl_query", token=ANN),
        404,
        before=protected("dl_query"),
    ),
    Scenario(
        "a thumb of a protected file",
        get(collection="dl_signed", thumb="100x100"),
        404,
        before=protected("dl_signed"),
    ),
]


LARGE = [
    Scenario(
        "a file of 4.5 MiB",
        get(),
        200,
        before=(post("dl", one("- " * 2_359_296)),),
        headers=("location", "content-disposition"),
        differs="file-link",
        ours=Expected(307, ("X-Amz-Signature", "attachment")),
    )
]

SCENARIOS = DOWNLOADS + TOKENS + LARGE


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_downloads(pair: Pair, scenario: Scenario) -> None:
    check(pair, scenario)
