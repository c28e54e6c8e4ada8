"""Run `chalice local` as a child that ends with its parent.

    python -m tools.serve --parent PID --port 8000

Chalice's own server would outlive a `kill -9` of `make run` and keep the port.
"""

import argparse
import os
import sys
import threading
import time
from typing import NoReturn

import chalice.cli

PARENT_POLL_SECONDS = 0.25


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.serve", description=__doc__)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()
    sys.argv = ["chalice", "local", "--stage", "local", "--no-autoreload"]
    sys.argv += ["--port", str(options.port)]
    chalice.cli.main()


def _end_with(parent: int) -> NoReturn:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
