"""package.json and its lock file -> node_modules as `npm ci` makes it, scripts never run."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.cli.failures import Failure
from tools.cli.packing import cache
from tools.cli.packing.target import Target

LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_CPUS = {"arm64": "arm64", "x86_64": "x64"}


def files(manifest: Path, target: Target, say: Callable[[str], None]) -> dict[str, bytes]:
    """Return node_modules by path in the zip; nothing if there are no dependencies.

    Raises `Failure`.
    """
    if not _dependencies(manifest):
        return {}
    lock = _lock(manifest)
    text = manifest.read_text() + lock.read_text()
    key = cache.key("node", target.architecture, str(target.native), text)
    folder = cache.folder(key, lambda new: _install(manifest, lock, target, new), say)
    return cache.read(folder, _is_wanted)


def _dependencies(manifest: Path) -> dict[str, Any]:
    try:
        found = json.loads(manifest.read_text())
        return {**found.get("dependencies", {}), **found.get("optionalDependencies", {})}
    except (ValueError, AttributeError, TypeError) as error:
        raise Failure(f"{manifest} is no valid package.json: {error}") from error


def _lock(manifest: Path) -> Path:
    for name in LOCKS:
        if (manifest.parent / name).is_file():
            return manifest.parent / name
    raise Failure(
        f"{manifest} has dependencies but no lock file beside it.",
        f"Run: (cd {manifest.parent} && npm install), and commit package-lock.json.",
    )


def _install(manifest: Path, lock: Path, target: Target, into: Path) -> None:
    npm = shutil.which("npm")
    if not npm:
        raise Failure("npm is not on PATH.", "Install Node.js, which brings it.")
    for path in (manifest, lock):
        shutil.copy(path, into / path.name)
    _copy_npmrc(manifest.parent, into)
    done = subprocess.run(  # noqa: S603 - the command is ours, the folder is the caller's own
        [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", *_for(target)],
        cwd=into, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (into / ".npmrc").unlink(missing_ok=True)
    if done.returncode:
        raise Failure(
            f"npm ci failed for {manifest}:\n  {_reason(done.stderr)}",
            "If the lock file does not fit package.json, run npm install and commit it. "
            "Dependencies on files beside it cannot be packed.",
        )


def _reason(said: str) -> str:
    """Return the first lines of npm's that say anything."""
    errors = [line.removeprefix("npm error").strip() for line in said.splitlines()
              if line.startswith("npm error")]  # fmt: skip
    return "\n  ".join([line for line in errors if line][:3]) or said.strip()[-300:]


def _copy_npmrc(source: Path, into: Path) -> None:
    """Take the project's registry settings along; they never come into the zip."""
    if (source / ".npmrc").is_file():
        shutil.copy(source / ".npmrc", into / ".npmrc")


def _for(target: Target) -> list[str]:
    if target.native:
        return []
    return ["--os=linux", f"--cpu={_CPUS[target.architecture]}", "--libc=glibc"]


def _is_wanted(path: str) -> bool:
    inside = path.startswith("node_modules/")
    return inside and "/.bin/" not in path and path != "node_modules/.package-lock.json"
