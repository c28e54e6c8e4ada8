"""API Gateway events of the operations that are measured."""

import json
from typing import Any

from tests.benchmarks.peers.common import RECORD

ONE = "/api/collections/{collection}/records/{id}"
MANY = "/api/collections/{collection}/records"

Event = dict[str, Any]


def event(
    method: str,
    resource: str,
    parameters: dict[str, str],
    query: dict[str, str] | None = None,
    body: Any = None,
) -> Event:
    """Return a REST API (payload 1.0) proxy event."""
    path = resource.format(**parameters)
    headers = {"Host": "bench.example.com", "Accept": "*/*"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {n: [v] for n, v in query.items()} if query else None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "stage": "api",
            "path": path,
            "requestId": "r",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def operations(collection: str = "posts", record_id: str = "rec000000000001") -> dict[str, Event]:
    """Return the three operations: get one, create, list 30 newest of a category."""
    many, one = {"collection": collection}, {"collection": collection, "id": record_id}
    query = {"perPage": "30", "sort": "-created", "filter": 'category="news"'}
    return {
        "get": event("GET", ONE, one),
        "create": event("POST", MANY, many, body=RECORD),
        "list": event("GET", MANY, many, query),
    }
