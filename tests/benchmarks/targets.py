"""The handlers that are measured, and the data each one works on."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from chalicelib import services
from chalicelib.domain.request import Body, Call
from tests.benchmarks.peers import common

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
RECORDS = 200


class Target(NamedTuple):
    name: str
    folder: str
    module: str
    attribute: str


FLOOR = Target("bare_floor", str(PEERS), "bare_floor", "handler")
BOTO3 = Target("bare_boto3", str(PEERS), "bare_boto3", "handler")
OURS = Target("dormouse", str(ROOT), "app", "app")


def child(mode: str, target: Target) -> subprocess.Popen[str]:
    """Start a process that runs a target (handlers.py), with bytecode as a package has it."""
    command = [sys.executable, "-m", "tests.benchmarks.handlers", mode, *target[1:]]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def cold_start(target: Target, event: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one cold start. Raises `RuntimeError` if it did not answer 200."""
    with child("cold", target) as process:
        out, _ = process.communicate(json.dumps(event), timeout=60)
    figures: dict[str, Any] = json.loads(out.splitlines()[-1]) if out else {"status": 0}
    if figures["status"] != 200:
        raise RuntimeError(f"{target.name} answered {figures['status']}")
    return figures


def prepare() -> None:
    """Make the yardsticks' table and the collections of ours, with the same records."""
    _peer_table()
    superuser = _superuser_call
    fields = [
        {"name": "title", "type": "text", "required": True, "max": 200},
        {"name": "body", "type": "text", "max": 5000},
        {"name": "views", "type": "number", "min": 0},
        {"name": "published", "type": "bool"},
        {
            "name": "category",
            "type": "select",
            "maxSelect": 1,
            "required": True,
            "values": list(common.CATEGORIES),
        },
        {"name": "email", "type": "email"},
        {"name": "created", "type": "autodate", "onCreate": True},
        {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
    ]
    opened = dict.fromkeys(("viewRule", "createRule", "updateRule", "deleteRule"), "")
    for name, indexes, more in (
        ("posts", ["CREATE INDEX ix_cat ON posts (category, created)"], []),
        ("plain", [], []),
        (
            "uniques",
            ["CREATE UNIQUE INDEX uq ON uniques (slug)"],
            [{"name": "slug", "type": "text"}],
        ),
    ):
        definition = {
            "name": name,
            "type": "base",
            "fields": fields + more,
            "indexes": indexes,
            "listRule": "published = true && views >= 0",
            **opened,
        }
        services.collections.create(superuser("POST", "/api/collections", definition))
    fill("posts", RECORDS)


def fill(collection: str, count: int, first: int = 0) -> None:
    """Write `count` sample records, one in five of category news."""
    for n in range(first, first + count):
        body = {**common.RECORD, "id": f"rec{n:012d}", "category": common.CATEGORIES[n % 5]}
        services.records.create(_superuser_call("POST", "", body), collection)


def sized(count: int) -> str:
    """Make an indexed collection of `count` records and return its name."""
    name = f"sized{count}"
    definition = {
        "name": name,
        "listRule": "",
        "fields": [
            {"name": "title", "type": "text"},
            {"name": "body", "type": "text"},
            {"name": "category", "type": "text"},
            {"name": "created", "type": "autodate", "onCreate": True},
        ],
        "indexes": [f"CREATE INDEX ix_{name} ON {name} (category, created)"],
    }
    services.collections.create(_superuser_call("POST", "/api/collections", definition))
    fill(name, count)
    return name


def signed(event: dict[str, Any], **query: str) -> dict[str, Any]:
    """Return the event as the superuser sends it, with more query parameters."""
    token = superuser_token()
    wanted = (event["queryStringParameters"] or {}) | query
    return event | {
        "headers": {**event["headers"], "Authorization": token},
        "multiValueHeaders": {**event["multiValueHeaders"], "Authorization": [token]},
        "queryStringParameters": wanted,
        "multiValueQueryStringParameters": {name: [value] for name, value in wanted.items()},
    }


@contextlib.contextmanager
def local_server() -> Iterator[int]:
    """Run `chalice local` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    chalice = Path(sys.executable).parent / "chalice"
    command = [str(chalice), "local", "--stage", "local", "--port", str(port), "--no-autoreload"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet) as process:
        try:
            _await_port(port)
            yield port
        finally:
            process.terminate()


def _await_port(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("chalice local did not start")


def _superuser_call(method: str, path: str, body: dict[str, Any]) -> Call:
    headers = {"authorization": superuser_token()}
    return Call(method, path, {}, headers, lambda: Body(body, {}))


_token: list[str] = []


def superuser_token() -> str:
    """Return the token of the benchmark's superuser, made on first use."""
    if not _token:
        email, password = "bench@example.com", "bench-bench-1"
        services.auth.create_superuser(email, password)
        body = Body({"identity": email, "password": password}, {})
        call = Call("POST", "", {}, {}, lambda: body)
        _token.append(services.auth.auth_with_password(call, "_superusers")["token"])
    return _token[0]


def _peer_table() -> None:
    client = boto3.client("dynamodb", region_name="us-east-1")
    keys = [("pk", "sk"), ("g1p", "g1s")]
    schemas = [
        [
            {"AttributeName": hash_key, "KeyType": "HASH"},
            {"AttributeName": range_key, "KeyType": "RANGE"},
        ]
        for hash_key, range_key in keys
    ]
    client.create_table(
        TableName=common.TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=schemas[0],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for pair in keys for name in pair
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_category",
                "KeySchema": schemas[1],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for n in range(RECORDS):
        record = {
            **common.RECORD,
            "id": f"rec{n:012d}",
            "category": common.CATEGORIES[n % 5],
            "created": f"2026-01-01 00:00:00.{n:03d}Z",
        }
        client.put_item(TableName=common.TABLE, Item=common.item(record))
