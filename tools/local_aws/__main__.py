"""Start the local AWS; it prints `ready URL` when it answers, or `refused REASON`."""

import argparse
import fcntl
import os
import sys
import time
from pathlib import Path
from typing import IO

from tools.local_aws import emulator, server
from tools.local_aws.journal import CorruptJournalError

LOCK_WAIT_SECONDS = 5.0
"""How long a start waits for an instance that is on its way out, after a kill of its parent."""


def main() -> int:
    options = _options()
    directory: Path | None = options.state_dir
    lock = None
    if directory:
        lock = _locked(directory)
        if not lock:
            return _refuse(f"the state directory {directory} is in use by another local AWS")
    try:
        listener = server.bind(options.port)
    except OSError:
        return _refuse(f"port {options.port} is taken: set DORMOUSE_AWS_PORT to a free one")
    port = listener.getsockname()[1]
    try:
        emulator_app = emulator.load(port, directory)
    except emulator.WrongVersionError as error:
        return _refuse(str(error))
    from tools.local_aws import cures  # noqa: PLC0415 - only after the environment is set

    try:
        app = cures.install(emulator_app, directory)
    except CorruptJournalError as error:
        return _refuse(str(error))
    url = f"http://127.0.0.1:{port}"
    server.run(app, listener, options.parent, lambda: _announce(url))
    return 0


def _announce(url: str) -> None:
    print(f"ready {url}", flush=True)  # noqa: T201
    # Nobody reads the pipe any more, and a full pipe would stop us.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.local_aws", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="0 takes a free one")
    parser.add_argument("--state-dir", type=Path, help="without it nothing is kept")
    parser.add_argument("--parent", type=int, default=0, help="stop when this process is gone")
    return parser.parse_args()


def _locked(directory: Path) -> IO[str] | None:
    """Return the open lock file of a state directory, or None if another process has it."""
    directory.mkdir(parents=True, exist_ok=True)
    file = (directory / "lock").open("w")
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.1)
        else:
            return file


def _refuse(reason: str) -> int:
    print(f"refused {reason}")  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
