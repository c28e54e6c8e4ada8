"""Child processes that run a handler: once for a cold start, or many times for a warm one.

    python -m tests.benchmarks.handlers cold|warm FOLDER MODULE ATTRIBUTE

The event (cold), or one JSON line a job (warm), comes on stdin; figures go out as JSON lines.
Only what the Lambda runtime's own bootstrap has loaded is imported before the clock starts.
"""

import json
import logging  # noqa: F401 (loaded by the runtime's bootstrap)
import sys
import time
import traceback  # noqa: F401 (likewise)
from collections.abc import Callable
from typing import Any

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Context:
    """As much of Lambda's context as a handler looks at."""

    function_name = "bench"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 29000


def load(folder: str, module: str, attribute: str) -> Handler:
    sys.path.insert(0, folder)
    handler: Handler = getattr(__import__(module), attribute)
    return handler


def cold(folder: str, module: str, attribute: str) -> None:
    """Print the CPU of the whole process up to the first answer, and what it imported."""
    event = json.load(sys.stdin)
    loaded = set(sys.modules)
    handler = load(folder, module, attribute)
    answer = handler(event, Context())
    cpu_seconds = time.process_time()
    print(
        json.dumps(
            {
                "status": answer["statusCode"],
                "cpu_ms": cpu_seconds * 1e3,
                "modules": sorted(set(sys.modules) - loaded),
            }
        )
    )


def warm(folder: str, module: str, attribute: str) -> None:
    """For each job {event, calls, stubbed} print the CPU microseconds of one call."""
    handler, context = load(folder, module, attribute), Context()
    is_stubbed = False
    for line in sys.stdin:
        job = json.loads(line)
        if job["stubbed"] and not is_stubbed:
            from tests.benchmarks import stubs  # noqa: PLC0415 (finds the client that is in use)

            stubs.install()
            is_stubbed = True
        events = [json.loads(json.dumps(job["event"])) for _ in range(job["calls"])]
        started = time.process_time()
        answers = [handler(event, context) for event in events]
        cpu_us = (time.process_time() - started) / job["calls"] * 1e6
        status = max(answer["statusCode"] for answer in answers)
        print(json.dumps({"status": status, "cpu_us": cpu_us}), flush=True)


if __name__ == "__main__":
    {"cold": cold, "warm": warm}[sys.argv[1]](*sys.argv[2:5])
