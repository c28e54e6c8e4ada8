"""`make package STAGE=dev`: a slim zip and a template, ready for CloudFormation.

    python -m tools.deploy.package --stage dev

The sources are copied aside, packaged by Chalice, then slimmed (`slim`) and completed
(`template`). Wheels are those of the stage's architecture and of this interpreter's version.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tools.deploy import project, slim, template

NOT_PACKED = "Could not install dependencies"
"""What Chalice prints, and then goes on with an incomplete package."""


class Package(NamedTuple):
    """What was made, in one folder."""

    folder: Path

    @property
    def code(self) -> Path:
        return self.folder / "deployment.zip"

    @property
    def template(self) -> Path:
        return self.folder / "template.json"


class PackageError(Exception):
    """Chalice made no package that could be deployed; the text says why."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy.package", description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    try:
        made = of_options(options)
    except (PackageError, project.StageError, slim.SlimError, template.TemplateError) as error:
        print(f"dormouse: {error}", file=sys.stderr)
        return 1
    print(f"{made.code}  {made.code.stat().st_size:,} bytes")
    print(f"{made.template}  {made.template.stat().st_size:,} bytes")
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stage", required=True)
    parser.add_argument("--architecture", choices=["arm64", "x86_64"], help="default: the stage's")
    parser.add_argument("--snap-start", action="store_true", help="needs Python 3.12 or newer")
    parser.add_argument("--out", type=Path, help="default: .local/package/STAGE")


def of_options(options: argparse.Namespace) -> Package:
    """Make the package that the options of `add_options` describe."""
    stage = project.check_stage(options.stage)
    folder = options.out or project.ROOT / ".local" / "package" / stage
    return make(stage, folder, options.architecture, snap_start=options.snap_start)


def make(
    stage: str, folder: Path, architecture: str | None = None, *, snap_start: bool = False
) -> Package:
    """Make the package of a stage in `folder`.

    Raises `PackageError`, `slim.SlimError` or `template.TemplateError`.
    """
    copied = folder / "project"
    project.copy(copied, stage, architecture)
    raw = folder / "chalice"
    _run_chalice(copied, stage, raw)
    made = Package(folder)
    document = template.finish(json.loads((raw / "sam.json").read_text()), snap_start=snap_start)
    made.template.write_text(template.text(document))
    slim.slim(raw / "deployment.zip", made.code)
    return made


def _run_chalice(copied: Path, stage: str, out: Path) -> None:
    command = [str(Path(sys.executable).parent / "chalice"), "package", "--stage", stage]
    command += ["--merge-template", "resources.json", str(out.resolve())]
    done = subprocess.run(  # noqa: S603 - the pinned chalice
        command, cwd=copied, env=_environment(), check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    check_output(done.returncode, done.stdout)


def check_output(status: int, told: str) -> None:
    """Raises `PackageError` unless Chalice's status and words say that all is in the package."""
    if status or NOT_PACKED in told:
        raise PackageError(f"chalice could not package:\n{told}")


def _environment() -> dict[str, str]:
    # Chalice asks for a region, though nothing in a package depends on it.
    region = os.environ.get("AWS_REGION") or project.DEFAULT_REGION
    return {"AWS_DEFAULT_REGION": region, **os.environ}


if __name__ == "__main__":
    sys.exit(main())
