"""Routes of health: /api/health"""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

health_api = ApiBlueprint(__name__)


@health_api.route("/api/health")
def health(call: Call) -> dict[str, Any]:
    """Return that we are up. A superuser sees more; a guest costs no database call."""
    data: dict[str, Any] = {}
    if call.token and services.session.open(call).is_superuser:
        data = {"canBackup": False, "realIP": call.ip, "possibleProxyHeader": ""}
    return {"message": "API is healthy.", "code": 200, "data": data}
