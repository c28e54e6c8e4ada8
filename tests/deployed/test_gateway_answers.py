"""What API Gateway answers by itself has PocketBase's shape, and a browser may read it."""

import gzip
from collections.abc import Mapping

import boto3
import pytest

from tests.conformance.client import Answer, Client
from tests.deployed import stage
from tests.deployed.stage import Deployed

ORIGIN = {"Origin": "https://example.com"}


def ask(
    live: Deployed, method: str, path: str, content: bytes | None = None,
    headers: Mapping[str, str] = ORIGIN,
) -> Answer:  # fmt: skip
    client = Client(live.base_url)
    try:
        return client.request(method, path, content, headers)
    finally:
        client.close()


def check(answer: Answer, status: int, message: str) -> None:
    assert answer.status == status
    assert answer.json == {"data": {}, "message": message, "status": status}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"


def test_a_method_that_no_route_has_is_404(deployed: Deployed) -> None:
    answer = ask(deployed, "PROPFIND", "/api/health")
    check(answer, 404, "The requested resource wasn't found.")


def test_a_request_that_is_too_large_is_413(deployed: Deployed) -> None:
    body = b"x" * (10 * 1024 * 1024 + 1)
    answer = ask(deployed, "POST", "/api/collections/users/records", body)
    check(answer, 413, "Request entity too large.")


def test_a_throttled_request_is_429(deployed: Deployed) -> None:
    path = "/*/*/throttling"
    on = [
        {"op": "replace", "path": f"{path}/rateLimit", "value": "0"},
        {"op": "replace", "path": f"{path}/burstLimit", "value": "0"},
    ]
    where = {"restApiId": deployed.outputs["RestAPIId"], "stageName": "api"}
    with stage.environment(deployed.aws):
        gateway = boto3.client("apigateway")
        gateway.update_stage(**where, patchOperations=on)
        try:
            answer = ask(deployed, "GET", "/api/health")
        finally:
            off = [{"op": "remove", "path": "/*/*"}]
            gateway.update_stage(**where, patchOperations=off)
    check(answer, 429, "Too Many Requests.")
    assert ask(deployed, "GET", "/api/health").status == 200


@pytest.mark.parametrize("wanted", ["gzip", ""])
def test_large_answers_are_compressed_for_who_wants_it(deployed: Deployed, wanted: str) -> None:
    headers = {"Authorization": deployed.token, **({"Accept-Encoding": wanted} if wanted else {})}
    answer = ask(deployed, "GET", "/api/collections", headers=headers)
    assert answer.headers.get("content-encoding", "") == wanted
    content = gzip.decompress(answer.content) if wanted else answer.content
    assert answer.status == 200
    assert b'"users"' in content
