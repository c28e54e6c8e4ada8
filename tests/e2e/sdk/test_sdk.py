"""The unchanged JavaScript SDK does the same on PocketBase and on Dormouse.

Needs Node 20 and `npm ci` (`make test-sdk` does it).
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import servers

SCRIPT = Path(__file__).parent / "script.mjs"
RUN_SECONDS = 180


@pytest.mark.timeout(RUN_SECONDS + 60)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(servers.pocketbase, id="PocketBase"),  # shows that the script is right
        pytest.param(servers.dormouse, id="Dormouse"),
    ],
)
def test_the_sdk_works_unchanged(make: Callable[[Path], servers.Server], tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "Node 20 is needed: https://nodejs.org"
    with make(tmp_path) as server:
        command = [node, str(SCRIPT), server.base_url, servers.EMAIL, servers.PASSWORD]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.count("\nok ") >= 25, done.stdout
