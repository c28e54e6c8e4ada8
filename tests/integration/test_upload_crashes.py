"""The process dies between any two steps of an upload, and nothing is lost.

A step is a request to DynamoDB or S3. The process dies before it is sent, or after it was
carried out and before the answer was read; from then on that call does nothing any more. The
client then does what any tus client does: it asks for the offset and goes on.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from chalicelib import services, store
from chalicelib.aws import connections, dynamodb, s3, s3_multipart
from chalicelib.services import upload_bytes
from chalicelib.store import keys
from tests.integration.upload_client import MIB, Uploader, Uploaders, uploaders

DOCS = "/api/collections/docs/records"
CONTENT = os.urandom(7 * MIB + 1)
CHUNKS = (3 * MIB, 7 * MIB, 7 * MIB + 1)
"""Where chunks end: a tail; a part made of the tail and more; a small last part."""


class Died(BaseException):
    """The process is gone."""


class Mortal:
    """Stands before AWS and lets the process die at one step."""

    def __init__(self, exchange: Callable[..., connections.Reply]) -> None:
        self._exchange = exchange
        self.steps = 0
        self.dies_at = -1
        self.after = False
        self.is_dead = False

    def __call__(
        self,
        to: connections.Endpoint,
        method: str,
        target: str,
        body: bytes | Sequence[bytes],
        headers: Mapping[str, str],
        timeout_seconds: float,
    ) -> connections.Reply:
        if self.is_dead:
            raise Died
        step, self.steps = self.steps, self.steps + 1
        if step == self.dies_at and not self.after:
            self.is_dead = True
            raise Died
        reply = self._exchange(to, method, target, body, headers, timeout_seconds)
        if step == self.dies_at:
            self.is_dead = True
            raise Died
        return reply


@pytest.fixture(scope="module")
def us(table: str) -> Uploaders:
    from tools import bootstrap  # noqa: PLC0415 - reads the environment that local_aws sets

    bootstrap.main()
    us = uploaders()
    rule = "@request.auth.id != ''"
    field = {"name": "file", "type": "file", "maxSize": 20 * MIB}
    text = {"name": "title", "type": "text"}
    collection = {"name": "docs", "type": "base", "fields": [text, field]}
    rules = {"createRule": rule, "listRule": rule, "viewRule": rule}
    us.api.as_root("POST", "/api/collections", collection | rules)
    return us


@pytest.fixture
def mortal(us: Uploaders, monkeypatch: pytest.MonkeyPatch) -> Mortal:
    mortal = Mortal(connections.exchange)
    monkeypatch.setattr(connections, "exchange", mortal)
    # Sweeps of their own would add steps at odd times.
    monkeypatch.setattr(services.upload_sweep, "sometimes", lambda: None)
    monkeypatch.setattr(services.file_sweep, "now_and_then", lambda: None)
    return mortal


def surviving(mortal: Mortal, work: Callable[[], Any]) -> Any:
    """Return what `work` returns, begun again by a new process if it died."""
    try:
        return work()
    except Died:
        mortal.is_dead, mortal.dies_at = False, -1
        # What only the dead process knew.
        connections.forget()
        upload_bytes._last_tail[0] = upload_bytes._NO_TAIL
        return work()


def upload(mortal: Mortal, ann: Uploader) -> str:
    """Upload `CONTENT` as a client does that asks for the offset after every failure."""
    url: str = surviving(mortal, lambda: ann.create(len(CONTENT)))

    def send_rest() -> None:
        offset = ann.head(url).offset
        while offset < len(CONTENT):
            end = next(end for end in CHUNKS if end > offset)
            answer = ann.patch(url, offset, CONTENT[offset:end])
            assert (answer.status, answer.offset) == (204, end), answer
            offset = end

    surviving(mortal, send_rest)
    return url


def take_over(us: Uploaders, mortal: Mortal, url: str) -> dict[str, Any]:
    """Make a record of the upload as a client does that looks before it repeats."""
    token = url.rpartition("/")[2]

    def create() -> dict[str, Any]:
        found = us.api("GET", f"{DOCS}?filter=title='{token}'", None, us.ann.token).body["items"]
        if found:
            made: dict[str, Any] = found[0]
            return made
        body = {"title": token, "file": {"upload": token}}
        answer = us.api("POST", DOCS, body, us.ann.token)
        assert answer.status == 200, answer
        record: dict[str, Any] = answer.body
        return record

    kept: dict[str, Any] = surviving(mortal, create)
    return kept


def run(us: Uploaders, mortal: Mortal) -> int:
    """Upload a file, make a record of it, and look at what is there in the end; return the
    number of steps until then."""
    url = upload(mortal, us.ann)
    record = take_over(us, mortal, url)
    steps, mortal.dies_at = mortal.steps, -1

    key = f"{record['collectionId']}/{record['id']}/{record['file']}"
    assert s3.get(key) == CONTENT
    assert us.ann.head(url).status == 410, "used"
    _sweep_everything()
    answer = us.api("GET", DOCS, None, us.ann.token)
    assert [item["id"] for item in answer.body["items"]] == [record["id"]]
    assert s3_multipart.keys_under("") == [key], "nothing but the record's file is left"
    assert s3_multipart.pending("") == []
    us.api.as_root("DELETE", f"{DOCS}/{record['id']}")
    return steps


def _sweep_everything() -> None:
    """Do at once what the sweeps do after their hours."""
    for name in {key.split("/")[1] for key in s3_multipart.keys_under(".uploads/")}:
        services.upload_bytes.remove(name)
    for pending in s3_multipart.pending(".uploads/"):
        s3_multipart.abort(pending.key, pending.upload_id)
    page = dynamodb.query("PK = :p", {":p": {"S": keys.SWEEPS}}, consistent=True)
    for item in page.items:
        store.sweeps.carry_out(store.sweeps._read(item))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_dying_between_any_two_steps_loses_nothing(
    us: Uploaders, mortal: Mortal, after: bool
) -> None:
    steps = run(us, mortal)
    assert steps > 25
    for step in range(steps):
        mortal.steps, mortal.dies_at, mortal.after = 0, step, after
        try:
            run(us, mortal)
        except BaseException as error:
            error.add_note(f"died {'after' if after else 'before'} step {step} of {steps}")
            raise
