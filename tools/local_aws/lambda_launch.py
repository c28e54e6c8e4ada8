"""Start the process of a worker: where its code lies, what it is told, what it may not do."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from tools.local_aws import lambda_environment, lambda_process
from tools.local_aws.lambda_files import Files
from tools.local_aws.lambda_process import Process
from tools.local_aws.lambda_versions import MIB, Version

RESPONSE_BYTES = 6 * MIB + 100
_ESCAPED_JSON = ("python3.10", "python3.11")
"""Runtimes whose answers have nothing but ASCII."""
_WITHOUT_CALLBACKS = "nodejs24.x"


class Places(NamedTuple):
    """The directories of a worker."""

    task_root: Path
    layers: list[Path]
    """The highest first."""
    temporary: Path
    uid: int
    """Whose process it is; 0: ours."""


def unpack(version: Version, files: Files, temporary: Path, uid: int) -> Places:
    """Have code and layers on disk. Raises as `Files.code`."""
    layers = [
        files.layer(hashlib.sha256(layer).hexdigest(), layer)
        for layer in reversed(version.layers())
    ]
    return Places(files.code(version.code_sha256(), version.code), layers, temporary, uid)


def start(version: Version, places: Places, files: Files, stream: str) -> Process:
    """Return the new process, which waits for `setup`. Raises `FileNotFoundError`."""
    environment = lambda_environment.variables(
        version, stream, places.task_root, files.runtime, places.temporary
    )
    if version.is_node:
        command = lambda_process.node_command(files.runtime, version.memory_mb)
        environment |= _node_path(environment, places)
    else:
        command = lambda_process.python_command(files.runtime)
    if not places.uid:
        command = [*_without_privileges(), *command]
    return Process(command, places.task_root, environment, version.storage_bytes)


def setup(version: Version, places: Places, files: Files) -> dict[str, Any]:
    """Return what the program in the process must know before it loads the handler."""
    runtime = str(version.config["Runtime"])
    return {
        "handler": str(version.config.get("Handler", "")),
        "uid": places.uid,
        "paths": [str(places.task_root), *_python_layers(places)],
        "runtimePaths": [str(files.libraries)],
        "responseLimitBytes": RESPONSE_BYTES,
        "hasLocale": "LC_CTYPE" in version.variables,
        "isSnapStart": version.is_snap_start,
        "isAscii": runtime in _ESCAPED_JSON,
        "refusesCallbacks": runtime == _WITHOUT_CALLBACKS,
    }


def _without_privileges() -> list[str]:
    """Return what takes root's powers from a program that must stay root to be readable to itself.

    It can then neither write read-only files nor look into other processes.
    """
    tool = shutil.which("setpriv") if os.geteuid() == 0 else None
    return [tool, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"] if tool else []


def _node_path(environment: dict[str, str], places: Places) -> dict[str, str]:
    parts = [str(path / "nodejs" / "node_modules") for path in places.layers]
    parts += filter(None, [environment.get("NODE_PATH")])
    return {"NODE_PATH": ":".join(parts)} if parts else {}


def _python_layers(places: Places) -> list[str]:
    found: list[str] = []
    for layer in places.layers:
        found += map(str, sorted(layer.glob("python/lib/python3*/site-packages")))
        found.append(str(layer / "python"))
    return found
