"""Import ministack with the environment that it reads at import time, and check its version.

The environment leaks into every Lambda function that ministack runs, so callers start the
launcher with a small one (`client.py`).
"""

import importlib.metadata
import os
from pathlib import Path
from types import ModuleType

SUPPORTED_VERSION = "1.5.33"


class WrongVersionError(Exception):
    """The installed ministack is not the one whose private names the cures replace."""


def load(port: int, state_directory: Path | None) -> ModuleType:
    """Return ministack's application module, set up for `port` and, if given, for persistence.

    Raises `WrongVersionError`.
    """
    version = importlib.metadata.version("ministack")
    if version != SUPPORTED_VERSION:
        raise WrongVersionError(
            f"ministack {version} is installed, but the local AWS needs {SUPPORTED_VERSION}: "
            "pip install -r requirements-dev.txt"
        )
    os.environ.update(_environment(port, state_directory))
    return importlib.import_module("ministack.app")


def _environment(port: int, state_directory: Path | None) -> dict[str, str]:
    environment = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
    }
    if state_directory:
        # Without S3_PERSIST an object of 500 MB costs 669 MB of memory.
        environment |= {"PERSIST_STATE": "1", "STATE_DIR": str(state_directory / "state")}
        environment |= {"S3_PERSIST": "1", "S3_DATA_DIR": str(state_directory / "s3")}
    return environment
