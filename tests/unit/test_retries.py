import random

import pytest

from chalicelib.aws import retries
from chalicelib.aws.retries import OutcomeUnknownError, Patience
from chalicelib.errors import UnavailableError

CAUSE = RuntimeError("throttled")


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(retries, "time", clock)
    return clock


def exhaust(patience: Patience, *, in_doubt: bool = False) -> None:
    for _ in range(1000):
        patience.pause(CAUSE, in_doubt=in_doubt)
    raise AssertionError("never gave up")


def test_a_pause_is_drawn_from_a_range_that_doubles_to_a_cap(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        ranges.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", uniform)
    with pytest.raises(UnavailableError):
        exhaust(Patience())

    bounds = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0]
    assert [low for low, _ in ranges] == [0] * len(bounds)
    assert [high for _, high in ranges] == pytest.approx(bounds)
    assert len(clock.slept) == retries.MOST_ATTEMPTS - 1


def test_pauses_differ_from_one_caller_to_the_next(clock: Clock) -> None:
    for _ in range(20):
        Patience().pause(CAUSE)

    assert len(set(clock.slept)) == 20
    assert all(0 <= seconds <= retries.FIRST_PAUSE_SECONDS for seconds in clock.slept)


@pytest.mark.parametrize("seconds", [0.01, 0.2, 1.0, 5.0])
def test_the_deadline_is_never_slept_past(clock: Clock, seconds: float) -> None:
    token = retries.deadline.set(clock.now + seconds)
    try:
        with pytest.raises(UnavailableError) as caught:
            exhaust(Patience())
    finally:
        retries.deadline.reset(token)

    assert clock.now < 1000.0 + seconds
    assert caught.value.status == 503
    assert caught.value.__cause__ is CAUSE


def test_a_doubtful_write_ends_in_its_own_error(clock: Clock) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        exhaust(Patience(), in_doubt=True)

    assert caught.value.status == 503
    assert "check" in caught.value.body()["message"]


def test_an_attempt_may_take_what_is_left_and_no_more(clock: Clock) -> None:
    token = retries.deadline.set(clock.now + 2.5)
    try:
        patience = Patience()
        assert patience.attempt_seconds() == 2.5
        clock.now += 2.5
        with pytest.raises(UnavailableError):
            patience.attempt_seconds()
    finally:
        retries.deadline.reset(token)


def test_without_a_deadline_an_attempt_has_its_own_limit(clock: Clock) -> None:
    assert Patience().attempt_seconds() == retries.ATTEMPT_SECONDS
