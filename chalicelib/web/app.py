"""The Chalice app, made to answer alike wherever it runs.

`App.__call__` is the one door of every HTTP request: `chalice local`, API Gateway and
`web.wsgi` all end here, and nothing leaves without PocketBase's envelope, CORS and security
headers. Views are registered through `routes.api.ApiBlueprint`.

An API Gateway stage is part of the URL. Ours is called `api`, so while `chalice package` or
`chalice deploy` reads the routes they lose their `/api`: host + stage + route is then what
PocketBase's clients call, `https://host/api/collections/...`.
"""

import base64
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

from chalice import Blueprint, Chalice
from chalice.app import Request

from chalicelib.aws import dynamodb
from chalicelib.config import settings
from chalicelib.errors import ApiError, NotFoundError
from chalicelib.web import gateway, headers
from chalicelib.web.gateway import Edge
from chalicelib.web.payload import within_limit
from chalicelib.web.reply import Reply, of_error
from chalicelib.web.router import Router

log = logging.getLogger("dormouse")

ANSWER_SECONDS = 0.5
"""Kept back from the platform's deadline, to send the answer."""

Late = Callable[[], Iterable[Blueprint]]

_edge: ContextVar[Edge] = ContextVar("edge")
_request: ContextVar[Any] = ContextVar("request", default=None)
_context: ContextVar[Any] = ContextVar("context", default=None)


def current_edge() -> Edge:
    """Return the request that this thread is answering."""
    return _edge.get()


class App(Chalice):
    """Chalice, less its differences between local, deployed and PocketBase."""

    def __init__(self, app_name: str) -> None:
        super().__init__(app_name)
        self.api.binary_types = ["*/*"]
        self._router: Router | None = None
        self._late: dict[str, Late] = {}
        self._loading = threading.Lock()
        self.route("/", methods=headers.ALL_METHODS)(not_found)
        self.route(gateway.FALLBACK, methods=headers.ALL_METHODS)(not_found)
        if "chalice.local" in sys.modules:
            from chalicelib.web import local  # noqa: PLC0415  (lazy: only chalice's own tools)

            local.level()

    # Chalice keeps these two on the app, where threads would overwrite each other's.
    @property
    def current_request(self) -> Any:
        if _request.get() is None:
            _request.set(Request(_edge.get().for_chalice(), _context.get()))
        return _request.get()

    @current_request.setter
    def current_request(self, request: Any) -> None:
        _request.set(request)

    @property
    def lambda_context(self) -> Any:
        return _context.get()

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        _context.set(context)

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one API Gateway event; never raises."""
        request_headers: dict[str, str] = {}
        try:
            edge = self._read(event)
            if edge.method == "OPTIONS":
                return Reply(None, 204, self._options(edge)).to_dict()
            request_headers = edge.headers
            answer = self._answer(edge, context)
        except Exception:
            log.exception("no answer")
            answer = of_error(ApiError()).to_dict()
        if "own" in answer:
            from chalicelib.web import own_reply  # noqa: PLC0415  (lazy: functions' answers)

            own_reply.complete(answer, request_headers, event.get("version") == "2.0")
        else:
            headers.complete(answer["headers"], request_headers)
        return answer

    def later(self, *segments: str) -> Callable[[Late], Late]:
        """Return a decorator for a function that returns blueprints: it is called, and they are
        registered, when a path first begins with one of `segments` (after `/api` or alone).

        So their modules and routes cost no cold start but that of who needs them. While Chalice
        packages, which is to see all routes, that is at once.
        """

        def remember(late: Late) -> Late:
            self._late |= dict.fromkeys(segments, late)
            if "AWS_CHALICE_CLI_MODE" in os.environ:
                self.load_late()
            return late

        return remember

    def load_late(self) -> None:
        """Register what was left for later."""
        with self._loading:
            for late in dict.fromkeys(self._late.values()):
                for blueprint in late():
                    self.register_blueprint(blueprint)
            self._late = {}

    def _read(self, event: dict[str, Any]) -> Edge:
        late = self._late  # as it was before the look: another thread may be registering them
        edge = gateway.read(event, self.routes, self._routes_tree())
        if edge.route == gateway.FALLBACK and late:
            begins = {unquote(segment) for segment in edge.path.split("/", 3)[1:3]}
            if begins & late.keys():
                self.load_late()
                return gateway.read(event, self.routes, self._routes_tree())
        return edge

    def _answer(self, edge: Edge, context: Any) -> dict[str, Any]:
        _edge.set(edge)
        _request.set(None)
        _context.set(context)
        before = dynamodb.deadline.set(_deadline(context))
        try:
            return self._routed(edge, context)
        finally:
            # What this thread does next is not bound by a request that has been answered.
            dynamodb.deadline.reset(before)

    def _routed(self, edge: Edge, context: Any) -> dict[str, Any]:
        route = self.routes[edge.route].get(edge.method)
        if route is None:
            return not_found().to_dict()
        if self.middleware_handlers or not hasattr(route.view_function, "answers_errors"):
            answer = self._answer_by_chalice(edge, context)
        else:
            # Chalice's own dispatch costs 30 microseconds and adds nothing to these views.
            answer = route.view_function(**edge.parameters).to_dict()
        if edge.method == "HEAD":
            answer["body"], answer["isBase64Encoded"] = "", False
        return within_limit(answer)

    def _options(self, edge: Edge) -> dict[str, str]:
        """Return the answer to OPTIONS, with what the route's view has to announce itself."""
        found = headers.of_preflight(edge.headers)
        route = self.routes[edge.route].get("OPTIONS")
        announce = getattr(route and route.view_function, "announce", None)
        return {**found, **announce()} if announce else found

    def _answer_by_chalice(self, edge: Edge, context: Any) -> dict[str, Any]:
        answer: dict[str, Any] = super().__call__(edge.for_chalice(), context)
        body = answer["body"]
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body)[:8].decode("latin-1")
        # An error of Chalice's own; ours have PocketBase's envelope already.
        return of_error(ApiError()).to_dict() if body.startswith('{"Code":') else answer

    def _routes_tree(self) -> Router:
        router = self._router
        if router is None:
            with self._loading:  # or it could miss what another thread is registering
                router = self._router = Router(self.routes)
        return router

    def serves(self, path: str, method: str) -> bool:
        """Return whether a view is registered for `path`, which begins with `/api`."""
        return method in self.routes.get(_in_stage(path), {})

    def _register_route(
        self, name: str, user_handler: Any, kwargs: Any, **unused: dict[str, Any]
    ) -> None:
        """Register a route for HEAD and OPTIONS too, whatever its content type."""
        path, options = _in_stage(kwargs["path"]), kwargs["kwargs"]
        methods = list(options.get("methods", ["GET"]))
        if "GET" in methods and "HEAD" not in methods:
            methods.append("HEAD")
        if "OPTIONS" not in methods and "OPTIONS" not in self.routes[path]:
            methods.append("OPTIONS")
        options = {**options, "methods": methods, "content_types": ["*/*"]}
        self._router = None
        # A copy, because Chalice takes the options out and the blueprint could not be used again.
        kwargs = {**kwargs, "path": path, "kwargs": options}
        super()._register_route(name, user_handler, kwargs, **unused)


def not_found(**_parameters: str) -> Reply:
    """Answer what has no route. A GET names a file, as PocketBase's static handler does."""
    if current_edge().method in ("GET", "HEAD"):
        return of_error(NotFoundError("File not found."))
    return of_error(NotFoundError())


not_found.answers_errors = True  # type: ignore[attr-defined]  # never raises


def _deadline(context: Any) -> float:
    """Return when the answer must be ready, by the monotonic clock."""
    seconds = settings().request_seconds
    if context is not None:
        left = context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS
        seconds = min(seconds, left)
    return time.monotonic() + seconds


def _in_stage(path: str) -> str:
    """Return a route's path as this process has it: without `/api` while it is packaged."""
    by_cli = "AWS_CHALICE_CLI_MODE" in os.environ
    if by_cli and ("package" in sys.argv or "deploy" in sys.argv):
        return path.removeprefix(gateway.PREFIX) or "/"
    return path
