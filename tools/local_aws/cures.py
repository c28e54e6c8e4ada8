"""Put every cure into ministack, in the order in which they build on each other.

Import it only after `emulator.load`: ministack reads its environment when it is imported.
"""

from pathlib import Path
from types import ModuleType

from tools.local_aws import (
    capacity,
    conditions,
    expressions,
    fixes,
    gateway,
    lambda_executor,
    partitions,
    persistence,
    polls,
    queries,
    scheduler,
    sizes,
    stacks,
    writes,
)
from tools.local_aws.server import AsgiApp


def install(emulator_app: ModuleType, state_directory: Path | None) -> AsgiApp:
    """Cure ministack and return the ASGI application to serve."""
    fixes.install()
    sizes.install()
    expressions.install()
    capacity.install()
    writes.install()
    partitions.install()
    queries.install()
    gateway.install()
    stacks.install()
    lambda_executor.install()
    scheduler.install()
    conditions.install()
    if state_directory:
        return polls.ending_with_caller(persistence.install(emulator_app, state_directory))
    return polls.ending_with_caller(emulator_app.app)
