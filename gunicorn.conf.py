"""How the container serves; each value can be overridden by `GUNICORN_CMD_ARGS`."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 8
timeout = 60
keepalive = 75
control_socket_disable = True
"""Nothing steers it but signals."""
