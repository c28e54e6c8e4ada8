"""Money caps on the real table: however many callers, never more than the cap."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import store
from chalicelib.aws import dynamodb
from chalicelib.domain.functions.function import Cap, Function
from chalicelib.domain.ids import record_id
from chalicelib.errors import UnavailableError
from chalicelib.store import keys

NOW = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
WORST = 1_000_000
CALLERS = 50


def capped(amount: str, per: str = "day") -> Function:
    return Function(record_id(), "mailer", "python3.13", "app.handler", cap=Cap(amount, per))


def reserves(function: Function, picodollars: int = WORST, now: datetime = NOW) -> bool:
    """Reserve and return whether there was room."""
    try:
        dynamodb.transact([store.caps.reserve(function, picodollars, now)])
    except dynamodb.TransactionCanceledError:
        return False
    return True


def settle(function: Function, reserved: int, spent: int, began: datetime = NOW) -> None:
    dynamodb.transact([store.caps.settle(function, reserved, spent, began)])


def test_calls_are_reserved_until_the_next_one_would_pass_the_cap(table: str) -> None:
    function = capped("0.0000025")
    assert [reserves(function) for _ in range(4)] == [True, True, False, False]
    assert store.caps.spent(function, NOW) == 2 * WORST
    settle(function, WORST, 400_000)
    assert store.caps.spent(function, NOW) == 1_400_000
    assert reserves(function)
    assert not reserves(function)
    assert store.caps.spent(function, NOW) == 2_400_000


def test_a_call_may_use_the_cap_to_the_last(table: str) -> None:
    function = capped("0.000002")
    assert [reserves(function) for _ in range(3)] == [True, True, False]
    settle(function, WORST, WORST)
    assert not reserves(function)


def test_a_call_dearer_than_the_cap_is_refused_at_first_and_later(table: str) -> None:
    function = capped("0.0000009")
    assert not reserves(function)
    assert store.caps.spent(function, NOW) == 0
    assert reserves(function, 900_000)
    settle(function, 900_000, 0)
    assert not reserves(function)
    assert reserves(function, 900_000)


def test_a_refused_reservation_takes_the_whole_transaction_with_it(table: str) -> None:
    function = capped("0")
    other = keys.cap(function.id, "beside")
    with pytest.raises(dynamodb.TransactionCanceledError) as raised:
        dynamodb.transact([{"Put": {"Item": other}}, store.caps.reserve(function, WORST, NOW)])
    assert [reason.code for reason in raised.value.reasons] == ["None", dynamodb.CONDITION_FAILED]
    assert dynamodb.get(other) is None


def test_a_call_past_midnight_settles_the_day_it_began_in(table: str) -> None:
    function = capped("0.000001")
    after = NOW + timedelta(seconds=2)
    assert reserves(function)
    assert reserves(function, now=after)  # another day, another purse
    settle(function, WORST, 10)
    assert store.caps.spent(function, NOW) == 10
    assert store.caps.spent(function, after) == WORST


def test_a_monthly_cap_holds_over_its_days(table: str) -> None:
    function = capped("0.000001", "month")
    assert reserves(function, now=datetime(2026, 11, 1, tzinfo=UTC))
    assert not reserves(function)
    assert reserves(function, now=datetime(2026, 12, 1, tzinfo=UTC))


def test_what_died_after_it_reserved_stays_reserved(table: str) -> None:
    function = capped("0.000003")
    assert reserves(function)  # and its process is gone
    assert [reserves(function) for _ in range(3)] == [True, True, False]
    settle(function, WORST, 1)
    settle(function, WORST, 1)
    assert store.caps.spent(function, NOW) == WORST + 2


def test_items_expire_after_their_period(table: str) -> None:
    for per, ends in (("day", datetime(2026, 11, 24, tzinfo=UTC)),
                      ("month", datetime(2026, 12, 1, tzinfo=UTC))):  # fmt: skip
        function = capped("1", per)
        assert reserves(function, now=datetime(2026, 11, 23, tzinfo=UTC))
        assert function.cap is not None
        item = dynamodb.get(keys.cap(function.id, store.caps.period_of(function.cap, NOW)))
        assert item is not None
        assert int(item["ttl"]["N"]) > ends.timestamp() + 30 * 24 * 3600


def test_fifty_callers_never_pass_the_cap_and_give_everything_back(table: str) -> None:
    function = capped("0.00001")  # room for ten worst cases
    most = store.caps.picodollars_of(function.cap or Cap("0", "day"))
    costs, admitted, refused, seen = [], [], [], []
    lock, done = threading.Lock(), threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(store.caps.spent(function, NOW))

    def call(number: int) -> None:
        dice = random.Random(number)
        for _ in range(3):
            try:
                if not reserves(function):
                    refused.append(number)
                    continue
            except UnavailableError:
                continue  # too many met on the item: nothing was reserved
            spent = dice.randrange(WORST // 20)
            _until_done(function, spent)
            with lock:
                admitted.append(number)
                costs.append(spent)

    with ThreadPoolExecutor(CALLERS + 1) as pool:
        watcher = pool.submit(watch)
        list(pool.map(call, range(CALLERS)))
        done.set()
        watcher.result()
    assert max(seen) <= most
    assert store.caps.spent(function, NOW) == sum(costs) <= most
    assert len(admitted) >= 10
    assert len(seen) > 5


def _until_done(function: Function, spent: int) -> None:
    for _ in range(20):
        try:
            settle(function, WORST, spent)
        except UnavailableError:
            continue
        return
    raise AssertionError("never settled")


def test_a_function_that_could_never_run_is_told_why() -> None:
    function = capped("0.00005")
    assert store.caps.check(function, 50_000_000) == ""
    assert store.caps.check(function._replace(cap=None), 10**15) == ""
    assert store.caps.check(function, 50_000_001) == (
        "One call may cost up to $0.000050000001, and the cap is $0.00005 a day:"
        " lower the timeout or the memory, or raise the cap."
    )


def test_without_a_cap_nothing_is_counted_and_nothing_can_be_reserved() -> None:
    function = capped("1")._replace(cap=None)
    assert store.caps.spent(function, NOW) == 0
    with pytest.raises(ValueError, match="no cap"):
        store.caps.reserve(function, 1, NOW)
