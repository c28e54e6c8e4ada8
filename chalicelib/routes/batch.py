"""The route of batches: several record writes in one request."""

from typing import Any

from chalicelib import services
from chalicelib.domain.request import Call
from chalicelib.routes.api import ApiBlueprint

batch_api = ApiBlueprint(__name__)


@batch_api.route("/api/batch", methods=["POST"])
def run_batch(call: Call) -> Any:
    return services.batch.run(call)
