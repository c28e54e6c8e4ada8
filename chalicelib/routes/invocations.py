"""Routes of calls: /api/functions/{name}/invoke, /invocations and /logs"""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint
from chalicelib.web.reply import Reply

FUNCTION = "/api/functions/{name}"
INVOCATION = FUNCTION + "/invocations/{id}"

invocations_api = ApiBlueprint(__name__)


@invocations_api.route(FUNCTION + "/invoke", methods=["POST"])
def invoke_function(call: Call, name: str) -> Any:
    return Reply(*_of(services.function_calls.invoke(call, name)))


@invocations_api.route(FUNCTION + "/invocations")
def list_invocations(call: Call, name: str) -> Any:
    return services.invocations.page(call, name)


@invocations_api.route(INVOCATION)
def view_invocation(call: Call, name: str, id: str) -> Any:  # noqa: A002 (the path's name)
    return services.invocations.view(call, name, id)


@invocations_api.route(INVOCATION + "/replay", methods=["POST"])
def replay_invocation(call: Call, name: str, id: str) -> Any:  # noqa: A002 (the path's name)
    return Reply(*_of(services.replays.replay(call, name, id)))


@invocations_api.route(FUNCTION + "/logs")
def view_logs(call: Call, name: str) -> Any:
    return services.function_logs.page(call, name)


def _of(answer: Any) -> tuple[Any, int, dict[str, str]]:
    return answer.body, answer.status, answer.headers
