"""Make Chalice's zip small, quick to start and the same for the same sources.

Chalice packs all of botocore's service descriptions (15 of 18 MB) and no bytecode (a cold start
then compiles every module that it imports). Here the descriptions of services that are not used go,
bytecode comes, and order, dates and modes are fixed. The bytecode is never checked against its
source (`unchecked-hash`): in a zip that nobody edits a check can only cost time.
"""

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

LIMIT_BYTES = 8_000_000
BOTOCORE_SERVICES = ("dynamodb", "s3", "sso", "sso-oidc", "sts")
"""What may be called through botocore: credentials, and PynamoDB's own calls."""

IN_LAMBDA = "/var/task"
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNUSED = re.compile(
    r"(.*/)?__pycache__/|.*\.py[cio]$|boto3/examples/|(.*/)?tests?/"
    r"|.*\.dist-info/(?!METADATA$|.*(LICEN[CS]E|NOTICE|COPYING))"
    r"|urllib3/contrib/emscripten/|dateutil/zoneinfo/.*\.tar\.gz$"
    # Pictures are only made smaller: no AVIF, no text, no colour management, no Tk.
    r"|PIL/(_avif|_imagingft|_imagingcms|_imagingtk|_imagingmorph|Pdf\w+|\w*FontFile"
    r"|Image(Font|Tk|Qt|Morph|Show|Grab|Cms|Win)|PSDraw|TarIO|report)\."
    r"|PIL/(?!Bmp|Gif|Jpeg|Mpo|Png|Ppm|Tiff|WebP)\w+ImagePlugin\.py$|PIL/.*\.pyi$"
    r"|pillow\.libs/lib(avif|freetype|harfbuzz|brotli\w+|png16|lcms2)-"
)


class SlimError(Exception):
    """The package is not fit to be deployed; the text says why."""


def slim(source: Path, target: Path) -> None:
    """Write the slimmed zip of `source` to `target`. Raises `SlimError`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(source) as packed:
            packed.extractall(folder, [each for each in packed.namelist() if is_used(each)])
        add_bytecode(folder)
        _zip(folder, target)
    size_bytes = target.stat().st_size
    if size_bytes > LIMIT_BYTES:
        raise SlimError(f"the zip has {size_bytes:,} bytes, more than {LIMIT_BYTES:,}")


def is_used(name: str) -> bool:
    """Return whether a file of Chalice's zip is kept."""
    if _UNUSED.match(name):
        return False
    parts = name.split("/")
    if parts[:2] == ["botocore", "data"] and len(parts) > 3:
        return parts[2] in BOTOCORE_SERVICES
    return True


def add_bytecode(folder: Path) -> None:
    """Compile every module of a folder. Raises `SlimError` if one cannot be."""
    command = [sys.executable, "-m", "compileall", "-q", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", IN_LAMBDA, str(folder)]
    # Sets are stored in the order of their hashes.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SlimError(f"a module does not compile:\n{done.stdout}{done.stderr}")


def _zip(folder: Path, target: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for path in files:
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), _DATE)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
