"""What every route shares: `Call` in, PocketBase's answer out."""

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from chalice import Blueprint

from chalicelib.domain.request import Body, Call
from chalicelib.errors import ApiError
from chalicelib.web.app import current_edge
from chalicelib.web.gateway import Edge
from chalicelib.web.reply import Reply, of_error

log = logging.getLogger("dormouse")

View = Callable[..., Any]


class ApiBlueprint(Blueprint):
    """A Chalice blueprint whose views are `view(call, **path variables)`.

    What a view returns is answered as 200 JSON, None as 204, a `web.reply.Reply` as it is;
    what it raises, in PocketBase's envelope. The `fields` parameter is applied to every
    successful JSON answer, here and nowhere else.

    The translation wraps the view itself because Chalice swallows unknown exceptions there.
    """

    def route(
        self, path: str, methods: Sequence[str] = ("GET",), **options: Any
    ) -> Callable[[View], View]:
        """Register the view for `methods`. HEAD and OPTIONS come by themselves."""
        register = super().route(path, methods=list(methods), **options)
        return lambda view: register(_answering(view))


def call_of(edge: Edge) -> Call:
    """Return the request as the services see it."""
    query = {name: values[0] for name, values in edge.query.items() if values}
    return Call(edge.method, edge.path, query, edge.headers, lambda: _body(edge), edge.ip)


def answer(call: Call, work: Callable[[], Any]) -> Reply:
    """Return the reply to what `work` returns or raises."""
    try:
        result = work()
        reply = result if isinstance(result, Reply) else _reply(result)
        fields = call.query.get("fields")
        if fields and reply.is_json and reply.status_code < 300:
            reply.body = _pick(reply.body, fields)
        return reply
    except ApiError as error:
        return of_error(error)
    except Exception:
        log.exception("%s %s", call.method, call.path)
        return of_error(ApiError())


def _answering(view: View) -> View:
    @wraps(view)
    def answering(**parameters: str) -> Reply:
        call = call_of(current_edge())
        return answer(call, lambda: view(call, **parameters))

    answering.answers_errors = True  # type: ignore[attr-defined]  # see `web.app`
    return answering


def _reply(result: Any) -> Reply:
    return Reply(None, 204) if result is None else Reply(result)


def _pick(value: Any, fields: str) -> Any:
    from chalicelib.domain import picker  # noqa: PLC0415  (lazy: only `?fields=` needs it)

    return picker.pick(value, fields)


def _body(edge: Edge) -> Body:
    from chalicelib.web import body  # noqa: PLC0415  (lazy: a read has no body to parse)

    return body.read(edge)
