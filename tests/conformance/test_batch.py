"""Batches: results, failures by index, limits, what later requests see, and the caller."""

from typing import Any

import pytest

from tests.conformance.client import Part
from tests.conformance.pair import Pair
from tests.conformance.requests import listing, view
from tests.conformance.scenario import Scenario, Step
from tests.conformance.world import Person, World, auth, base, number, relation, select, text

BATCH = "/api/batch"
WORLD = World(
    settings={"batch": {"enabled": True, "maxRequests": 60, "timeout": 30}},
    collections=(
        auth("ba_users", text("name")),
        base(
            "ba", text("n", max=20), number("v"), select("ms", "x y", 2), text("u"),
            text("hid", hidden=True), indexes=["CREATE UNIQUE INDEX ba_u ON ba (u) WHERE u != ''"],
        ),
        base("ba_refs", text("n"), relation("to", "ba", required=True)),
        base("ba_cascade", relation("to", "ba", cascadeDelete=True)),
        base("ba_closed", text("n"), rule=None),
        base("ba_context", text("n"), createRule="@request.context = 'batch'"),
        base("ba_header", text("n"), createRule="@request.headers.x_inner = 'yes'"),
        base(
            "ba_method", text("n"), createRule="@request.method = 'POST'",
            updateRule="@request.method = 'PATCH'",
        ),
        base(
            "ba_owned", text("n"), relation("owner", "ba_users"),
            rule="@request.auth.id != '' && owner = @request.auth.id",
        ),
        base("ba_query", text("n"), createRule="@request.query.q = 'yes'"),
        base("ba_counted", text("n"), createRule="@collection.ba_counted.n ?!= n"),
    ),
    people={"user": Person("ba_users", "bauser000000001", "bauser@example.com")},
    records=(("ba", {"id": "barecord0000001", "n": "kept", "v": 1}),),
)  # fmt: skip


def post(collection: str, body: Any, query: str = "", **more: Any) -> dict[str, Any]:
    return {
        "method": "POST", "url": f"/api/collections/{collection}/records{query}", "body": body,
        **more,
    }  # fmt: skip


def put(collection: str, body: Any) -> dict[str, Any]:
    return {"method": "PUT", "url": f"/api/collections/{collection}/records", "body": body}


def patch(collection: str, record_id: str, body: Any, query: str = "") -> dict[str, Any]:
    return {
        "method": "PATCH", "url": f"/api/collections/{collection}/records/{record_id}{query}",
        "body": body,
    }  # fmt: skip


def remove(collection: str, record_id: str) -> dict[str, Any]:
    return {"method": "DELETE", "url": f"/api/collections/{collection}/records/{record_id}"}


def batch(*requests: Any, who: str = "guest") -> Step:
    return Step("POST", BATCH, who, json={"requests": list(requests)})


ID = "banew0000000001"
KEPT = "barecord0000001"
RESULTS = [
    Scenario("one create", batch(post("ba", {"n": "x"})), 200),
    Scenario("two creates", batch(post("ba", {"n": "x"}), post("ba", {"n": "y", "v": 5})), 200),
    Scenario(
        "create, update, delete",
        batch(post("ba", {"id": ID, "n": "x"}), patch("ba", ID, {"v+": 5}), remove("ba", ID)), 200,
        after=(view("ba", ID),),
    ),
    Scenario("an upsert creates", batch(put("ba", {"id": "baupsert0000001", "n": "x"})), 200),
    Scenario("an upsert updates", batch(put("ba", {"id": KEPT, "v": 7})), 200),
    Scenario("an upsert without an id", batch(put("ba", {"n": "x"})), 200),
    Scenario("an upsert with an empty id", batch(put("ba", {"id": "", "n": "x"})), 200),
    Scenario(
        "an upsert twice",
        batch(
            put("ba", {"id": "baupsert0000002", "v": 1}),
            put("ba", {"id": "baupsert0000002", "v+": 2}),
        ),
        200,
    ),
    Scenario(
        "modifiers add up",
        batch(
            patch("ba", KEPT, {"v": 0}), patch("ba", KEPT, {"v+": 2}), patch("ba", KEPT, {"v+": 3}),
        ),
        200,
    ),
    Scenario(
        "expand and fields",
        batch(post("ba_refs", {"n": "x", "to": KEPT}, "?expand=to&fields=n,expand.to.n")), 200,
    ),
    Scenario(
        "a later request refers to an earlier one",
        batch(
            post("ba", {"id": "balater00000001", "n": "x"}),
            post("ba_refs", {"to": "balater00000001"}),
        ),
        200,
    ),
    Scenario(
        "a delete cascades to an earlier create",
        batch(
            post("ba", {"id": "bacasc000000001"}),
            post("ba_cascade", {"id": "bacasc000000002", "to": "bacasc000000001"}),
            remove("ba", "bacasc000000001"),
        ),
        200, after=(view("ba_cascade", "bacasc000000002"),),
    ),
    Scenario(
        "a unique value moves in one batch",
        batch(patch("ba", "{before.0.0.body.id}", {"u": ""}), post("ba", {"u": "moving"})), 200,
        before=(batch(post("ba", {"u": "moving"})),),
    ),
    Scenario(
        "a deleted record's unique value is free",
        batch(remove("ba", "{before.0.0.body.id}"), post("ba", {"u": "freed"})), 200,
        before=(batch(post("ba", {"u": "freed"})),),
    ),
    Scenario(
        "an id is deleted and made again",
        batch(
            post("ba", {"id": "baagain00000001", "n": "1"}), remove("ba", "baagain00000001"),
            post("ba", {"id": "baagain00000001", "n": "2"}),
        ),
        200, after=(view("ba", "baagain00000001"),),
    ),
    Scenario("@request.context is batch", batch(post("ba_context", {"n": "x"})), 200),
    Scenario(
        "headers of an inner request",
        batch(post("ba_header", {"n": "x"}, headers={"X-Inner": "yes"})), 200,
    ),
    Scenario(
        "headers of the outer request",
        Step(
            "POST", BATCH, json={"requests": [post("ba_header", {"n": "x"})]},
            headers={"X-Inner": "yes"},
        ),
        200,
    ),
    Scenario(
        "the method of inner requests",
        batch(
            post("ba_method", {"id": "bamethod0000001", "n": "x"}),
            patch("ba_method", "bamethod0000001", {"n": "y"}),
        ),
        200,
    ),
    Scenario("the query of an inner request", batch(post("ba_query", {"n": "x"}, "?q=yes")), 200),
    Scenario(
        "a user's batch",
        batch(post("ba_owned", {"n": "x", "owner": "bauser000000001"}), who="user"), 200,
    ),
    Scenario(
        "a superuser's batch",
        batch(post("ba_closed", {"n": "x"}), post("ba", {"hid": "seen"}), who="super"), 200,
    ),
    Scenario(
        "an id that needs decoding is not decoded",
        batch(patch("ba", "barecord%30000001", {"v": 1})), 400,
    ),
    Scenario("a collection by its id", batch(post("{collection.ba}", {"n": "x"})), 200),
    Scenario("null as a body", batch(post("ba", None)), 200),
    Scenario("no body", batch({"method": "POST", "url": "/api/collections/ba/records"}), 200),
    Scenario(
        "a lower-case method",
        batch({"method": "post", "url": "/api/collections/ba/records", "body": {}}), 400,
    ),
    Scenario(
        "multipart, as the SDK sends it",
        Step(
            "POST", BATCH,
            parts=(
                Part(
                    "@jsonPayload",
                    '{"requests":[{"method":"POST","url":"/api/collections/ba/records","body":{"n":"sdk"}}]}',
                ),
            ),
        ),
        200,
    ),
    Scenario(
        "auth records",
        batch(
            post(
                "ba_users",
                {"email": "b1@example.com", "password": "12345678", "passwordConfirm": "12345678"},
            ),
        ),
        200,
    ),
    Scenario(
        "with fields of the outer request",
        Step(
            "POST", BATCH, query={"fields": "status,body.n"},
            json={"requests": [post("ba", {"n": "x"})]},
        ),
        200,
    ),
]  # fmt: skip
FAILED_KEEP = (listing("ba", filter="n = 'undone'"),)
FAILURES = [
    Scenario(
        "nothing is kept of a batch that fails",
        batch(post("ba", {"n": "undone"}), post("ba", {"n": "x" * 21})), 400, after=FAILED_KEEP,
    ),
    Scenario(
        "the first fails", batch(post("ba", {"ms": ["z"]}), post("ba", {"n": "undone"})), 400,
        after=FAILED_KEEP,
    ),
    Scenario(
        "the third fails",
        batch(
            post("ba", {"n": "undone"}), post("ba", {"n": "undone"}),
            patch("ba", "missing00000001", {}),
        ),
        400, after=FAILED_KEEP,
    ),
    Scenario(
        "an update of a record",
        batch(patch("ba", KEPT, {"n": "undone"}), remove("ba", "missing00000001")), 400,
        after=(*FAILED_KEEP, view("ba", KEPT)),
    ),
    Scenario(
        "a delete is undone", batch(remove("ba", KEPT), post("ba_closed", {})), 400,
        after=(view("ba", KEPT),),
    ),
    Scenario(
        "a unique value twice in one batch",
        batch(post("ba", {"u": "twice"}), post("ba", {"u": "twice"})), 400,
    ),
    Scenario(
        "an id twice in one batch",
        batch(post("ba", {"id": "batwice00000001"}), post("ba", {"id": "batwice00000001"})), 400,
    ),
    Scenario("a null rule", batch(post("ba_closed", {"n": "x"})), 400),
    Scenario(
        "a rule of auth", batch(post("ba_owned", {"n": "x", "owner": "bauser000000001"})), 400,
    ),
    Scenario(
        "an inner Authorization is ignored",
        batch(
            post(
                "ba_owned", {"n": "x", "owner": "bauser000000001"},
                headers={"Authorization": "{token.user}"},
            ),
        ),
        400,
    ),
    Scenario("an inner query that lacks", batch(post("ba_query", {"n": "x"})), 400),
    Scenario("a missing collection", batch(post("ba_zzz", {})), 400),
    Scenario(
        "a required reference blocks",
        batch(
            post("ba", {"id": "bablock00000001"}), post("ba_refs", {"to": "bablock00000001"}),
            remove("ba", "bablock00000001"),
        ),
        400,
    ),
    Scenario("a missing related record", batch(post("ba_refs", {"to": "missing00000001"})), 400),
    Scenario(
        "a relation to a record deleted before",
        batch(
            post("ba", {"id": "badelet00000001"}), remove("ba", "badelet00000001"),
            post("ba_refs", {"to": "badelet00000001"}),
        ),
        400,
    ),
    Scenario(
        "GET is not allowed", batch({"method": "GET", "url": "/api/collections/ba/records"}), 400,
    ),
    Scenario("another path", batch({"method": "POST", "url": "/api/collections"}), 400),
    Scenario(
        "a login",
        batch(
            {"method": "POST", "url": "/api/collections/ba_users/auth-with-password", "body": {}},
        ),
        400,
    ),
    Scenario("a batch in a batch", batch({"method": "POST", "url": "/api/batch", "body": {}}), 400),
    Scenario(
        "DELETE of no id", batch({"method": "DELETE", "url": "/api/collections/ba/records"}), 400,
    ),
    Scenario(
        "PUT with an id in the path",
        batch({"method": "PUT", "url": f"/api/collections/ba/records/{KEPT}", "body": {}}), 400,
    ),
    Scenario(
        "POST with an id in the path",
        batch({"method": "POST", "url": f"/api/collections/ba/records/{KEPT}", "body": {}}), 400,
    ),
    Scenario(
        "a URL with a host",
        batch({"method": "POST", "url": "http://x/api/collections/ba/records", "body": {}}), 400,
    ),
    Scenario(
        "a URL without /api",
        batch({"method": "POST", "url": "/collections/ba/records", "body": {}}), 400,
    ),
    Scenario("no method", batch({"url": "/api/collections/ba/records"}), 400),
    Scenario("no url", batch({"method": "POST"}), 400),
    Scenario("an empty request", batch({}), 400),
    Scenario(
        "a trailing slash",
        batch({"method": "POST", "url": "/api/collections/ba/records/", "body": {}}), 400,
    ),
    Scenario("requests are no list", Step("POST", BATCH, json={"requests": "x"}), 400),
    Scenario("a request is no object", Step("POST", BATCH, json={"requests": ["x"]}), 400),
    Scenario("a body is no object", Step("POST", BATCH, json={"requests": [post("ba", [1])]}), 400),
    Scenario("no requests", Step("POST", BATCH, json={}), 400),
    Scenario("an empty list", Step("POST", BATCH, json={"requests": []}), 400),
    Scenario("an empty body", Step("POST", BATCH), 400),
    Scenario("null requests", Step("POST", BATCH, json={"requests": None}), 400),
    Scenario("61 of 60 requests", batch(*[post("ba", {})] * 61), 400),
    Scenario("101 requests", batch(*[post("ba", {})] * 101), 400),
    Scenario("60 requests", batch(*[post("ba_closed", {"n": "x"})] * 60, who="super"), 200),
    Scenario("by GET", Step("GET", BATCH), 404),
]  # fmt: skip


@pytest.mark.parametrize("scenario", RESULTS + FAILURES, ids=lambda scenario: scenario.name)
def test_batches_are_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)


def test_a_batch_is_refused_while_batches_are_off(pair: Pair) -> None:
    off = Step("PATCH", "/api/settings", "super", json={"batch": {"enabled": False}})
    on = Step("PATCH", "/api/settings", "super", json={"batch": {"enabled": True}})
    pair.check(Scenario("off", batch(post("ba", {})), 403, before=(off,)))
    for side in (pair.theirs, pair.ours):
        assert side.send(on).status == 200


def test_the_limit_of_requests_is_a_setting(pair: Pair) -> None:
    two = Step("PATCH", "/api/settings", "super", json={"batch": {"maxRequests": 2}})
    back = Step("PATCH", "/api/settings", "super", json={"batch": {"maxRequests": 60}})
    pair.check(Scenario("3 of 2", batch(*[post("ba", {})] * 3), 400, before=(two,)))
    for side in (pair.theirs, pair.ours):
        assert side.send(back).status == 200
