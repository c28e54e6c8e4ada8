"""Parts of PocketBase's API that Dormouse does not serve yet: each says so, with a 501.

An SDK call to one of them fails at once with a message, instead of a 404 that reads like a
wrong address. Serving one means taking its line out of `NOT_SERVED`.
"""

from chalicelib.domain.request import Call
from chalicelib.errors import NotServedError
from chalicelib.routes.api import ApiBlueprint, View
from chalicelib.web.app import App

_AUTH = "/api/collections/{collection}"

NOT_SERVED: tuple[tuple[str, str, str], ...] = (
    ("GET POST", "/api/realtime", "Realtime subscriptions"),
    ("GET DELETE", "/api/logs", "Logs"),
    ("GET", "/api/logs/stats", "Logs"),
    ("GET", "/api/logs/{id}", "Logs"),
    ("GET", "/api/crons", "Cron jobs"),
    ("POST", "/api/crons/{id}", "Cron jobs"),
    ("GET POST", "/api/backups", "Backups"),
    ("POST", "/api/backups/upload", "Backups"),
    ("GET DELETE", "/api/backups/{key}", "Backups"),
    ("POST", "/api/backups/{key}/restore", "Backups"),
    ("POST", "/api/sql", "SQL"),
    ("GET POST", "/api/oauth2-redirect", "OAuth2"),
    ("POST", f"{_AUTH}/auth-with-oauth2", "OAuth2"),
    ("POST", f"{_AUTH}/request-otp", "One-time passwords"),
    ("POST", f"{_AUTH}/auth-with-otp", "One-time passwords"),
    ("POST", f"{_AUTH}/request-verification", "Mail"),
    ("POST", f"{_AUTH}/confirm-verification", "Mail"),
    ("POST", f"{_AUTH}/request-password-reset", "Mail"),
    ("POST", f"{_AUTH}/confirm-password-reset", "Mail"),
    ("POST", f"{_AUTH}/request-email-change", "Mail"),
    ("POST", f"{_AUTH}/confirm-email-change", "Mail"),
    ("POST", "/api/settings/test/s3", "Testing the file storage"),
    ("POST", "/api/settings/test/email", "Mail"),
    ("POST", "/api/settings/apple/generate-client-secret", "OAuth2"),
)
"""Methods, path, and what it belongs to."""


def not_served_api(app: App) -> ApiBlueprint:
    """Return the routes of what `app` does not serve; register it after all others."""
    blueprint = ApiBlueprint(__name__)
    for methods, path, part in NOT_SERVED:
        left = [method for method in methods.split() if not app.serves(path, method)]
        if left:
            blueprint.route(path, methods=left)(_refusing(part))
    return blueprint


def _refusing(part: str) -> View:
    def not_served(_call: Call, **_parameters: str) -> None:
        raise NotServedError(f"{part}: Dormouse does not serve this part of the API yet.")

    return not_served
