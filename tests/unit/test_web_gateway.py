"""One `Edge` for the events of every front door."""

from typing import Any

import pytest

from chalicelib.web import gateway
from chalicelib.web.router import Router

RECORD = "/api/collections/{collection}/records/{id}"
ROUTES: dict[str, Any] = {"/": {}, gateway.FALLBACK: {}, "/api/health": {}, RECORD: {}}


def read(event: dict[str, Any]) -> gateway.Edge:
    return gateway.read(event, ROUTES, Router(ROUTES))


def rest(resource: str, path: str, **more: Any) -> dict[str, Any]:
    """An event of an API Gateway REST API."""
    return {
        "resource": resource,
        "path": path,
        "httpMethod": "GET",
        "headers": {"Host": "h", "X-Many": "last"},
        "multiValueHeaders": {"Host": ["h"], "X-Many": ["first", "last"]},
        "queryStringParameters": {"a": "2"},
        "multiValueQueryStringParameters": {"a": ["1", "2"]},
        "pathParameters": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": "GET",
            "path": "/api" + path,
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": None,
        "isBase64Encoded": False,
        **more,
    }


def local(path: str, **more: Any) -> dict[str, Any]:
    """An event of `chalice local`."""
    return {
        "headers": {"host": "h"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": {},
        "body": None,
        "requestContext": {
            "httpMethod": "GET",
            "resourcePath": gateway.FALLBACK,
            "identity": {"sourceIp": "127.0.0.1"},
            "path": path,
        },
        **more,
    }


def test_rest_event_is_read_as_matched() -> None:
    parameters = {"collection": "a%40b", "id": "%2525"}
    edge = read(rest(RECORD, "/api/collections/a%40b/records/%2525", pathParameters=parameters))
    assert edge.route == RECORD
    assert edge.parameters == parameters  # API Gateway has decoded them; not again
    assert edge.headers == {"host": "h", "x-many": "first"}
    assert edge.query == {"a": ["1", "2"]}
    assert edge.ip == "192.0.2.1"


def test_stage_called_api_stands_for_the_prefix() -> None:
    resource = RECORD.removeprefix("/api")
    parameters = {"collection": "c", "id": "i"}
    edge = read(rest(resource, "/collections/c/records/i", pathParameters=parameters))
    assert (edge.route, edge.parameters) == (RECORD, parameters)
    assert edge.path == "/api/collections/c/records/i"


@pytest.mark.parametrize("path", ["/api/collections/c/records/i", "/collections/c/records/i"])
def test_what_the_fallback_caught_is_matched_here(path: str) -> None:
    edge = read(rest(gateway.FALLBACK, path, pathParameters={"proxy": path[1:]}))
    assert (edge.route, edge.parameters) == (RECORD, {"collection": "c", "id": "i"})
    assert edge.path == "/api/collections/c/records/i"


def test_slash_at_the_end_is_another_path_though_api_gateway_matched_it() -> None:
    assert read(rest("/health", "/health/")).route == gateway.FALLBACK


def test_local_event_is_decoded() -> None:
    edge = read(local("/api/collections/a%40b/records/%C3%A9"))
    assert (edge.route, edge.parameters) == (RECORD, {"collection": "a@b", "id": "é"})


def test_unknown_path_has_the_fallback_route() -> None:
    assert read(local("/nope")).route == gateway.FALLBACK


def test_payload_2_is_read_alike() -> None:
    edge = read(
        {
            "version": "2.0",
            "rawPath": "/live/api/collections/c/records/i",
            "rawQueryString": "a=1&a=2&empty=&b=%C3%A9",
            "headers": {"content-type": "text/plain"},
            "requestContext": {
                "stage": "live",
                "http": {"method": "PATCH", "sourceIp": "192.0.2.7"},
            },
            "body": "eA==",
            "isBase64Encoded": True,
        }
    )
    assert (edge.method, edge.route, edge.ip) == ("PATCH", RECORD, "192.0.2.7")
    assert edge.path == "/api/collections/c/records/i"
    assert edge.query == {"a": ["1", "2"], "empty": [""], "b": ["é"]}
    assert (edge.event["body"], edge.event["isBase64Encoded"]) == ("eA==", True)


def test_bare_event_is_enough() -> None:
    edge = read({"resource": "/api/health", "path": "/api/health", "headers": None})
    assert (edge.method, edge.route, edge.headers, edge.query) == ("GET", "/api/health", {}, {})


def test_single_query_values_serve_where_the_lists_are_missing() -> None:
    event = rest("/api/health", "/api/health", multiValueQueryStringParameters=None)
    assert read(event).query == {"a": ["2"]}


def test_event_is_left_as_it_is() -> None:
    event = rest("/health", "/health")
    copy = {**event, "headers": dict(event["headers"])}
    read(event).for_chalice()
    assert event == copy
