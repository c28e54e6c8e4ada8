"""The Chalice app: gathers the routes and the event handlers. Holds no logic."""

import importlib

from chalicelib.routes.health import health_api
from chalicelib.routes.not_served import not_served_api
from chalicelib.web.app import App

app = App("dormouse")
for name in ("records", "batch", "collections", "auth", "settings"):
    try:
        module = importlib.import_module(f"chalicelib.routes.{name}")
    except ModuleNotFoundError:
        continue
    app.register_blueprint(getattr(module, f"{name}_api"))
app.register_blueprint(health_api)
app.register_blueprint(not_served_api)
