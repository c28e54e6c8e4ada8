"""With IAM enforced: the app works with what its role allows, and its role allows no more."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.conformance.client import Client, Part, multipart
from tests.deployed import stage
from tests.deployed.stage import Deployed
from tools.deploy.package import Package
from tools.local_aws import client
from tools.local_aws.client import LocalAws

DOCUMENTS = {
    "name": "documents", "type": "base",
    "fields": [
        {"name": "title", "type": "text", "required": True},
        {"name": "number", "type": "number"},
        {"name": "author", "type": "relation", "collectionId": "_pb_users_auth_"},
        {"name": "file", "type": "file", "maxSize": 1000000},
    ],
    "indexes": [
        "CREATE UNIQUE INDEX one ON documents (title)", "CREATE INDEX two ON documents (number)"
    ],
}  # fmt: skip
RECORDS = "/api/collections/documents/records"

PROBE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    answers = {}
    for name, service, operation, arguments in event["calls"]:
        try:
            getattr(boto3.client(service), operation)(**arguments)
            answers[name] = "done"
        except ClientError as error:
            answers[name] = error.response["Error"]["Code"]
    return answers
"""


@pytest.fixture(scope="module")
def strict_aws() -> Iterator[LocalAws]:
    """A local AWS that checks signatures and enforces policies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH", "true")
        running = client.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def live(strict_aws: LocalAws, packaged: Package) -> Iterator[Deployed]:
    outputs = stage.run(strict_aws, packaged)
    stage.make_superuser(strict_aws)
    with stage.reached(strict_aws, outputs) as deployed:
        yield deployed


def test_the_app_works_with_the_permissions_of_its_role(live: Deployed) -> None:
    live.must("POST", "/api/collections", DOCUMENTS)
    user = live.must("POST", "/api/collections/users/records", {
        "email": "a@example.com", "password": "12345678", "passwordConfirm": "12345678",
    })  # fmt: skip
    live.must("PATCH", "/api/settings", {"batch": {"enabled": True}})
    made = live.must("POST", RECORDS, {"title": "one", "number": 9, "author": user["id"]})
    live.must("POST", "/api/batch", {"requests": [
        {"method": "POST", "url": RECORDS, "body": {"title": f"more {n}", "number": n}}
        for n in range(3)
    ]})  # fmt: skip
    listed = live.must("GET", f"{RECORDS}?filter=number>0&sort=-number&expand=author")
    assert listed["items"][0]["expand"]["author"]["id"] == user["id"]
    live.must("PATCH", f"{RECORDS}/{made['id']}", {"number": 7})
    assert live.ask("DELETE", f"{RECORDS}/{made['id']}").status == 204
    body = {"identity": "a@example.com", "password": "12345678"}
    live.must("POST", "/api/collections/users/auth-with-password", body)
    live.must("PATCH", "/api/collections/documents", {"indexes": []})
    assert live.ask("DELETE", "/api/collections/documents/truncate").status == 204


ECHO = "def handler(event, context):\n    return event\n"


def test_functions_work_with_the_permissions_of_the_two_roles(live: Deployed) -> None:
    live.must("POST", "/api/collections", {"name": "watched", "type": "base"})
    live.must("POST", "/api/functions", {
        "name": "echo", "runtime": "python3.11", "handler": "main.handler", "secrets": {"PIN": "1"},
        "reservedConcurrency": 5, "triggers": [
            {"type": "record", "collection": "watched", "actions": ["create"]},
            {"type": "queue", "queue": "letters"},
            {"type": "schedule", "expression": "rate(1 hour)"},
        ]})  # fmt: skip
    live.must("PUT", "/api/functions/echo/code", {"files": {"main.py": ECHO}})
    assert live.must("POST", "/api/functions/echo/invoke", {"event": 1})["result"] == 1
    live.must("POST", "/api/functions/echo/invoke?mode=async", {"event": 2})
    live.must("POST", "/api/collections/watched/records", {})
    live.must("POST", "/api/queues/letters/messages", {"messages": [{"body": 1}]})
    wanted = {"invoke", "record", "queue"}
    deadline = time.monotonic() + 60
    while True:
        calls = live.must("GET", "/api/functions/echo/invocations?status=succeeded")["items"]
        if len(calls) >= 4 and {each["trigger"] for each in calls} == wanted:
            break
        assert time.monotonic() < deadline, live.must("GET", "/api/functions/echo/invocations")
        time.sleep(0.5)
    live.must("GET", "/api/functions/echo/logs")
    live.must("DELETE", "/api/functions/echo")


def test_large_documents_reach_the_bucket(live: Deployed) -> None:
    body = {"name": "large", "type": "base", "fields": [{"name": "data", "type": "json"}]}
    live.must("POST", "/api/collections", body)
    path = "/api/collections/large/records"
    made = live.must("POST", path, {"data": "x" * 500_000})
    assert len(live.must("GET", f"{path}/{made['id']}")["data"]) == 500_000


CALLS: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("own item", "dynamodb", "get_item", {"TableName": "TABLE", "Key": "KEY"}, "done"),
    ("own list", "s3", "list_objects_v2", {"Bucket": "BUCKET"}, "done"),
    ("scan", "dynamodb", "scan", {"TableName": "TABLE"}, "AccessDeniedException"),
    ("drop", "dynamodb", "delete_table", {"TableName": "TABLE"}, "AccessDeniedException"),
    ("others' item", "dynamodb", "get_item", {"TableName": "others", "Key": "KEY"},
     "AccessDeniedException"),
    ("buckets", "s3", "list_buckets", {}, "AccessDenied"),
    ("others' object", "s3", "get_object", {"Bucket": "others", "Key": "x"}, "AccessDenied"),
    ("roles", "iam", "list_roles", {}, "AccessDenied"),
    ("functions", "lambda", "list_functions", {}, "AccessDeniedException"),
]  # fmt: skip


def test_the_role_is_refused_what_it_does_not_need(live: Deployed) -> None:
    with stage.environment(live.aws):
        answers = probe(live)
    assert answers == {name: expected for name, _, _, _, expected in CALLS}


def probe(live: Deployed) -> dict[str, str]:
    """Make the calls from a function that has the app's role."""
    boto3.client("s3").create_bucket(Bucket="others")
    boto3.client("s3").put_object(Bucket="others", Key="x", Body=b"x")
    functions = boto3.client("lambda")
    name = live.outputs["APIHandlerName"]
    role = functions.get_function_configuration(FunctionName=name)["Role"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("probe.py", PROBE)
    functions.create_function(
        FunctionName="dormouse-dev-probe", Runtime="python3.11", Role=role, Timeout=60,
        Handler="probe.handler", Code={"ZipFile": code.getvalue()},
    )  # fmt: skip
    known = {
        "TABLE": live.outputs["TableName"], "BUCKET": live.outputs["BucketName"],
        "KEY": {"PK": {"S": "x"}, "SK": {"S": "x"}},
    }  # fmt: skip
    calls = [
        (name, service, operation, {key: known.get(value, value) for key, value in given.items()})
        for name, service, operation, given, _ in CALLS
    ]
    payload = json.dumps({"calls": calls}).encode()
    told = functions.invoke(FunctionName="dormouse-dev-probe", Payload=payload)
    answers: dict[str, str] = json.loads(told["Payload"].read())
    return answers


def test_files_go_through_the_role(live: Deployed) -> None:
    body = {"name": "files", "type": "base",
            "fields": [{"name": "file", "type": "file", "maxSize": 1000000}]}  # fmt: skip
    live.must("POST", "/api/collections", body)
    content, kind = multipart((Part("file", b"hello", "hello.txt", "text/plain"),))
    browser = Client(live.base_url)
    headers = {"Content-Type": kind, "Authorization": live.token}
    made = browser.request("POST", "/api/collections/files/records", content, headers)
    assert made.status == 200, made
    name, record = made.json["file"], made.json["id"]
    # API Gateway hands on bytes to callers that name a type, as all browsers do.
    got = browser.request("GET", f"/api/files/files/{record}/{name}", headers={"Accept": "*/*"})
    browser.close()
    assert (got.status, got.content) == (200, b"hello")
