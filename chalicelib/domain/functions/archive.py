"""A function's code as a zip: whether a given one may be stored, and ours, made from files.

Nothing is ever unpacked here. A zip is refused if unpacking it could write outside its folder,
give two files one name, make anything but plain files and folders, or take more room than Lambda
has. Sizes are counted while inflating, since a zip may lie about them. Limits: "Lambda quotas" in
its developer guide.
"""

import io
import re
import stat
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

from chalicelib.domain.functions import zip_reading
from chalicelib.domain.functions.zip_reading import ArchiveError

__all__ = ["Archive", "ArchiveError", "check_zip", "files_of", "handler_files", "make_zip"]

MIB = 1024 * 1024
MAX_ZIPPED_BYTES = 50 * MIB
"""The largest zip that Lambda takes directly; from a bucket it may be larger."""
MAX_UNZIPPED_BYTES = 250 * MIB
MAX_ENTRIES = 25_000
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
MAX_RATIO = 200
"""How many times larger than its zip an archive of more than `MAX_ZIPPED_BYTES` may get."""

LEVEL = 6
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Archive(NamedTuple):
    """What is in an accepted zip."""

    entries: tuple[str, ...]
    """The paths of its files."""
    unzipped_bytes: int


def check_zip(
    source: bytes | BinaryIO,
    *,
    runtime: str = "",
    handler: str = "",
    max_zipped_bytes: int = MAX_UNZIPPED_BYTES,
    max_unzipped_bytes: int = MAX_UNZIPPED_BYTES,
) -> Archive:
    """Return what is in a zip, given as bytes or as a seekable file, which is read in pieces.

    With `runtime` and `handler` the file of the handler must be in it. Raises `ArchiveError`.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    zipped_bytes = file.seek(0, io.SEEK_END)
    if zipped_bytes > max_zipped_bytes:
        raise ArchiveError(_too_large("zip", zipped_bytes, max_zipped_bytes))
    infos = zip_reading.directory(file, zipped_bytes, MAX_ENTRIES)
    names = _checked_names(infos)
    _require_handler(names, runtime, handler)
    total_bytes = 0
    for info in infos:
        left = max_unzipped_bytes - total_bytes
        total_bytes += zip_reading.unzipped_bytes(file, info, left)
    if total_bytes > max(MAX_ZIPPED_BYTES, MAX_RATIO * zipped_bytes):
        raise ArchiveError(
            f"the zip unpacks to {total_bytes // max(1, zipped_bytes)} times its size"
        )
    return Archive(names, total_bytes)


def files_of(given: Any) -> dict[str, str]:
    """Return the files of a JSON body, path to text, checked. Raises `ArchiveError`."""
    if not isinstance(given, dict) or not given:
        raise ArchiveError('files must be an object as {"lambda_function.py": "text"}')
    if len(given) > MAX_ENTRIES:
        raise ArchiveError(f"there are more than {MAX_ENTRIES} files")
    for path, text in given.items():
        require_path(path)
        if not isinstance(text, str):
            raise ArchiveError(f"the content of {path!r} must be text")
    _require_no_clash(list(given))
    return given


def make_zip(files: Mapping[str, bytes | str], modes: Mapping[str, int] | None = None) -> bytes:
    """Return a zip of files by path: the same bytes for the same files, whenever it is made.

    They are the same on every machine with the same zlib. `__pycache__` is left out, and of
    `modes` only counts whether a file is executable. Raises `ArchiveError` for a bad path.
    """
    modes = modes or {}
    kept = sorted(path for path in files if "__pycache__" not in path.split("/"))
    _require_no_clash(kept)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for path in kept:
            require_path(path)
            archive.writestr(_entry(path, modes.get(path, 0)), _content(files[path]))
    return made.getvalue()


def handler_files(runtime: str, handler: str) -> tuple[str, ...]:
    """Return the paths of which one must be in the code, as Lambda's runtimes look for them."""
    if runtime.startswith("python"):
        module = handler.rpartition(".")[0].replace(".", "/")
        return (f"{module}.py", f"{module}/__init__.py")
    folder, slash, rest = handler.rpartition("/")
    module = folder + slash + rest.partition(".")[0]
    return tuple(f"{module}{extension}" for extension in (".js", ".mjs", ".cjs"))


def require_path(path: Any) -> None:
    """Raise `ArchiveError` unless a path leads to a place below the folder it is unpacked in."""
    if not isinstance(path, str) or not path:
        raise ArchiveError("a path must be text, and not empty")
    shown = repr(path[:100])
    if path.startswith("/") or _DRIVE.match(path) or "\\" in path or _CONTROL.search(path):
        raise ArchiveError(f"{shown} is no relative path with / between its parts")
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ArchiveError(f"{shown} has an empty part, or one that is . or ..")
    if len(_bytes(path)) > MAX_PATH_BYTES or any(len(_bytes(p)) > MAX_NAME_BYTES for p in parts):
        raise ArchiveError(f"{shown} is too long")


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ArchiveError(f"{text[:100]!r} is no valid Unicode") from None


def _content(content: bytes | str) -> bytes:
    return _bytes(content) if isinstance(content, str) else content


def _entry(path: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _FIRST_DAY)
    info.create_system = _UNIX
    info.compress_type = zipfile.ZIP_DEFLATED
    permissions = 0o755 if mode & 0o111 else 0o644
    info.external_attr = (stat.S_IFREG | permissions) << 16
    return info


def _checked_names(infos: list[zipfile.ZipInfo]) -> tuple[str, ...]:
    for info in infos:
        require_path(info.orig_filename.removesuffix("/"))
        _require_plain(info)
    folders = [info.filename.removesuffix("/") for info in infos if info.is_dir()]
    files = [info.filename for info in infos if not info.is_dir()]
    if not files:
        raise ArchiveError("the zip has no files")
    _require_no_clash(files, folders)
    return tuple(files)


def _require_plain(info: zipfile.ZipInfo) -> None:
    """Raise `ArchiveError` for links, devices, and files that a function could not read."""
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    wanted = stat.S_IFDIR if info.is_dir() else stat.S_IFREG
    if kind not in (0, wanted):
        raise ArchiveError(f"{info.filename!r} is a link or something else that is no plain file")
    if info.flag_bits & 0x41:
        raise ArchiveError(f"{info.filename!r} is encrypted")
    if kind and not info.is_dir() and not mode & 0o004:
        raise ArchiveError(
            f"{info.filename!r} has the mode {mode & 0o777:04o}, with which a function cannot read"
            " it: make it readable for all, then zip again"
        )


def _require_no_clash(files: list[str], folders: list[str] | None = None) -> None:
    """Raise `ArchiveError` if a path is there twice, or is both a file and a folder."""
    seen: set[str] = set()
    for path in (*files, *(folders or ())):
        if path in seen:
            raise ArchiveError(f"{path!r} is in it twice")
        seen.add(path)
    parents = {parent for path in seen for parent in _parents(path)}
    for path in files:
        if path in parents:
            raise ArchiveError(f"{path!r} is both a file and a folder")


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _require_handler(names: tuple[str, ...], runtime: str, handler: str) -> None:
    if not runtime or not handler:
        return
    wanted = handler_files(runtime, handler)
    if not set(wanted) & set(names):
        raise ArchiveError(
            f"the handler is {handler}, but the code has no {' or '.join(wanted)}: add the file,"
            " or change the function's handler"
        )


def _too_large(what: str, size_bytes: int, limit_bytes: int) -> str:
    return f"the {what} has {size_bytes / MIB:.1f} MB, but at most {limit_bytes // MIB} are allowed"
