"""What PocketBase and the SDK's users see, through the deployed API Gateway."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conformance.servers import EMAIL, PASSWORD, ROOT
from tests.deployed.stage import Deployed

SLICE = ("auth", "rules", "batch", "bodies", "headers", "uniques", "expand")
CHANGED_BY_THE_GATEWAY = (
    # Outside of the stage there is no function to answer.
    "test_headers_and_paths_are_the_same[GET /API/health]",
    "test_headers_and_paths_are_the_same[GET /zzz]",
    # The gateway decodes %2F before it looks for the route.
    "test_headers_and_paths_are_the_same[GET /api/collections/he/records/a%2Fb]",
    "test_headers_and_paths_are_the_same[GET /api/collections/he/records/a%2fb%00]",
    "test_headers_and_paths_are_the_same[GET /api/collections/he/records/..%2f]",
    "test_headers_and_paths_are_the_same[GET /api/collections/he%2Fx/records]",
)
RUN_SECONDS = 600


@pytest.mark.timeout(RUN_SECONDS + 60)
def test_a_slice_of_the_conformance_scenarios_holds(deployed: Deployed) -> None:
    files = [f"tests/conformance/test_{name}.py" for name in SLICE]
    command = [sys.executable, "-m", "pytest", "-q", "--against", deployed.base_url, *files]
    for name in CHANGED_BY_THE_GATEWAY:
        command += ["--deselect", f"tests/conformance/test_headers.py::{name}"]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True,
        timeout=RUN_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"{len(CHANGED_BY_THE_GATEWAY)} deselected" in done.stdout, done.stdout[-500:]


@pytest.mark.timeout(240)
def test_the_javascript_sdk_works_unchanged(deployed: Deployed) -> None:
    node = shutil.which("node")
    assert node, "Node 20 is needed: https://nodejs.org"
    command = [node, "tests/e2e/sdk/script.mjs", deployed.base_url, EMAIL, PASSWORD]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.count("\nok ") >= 25, done.stdout
