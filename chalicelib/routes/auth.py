"""Routes of signing in: /api/collections/{collection}/auth-*, .../impersonate/{id}"""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint
from chalicelib.web.reply import Reply

COLLECTION = "/api/collections/{collection}"

auth_api = ApiBlueprint(__name__)


@auth_api.route(COLLECTION + "/auth-methods")
def auth_methods(call: Call, collection: str) -> Any:
    return services.auth.auth_methods(call, collection)


@auth_api.route(COLLECTION + "/auth-with-password", methods=["POST"])
def auth_with_password(call: Call, collection: str) -> Any:
    try:
        return services.auth.auth_with_password(call, collection)
    except services.mfa.MfaRequiredError as challenge:
        # The one error without an envelope (measured on PocketBase 0.40.6).
        return Reply({"mfaId": challenge.mfa_id}, challenge.status)


@auth_api.route(COLLECTION + "/auth-refresh", methods=["POST"])
def auth_refresh(call: Call, collection: str) -> Any:
    return services.auth.auth_refresh(call, collection)


@auth_api.route(COLLECTION + "/impersonate/{id}", methods=["POST"])
def impersonate(call: Call, collection: str, id: str) -> Any:  # noqa: A002 - the path's name
    return services.auth.impersonate(call, collection, id)
