"""Installed packages and large zips, kept in .local/ under the hash of what was asked for.

A folder or file appears whole or not at all: it is filled under another name first. Deleting
`.local/packages` is always safe.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).parents[3]
ZIPS_KEPT = 20


def key(*parts: str) -> str:
    """Return the hash of everything that decides what is installed."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def folder(name: str, fill: Callable[[Path], None], say: Callable[[str], None]) -> Path:
    """Return the folder of a key, filled by `fill` if it is new: that takes time, so it is said."""
    kept = _home() / name
    if kept.is_dir():
        return kept
    say("Fetching the packages ...")
    _home().mkdir(parents=True, exist_ok=True)
    new = Path(mkdtemp(prefix="new-", dir=_home()))
    try:
        fill(new)
        _keep(new, kept)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return kept


def zipped(files: dict[str, bytes], make: Callable[[dict[str, bytes]], bytes]) -> bytes:
    """Return the zip of files, made by `make` if it is new: compressing 20 MB takes a second."""
    parts = (f"{path} {hashlib.sha256(files[path]).hexdigest()}" for path in sorted(files))
    kept = _home() / f"{key('zip', *parts)}.zip"
    if kept.is_file():
        kept.touch()
        return kept.read_bytes()
    content = make(files)
    _home().mkdir(parents=True, exist_ok=True)
    new = kept.with_suffix(f".{os.getpid()}")
    new.write_bytes(content)
    new.replace(kept)
    for old in sorted(_home().glob("*.zip"), key=lambda file: file.stat().st_mtime)[:-ZIPS_KEPT]:
        old.unlink(missing_ok=True)
    return content


def read(folder: Path, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the wanted files below a folder by their path; links are left out."""
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    return {name: found[name].read_bytes() for name in sorted(found) if is_wanted(name)}


def _keep(new: Path, kept: Path) -> None:
    try:
        new.rename(kept)
    except OSError:
        # Somebody else has filled it meanwhile, with the same.
        if not kept.is_dir():
            raise


def _home() -> Path:
    return Path(os.environ.get("DORMOUSE_STATE_DIR") or ROOT / ".local") / "packages"
