"""Reading an API Gateway event, whichever front door it came through.

API Gateway REST         the route is matched, its variables are decoded
chalice local            variables still percent-encoded, no `path`, no `multiValueHeaders`
an ordinary server       `web.wsgi` builds an event like that of `chalice local`
HTTP API, Function URL   payload 2.0: no route of ours, the query as text

`read` turns each into one `Edge`. Sources: Chalice 1.34.0's `local.py`, AWS's payload formats.
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
    route: str
    """The pattern it matched, `FALLBACK` if none."""
    parameters: dict[str, str]
    """The route's variables, decoded."""
    headers: dict[str, str]
    """Lower-case names, first value of each."""
    query: dict[str, list[str]]
    ip: str
    event: Event

    def for_chalice(self) -> Event:
        """Return the event with all that Chalice relies on."""
        context = self.event.get("requestContext") or {}
        return {
            **self.event,
            # Chalice refuses to answer in a binary type, and all of ours are, without one.
            "headers": {"accept": "*/*", **self.headers},
            "multiValueQueryStringParameters": self.query or None,
            "pathParameters": self.parameters,
            "stageVariables": self.event.get("stageVariables"),
            "body": self.event.get("body"),
            "requestContext": {**context, "resourcePath": self.route, "httpMethod": self.method},
        }


def read(event: Event, routes: "Mapping[str, Any]", router: "Router") -> Edge:
    """Return the request that an event of any front door describes."""
    if event.get("version") == "2.0":
        event = _from_payload_2(event)
    context = event.get("requestContext") or {}
    method = context.get("httpMethod") or event.get("httpMethod") or "GET"
    route, parameters, path = _route(event, context, routes, router)
    ip = (context.get("identity") or {}).get("sourceIp") or ""
    return Edge(method, path, route, parameters, _headers(event), _query(event), ip, event)


def _headers(event: Event) -> dict[str, str]:
    several = event.get("multiValueHeaders")
    if several:
        return {name.lower(): values[0] for name, values in several.items() if values}
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _query(event: Event) -> dict[str, list[str]]:
    several: dict[str, list[str]] | None = event.get("multiValueQueryStringParameters")
    if several:
        return several
    return {name: [value] for name, value in (event.get("queryStringParameters") or {}).items()}


def _route(
    event: Event, context: Event, routes: "Mapping[str, Any]", router: "Router"
) -> tuple[str, dict[str, str], str]:
    """Return the route's pattern, its variables and the path."""
    path = event.get("path")
    resource = event.get("resource") or context.get("resourcePath") or FALLBACK
    # API Gateway matches a path with a slash at its end; PocketBase does not.
    if path is not None and resource != FALLBACK and (path[-1:] != "/" or path == "/"):
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
    stage = context.get("stage", "$default")
    path = event.get("rawPath") or "/"
    raw_query = event.get("rawQueryString") or ""
    query = parse_qs(raw_query, keep_blank_values=True)
    is_url = ".lambda-url." in (context.get("domainName") or "")
    return {
        "gateway": "url" if is_url else "http",
        "rawQueryString": raw_query,
        "cookies": event.get("cookies"),
        "headers": event.get("headers"),
        "multiValueQueryStringParameters": query,
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded", False),
        "requestContext": {
            "httpMethod": context["http"]["method"],
            "path": path if stage == "$default" else path.removeprefix(f"/{stage}") or "/",
            "identity": {"sourceIp": context["http"].get("sourceIp")},
        },
    }
