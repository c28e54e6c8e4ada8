"""CORS, security headers, HEAD, OPTIONS, and paths and methods that nobody serves."""

import pytest

from tests.conformance.pair import Pair
from tests.conformance.requests import records
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import World, base, text

WORLD = World(
    collections=(
        base("he", text("n")),
        base(
            "he_odd",
            {
                "name": "id", "type": "text", "primaryKey": True, "required": True, "system": True,
                "min": 1, "max": 50, "pattern": "^[^ ]+$", "autogeneratePattern": "[a-z]{6}",
            },
            text("n"),
        ),
    ),
    records=(
        ("he", {"id": "herecord0000001", "n": "x"}),
        ("he_odd", {"id": "a+b@c=d,e;f&g", "n": "odd"}), ("he_odd", {"id": "ünï☃", "n": "odd"}),
        ("he_odd", {"id": "a~b!c(d)", "n": "odd"}),
    ),
)  # fmt: skip

CORS = (
    "access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers",
    "access-control-allow-credentials", "access-control-max-age", "access-control-expose-headers",
    "vary",
)  # fmt: skip
SAFETY = (
    "x-content-type-options", "x-frame-options", "x-xss-protection", "cross-origin-opener-policy",
)  # fmt: skip
ORIGIN = {"Origin": "http://app.example.com"}
RECORDS = records("he")
ONE = records("he", "herecord0000001")


def preflight(
    path: str, method: str = "POST", headers: str = "authorization,content-type,x-custom"
) -> Step:
    return Step(
        "OPTIONS", path,
        headers={
            **ORIGIN, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )  # fmt: skip


HEADERS = [
    Scenario(
        "a list from another origin", Step("GET", RECORDS, headers=ORIGIN), 200,
        headers=(*CORS, *SAFETY, "content-type"),
    ),
    Scenario(
        "a list from no origin", Step("GET", RECORDS), 200,
        headers=(*CORS, *SAFETY, "content-type"),
    ),
    Scenario(
        "an error from another origin",
        Step("GET", records("he", "missing00000001"), headers=ORIGIN), 404,
        headers=(*CORS, *SAFETY, "content-type"),
    ),
    Scenario(
        "a broken body from another origin", Step("POST", RECORDS, text="{", headers=ORIGIN), 400,
        headers=(*CORS, *SAFETY, "content-type"),
    ),
    Scenario(
        "an unknown API path from another origin", Step("GET", "/api/zzz", headers=ORIGIN), 404,
        headers=(*CORS, *SAFETY),
    ),
    Scenario(
        "an unauthorized call from another origin", Step("GET", "/api/collections", headers=ORIGIN),
        401, headers=(*CORS, *SAFETY),
    ),
    Scenario(
        "a garbage token from another origin",
        Step("GET", RECORDS, headers={**ORIGIN, "Authorization": "garbage"}), 200, headers=CORS,
    ),
    Scenario(
        "a delete from another origin",
        Step("DELETE", records("he", "{before.0.id}"), headers=ORIGIN), 204,
        before=(Step("POST", RECORDS, json={"n": "x"}),), headers=(*CORS, *SAFETY),
    ),
    Scenario("preflight of a list", preflight(RECORDS), 204, headers=CORS),
    Scenario("preflight of a record", preflight(ONE, "PATCH"), 204, headers=CORS),
    Scenario("preflight of DELETE", preflight(ONE, "DELETE"), 204, headers=CORS),
    Scenario("preflight of an unknown path", preflight("/api/zzz"), 204, headers=CORS),
    Scenario("preflight of a missing collection", preflight(records("zzz")), 204, headers=CORS),
    Scenario("preflight of a batch", preflight("/api/batch"), 204, headers=CORS),
    Scenario("preflight of one header", preflight(RECORDS, headers="x-one"), 204, headers=CORS),
    Scenario(
        "preflight without headers",
        Step("OPTIONS", RECORDS, headers={**ORIGIN, "Access-Control-Request-Method": "GET"}), 204,
        headers=CORS,
    ),
    Scenario("OPTIONS without an origin", Step("OPTIONS", RECORDS), 204, headers=CORS),
    Scenario(
        "health's headers", Step("GET", "/api/health", headers=ORIGIN), 200,
        headers=(*CORS, *SAFETY, "content-type"),
    ),
    Scenario(
        "HEAD's headers", Step("HEAD", ONE, headers=ORIGIN), 200,
        headers=(*CORS, *SAFETY, "content-type"),
    ),
    Scenario(
        "Accept: text/html", Step("GET", RECORDS, headers={"Accept": "text/html"}), 200,
        headers=("content-type",),
    ),
    Scenario(
        "Accept: nothing known", Step("GET", RECORDS, headers={"Accept": "application/xml;q=0.5"}),
        200, headers=("content-type",),
    ),
    Scenario(
        "Accept-Encoding: gzip", Step("GET", RECORDS, headers={"Accept-Encoding": "gzip"}), 200,
        headers=("content-encoding",),
    ),
    Scenario(
        "If-Modified-Since",
        Step("GET", RECORDS, headers={"If-Modified-Since": "Fri, 04 Mar 2035 03:06:07 GMT"}), 200,
    ),
    Scenario("Range", Step("GET", RECORDS, headers={"Range": "bytes=0-5"}), 200),
    Scenario(
        "a method override is ignored",
        Step("POST", RECORDS, json={"n": "x"}, headers={"X-HTTP-Method-Override": "DELETE"}), 200,
    ),
    Scenario("a type on GET", Step("GET", RECORDS, content_type="application/json"), 200),
    Scenario(
        "a multipart type on GET",
        Step("GET", RECORDS, content_type="multipart/form-data; boundary=x"), 200,
    ),
    Scenario(
        "a type on DELETE",
        Step("DELETE", records("he", "missing00000001"), content_type="application/json"), 404,
    ),
]  # fmt: skip
METHODS = [
    Scenario(f"{method} {path}", Step(method, path), 404)
    for method, path in (
        ("PUT", RECORDS), ("DELETE", RECORDS), ("PATCH", RECORDS), ("PUT", ONE), ("POST", ONE),
        ("POST", "/api/health"), ("DELETE", "/api/health"), ("PUT", "/api/settings"),
        ("POST", "/api/settings"), ("DELETE", "/api/settings"), ("PUT", "/api/collections"),
        ("DELETE", "/api/collections"), ("POST", "/api/collections/he"), ("GET", "/api/batch"),
        ("PUT", "/api/batch"), ("PUT", "/api/collections/he"), ("POST", "/api/zzz"),
        ("PATCH", "/api/zzz"),
    )
]  # fmt: skip
PATHS = [
    Scenario(f"GET {path}", Step("GET", path), status)
    for path, status in (
        ("/api", 404), ("/api/", 404), ("/api/zzz", 404), ("/api/zzz/yyy", 404),
        ("/api/collections/", 404), ("/api/collections/he/", 404),
        ("/api/collections/he/records/", 404), (ONE + "/", 404), (ONE + "/x", 404),
        ("/api/collections/he/zzz", 404), ("/API/health", 404), ("/api/Health", 404),
        ("/api/health/", 404), ("/zzz", 404), (records("he", "a%2Fb"), 404),
        (records("he", "a%2fb%00"), 404), (records("he", "%2e%2e"), 404),
        (records("he", "..%2f"), 404), (records("he", "%20"), 404), (records("he", "%ff%fe"), 404),
        (records("he", "x" * 2000), 404), (records("he", "'%20OR%201=1"), 404),
        (records("he%2Fx"), 404), (records("%68%65", "herecord0000001"), 200),
        (records("he", "herecord000000%31"), 200), (records("he_odd", "a+b@c=d,e;f&g"), 200),
        (records("he_odd", "a%2Bb%40c%3Dd%2Ce%3Bf%26g"), 200),
        (records("he_odd", "%C3%BCn%C3%AF%E2%98%83"), 200), (records("he_odd", "a~b!c(d)"), 200),
        (records("he_odd", "a%20b"), 404), (records("{collection.he}", "herecord0000001"), 200),
        ("/api/collections/he/records?", 200), ("/api/collections/he/records?&&", 200),
        ("/api/collections/he/records?=x", 200), ("/api/health?x=%zz", 200),
    )
]  # fmt: skip


@pytest.mark.parametrize("scenario", HEADERS + METHODS + PATHS, ids=lambda scenario: scenario.name)
def test_headers_and_paths_are_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
