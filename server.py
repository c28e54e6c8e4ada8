"""The app for an ordinary WSGI server: `gunicorn server`. Lambda does not use this."""

from app import app
from chalicelib.web import wsgi

application = wsgi.application(app)
