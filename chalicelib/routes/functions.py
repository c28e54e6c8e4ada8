"""Routes of functions: what they are, their code and versions. Calls: invocations.py, fn.py."""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

FUNCTIONS = "/api/functions"
FUNCTION = FUNCTIONS + "/{name}"

functions_api = ApiBlueprint(__name__)


@functions_api.route(FUNCTIONS)
def list_functions(call: Call) -> Any:
    return services.functions.list(call)


@functions_api.route(FUNCTIONS, methods=["POST"])
def create_function(call: Call) -> Any:
    return _changed(services.functions.create(call))


@functions_api.route(FUNCTION)
def view_function(call: Call, name: str) -> Any:
    return services.functions.view(call, name)


@functions_api.route(FUNCTION, methods=["PATCH"])
def update_function(call: Call, name: str) -> Any:
    return _changed(services.functions.update(call, name))


@functions_api.route(FUNCTION, methods=["DELETE"])
def delete_function(call: Call, name: str) -> Any:
    return services.functions.delete(call, name)


@functions_api.route(FUNCTION + "/code", methods=["PUT"])
def put_code(call: Call, name: str) -> Any:
    return _changed(services.function_code.put(call, name))


@functions_api.route(FUNCTION + "/code")
def view_code(call: Call, name: str) -> Any:
    return services.function_code.view(call, name)


@functions_api.route(FUNCTION + "/code/upload", methods=["POST"])
def begin_code_upload(call: Call, name: str) -> Any:
    return services.function_code.begin_upload(call, name)


@functions_api.route(FUNCTION + "/versions")
def list_versions(call: Call, name: str) -> Any:
    return services.functions.versions(call, name)


@functions_api.route(FUNCTION + "/rollback", methods=["POST"])
def roll_back(call: Call, name: str) -> Any:
    return _changed(services.functions.rollback(call, name))


def _changed(function: dict[str, Any]) -> Any:
    """Return the answer to a change: 202 while AWS does not have all of it."""
    if function["state"] != "deploying":
        return function
    from chalicelib.web.reply import Reply  # noqa: PLC0415  (lazy: hardly ever)

    return Reply(function, 202)
