"""The Chalice app: gathers the routes and the event handlers. Holds no logic."""

from collections.abc import Iterable
from typing import Any

from chalice import Blueprint

from chalicelib.routes.auth import auth_api
from chalicelib.routes.batch import batch_api
from chalicelib.routes.collections import collections_api
from chalicelib.routes.files import files_api
from chalicelib.routes.health import health_api
from chalicelib.routes.not_served import not_served_api
from chalicelib.routes.records import records_api
from chalicelib.routes.settings import settings_api
from chalicelib.routes.uploads import uploads_api
from chalicelib.web.app import App

app = App("dormouse")
for blueprint in (
    records_api, batch_api, auth_api, collections_api, settings_api, files_api, uploads_api,
    health_api
):  # fmt: skip
    app.register_blueprint(blueprint)
app.register_blueprint(not_served_api(app))  # last: what the others left


@app.later("functions", "queues", "usage", "fn")
def functions() -> Iterable[Blueprint]:
    from chalicelib.routes import of_functions  # noqa: PLC0415  (lazy: no record needs them)

    return of_functions.BLUEPRINTS


@app.lambda_function(name="wake")
def wake(event: dict[str, Any], context: Any) -> Any:
    """Work on what queues, the table's stream and the clock bring; not behind any route."""
    from chalicelib.events import wake as edge  # noqa: PLC0415  (lazy: no request needs it)

    return edge.handle(event, context)
