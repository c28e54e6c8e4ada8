"""How this program was called, so that hints can be typed as they are."""

import os

NAME = os.environ.get("DORMOUSE_PROGRAM") or "python -m tools.cli"
