"""No write is lost and none is made twice, whatever happens between us and DynamoDB.

`fault_proxy` spoils the exchanges; counters in the table say how often a write was made.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.aws import connections, dynamodb, retries
from chalicelib.aws.dynamodb import (
    ConditionFailedError,
    InvalidRequestError,
    Item,
    OutcomeUnknownError,
    TransactionCanceledError,
)
from chalicelib.aws.lean_response import LeanResponse
from chalicelib.errors import UnavailableError
from chalicelib.store.keys import key
from tests.integration import fault_proxy as faults
from tests.integration.fault_proxy import Exchange, Fault, FaultProxy
from tools.local_aws.client import LocalAws

COUNTER = key("TEST", "counter")
ABSENT = "attribute_not_exists(PK)"
SAME_REV = "rev = :old"
ADD_ONE = "ADD n :one"
ONE = {":one": {"N": "1"}}

CERTAINLY_NOT_DONE: dict[str, Fault] = {
    "throughput exceeded": faults.error(400, "ProvisionedThroughputExceededException"),
    "throttling": faults.error(400, "ThrottlingException"),
    "request limit": faults.error(400, "RequestLimitExceeded"),
    "transaction conflict": faults.error(400, "TransactionConflictException"),
}
PERHAPS_DONE: dict[str, Fault] = {
    "500": faults.error(500, "InternalServerError"),
    "500 although done": faults.error_after(500, "InternalServerError"),
    "503": faults.error(503),
    "503 although done": faults.error_after(503),
    "page of a balancer": faults.page_of_a_balancer,
    "nonsense": faults.nonsense,
    "reset before": faults.reset_before,
    "reset after": faults.reset_after,
    "closed after": faults.close_after,
    "body cut short": faults.cut_body,
    "headers cut short": faults.cut_headers,
}
PASSING = {**CERTAINLY_NOT_DONE, **PERHAPS_DONE}


def each(table: dict[str, Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", table.values(), ids=table.keys())


@pytest.fixture(scope="module")
def running_proxy(local_aws: LocalAws) -> Iterator[FaultProxy]:
    proxy = FaultProxy(local_aws.url)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def proxy(
    running_proxy: FaultProxy, table: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """The proxy before an absent counter; pauses are short, so that tests are."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", running_proxy.url)
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.002)
    monkeypatch.setattr(retries, "LONGEST_PAUSE_SECONDS", 0.01)
    running_proxy.plan([])
    dynamodb.delete(COUNTER)
    running_proxy.plan([])
    yield running_proxy
    running_proxy.plan([])
    connections.forget()


def counter(n: int, rev: str) -> Item:
    return {**COUNTER, "n": {"N": str(n)}, "rev": {"S": rev}}


def stored() -> Item | None:
    return dynamodb.get(COUNTER)


def count() -> int:
    return int((stored() or {"n": {"N": "0"}})["n"]["N"])


def given(item: Item) -> None:
    dynamodb.put(item)


def overwritten_after(item: Item) -> Fault:
    """Let the request through, then let somebody else write `item`, then break the connection."""

    def fault(exchange: Exchange) -> None:
        exchange.forward()
        other = threading.Thread(target=dynamodb.put, args=(item,))
        other.start()
        other.join()
        exchange.reset()

    return fault


class TestReads:
    @each(PASSING)
    def test_a_read_is_repeated(self, proxy: FaultProxy, fault: Fault) -> None:
        given(counter(7, "a"))
        reads: list[Callable[[], Any]] = [
            lambda: dynamodb.get(COUNTER),
            lambda: dynamodb.batch_get([COUNTER])[0],
            lambda: dynamodb.query("PK = :p", {":p": COUNTER["PK"]}, consistent=True).items[0],
        ]
        for read in reads:
            proxy.plan([fault, fault])
            assert read() == counter(7, "a")
            assert len(proxy.received) == 3

    def test_keys_that_were_not_read_are_asked_again(self, proxy: FaultProxy) -> None:
        given(counter(7, "a"))
        unread = {"dormouse": {"Keys": [COUNTER], "ConsistentRead": True}}
        none_read = faults.answers({"Responses": {"dormouse": []}, "UnprocessedKeys": unread})
        proxy.plan([none_read, none_read])

        assert dynamodb.batch_get([COUNTER]) == [counter(7, "a")]
        assert proxy.received == ["BatchGetItem"] * 3

    def test_deletes_that_were_not_made_are_asked_again(self, proxy: FaultProxy) -> None:
        given(counter(7, "a"))
        unmade = {"dormouse": [{"DeleteRequest": {"Key": COUNTER}}]}
        proxy.plan([faults.answers({"UnprocessedItems": unmade})])

        dynamodb.batch_write_deletes([COUNTER])

        assert proxy.received == ["BatchWriteItem"] * 2
        assert stored() is None


class TestPut:
    @each(PASSING)
    def test_a_create_is_made_once_and_reported_as_made(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        proxy.plan([fault, fault])

        dynamodb.put(counter(1, "mine"), ABSENT)

        assert len(proxy.received) == 3
        assert stored() == counter(1, "mine")

    @each(PASSING)
    def test_a_replacement_conditional_on_its_revision_is_made_once(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        given(counter(1, "old"))
        proxy.plan([fault])

        dynamodb.put(counter(2, "new"), SAME_REV, {":old": {"S": "old"}})

        assert stored() == counter(2, "new")

    @each(PASSING)
    def test_a_put_without_condition_is_repeated(self, proxy: FaultProxy, fault: Fault) -> None:
        proxy.plan([fault])

        dynamodb.put(counter(3, "x"))

        assert stored() == counter(3, "x")

    @each(CERTAINLY_NOT_DONE)
    def test_a_condition_that_failed_without_doubt_says_what_is_stored(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        given(counter(1, "theirs"))
        proxy.plan([fault])

        with pytest.raises(ConditionFailedError) as caught:
            dynamodb.put(counter(9, "mine"), ABSENT)
        assert caught.value.item == counter(1, "theirs")

    def test_a_lost_answer_before_somebody_elses_write_is_an_unknown_outcome(
        self, proxy: FaultProxy
    ) -> None:
        """Telling "the condition failed" would make the caller count his change twice."""
        given(counter(1, "old"))
        proxy.plan([overwritten_after(counter(50, "theirs"))])

        with pytest.raises(OutcomeUnknownError):
            dynamodb.put(counter(2, "mine"), SAME_REV, {":old": {"S": "old"}})
        assert stored() == counter(50, "theirs")

    def test_an_item_without_its_own_mark_is_not_taken_for_ours(self, proxy: FaultProxy) -> None:
        proxy.plan([faults.reset_after])

        with pytest.raises(OutcomeUnknownError):
            dynamodb.put(COUNTER, ABSENT)

    def test_a_request_that_arrives_late_does_not_undo_later_writes(
        self, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given(counter(1, "old"))
        monkeypatch.setattr(retries, "ATTEMPT_SECONDS", 0.3)
        proxy.plan([faults.late])

        dynamodb.put(counter(2, "mine"), SAME_REV, {":old": {"S": "old"}})
        dynamodb.put(counter(3, "next"), SAME_REV, {":old": {"S": "mine"}})

        wait_until(lambda: len(proxy.forwarded) >= 3)
        assert stored() == counter(3, "next")


class TestUpdate:
    @each(CERTAINLY_NOT_DONE)
    def test_counting_is_repeated_when_it_was_certainly_not_done(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        proxy.plan([fault, fault])

        assert dynamodb.update(COUNTER, ADD_ONE, ONE)["n"] == {"N": "1"}
        assert count() == 1

    @each(PERHAPS_DONE)
    def test_counting_is_never_repeated_when_it_was_perhaps_done(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        proxy.plan([fault])

        with pytest.raises(OutcomeUnknownError):
            dynamodb.update(COUNTER, ADD_ONE, ONE)
        assert proxy.received == ["UpdateItem"]
        assert count() == len(proxy.forwarded) - 1  # the read itself is forwarded too

    @pytest.mark.parametrize(
        "expression",
        [
            "ADD n :one",
            "add n :one",
            "SET n = n + :one",
            "SET n = if_not_exists(n, :one)",
            "SET n = :one ADD m :one",
            "DELETE tags :one",
        ],
    )
    def test_every_way_to_count_is_known(self, proxy: FaultProxy, expression: str) -> None:
        proxy.plan([faults.reset_before])

        with pytest.raises(OutcomeUnknownError):
            dynamodb.update(COUNTER, expression, ONE)
        assert len(proxy.received) == 1

    @each(PASSING)
    def test_setting_is_repeated(self, proxy: FaultProxy, fault: Fault) -> None:
        proxy.plan([fault])

        changed = dynamodb.update(COUNTER, "SET n = :one REMOVE doc", ONE)

        assert changed == {**COUNTER, "n": {"N": "1"}}

    @each(PASSING)
    def test_counting_with_an_own_mark_is_repeated_and_made_once(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        given(counter(1, "old"))
        proxy.plan([fault, fault])

        changed = dynamodb.update(
            COUNTER,
            "SET rev = :rev ADD n :one",
            {**ONE, ":rev": {"S": "mine"}, ":old": {"S": "old"}},
            condition=SAME_REV,
            own_attribute="rev",
        )

        assert changed == counter(2, "mine")
        assert stored() == counter(2, "mine")

    @pytest.mark.parametrize(
        ("values", "condition"), [(ONE, SAME_REV), ({**ONE, ":rev": {"S": "x"}}, None)]
    )
    def test_an_own_mark_needs_its_value_and_a_condition(
        self, proxy: FaultProxy, values: dict[str, Any], condition: str | None
    ) -> None:
        with pytest.raises(InvalidRequestError, match="own_attribute"):
            dynamodb.update(COUNTER, ADD_ONE, values, condition=condition, own_attribute="rev")
        assert proxy.received == []


class TestDelete:
    @each(PASSING)
    def test_a_delete_conditional_on_its_revision_is_reported_as_made(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        given(counter(1, "old"))
        proxy.plan([fault])

        dynamodb.delete(COUNTER, SAME_REV, {":old": {"S": "old"}})

        assert stored() is None

    def test_an_item_that_somebody_put_in_between_is_left_alone(self, proxy: FaultProxy) -> None:
        given(counter(1, "old"))
        proxy.plan([overwritten_after(counter(1, "theirs"))])

        with pytest.raises(OutcomeUnknownError):
            dynamodb.delete(COUNTER, SAME_REV, {":old": {"S": "old"}})
        assert stored() == counter(1, "theirs")


ADD_IN_TRANSACTION = {
    "Update": {
        "Key": COUNTER,
        "UpdateExpression": ADD_ONE,
        "ExpressionAttributeValues": ONE,
    }
}


def canceled(*codes: str) -> Fault:
    return faults.error(
        400, "TransactionCanceledException", CancellationReasons=[{"Code": c} for c in codes]
    )


class TestTransact:
    @each(
        {
            **PASSING,
            "in progress": faults.error(400, "TransactionInProgressException"),
            "in conflict": canceled("None", "TransactionConflict"),
            "throttled inside": canceled("ThrottlingError"),
        }
    )
    def test_a_transaction_that_counts_is_made_once(self, proxy: FaultProxy, fault: Fault) -> None:
        proxy.plan([fault, fault])

        dynamodb.transact([ADD_IN_TRANSACTION])

        assert len(proxy.received) == 3
        assert count() == 1

    def test_a_transaction_that_arrives_late_is_not_made_again(
        self, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retries, "ATTEMPT_SECONDS", 0.3)
        proxy.plan([faults.late])

        dynamodb.transact([ADD_IN_TRANSACTION])

        wait_until(lambda: len(proxy.forwarded) >= 2)
        assert count() == 1

    def test_a_condition_that_failed_is_told_at_once(self, proxy: FaultProxy) -> None:
        given(counter(1, "theirs"))
        proxy.plan([])
        put = {"Put": {"Item": counter(1, "mine"), "ConditionExpression": ABSENT}}

        with pytest.raises(TransactionCanceledError) as caught:
            dynamodb.transact([put])

        reason = caught.value.reasons[0]
        assert (reason.code, reason.item) == (dynamodb.CONDITION_FAILED, counter(1, "theirs"))
        assert len(proxy.received) == 1


class TestTime:
    @each({"silent": faults.silent, "silent although done": faults.silent_after})
    def test_a_silent_server_is_asked_again(
        self, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, fault: Fault
    ) -> None:
        monkeypatch.setattr(retries, "ATTEMPT_SECONDS", 0.3)
        proxy.plan([fault])

        dynamodb.put(counter(1, "mine"), ABSENT)

        assert stored() == counter(1, "mine")

    def test_a_read_ends_at_the_deadline(self, proxy: FaultProxy) -> None:
        proxy.plan([faults.silent] * 3)

        with pytest.raises(UnavailableError) as caught:
            before(0.5, stored)
        assert type(caught.value) is UnavailableError

    def test_a_write_that_never_got_an_answer_ends_in_doubt(self, proxy: FaultProxy) -> None:
        proxy.plan([faults.silent_after] * 3)

        with pytest.raises(OutcomeUnknownError):
            before(0.5, lambda: dynamodb.put(counter(1, "mine"), ABSENT))

    def test_a_write_that_was_always_throttled_ends_without_doubt(self, proxy: FaultProxy) -> None:
        proxy.plan(list(CERTAINLY_NOT_DONE.values()) * 50)

        with pytest.raises(UnavailableError) as caught:
            before(0.5, lambda: dynamodb.put(counter(1, "mine"), ABSENT))
        assert type(caught.value) is UnavailableError
        assert 2 <= len(proxy.received) <= retries.MOST_ATTEMPTS
        assert proxy.forwarded == []

    def test_a_write_to_nowhere_ends_without_doubt(
        self, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")

        with pytest.raises(UnavailableError) as caught:
            before(1.0, lambda: dynamodb.put(counter(1, "mine"), ABSENT))
        assert type(caught.value) is UnavailableError


class TestConnections:
    def test_calls_share_one_connection(self, proxy: FaultProxy) -> None:
        connections.forget()
        for _ in range(10):
            stored()

        assert proxy.connections == 1

    @each({"closed": faults.then_closes, "reset": faults.then_resets})
    def test_a_connection_closed_while_idle_is_noticed_before_use(
        self, proxy: FaultProxy, fault: Fault
    ) -> None:
        """So even a call that must not be repeated passes."""
        proxy.plan([fault])
        stored()
        time.sleep(0.1)

        dynamodb.update(COUNTER, ADD_ONE, ONE)

        assert proxy.received == ["GetItem", "UpdateItem"]
        assert count() == 1

    def test_a_connection_idle_for_long_is_not_trusted(
        self, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored()
        proxy.plan([])
        monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
        stored()
        stored()

        assert proxy.connections == 2

    def test_an_interrupted_call_leaves_no_answer_for_the_next(
        self, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given(counter(7, "a"))

        def interrupted(response: Any) -> bytes:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(LeanResponse, "read", interrupted)
            with pytest.raises(KeyboardInterrupt):
                dynamodb.get(key("TEST", "other"))

        assert dynamodb.update(COUNTER, ADD_ONE, ONE) == counter(8, "a")


FAULTS_OF_A_BAD_DAY = [*PASSING.values(), faults.then_closes, faults.then_resets]


class Tally:
    """What callers were told about their attempts to add one."""

    def __init__(self) -> None:
        self.made = 0
        self.unknown = 0


def bad_day(seed: int, requests: int) -> list[Fault]:
    """Return a row of exchanges of which every third is spoiled."""
    chance = random.Random(seed)
    return [
        chance.choice(FAULTS_OF_A_BAD_DAY) if chance.random() < 0.33 else faults.passes
        for _ in range(requests)
    ]


def increment_by_put(tally: Tally, mark: str) -> None:
    """Add one as services do: read, change, put if nobody wrote in between, else again."""
    while True:
        item = dynamodb.get(COUNTER)
        assert item is not None
        try:
            n = int(item["n"]["N"]) + 1
            dynamodb.put(counter(n, mark), SAME_REV, {":old": item["rev"]})
        except ConditionFailedError:
            continue
        except OutcomeUnknownError:
            tally.unknown += 1
            return
        tally.made += 1
        return


@pytest.mark.parametrize("seed", range(4))
def test_on_a_bad_day_a_single_writer_counts_exactly(proxy: FaultProxy, seed: int) -> None:
    given(counter(0, "start"))
    proxy.plan(bad_day(seed, 300))
    tally = Tally()
    for step in range(40):
        increment_by_put(tally, f"step {step}")
        dynamodb.transact([ADD_IN_TRANSACTION])

    assert tally.unknown == 0
    assert count() == 80


@pytest.mark.parametrize("seed", range(3))
def test_on_a_bad_day_rival_writers_lose_and_double_nothing(proxy: FaultProxy, seed: int) -> None:
    given(counter(0, "start"))
    proxy.plan(bad_day(100 + seed, 2000))
    tallies = [Tally() for _ in range(3)]

    def write(name: int) -> None:
        for step in range(15):
            increment_by_put(tallies[name], f"{name}.{step}")

    writers = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    made = sum(tally.made for tally in tallies)
    unknown = sum(tally.unknown for tally in tallies)
    assert made + unknown == 45
    assert made <= count() <= made + unknown


def before(seconds: float, act: Callable[[], Any]) -> None:
    """Do it with a deadline, and see that it took no longer (a busy machine gets a second)."""
    start = time.monotonic()
    token = dynamodb.deadline.set(start + seconds)
    try:
        act()
    finally:
        dynamodb.deadline.reset(token)
        assert time.monotonic() - start < seconds + 1


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to be")
