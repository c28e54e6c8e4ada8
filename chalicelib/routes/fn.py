"""Routes of functions' HTTP trigger: /fn/{name} and below, also as /api/fn/{name}

Their answers are in a module of their own, imported when the first call comes.
"""

from typing import Any

from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

fn_api = ApiBlueprint(__name__)


@fn_api.route("/api/fn/{name}", methods=METHODS)
def wake_function(call: Call, name: str) -> Any:
    return _answers().wake(call, name)


@fn_api.route("/api/fn/{name}/{proxy+}", methods=METHODS)
def wake_function_below(call: Call, name: str, **_proxy: str) -> Any:
    return _answers().wake(call, name)


def _answers() -> Any:
    from chalicelib.routes import fn_answers  # noqa: PLC0415  (lazy: only functions need it)

    return fn_answers
