"""requirements.txt -> the files of the wheels for a function's runtime and machine.

Never a source distribution: building one runs its code here, for the wrong machine. uv is used
if it is on PATH, because it is several times faster than pip. What an installer adds about itself
is left out, so both give the same files.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools.cli.failures import Failure
from tools.cli.packing import cache
from tools.cli.packing.target import Target

INSTALLER_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_INCLUDED = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[ =]\s*(\S+)", re.MULTILINE)
_BUILT = re.compile(
    r"^\s*(?:-e|--editable|--no-binary|\.|/)|(?:git|hg|svn|bzr)\+|@\s*\S+:|^\s*\w+://",
    re.IGNORECASE,
)
_WHEEL = re.compile(r"\.whl(?:\s|#|;|$)", re.IGNORECASE)
_OLDEST_GLIBC_MINOR = 17


def files(requirements: Path, target: Target, say: Callable[[str], None]) -> dict[str, bytes]:
    """Return the installed files by their path in the zip. Raises `Failure`."""
    text = text_with_included(requirements)
    require_wheels(requirements, text)
    key = cache.key("python", target.python, target.machine, str(target.native), text)
    folder = cache.folder(key, lambda new: _install(requirements, text, target, new), say)
    return cache.read(folder, _is_wanted)


def require_wheels(requirements: Path, text: str) -> None:
    """Raise `Failure` for a line that would build a package: that runs its code, here and now.

    `--only-binary` alone does not reach folders, repositories and archives that a line names.
    """
    for line in text.splitlines():
        if _BUILT.search(line) and not _WHEEL.search(line):
            raise Failure(
                f"{requirements}: {line.strip()!r} would be built from source.",
                "Name a release that has wheels, or a wheel itself (name @ https://...whl).",
            )


def text_with_included(requirements: Path, seen: frozenset[Path] = frozenset()) -> str:
    """Return a requirements file followed by those it includes. Raises `Failure`."""
    if not requirements.is_file():
        raise Failure(f"{requirements} is included, but is not there.")
    text = requirements.read_text()
    inner = [requirements.parent / name for name in _INCLUDED.findall(text)]
    known = seen | {requirements.resolve()}
    return text + "".join(
        text_with_included(path, known) for path in inner if path.resolve() not in known
    )


def command(requirements: Path, text: str, target: Target, into: Path) -> list[str]:
    """Return what installs the requirements."""
    uv = shutil.which("uv")
    start = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
    options = _uv_platform(target) if uv else _pip_platform(target)
    hashes = ["--require-hashes"] if "--hash=" in text else []
    where = ["--target", str(into), "--only-binary", ":all:", "--requirement", str(requirements)]
    return [*start, "--quiet", *where, *hashes, *options]


def _uv_platform(target: Target) -> list[str]:
    if target.native:
        return ["--python", sys.executable]
    glibc = "manylinux2014" if target.glibc_minor < 28 else f"manylinux_2_{target.glibc_minor}"
    return ["--python-platform", f"{target.machine}-{glibc}", "--python-version", target.python]


def _pip_platform(target: Target) -> list[str]:
    own = ["--no-compile", "--disable-pip-version-check", "--no-input"]
    if target.native:
        return own
    # Unlike uv, pip takes a platform by its name alone and knows no lower one.
    minors = range(target.glibc_minor, _OLDEST_GLIBC_MINOR - 1, -1)
    tags = [f"manylinux_2_{minor}_{target.machine}" for minor in minors]
    platforms = [f"--platform={tag}" for tag in (*tags, f"manylinux2014_{target.machine}")]
    return [*own, "--implementation", "cp", "--python-version", target.python, *platforms]


def _install(requirements: Path, text: str, target: Target, into: Path) -> None:
    overriding = ("PIP_NO_BINARY", "UV_NO_BINARY", "UV_NO_BINARY_PACKAGE")
    done = subprocess.run(  # noqa: S603 - the command is ours, the file is the caller's own
        command(requirements, text, target, into), capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if name not in overriding},
    )  # fmt: skip
    if done.returncode:
        raise Failure(_reason(done.stderr, requirements, target), _hint(done.stderr, target))


def _reason(said: str, requirements: Path, target: Target) -> str:
    lines = [line for line in said.splitlines() if "ERROR" in line or "error" in line]
    what = "\n  ".join(lines[-3:] or said.splitlines()[-3:])
    return f"{requirements} cannot be installed for {_name(target)}:\n  {what}"


def _hint(said: str, target: Target) -> str:
    if "No module named pip" in said:
        return "Install pip or uv for the Python that runs this."
    if "hash" in said.lower():
        return "Every requirement needs a hash, for each platform's wheel (pip hash, uv lock)."
    return (
        f"Is there a wheel for {_name(target)}? Source distributions are never built: choose a "
        "version that has one, or another runtime."
    )


def _name(target: Target) -> str:
    return f"Python {target.python} on {target.architecture}"


def _is_wanted(path: str) -> bool:
    """Return whether a file is the package's own; scripts name the interpreter of this machine."""
    if path.startswith("bin/") or "__pycache__/" in path or path == ".lock":
        return False
    folder, _, name = path.rpartition("/")
    return not (folder.endswith(".dist-info") and name in INSTALLER_FILES)
