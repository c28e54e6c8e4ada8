"""Functions for tests: made through the API on the local AWS, and called there."""

import json
import time
from typing import Any

import boto3

from chalicelib import aws, services, store
from chalicelib.config import settings
from chalicelib.domain.functions import names
from chalicelib.domain.functions.function import Function
from chalicelib.events import wake
from tests.integration.auth_client import Answer, Client
from tools import bootstrap

API = "/api/functions"
ARN = "arn:aws:sqs:us-east-1:000000000000:"


class Functions:
    """`functions.make(...)` uploads a Python source; the rest are calls of the API as superuser."""

    def __init__(self) -> None:
        self.client = Client()

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Return the answer to a superuser's request, with any headers beside the token."""
        return self.whole(method, path, body, headers)[0]

    def whole(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[Answer, dict[str, str]]:
        """Return the answer and its headers, by lower-case names."""
        path, _, query = path.partition("?")
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        sent = {"content-type": "application/json", "host": "api.example.com"}
        answer = self.client._app(
            {
                "path": API + path,
                "headers": {**sent, "authorization": self.client.root, **(headers or {})},
                "multiValueQueryStringParameters": {name: [value] for name, _, value in pairs},
                "requestContext": {"httpMethod": method, "identity": {"sourceIp": "127.0.0.1"}},
                "body": "" if body is None else json.dumps(body),
                "isBase64Encoded": False,
            },
            None,
        )
        content = answer["body"]
        told = {name.lower(): value for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], json.loads(content) if content else None), told

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """Return the body of what must succeed."""
        answer = self(method, path, body)
        assert answer.status in (200, 204), answer
        return answer.body

    def make(self, name: str, source: str, **settings: Any) -> dict[str, Any]:
        """Make a function whose handler is `main.handler`, and return it."""
        body = {"name": name, "runtime": "python3.11", "handler": "main.handler", **settings}
        self.ok("POST", "", body)
        return self.code(name, source)

    def code(self, name: str, source: str) -> dict[str, Any]:
        """Upload a new version."""
        made: dict[str, Any] = self.ok("PUT", f"/{name}/code", {"files": {"main.py": source}})
        return made

    def invoke(self, name: str, event: Any = None, query: str = "", **body: Any) -> Answer:
        return self("POST", f"/{name}/invoke{query}", {"event": event, **body})

    def call(self, name: str, event: Any = None, **body: Any) -> dict[str, Any]:
        """Return the finished call of what must answer 200."""
        answer = self.invoke(name, event, **body)
        assert answer.status == 200, answer
        call: dict[str, Any] = answer.body
        return call

    def function(self, name: str) -> Function:
        """Return a function as it is stored."""
        found = store.functions.load(name)
        assert found is not None
        return found

    def runs(self, name: str) -> int:
        """Return how often Lambda itself ran a function, by what its log says."""
        group = names.log_group(settings().resource_prefix, name)
        logs = boto3.client("logs")
        try:
            events = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return 0
        return sum(event["message"].startswith("START ") for event in events)


def make_wakes_queue() -> None:
    """Make the queue of background calls, as `make run` and a deployment have it."""
    bootstrap.wakes_queue()


def work_on_wakes(seconds: float = 0.0) -> int:
    """Do what the event edge does with the background calls that wait; return how many messages.

    With `seconds` it goes on for so long, or until there is nothing to do.
    """
    until, count = time.monotonic() + seconds, 0
    while True:
        found = len(deliver(services.wakes.queue_name())["records"])
        count += found
        if not found and time.monotonic() > until:
            return count
        if not found:
            time.sleep(0.05)


def deliver(queue: str, most: int = aws.sqs.MAX_BATCH) -> dict[str, Any]:
    """Hand what waits in a queue to the event edge once; return the messages and the failed."""
    records = received(queue, most)
    return {"records": records, "failed": handled(queue, records) if records else []}


def received(queue: str, most: int = aws.sqs.MAX_BATCH) -> list[dict[str, Any]]:
    """Return messages as Lambda hands them over."""
    found = aws.sqs.receive(queue, visibility_seconds=30, most=most)
    return [services.queue_delivery.as_event(each, ARN + queue) for each in found]


def handled(queue: str, records: list[dict[str, Any]], context: Any = None) -> list[str]:
    """Let the event edge work on messages, and delete those that it does not return as failed."""
    failures = wake.handle({"Records": records}, context)["batchItemFailures"]
    failed = [each["itemIdentifier"] for each in failures]
    done = [each["receiptHandle"] for each in records if each["messageId"] not in failed]
    aws.sqs.delete_batch(queue, done)
    return failed
