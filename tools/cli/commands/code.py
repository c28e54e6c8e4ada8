"""download: a version's code, as it was uploaded."""

import argparse
import hashlib
from pathlib import Path

from tools.cli.api import transfer
from tools.cli.commands.kinds import Commands, path, positive
from tools.cli.context import Context, function_path
from tools.cli.failures import Failure, OutOfReach
from tools.cli.output import size


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("download", parents=[common], help="a function's code, as a zip")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--version", type=positive, help="an older one than the live one")
    parser.add_argument("-o", "--output", type=path, metavar="FILE", help="NAME.zip if left out")
    parser.add_argument("--force", action="store_true", help="replace the file")
    parser.set_defaults(run=download)


def download(context: Context, options: argparse.Namespace) -> int:
    """Write the zip to a file."""
    file = options.output or Path(f"{options.name}.zip")
    if file.exists() and not options.force:
        raise Failure(f"{file} is there already.", "Give --force, or another --output.")
    link = context.api.get(function_path(options.name, "code"), version=options.version)
    content = _fetched(link["url"])
    if hashlib.sha256(content).hexdigest() != link["sha256"]:
        raise OutOfReach("What arrived is not what was uploaded.", "Try again.")
    file.write_bytes(content)
    done = {"file": str(file), **{key: link[key] for key in ("version", "sha256", "sizeBytes")}}
    context.out.result(done, f"{file}: version {link['version']}, {size(len(content))}")
    return 0


def _fetched(url: str) -> bytes:
    """Return what a link to the bucket leads to; the token does not go there."""
    answer = transfer("GET", url, b"", {})
    if answer.status >= 300:
        raise OutOfReach(f"The bucket answered {answer.status}.", "Try again: links live shortly.")
    return answer.content
