"""One zip for a function: its files, the packages they need, and `dormouse` if it is imported.

The same source gives the same bytes, so its SHA-256 tells whether anything is to be uploaded.
"""

import ast
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from chalicelib.domain.functions import archive
from tools.cli.failures import Failure
from tools.cli.output import size
from tools.cli.packing import cache, node_packages, python_packages, sources
from tools.cli.packing.target import Target

ROOT = Path(__file__).parents[3]
ZIP_LIMIT_BYTES = 50_000_000
"""The largest zip that Lambda takes (docs.aws.amazon.com: Lambda quotas)."""
REMEMBERED_BYTES = 1_000_000
"""The zip of more than this is kept, so that an unchanged deploy need not make it again."""
NODE_MODULE = "dormouse/api.mjs"
NODE_ENDINGS = (".mjs", ".js", ".cjs")
_NODE_IMPORT = re.compile(rb"""(?:from|import)\s*\(?\s*["']\./dormouse/api\.mjs["']""")
LARGEST_SHOWN = 8


class Package(NamedTuple):
    """What is uploaded."""

    content: bytes
    sha256: str
    paths: frozenset[str]
    unzipped_bytes: int


def pack(path: Path, target: Target, say: Callable[[str], None]) -> Package:
    """Return the zip of a file or folder for a target; `say` is told what takes time.

    Raises `Failure`.
    """
    own = {path.name: path.read_bytes()} if path.is_file() else sources.read(path)
    files = {**packages(path, target, say), **_vendored(own), **own}
    unzipped_bytes = sum(len(file) for file in files.values())
    try:
        is_large = unzipped_bytes > REMEMBERED_BYTES
        content = cache.zipped(files, archive.make_zip) if is_large else archive.make_zip(files)
    except archive.ArchiveError as error:
        raise Failure(f"{path} cannot be packed: {error}") from error
    if len(content) > ZIP_LIMIT_BYTES or unzipped_bytes > archive.MAX_UNZIPPED_BYTES:
        raise _too_large(files, len(content), unzipped_bytes)
    digest = hashlib.sha256(content).hexdigest()
    return Package(content, digest, frozenset(files), unzipped_bytes)


def packages(path: Path, target: Target, say: Callable[[str], None]) -> dict[str, bytes]:
    """Return the files of the packages that a folder asks for."""
    if path.is_file():
        return {}
    if target.runtime.startswith("python"):
        wanted = path / "requirements.txt"
        return python_packages.files(wanted, target, say) if wanted.is_file() else {}
    manifest = path / "package.json"
    return node_packages.files(manifest, target, say) if manifest.is_file() else {}


def check_handler(handler: str, runtime: str, package: Package) -> None:
    """Raise `Failure` if the file that a handler names is not in the zip."""
    wanted = archive.handler_files(runtime, handler)
    if not package.paths.intersection(wanted):
        raise Failure(
            f"The handler is {handler!r}, but there is no {' or '.join(wanted)} in the zip.",
            'Write handler = "file.function" in dormouse.toml, or give --handler.',
        )


def largest(files: dict[str, bytes]) -> list[tuple[str, int]]:
    """Return the packages (folders, or files at the top) that take most, largest first."""
    sums: dict[str, int] = {}
    for path, content in files.items():
        name = _package_of(path)
        sums[name] = sums.get(name, 0) + len(content)
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


def _package_of(path: str) -> str:
    parts = path.split("/")
    depth = 1
    if parts[0] == "node_modules" and len(parts) > 1:
        depth = 3 if parts[1].startswith("@") else 2
    return "/".join(parts[:depth])


def _too_large(files: dict[str, bytes], zip_bytes: int, unzipped_bytes: int) -> Failure:
    rows = "\n".join(f"  {size(took):>10}  {name}" for name, took in largest(files)[:LARGEST_SHOWN])
    limits = f"{size(ZIP_LIMIT_BYTES)} zipped and {size(archive.MAX_UNZIPPED_BYTES)} unzipped"
    return Failure(
        f"The zip takes {size(zip_bytes)}, unzipped {size(unzipped_bytes)}; Lambda takes {limits}."
        f" The largest in it:\n{rows}",
        "Leave out what the function does not use: requirements.txt, package.json, or "
        f"{sources.IGNORE_FILE}.",
    )


def _vendored(own: dict[str, bytes]) -> dict[str, bytes]:
    """Return of the project's `dormouse` package what a source imports and does not bring."""
    if any(path == "dormouse.py" or path.startswith("dormouse/") for path in own):
        return {}
    wanted: list[Path] = []
    if any(_imports_dormouse(path, text) for path, text in own.items()):
        wanted += sorted((ROOT / "dormouse").glob("*.py"))
    if any(_NODE_IMPORT.search(text) for path, text in own.items() if path.endswith(NODE_ENDINGS)):
        wanted.append(ROOT / NODE_MODULE)
    return {f"dormouse/{path.name}": path.read_bytes() for path in wanted}


def _imports_dormouse(path: str, content: bytes) -> bool:
    if not path.endswith(".py") or b"dormouse" not in content:
        return False
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return False
    return any(_names_dormouse(node) for node in ast.walk(tree))


def _names_dormouse(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level == 0 and (node.module or "").split(".")[0] == "dormouse"
    if isinstance(node, ast.Import):
        return any(name.name.split(".")[0] == "dormouse" for name in node.names)
    return False
