"""Which files of a folder are uploaded.

`.dormouseignore` adds patterns to the standing ones. They are written as in .gitignore: a name
matches at any depth, a pattern with a slash from the folder's root, `name/` directories only,
`**` any number of directories, and a later `!pattern` takes a file back in.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chalicelib.domain.functions import archive
from tools.cli.failures import Failure

IGNORE_FILE = ".dormouseignore"
STANDING = (
    ".git/", ".hg/", ".svn/", ".idea/", ".vscode/", ".DS_Store", ".local/",
    "__pycache__/", "*.pyc", ".venv/", "venv/", ".mypy_cache/", ".ruff_cache/", ".pytest_cache/",
    "node_modules/", ".npmrc", ".env", ".env.*",
    "/dormouse.toml", f"/{IGNORE_FILE}", "/README.md",
)  # fmt: skip
"""Caches, secrets, what is installed anew, and what describes the function without being it: a
changed setting or README is no new code."""


class Pattern(NamedTuple):
    expression: re.Pattern[str]
    directories_only: bool
    takes_back: bool


def read(root: Path) -> dict[str, bytes]:
    """Return the files of a folder by their path in the zip. Raises `Failure`."""
    patterns = _patterns(root)
    files: dict[str, bytes] = {}
    total_bytes = 0
    for path in sorted(_walk(root, patterns)):
        files[path] = _content(root, root / path)
        total_bytes += len(files[path])
        if total_bytes > archive.MAX_UNZIPPED_BYTES:
            raise Failure(
                f"{root} holds more than {archive.MAX_UNZIPPED_BYTES / 1e6:.0f} MB.",
                f"Is it the function's folder? Name in {IGNORE_FILE} what is not to be uploaded.",
            )
    if not files:
        raise Failure(f"{root} holds no file to upload.", f"Look into its {IGNORE_FILE}.")
    return files


def is_ignored(path: str, is_directory: bool, patterns: list[Pattern]) -> bool:
    """Return whether the last pattern that matches leaves a path out."""
    ignored = False
    for pattern in patterns:
        fits = is_directory or not pattern.directories_only
        if fits and pattern.expression.fullmatch(path):
            ignored = not pattern.takes_back
    return ignored


def parse(lines: list[str]) -> list[Pattern]:
    """Return the patterns of an ignore file's lines."""
    return [_pattern(line.strip()) for line in lines if line.strip() and line[0] != "#"]


def _patterns(root: Path) -> list[Pattern]:
    own = root / IGNORE_FILE
    return parse([*STANDING, *(own.read_text().splitlines() if own.is_file() else [])])


def _pattern(line: str) -> Pattern:
    takes_back, line = line.startswith("!"), line.removeprefix("!")
    directories_only, line = line.endswith("/"), line.removesuffix("/")
    anchored = "/" in line
    expression = _expression(line.removeprefix("/"))
    return Pattern(
        re.compile(expression if anchored else f"(?:.*/)?{expression}"),
        directories_only,
        takes_back,
    )


def _expression(glob: str) -> str:
    """Return the regular expression of a glob whose `*` stops at a slash."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", glob)
    special = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(
        special.get(piece) or (piece if piece.startswith("[") else re.escape(piece))
        for piece in pieces
    )


def _walk(root: Path, patterns: list[Pattern]) -> Iterator[str]:
    for folder, directories, names in os.walk(root):
        inside = Path(folder).relative_to(root)
        kept = [name for name in directories if not _left_out(inside / name, True, patterns)]
        directories[:] = kept
        for name in kept:
            if (Path(folder) / name).is_symlink():
                raise Failure(f"{inside / name} is a link to a folder.", "Copy what it points to.")
        for name in names:
            if not _left_out(inside / name, False, patterns):
                yield (inside / name).as_posix()


def _left_out(path: Path, is_directory: bool, patterns: list[Pattern]) -> bool:
    return is_ignored(path.as_posix(), is_directory, patterns)


def _content(root: Path, path: Path) -> bytes:
    """Return a file's bytes; a link may lead only to a file of the same folder."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise Failure(f"{path} is a link to a file outside of {root}.", "Copy the file.")
    if not path.is_file():
        raise Failure(f"{path} is no regular file.", f"Name it in {IGNORE_FILE}.")
    return path.read_bytes()
