"""Usage: what calls add to it, on the real table, and GET /api/usage."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib import store
from chalicelib.aws import dynamodb
from chalicelib.domain import prices
from chalicelib.domain.functions import invocation as invocations
from chalicelib.domain.functions import receipt, usage
from chalicelib.domain.functions.invocation import Invocation
from chalicelib.domain.functions.receipt import Figures, Receipt
from chalicelib.store import keys
from tests.integration.auth_client import USERS, Client, refused
from tests.integration.function_client import Functions

SHEET = prices.sheet("us-east-1", date(2026, 11, 23))
USAGE = "/api/usage"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def call(
    function: str, began: str, number: int = 0, status: str = "succeeded", **values: Any
) -> Invocation:
    call_id = invocations.new_id(at(began), bytes([number % 256]) * 11)
    values = {"started_ms": at(began), "billed_ms": 20, **values}
    return Invocation(call_id, "f" * 15, function, status, "invoke", **values)


def cost(memory_mb: int = 128, **values: Any) -> Receipt:
    return receipt.of(Figures(memory_mb, **{"billed_ms": 20, "gateway": "rest", **values}), SHEET)


def add(calls: Iterable[tuple[Invocation, Receipt | None]]) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda each: dynamodb.transact([store.usage.added(*each)]), calls))


@pytest.fixture(scope="module")
def client(table: str) -> Client:
    """A superuser's client; the table has usage of September to November 2026."""
    add(
        [
            (call("mailer", "2026-10-31 23:59:59", init_ms=80.5), cost(init_ms=80.5)),
            (call("mailer", "2026-11-01 00:00:00"), cost()),
            (call("resizer", "2026-11-01 12:00:00"), cost(512, s3_gets=1, gateway="")),
            (call("resizer", "2026-11-15 12:00:00", status="failed"), cost(512)),
            (call("resizer", "2026-11-15 12:00:01", status="throttled", billed_ms=0), None),
            (call("resizer", "2026-11-15 12:00:02", status="capped", billed_ms=0), None),
        ]
    )
    return Client()


def exact(client: Client, query: str) -> Any:
    """Return the answer with every number as the decimal that was printed."""
    answer = client("GET", USAGE + query, token=client.root)
    assert answer.status == 200, answer
    return json.loads(json.dumps(answer.body), parse_float=Decimal)


def test_usage_is_for_superusers(client: Client) -> None:
    client.account(USERS, "user@example.com")
    user = client.login(USERS, "user@example.com").body["token"]
    guest = refused(401, "The request requires valid record authorization token.")
    other = refused(403, "The authorized record is not allowed to perform this action.")
    assert client("GET", USAGE).refusal == guest
    assert client("GET", USAGE, token=user).refusal == other


def test_a_total_of_a_month(client: Client) -> None:
    answer = exact(client, "?from=2026-11-01&to=2026-11-30")
    assert answer["items"] == []
    total = answer["total"]
    small, large, failed = cost(), cost(512, s3_gets=1, gateway=""), cost(512)
    assert total["totalUsd"] == small.total + large.total + failed.total
    assert sum(line["usd"] for line in total["lines"]) == total["totalUsd"]
    del total["lines"], total["totalUsd"]
    assert total == {
        "calls": 3, "coldCalls": 0, "errors": 1, "throttled": 1, "capped": 1, "billedMs": 60,
        "gbSeconds": Decimal("0.0225"),
    }  # fmt: skip
    assert answer["sheet"]["region"] == "us-east-1"
    assert (answer["from"], answer["to"]) == ("2026-11-01", "2026-11-30")


def test_groups(client: Client) -> None:
    window = "?from=2026-10-01&to=2026-11-30&group="
    days = exact(client, window + "day")["items"]
    assert [(item["day"], item["calls"]) for item in days] == [
        ("2026-10-31", 1),
        ("2026-11-01", 2),
        ("2026-11-15", 1),
    ]
    functions = exact(client, window + "function")["items"]
    assert [(item["function"], item["calls"], item["coldCalls"]) for item in functions] == [
        ("mailer", 2, 1),
        ("resizer", 2, 0),
    ]
    lines = {item["line"]: item["usd"] for item in exact(client, window + "line")["items"]}
    assert list(lines) == ["requests", "compute", "init", "gateway", "s3Gets"]
    assert lines["s3Gets"] == Decimal("0.0000004")
    assert sum(lines.values()) == exact(client, window)["total"]["totalUsd"]
    both = exact(client, window + "day,function")["items"]
    assert [(item["day"], item["function"]) for item in both][-2:] == [
        ("2026-11-01", "resizer"),
        ("2026-11-15", "resizer"),
    ]


def test_one_function(client: Client) -> None:
    answer = exact(client, "?from=2026-10-01&to=2026-11-30&group=function&function=mailer")
    assert [item["function"] for item in answer["items"]] == ["mailer"]
    assert answer["total"]["totalUsd"] == cost(init_ms=80.5).total + cost().total
    nobody = exact(client, "?from=2026-10-01&to=2026-11-30&function=nobody")
    assert (nobody["total"]["calls"], nobody["total"]["totalUsd"]) == (0, 0)


def test_one_day_is_a_range(client: Client) -> None:
    assert exact(client, "?from=2026-11-15&to=2026-11-15")["total"]["calls"] == 1
    assert exact(client, "?from=2026-11-14&to=2026-11-14")["total"]["calls"] == 0


def test_without_dates_it_is_this_month_so_far(client: Client) -> None:
    today = datetime.now(UTC).date()
    answer = exact(client, "")
    assert answer["from"] == today.replace(day=1).isoformat()
    assert answer["to"] in (today.isoformat(), (today + timedelta(days=1)).isoformat())


def test_the_free_tier_covers_lambda_alone(client: Client) -> None:
    answer = exact(client, "?from=2026-11-01&to=2026-11-30&group=line&freeTier=1")
    usd = {item["line"]: item["usd"] for item in answer["items"]}
    assert usd == {
        "requests": 0,
        "compute": 0,
        "gateway": 2 * SHEET.rest_request,
        "s3Gets": SHEET.s3_get,
    }
    assert answer["freeTier"] is True


def test_the_free_tier_counts_the_days_and_functions_that_are_not_asked_for(
    client: Client,
) -> None:
    add([(call("hog", "2026-09-01 10:00:00"), cost(1024, billed_ms=400_000_000, gateway=""))])
    add([(call("late", "2026-09-02 10:00:00"), cost(1024, billed_ms=1000, gateway=""))])
    answer = exact(client, "?from=2026-09-02&to=2026-09-30&function=late&freeTier=1")
    assert answer["total"]["totalUsd"] == SHEET.gb_second_x86


WRONG = {
    "from=2026-13-01": "from",
    "from=yesterday": "from",
    "from=20261101": "from",
    "from=2026-W47-1": "from",
    "to=2026-11-31": "to",
    "to=9999-12-31": "to",
    "from=2026-11-02&to=2026-11-01": "from",
    "from=2025-11-01&to=2026-11-02": "from",
    "group=month": "group",
    "group=day,x": "group",
    "function=Not_A_Name": "function",
    "freeTier=perhaps": "freeTier",
}


@pytest.mark.parametrize("query", WRONG)
def test_what_makes_no_sense_is_refused_by_name(client: Client, query: str) -> None:
    answer = client("GET", f"{USAGE}?{query}", token=client.root)
    assert answer.status == 400
    assert list(answer.body["data"]) == [WRONG[query]]
    assert answer.body["message"] == "The usage cannot be told for these parameters."


def test_a_whole_year_may_be_asked_for(client: Client) -> None:
    answer = exact(client, "?from=2026-01-01&to=2027-01-01&group=function")
    assert len(answer["items"]) >= 2


def test_two_hundred_calls_at_once_are_all_counted_to_the_last_digit(table: str) -> None:
    receipts = [cost(129 + number, billed_ms=number) for number in range(200)]
    add(
        (call("crowd", "2025-06-01 10:00:00", number, billed_ms=number), receipts[number])
        for number in range(200)
    )
    rows = list(store.usage.rows(date(2025, 6, 1), date(2025, 6, 30)))
    total = usage.total(rows)
    assert total.counts == {"calls": 200, "billedMs": sum(range(200))}
    assert usage.usd(total) == sum(each.total for each in receipts)
    assert len(rows) == store.usage.SHARDS  # so that they do not all wait for one item


def test_the_months_of_the_functions(table: str) -> None:
    now = datetime(2025, 8, 31, 12, tzinfo=UTC)
    add(
        [
            (call("one", "2025-07-31 23:59:59"), cost()),
            (call("one", "2025-08-01 00:00:00", init_ms=1.0), cost()),
            (call("one", "2025-08-31 11:00:00"), cost()),
            (call("two", "2025-08-31 11:00:00"), cost()),
        ]
    )
    months = store.usage.month(now)
    assert {name: row.counts["calls"] for name, row in months.items()} == {"one": 2, "two": 1}
    one = months["one"]
    assert one.counts == {"calls": 2, "coldCalls": 1, "billedMs": 40}
    assert usage.usd(one) == 2 * cost().total


def test_a_month_over_one_page_is_read_to_its_end(table: str) -> None:
    for number in range(6):  # 1.8 MB
        key = keys.usage("2025-03-01", f"f{number}#0")
        dynamodb.put({**key, "c_calls": {"N": "1"}, "padding": {"S": "x" * 300_000}})
    rows = store.usage.rows(date(2025, 3, 1), date(2025, 3, 31))
    assert sum(row.counts["calls"] for row in rows) == 6


SOURCE = """
def handler(event, context):
    print(event)
    return event["n"] + 1
"""


def test_usage_is_the_sum_of_the_receipts_of_real_calls(client: Client) -> None:
    functions = Functions()
    functions.make("counter", SOURCE)
    calls = [functions.call("counter", {"n": 1}) for _ in range(3)]
    calls.append(functions.call("counter", {"n": "no number"}))
    functions.ok("PATCH", "/counter", {"capUsd": {"amount": "0.0000001", "per": "day"}})
    refusal = functions.invoke("counter", {"n": 1})
    assert refusal.status == 429
    assert [call["status"] for call in calls] == [*["succeeded"] * 3, "failed"]
    receipts = [json.loads(json.dumps(call["receipt"]), parse_float=Decimal) for call in calls]
    for each in receipts:
        assert sum(line["usd"] for line in each["lines"]) == each["totalUsd"]
    total = exact(client, "?function=counter")["total"]
    assert total["totalUsd"] == sum(each["totalUsd"] for each in receipts)
    assert {name: total[name] for name in ("calls", "coldCalls", "errors", "capped")} == {
        "calls": 4, "coldCalls": sum(call["initMs"] > 0 for call in calls), "errors": 1, "capped": 1
    }  # fmt: skip
    assert total["coldCalls"] >= 1
    assert total["billedMs"] == sum(call["billedMs"] for call in calls)
