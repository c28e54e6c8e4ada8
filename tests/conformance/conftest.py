"""Both servers for a session, and each module's world on both.

    pytest tests/conformance                                  PocketBase beside Dormouse
    pytest tests/conformance --against http://127.0.0.1:8000  a Dormouse that runs already
    pytest tests/conformance --against pocketbase             two PocketBases: checks the tests

A Dormouse that runs already must have the superuser of `servers.py`.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conformance import servers
from tests.conformance.client import Client
from tests.conformance.pair import Pair
from tests.conformance.world import Side, World

OURS = "ours"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--against", default=OURS, help="ours (started here), pocketbase, or a base URL"
    )


@pytest.fixture(scope="session")
def base_urls(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """PocketBase's base URL and that of the server it is compared with."""
    against = str(request.config.getoption("--against", default=OURS))
    with ExitStack() as stack:
        theirs = _run(stack, "pocketbase")
        ours = against if against.startswith("http") else _run(stack, against)
        yield theirs, ours


@pytest.fixture(scope="session")
def sessions(base_urls: tuple[str, str]) -> Iterator[list[tuple[str, Client, str]]]:
    """Name, connection and superuser token of each server."""
    clients = [Client(url) for url in base_urls]
    names = ("PocketBase", "Dormouse")
    yield [(name, c, servers.super_token(c)) for name, c in zip(names, clients, strict=True)]
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, sessions: list[tuple[str, Client, str]]) -> Pair:
    """The two servers with the module's `WORLD` on them."""
    is_rehearsal = request.config.getoption("--against", default=OURS) == "pocketbase"
    world: World = getattr(request.module, "WORLD", World())
    sides = [Side(*session) for session in sessions]
    for side in sides:
        side.build(world)
    return Pair(*sides, is_rehearsal=is_rehearsal)


def _run(stack: ExitStack, kind: str) -> str:
    folder = servers.scratch(kind)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    make = servers.pocketbase if kind == "pocketbase" else servers.dormouse
    return stack.enter_context(make(folder)).base_url
