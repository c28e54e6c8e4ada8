"""Route of the usage: /api/usage"""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

usage_api = ApiBlueprint(__name__)


@usage_api.route("/api/usage")
def view_usage(call: Call) -> Any:
    return services.usage.view(call)
