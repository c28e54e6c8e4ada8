"""The package itself: its size, its cold start, and that it needs nothing beside it."""

import compileall
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest
from PIL import Image

from tools.deploy.package import Package

ROUNDS = 9
FIRST_CALL = """
import sys, time
started = time.process_time()
sys.path.insert(0, sys.argv[1])
import app
event = {"path": "/api/health", "resource": "/health", "httpMethod": "GET", "headers": {},
         "requestContext": {"httpMethod": "GET", "resourcePath": "/health"}}
answer = app.app(event, None)
assert answer["statusCode"] == 200, answer
print(time.process_time() - started)
"""

THUMB = """
import sys
sys.path.insert(0, sys.argv[1])
from chalicelib import pictures
from chalicelib.domain import thumb_sizes
made = pictures.resized(open(sys.argv[2], "rb").read(), thumb_sizes.parse("10x0"))
print(made.content_type, pictures.Image.open(pictures.io.BytesIO(made.content)).size)
"""

BESIDE = """
import sys
sys.path.insert(0, sys.argv[1])
import app
from chalicelib.events import wake
sys.path.append(sys.argv[2])
from chalicelib.aws import control
print(*[control.client(name).meta.service_model.service_name
        for name in ("lambda", "iam", "logs", "scheduler", "sqs", "ssm")])
"""


def unpacked(source: Path, folder: Path) -> Path:
    with zipfile.ZipFile(source) as made:
        made.extractall(folder)
    return folder


def first_call_seconds(folder: Path) -> float:
    """Return the CPU time from an empty interpreter to the first answer."""
    # Isolated and without site-packages: what the package lacks, it must not find elsewhere.
    command = [sys.executable, "-I", "-S", "-B", "-c", FIRST_CALL, str(folder)]
    environment = {"DORMOUSE_STAGE": "dev", "AWS_REGION": "us-east-1", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_the_zip_has_at_most_8_megabytes(packaged: Package) -> None:
    assert packaged.code.stat().st_size <= 8_000_000


@pytest.mark.timeout(300)
def test_the_cold_start_is_that_of_the_tree_with_bytecode(
    packaged: Package, tmp_path: Path
) -> None:
    slim = unpacked(packaged.code, tmp_path / "slim")
    raw = packaged.folder / "chalice" / "deployment.zip"
    whole = unpacked(raw, tmp_path / "whole")
    shutil.rmtree(whole / "botocore" / "data")  # never read, and minutes to write
    assert compileall.compile_dir(whole, quiet=1)
    times: dict[Path, list[float]] = {slim: [], whole: []}
    for _ in range(ROUNDS):
        for folder, seconds in times.items():
            seconds.append(first_call_seconds(folder))
    ours, theirs = (min(seconds) * 1000 for seconds in times.values())
    told = f"first answer of the package {ours:.1f} ms, of the tree {theirs:.1f} ms"
    assert ours <= 1.1 * theirs, told


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("PNG", "image/png (10, 5)"),
        ("JPEG", "image/jpeg (10, 20)"),  # turned as its Exif says
        ("MPO", "image/jpeg (10, 20)"),
        ("GIF", "image/gif (10, 5)"),
        ("WEBP", "image/png (10, 5)"),
    ],
)
def test_the_trimmed_pillow_makes_thumbs(
    packaged: Package, tmp_path: Path, kind: str, expected: str
) -> None:
    picture = Image.new("RGB", (40, 20), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if kind in ("JPEG", "MPO") else {}
    more = {"save_all": True, "append_images": [picture.copy()]} if kind == "MPO" else {}
    picture.save(tmp_path / "picture", kind, **options, **more)
    code = unpacked(packaged.code, tmp_path / "code")
    command = [sys.executable, "-I", "-S", "-c", THUMB, str(code), str(tmp_path / "picture")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == expected, done.stderr


def test_the_app_calls_aws_with_the_sdk_of_the_runtime(packaged: Package, tmp_path: Path) -> None:
    code = unpacked(packaged.code, tmp_path / "code")
    runtime = Path(boto3.__file__).parents[1]  # as Lambda's: behind the function's own code
    command = [sys.executable, "-I", "-S", "-c", BESIDE, str(code), str(runtime)]
    environment = {"AWS_REGION": "us-east-1", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "lambda iam logs scheduler sqs ssm", done.stderr


def test_cfn_lint_has_nothing_to_say(packaged: Package) -> None:
    lint = Path(sys.executable).parent / "cfn-lint"
    command = [str(lint), "--region", "us-east-1", "--template", str(packaged.template)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_template_fits_and_every_function_has_its_own_role(packaged: Package) -> None:
    assert packaged.template.stat().st_size <= 1_000_000
    resources = json.loads(packaged.template.read_text())["Resources"]
    functions = [each for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]
    roles = [json.dumps(each["Properties"]["Role"]) for each in functions]
    assert len(set(roles)) == len(roles) >= 1
