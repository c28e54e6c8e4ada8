"""Reading an API Gateway event, whichever front door it came through.

The doors differ (reference: Chalice 1.34.0's `local.py`, AWS's payload formats 1.0 and 2.0):

API Gateway REST   the route is matched, its variables are decoded
chalice local      variables still percent-encoded, no `path`, no `multiValueHeaders`
HTTP API, Function URL   payload 2.0: no route of ours, query as text
an ordinary server `web.wsgi` builds an event like `chalice local`'s

`read` turns each into one `Edge`, and into an event that Chalice itself understands.
"""

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.web.router import Router

Event = dict[str, Any]
FALLBACK = "/{proxy+}"
PREFIX = "/api"


class Edge(NamedTuple):
    """One request as it arrived: what `routes.api` builds a `Call` from."""

    method: str
    path: str
    """Begins with `/api`, whatever the stage is called."""
    headers: dict[str, str]
    """Lower-case names, first value of each."""
    query: dict[str, list[str]]
    ip: str
    event: Event
    """The event in Chalice's shape; its `requestContext.resourcePath` is the route."""


def read(event: Event, routes: "Mapping[str, Any]", router: "Router") -> Edge:
    """Return the request that an event of any front door describes."""
    if event.get("version") == "2.0":
        event = _from_payload_2(event)
    context = event.get("requestContext") or {}
    headers = _headers(event)
    headers.setdefault("accept", "*/*")  # Chalice refuses binary answers without one
    query = _query(event)
    method = context.get("httpMethod") or event.get("httpMethod") or "GET"
    route, parameters, path = _route(event, context, routes, router)
    levelled = {
        **event,
        "headers": headers,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters,
        "stageVariables": event.get("stageVariables"),
        "body": event.get("body"),
        "requestContext": {**context, "resourcePath": route, "httpMethod": method},
    }
    ip = (context.get("identity") or {}).get("sourceIp") or ""
    return Edge(method, path, headers, query, ip, levelled)


def _headers(event: Event) -> dict[str, str]:
    several = event.get("multiValueHeaders")
    if several:
        return {name.lower(): values[0] for name, values in several.items() if values}
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _query(event: Event) -> dict[str, list[str]]:
    several = event.get("multiValueQueryStringParameters")
    if several is not None:
        return several  # type: ignore[no-any-return]
    return {name: [value] for name, value in (event.get("queryStringParameters") or {}).items()}


def _route(
    event: Event, context: Event, routes: "Mapping[str, Any]", router: "Router"
) -> tuple[str, dict[str, str], str]:
    """Return the route's pattern, its variables and the path."""
    path = event.get("path")
    resource = event.get("resource") or context.get("resourcePath") or FALLBACK
    if path is not None and resource != FALLBACK and not (path.endswith("/") and path != "/"):
        for pattern in (resource, PREFIX + resource):
            if pattern in routes:
                return pattern, event.get("pathParameters") or {}, _with_prefix(path)
    path = path if path is not None else context.get("path") or "/"
    match = router.match(path) or router.match(PREFIX + path)
    if match is None:
        return FALLBACK, {}, path
    return match.pattern, match.parameters, _with_prefix(path)


def _with_prefix(path: str) -> str:
    return path if path.startswith(PREFIX + "/") else PREFIX + path


def _from_payload_2(event: Event) -> Event:
    """Return a payload 2.0 event (HTTP API, Function URL) in the shape of 1.0."""
    context = event["requestContext"]
    headers = dict(event.get("headers") or {})
    if event.get("cookies"):
        headers["cookie"] = "; ".join(event["cookies"])
    path = event.get("rawPath") or "/"
    stage = context.get("stage", "$default")
    if stage != "$default":
        path = path.removeprefix("/" + stage) or "/"
    return {
        "headers": headers,
        "multiValueQueryStringParameters": parse_qs(
            event.get("rawQueryString") or "", keep_blank_values=True
        ),
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded", False),
        "requestContext": {
            "httpMethod": context["http"]["method"],
            "path": path,
            "identity": {"sourceIp": context["http"].get("sourceIp")},
        },
    }
