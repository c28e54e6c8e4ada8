"""What is measured; each function returns rows of a table, with the target beside the figure."""

import json
import statistics
import time
from http.client import HTTPConnection
from typing import Any, NamedTuple

from chalicelib.aws import dynamodb
from chalicelib.web.app import App
from tests.benchmarks import events, targets
from tests.benchmarks.handlers import Context
from tests.benchmarks.targets import BOTO3, FLOOR, OURS, Target


class Row(NamedTuple):
    """One figure. `limit` is the most it may be (with `is_floor`: the least)."""

    what: str
    figure: float
    unit: str
    beside: float | None
    limit: float | None
    is_floor: bool = False

    @property
    def holds(self) -> bool:
        if self.limit is None:
            return True
        return self.figure >= self.limit if self.is_floor else self.figure <= self.limit


Workers = dict[Target, Any]
"""A process that runs each target."""

COLD_LIMIT, WARM_LIMIT, LIST_LIMIT, UNITS_LIMIT = 1.8, 0.5, 0.4, 1.5


def cold(runs: int) -> list[Row]:
    """Cold GET of one record: CPU of the process up to the answer, turn about with the floor."""
    event = events.operations()["get"]
    ratios, ours = [], []
    for run in range(runs + 1):
        floor = targets.cold_start(FLOOR, event)["cpu_ms"]
        mine = targets.cold_start(OURS, event)["cpu_ms"]
        if run:
            ratios.append(mine / floor)
            ours.append(mine)
    ratio, cpu_ms = statistics.median(ratios), statistics.median(ours)
    return [Row("cold GET, CPU to bare floor's", ratio, "x", cpu_ms, COLD_LIMIT)]


def warm(rounds: int, calls: int) -> list[Row]:
    """Warm calls: CPU beside the same work on boto3 without a framework.

    Live, with all sockets; then with the network stubbed, which leaves the code and the client.
    A create makes two round trips here (the schema version first) and one there, so live the
    ratio is mostly that of the socket calls: its limit is for the code.
    """
    workers = {target: targets.child("warm", target) for target in (BOTO3, OURS)}
    live = {"list": LIST_LIMIT, "get": WARM_LIMIT, "create": None}
    stubbed = {"get": WARM_LIMIT, "create": WARM_LIMIT}
    try:
        return [
            *(_warm(workers, name, "live", limit, rounds, calls) for name, limit in live.items()),
            *(_warm(workers, n, "stubbed", limit, rounds, calls) for n, limit in stubbed.items()),
        ]
    finally:
        for process in workers.values():
            process.communicate(timeout=10)


def _warm(
    workers: Workers, name: str, mode: str, limit: float | None, rounds: int, calls: int
) -> Row:
    job = {"event": events.operations()[name], "stubbed": mode == "stubbed"}
    pairs = [_round(workers, job, calls if n else 20) for n in range(rounds + 1)][1:]
    ratio = statistics.median(mine / theirs for theirs, mine in pairs)
    own = statistics.median(mine for _, mine in pairs)
    return Row(f"warm {name}, {mode}: CPU to bare boto3's", ratio, "x", own, limit)


def _round(workers: Workers, job: dict[str, Any], calls: int) -> tuple[float, float]:
    figures = []
    for target, process in workers.items():
        process.stdin.write(json.dumps({**job, "calls": calls}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if answer["status"] != 200:
            raise RuntimeError(f"{target.name} answered {answer['status']}")
        figures.append(answer["cpu_us"])
    return figures[0], figures[1]


def units(app: App) -> list[Row]:
    """Capacity units of an operation, over those of the ideal single-table design.

    Ideal (DynamoDB Local's figures for an item under 1 KB): a strong GET 1 read, a create 1
    write, 2 with an index, 4 with a unique value, a page of 30 half a read each 4 KB.
    """
    named = {
        "get": (events.operations()["get"], 1.0),
        "create, no index": (events.operations("plain")["create"], 1.0),
        "create, one index": (events.operations()["create"], 2.0),
        "create, one unique field": (_unique_create(), 4.0),
        "list of 30": (_page_only(), 3.0),
    }
    rows = []
    for name, (event, ideal) in named.items():
        app(json.loads(json.dumps(event)), Context())
        if name == "create, one unique field":
            event = _unique_create()
        with dynamodb.meter() as meter:
            answer = app(event, Context())
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{name}: {answer['body']}")
        used = meter.read_units + meter.write_units
        rows.append(Row(f"units over ideal: {name}", used - ideal, "units", used, UNITS_LIMIT))
        rows.append(
            Row(f"DynamoDB calls: {name}", meter.calls, "calls", None, 1 if name == "get" else 2)
        )
    return rows


_slugs = iter(range(10**9))


def _unique_create() -> dict[str, Any]:
    event = events.operations("uniques")["create"]
    event["body"] = json.dumps({**json.loads(event["body"]), "slug": f"slug-{next(_slugs)}"})
    return event


def _page_only() -> dict[str, Any]:
    return events.event("GET", events.MANY, {"collection": "posts"}, _NEWEST)


def growth(app: App, few: int, many: int) -> list[Row]:
    """An indexed page of 30, newest first: its time out of `many` records to that out of `few`."""
    medians, reads = {}, {}
    for count in (few, many):
        name = targets.sized(count)
        event = events.event("GET", events.MANY, {"collection": name}, _NEWEST)
        explained = json.loads(app(targets.signed(event, explain="1"), Context())["body"])
        reads[count] = explained["explain"]["itemsRead"]
        times = []
        for _ in range(100):
            started = time.perf_counter()
            app(event, Context())
            times.append(time.perf_counter() - started)
        medians[count] = statistics.median(times)
    ratio, own = medians[many] / medians[few], medians[many] * 1e3
    return [
        Row(f"indexed page of 30 of {many}, time to that of {few}", ratio, "x", own, 5.0),
        Row(f"records read for a page of 30 of {many}", reads[many], "records", None, 31),
    ]


_NEWEST = {"perPage": "30", "sort": "-created", "filter": 'category="news"', "skipTotal": "1"}


def health(seconds: float) -> list[Row]:
    """`/api/health` of a real `chalice local` over one kept-alive connection."""
    with targets.local_server() as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            connection.request("GET", "/api/health")
            connection.getresponse().read()
            count += 1
        connection.close()
    rate = count / seconds
    return [Row("GET /api/health, kept alive", rate, "a second", None, 500, is_floor=True)]


def pages(app: App, depth: int) -> list[Row]:
    """Paging by cursor: items read for the first page and for one `depth` pages on."""
    targets.fill("plain", 30 * (depth + 1))
    cursor, reads = "", []
    for _ in range(depth):
        query = {"perPage": "30", "cursor": cursor, "explain": "1"}
        event = events.event("GET", events.MANY, {"collection": "plain"}, query)
        page = json.loads(app(targets.signed(event), Context())["body"])
        cursor = page["nextCursor"]
        reads.append(page["explain"]["capacityUnits"])
    ratio = reads[-1] / reads[0]
    return [Row(f"read units of page {depth} by cursor to page 1's", ratio, "x", reads[-1], 1.2)]
