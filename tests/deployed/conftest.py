"""One package for the run, and one stage deployed from it. `make test-deployed` runs these."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed import stage
from tests.deployed.stage import Deployed
from tools.deploy import package
from tools.deploy.package import Package
from tools.local_aws import client
from tools.local_aws.client import LocalAws

GIVEN = "DORMOUSE_TEST_PACKAGE"
"""A folder with a package made before: spares a developer the minute of making it."""

PACKAGING_SECONDS = 400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test time for the package, which the first one that runs waits for."""
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(PACKAGING_SECONDS))


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of the stage `dev`, but for this machine's processor."""
    if os.environ.get(GIVEN):
        return Package(Path(os.environ[GIVEN]))
    return package.make(stage.STAGE, tmp_path_factory.mktemp("package"), "x86_64")


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A local AWS of this run's own."""
    running = client.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def deployed(aws: LocalAws, packaged: Package) -> Iterator[Deployed]:
    """The stage, live behind its REST API."""
    outputs = stage.run(aws, packaged)
    stage.make_superuser(aws)
    with stage.reached(aws, outputs) as live:
        yield live
