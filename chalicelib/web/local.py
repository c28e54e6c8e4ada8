"""What `chalice local` lacks, put right in its own classes (Chalice 1.34.0, development only).

Nothing here runs in Lambda. The two that matter most: without a write buffer each answer
leaves in two segments, and Nagle's algorithm then holds the second for 40 ms; and a path
without a route would never reach the app.
"""

import sys
from typing import Any


def level() -> None:
    """Change the loaded `chalice.local`."""
    local = sys.modules["chalice.local"]
    handler: Any = local.ChaliceRequestHandler
    handler.wbufsize = -1
    handler.disable_nagle_algorithm = True
    local.ThreadedHTTPServer.request_queue_size = 128
