"""Make Chalice's zip small, quick to start and the same for the same sources.

Chalice packs boto3 and botocore (16 of 25 MB), which Lambda's runtimes for Python bring along, and
no bytecode (a cold start then compiles every module that it imports). Here the former go, bytecode
comes, and order, dates and modes are fixed. The bytecode is never checked against its
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
IN_RUNTIME = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"}
"""Top-level names of the AWS SDK, which is part of the runtime. Only the control road of functions
uses it, by calls that have been there for years."""

IN_LAMBDA = "/var/task"
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNUSED = re.compile(
    r"(.*/)?__pycache__/|.*\.py[cio]$|(.*/)?tests?/"
    r"|.*\.dist-info/(?!METADATA$|.*(LICEN[CS]E|NOTICE|COPYING))"
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
    top = name.partition("/")[0]
    distribution = top.partition("-")[0].removeprefix("python_")
    return top not in IN_RUNTIME and distribution not in {*IN_RUNTIME, "six"}


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
