"""Routes of the settings: /api/settings"""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

settings_api = ApiBlueprint(__name__)


@settings_api.route("/api/settings")
def view_settings(call: Call) -> Any:
    return services.settings.view(call)


@settings_api.route("/api/settings", methods=["PATCH"])
def update_settings(call: Call) -> Any:
    return services.settings.update(call)
