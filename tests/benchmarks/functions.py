"""What the road through `/fn/{name}` costs beside a direct call of Lambda, in CPU and in time.

    python -m tests.benchmarks.functions [--rounds N] [--calls N] [--cold N]

All call a warm function of the local AWS through the same lean client; what is between them is
the gate: rule, token, invocation, receipt, usage, and the reservation under a money cap. Turn
about, in one process, whose CPU counts as a whole.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tools.local_aws import client

LIMIT_MS = 3.0
SOURCE = "def handler(event, context):\n    return {'hello': 'world'}\n"
NAME, CAPPED = "bench", "capped"


class Cost(NamedTuple):
    """Milliseconds of one call."""

    cpu: float
    wall: float


def main() -> int:
    options = _options()
    aws = client.start()
    os.environ.update(aws.environment())
    try:
        _prepare()
        overhead = _warm(options.rounds, options.calls)
        _cold(options.cold)
    finally:
        aws.stop()
    return 0 if overhead <= LIMIT_MS else 1


def _prepare() -> None:
    from chalicelib import services  # noqa: PLC0415 (after the environment is set)
    from tests.integration.function_client import Functions  # noqa: PLC0415 (likewise)
    from tools import bootstrap  # noqa: PLC0415 (likewise)

    bootstrap.table_and_bucket()
    services.collections.initialise()
    functions = Functions()
    functions.make(NAME, SOURCE, invokeRule="", triggers=[{"type": "http"}])
    cap = {"amount": 100, "per": "day"}
    functions.make(CAPPED, SOURCE, invokeRule="", triggers=[{"type": "http"}], capUsd=cap)


def _warm(rounds: int, calls: int) -> float:
    """Print what a warm call costs on each road; return the largest difference in CPU."""
    roads = {
        "direct invoke": _direct(),
        f"/fn/{NAME}": _through_the_app(NAME),
        f"/fn/{CAPPED}": _through_the_app(CAPPED),
    }
    found: dict[str, list[Cost]] = {name: [] for name in roads}
    for turn in range(rounds + 1):
        for name, call in roads.items():
            cost = _cost(call, calls if turn else 20)
            if turn:
                found[name].append(cost)
    medians = {
        name: Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))
        for name, costs in found.items()
    }
    for name, cost in medians.items():
        print(f"{name:15} {cost.cpu:6.2f} ms CPU {cost.wall:7.2f} ms")
    direct, *through = (cost.cpu for cost in medians.values())
    between = [cpu - direct for cpu in through]
    told = " and ".join(f"{cpu:.2f}" for cpu in between)
    print(f"{'between them':15} {told} ms CPU, limit {LIMIT_MS}")
    return max(between)


def _cost(call: Callable[[], None], calls: int) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    spent = time.process_time() - cpu
    return Cost(spent / calls * 1e3, (time.perf_counter() - wall) / calls * 1e3)


def _direct() -> Callable[[], None]:
    from chalicelib.aws import lambda_invoke  # noqa: PLC0415 (after the environment is set)
    from chalicelib.config import settings  # noqa: PLC0415 (likewise)
    from chalicelib.domain.functions import names  # noqa: PLC0415 (likewise)

    name = names.lambda_function(settings().resource_prefix, NAME)
    payload = json.dumps(_event()).encode()

    def call() -> None:
        if lambda_invoke.invoke(name, "1", payload, 10).function_error:
            raise RuntimeError("the function failed")

    return call


def _through_the_app(name: str) -> Callable[[], None]:
    from app import app  # noqa: PLC0415 (after the environment is set)

    event = {**_event(), "path": f"/fn/{name}"}

    def call() -> None:
        answer = app(event, None)
        if answer["statusCode"] != 200:
            raise RuntimeError(answer["body"])

    return call


def _event() -> dict[str, Any]:
    return {
        "path": f"/fn/{NAME}",
        "headers": {"content-type": "application/json", "accept": "*/*", "host": "bench.example"},
        "multiValueQueryStringParameters": None,
        "requestContext": {"httpMethod": "POST", "identity": {"sourceIp": "192.0.2.1"}},
        "body": '{"name": "Ann"}',
        "isBase64Encoded": False,
    }


COLD = """
import json, sys, time
event = json.load(sys.stdin)
loaded = set(sys.modules)
began = time.process_time()
import app
answer = app.app(event, None)
assert answer["statusCode"] == 200, answer
cpu = (time.process_time() - began) * 1e3
own = len([name for name in set(sys.modules) - loaded if name.startswith("chalicelib")])
print(json.dumps([cpu, own, [n for n in ("boto3", "botocore", "dataclasses") if n in sys.modules]]))
"""


def _cold(runs: int) -> None:
    """Print the CPU from the first import to the first answer of a new process."""
    figures = []
    for _ in range(runs):
        run = subprocess.run(
            [sys.executable, "-c", COLD],
            input=json.dumps(_event()),
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        )
        figures.append(json.loads(run.stdout.splitlines()[-1]))
    if figures:
        cpu = statistics.median(cpu for cpu, _, _ in figures)
        print(f"{'cold /fn':15} {cpu:6.1f} ms CPU, {figures[0][1]} modules, slow: {figures[0][2]}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--calls", type=int, default=100, help="warm calls a round")
    parser.add_argument("--cold", type=int, default=5, help="processes that call once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
