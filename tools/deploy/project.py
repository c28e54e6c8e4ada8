"""The project as `chalice` sees it, and the names of one stage's resources."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = ROOT / "resources.json"
DEFAULT_REGION = "us-east-1"
PACKAGED = ("app.py", "chalicelib", "requirements.txt", "resources.json", ".chalice")
_STAGE = re.compile(r"[a-z][a-z0-9-]{0,19}")
_OF_RESOURCES = re.compile(r"-(fn|q|wakes?)(-|$)")
"""What follows a stage in the names of its functions and queues: another stage's would match."""


class StageError(Exception):
    """The stage cannot be deployed; the text says why."""


def check_stage(stage: str) -> str:
    """Return the stage if it can be deployed. Raises `StageError`."""
    if not _STAGE.fullmatch(stage):
        raise StageError(f"{stage!r} is no stage: up to 20 of a-z, 0-9 and -, first a letter")
    if _OF_RESOURCES.search(stage):
        raise StageError(f"{stage!r} is no stage: -fn, -q and -wake name the resources of one")
    stages = config()["stages"]
    if stage == "local" or stage not in stages:
        names = ", ".join(name for name in stages if name != "local")
        raise StageError(f"{stage!r} is not among the stages of .chalice/config.json: {names}")
    return stage


def config(root: Path = ROOT) -> dict[str, Any]:
    """Return `.chalice/config.json`."""
    document: dict[str, Any] = json.loads((root / ".chalice" / "config.json").read_text())
    return document


def write_config(document: dict[str, Any], root: Path = ROOT) -> None:
    path = root / ".chalice" / "config.json"
    path.write_text(json.dumps(document, indent=2) + "\n")


def stack_name(stage: str) -> str:
    """Return the name of the stage's stack, which is also its table's."""
    return f"dormouse-{stage}"


def bucket_name(stage: str, account: str, region: str) -> str:
    """Return the bucket's name: those of all AWS accounts share one namespace."""
    return f"{stack_name(stage)}-{account}-{region}"


def copy(folder: Path, stage: str, architecture: str | None = None) -> None:
    """Copy what `chalice` needs into `folder`, set to an architecture if one is given.

    A copy holds still while somebody edits the sources, and holds nothing else.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unwanted = shutil.ignore_patterns("__pycache__", "deployments", "deployed", "venv")
    for name in PACKAGED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=unwanted)
        else:
            shutil.copy2(source, folder / name)
    if architecture:
        document = config(folder)
        document["stages"][stage]["lambda_architecture"] = architecture
        write_config(document, folder)
