"""The Chalice app: gathers the routes and the event handlers. Holds no logic."""

from chalicelib.routes.health import health_api
from chalicelib.web.app import App

app = App("dormouse")
for blueprint in (health_api,):
    app.register_blueprint(blueprint)
