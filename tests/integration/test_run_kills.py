"""Kill -9 of the API and of the local AWS during a write load: every answered write is there."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.running import (
    ACCOUNT,
    END_SECONDS,
    Run,
    create_collection,
    end_all,
    free_port,
    get,
    post,
    sign_in,
)

WRITERS = 4
LOAD_SECONDS = 1.5
RECORDS = "/api/collections/notes/records"


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    yield
    end_all()


@pytest.mark.parametrize("victims", [["serve"], ["local_aws"], ["serve", "local_aws"]])
def test_every_answered_write_is_there_after_a_kill_under_load(
    tmp_path: Path, victims: list[str]
) -> None:
    run = Run(tmp_path / "state", (free_port(), free_port()), **ACCOUNT).wait_until_awake()
    token = sign_in(run, *ACCOUNT.values())
    create_collection(run, token)
    children = run.children()
    answered: list[set[str]] = [set() for _ in range(WRITERS)]
    writers = [threading.Thread(target=_write, args=(run, token, ids)) for ids in answered]
    for writer in writers:
        writer.start()
    time.sleep(LOAD_SECONDS)
    for victim in victims:
        os.kill(children[victim], signal.SIGKILL)
    for writer in writers:
        writer.join()
    assert run.process.wait(END_SECONDS) == 1
    assert all(answered), "a writer wrote nothing: no load"

    again = Run(run.state, (run.port, run.aws_port)).wait_until_awake()

    token = sign_in(again, *ACCOUNT.values())
    missing = [
        record_id
        for record_id in set.union(*answered)
        if get(again, f"{RECORDS}/{record_id}", token) != 200
    ]
    assert missing == []
    assert again.end() == 0


def _write(run: Run, token: str, answered: set[str]) -> None:
    """Create records until the API or its database is gone."""
    while True:
        try:
            status, record = post(run, RECORDS, {"title": "x" * 200}, token)
        except OSError:
            return
        if status != 200:
            return
        answered.add(record["id"])
