"""Directories of the local AWS's functions: code (one per zip, read-only), a /tmp per worker.

    dormouse-lambda-<pid>-.../   gone with the local AWS; another start removes what a crash left
        runtime/                 the two programs that workers run, and boto3 for Python
        code/<sha>/              /var/task; several workers share it
        layers/<sha>/            /opt
        work/<n>/                TMPDIR of worker n

As root each worker has a user of its own, who sees neither the others' files nor root's.
"""

import contextlib
import importlib.util
import io
import os
import shutil
import stat
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from tools.local_aws.lambda_process import PYTHON

_PREFIX = "dormouse-lambda-"
_FIRST_UID, _UIDS = 1_880_000_000, 1_000_000
"""Users that nobody has: systemd's list of UIDs calls this range unused."""
_RUNTIMES = ("lambda_runtime_python.py", "lambda_runtime_node.mjs")
_PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What AWS's Python runtimes have beside the standard library. No other package is in reach."""


class Files:
    """The directories of one local AWS."""

    def __init__(self) -> None:
        remove_leftovers()
        self.base = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self.base.chmod(0o711)
        self._lock = threading.Lock()
        self._numbers = 0
        self._first_uid = _FIRST_UID + os.getpid() * 1_000 % _UIDS
        self._last_used: dict[Path, float] = {}
        self.runtime = self._directory("runtime")
        self.libraries = self._directory("runtime", "python")
        for name in _RUNTIMES:
            shutil.copy(Path(__file__).with_name(name), self.runtime)
        for name in _PROVIDED:
            self._provide(name)
        self.has_users = os.geteuid() == 0 and self._may_give() and self._is_open_to_users()

    def code(self, sha256: str, archive: bytes) -> Path:
        """Return the directory with an unpacked zip. Raises `zipfile.BadZipFile`, `ValueError`."""
        return self._unpacked("code", sha256, archive)

    def layer(self, sha256: str, archive: bytes) -> Path:
        return self._unpacked("layers", sha256, archive)

    def work(self) -> tuple[Path, int]:
        """Return a new empty directory and the user who owns it, 0 for the one we are."""
        with self._lock:
            self._numbers += 1
            number = self._numbers
        directory = self._directory("work", str(number))
        uid = self._first_uid + number % 1_000 if self.has_users else 0
        if uid:
            os.chown(directory, uid, uid)
        directory.chmod(0o700)
        return directory, uid

    def prune(self, older_than_seconds: float, used: set[Path]) -> None:
        """Remove code that no worker has used for so long."""
        oldest = time.monotonic() - older_than_seconds
        with self._lock:
            for path, last_used in list(self._last_used.items()):
                if path not in used and last_used <= oldest:
                    remove_tree(path)
                    del self._last_used[path]

    def _directory(self, *parts: str) -> Path:
        path = self.base
        for part in parts:
            path /= part
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        return path

    def _provide(self, package: str) -> None:
        found = importlib.util.find_spec(package)
        if found and found.origin:
            origin = Path(found.origin)
            origin = origin.parent if origin.name == "__init__.py" else origin
            (self.libraries / origin.name).symlink_to(origin)

    def _may_give(self) -> bool:
        """Return whether such users exist for us: a container may have few."""
        probe = self._directory("probe")
        try:
            os.chown(probe, _FIRST_UID, _FIRST_UID)
        except OSError:
            return False
        finally:
            probe.rmdir()
        return True

    def _is_open_to_users(self) -> bool:
        """Return whether another user may read what workers need: a home may be closed."""
        programs = [PYTHON, os.__file__, shutil.which("node") or PYTHON]
        paths = [*self.libraries.iterdir(), *map(Path, programs), self.base]
        return all(_is_open(path.resolve()) for path in paths)

    def _unpacked(self, kind: str, sha256: str, archive: bytes) -> Path:
        with self._lock:
            target = self._directory(kind) / sha256
            if not target.exists():
                fresh = Path(tempfile.mkdtemp(dir=target.parent))
                try:
                    unpack(archive, fresh)
                except BaseException:
                    remove_tree(fresh)
                    raise
                fresh.rename(target)
                target.chmod(0o555)
            self._last_used[target] = time.monotonic()
            return target


def unpack(archive: bytes, target: Path) -> None:
    """Unpack a zip, readable for all and writable for none. Raises as `Files.code`."""
    with zipfile.ZipFile(io.BytesIO(archive)) as given:
        for entry in given.infolist():
            path = Path(os.path.normpath(target / entry.filename))
            if not path.is_relative_to(target):
                raise ValueError(f"{entry.filename} is outside of the package")
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                path.symlink_to(given.read(entry).decode())
                continue
            with given.open(entry) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
            path.chmod(0o555 if mode & 0o111 else 0o444)
    for folder, _, _ in os.walk(target, topdown=False):
        if Path(folder) != target:
            os.chmod(folder, 0o555)  # noqa: S103 (readable is the point, writable it is not)


def remove_tree(directory: Path) -> None:
    """Remove a directory, read-only ones inside too; it may be gone."""
    for folder, _, _ in os.walk(directory):
        with contextlib.suppress(OSError):
            os.chmod(folder, 0o700)
    shutil.rmtree(directory, ignore_errors=True)


def remove_leftovers() -> None:
    """Remove what local AWSs left behind that were killed together with their guard."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = directory.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if (
                pid.isdigit()
                and directory.stat().st_uid == os.geteuid()
                and not _is_alive(int(pid))
            ):
                remove_tree(directory)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_open(path: Path) -> bool:
    modes = [parent.stat().st_mode for parent in path.parents]
    return all(mode & stat.S_IXOTH for mode in modes) and bool(
        path.stat().st_mode & stat.S_IROTH or path.is_dir()
    )
