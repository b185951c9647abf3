"""No account sends more pieces in any second than it may."""

from __future__ import annotations

import pytest

from ak_instagram.sender.rate import RateLimits


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.time = 1000.0
        self.slept = []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


def limits(rate, clock):
    return RateLimits(rate, now=clock.now, sleep=clock.sleep)


def runs_through(coroutine):
    """Whether *coroutine* ends without once giving way to the event loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return True
    coroutine.close()
    return False


def test_a_burst_up_to_the_rate_goes_through_at_once(clock):
    rate = limits(100, clock)

    assert all(runs_through(rate.acquire("a")) for _ in range(100))


async def test_the_next_one_waits_until_a_second_has_passed(clock):
    rate = limits(2, clock)
    await rate.acquire("a")
    clock.time += 0.25
    await rate.acquire("a")

    await rate.acquire("a")

    assert clock.slept == [0.75]


async def test_no_second_has_more_than_the_rate(clock):
    rate = limits(10, clock)
    times = []
    for _ in range(95):
        await rate.acquire("a")
        times.append(clock.time)
        clock.time += 0.013

    assert all(later - earlier >= 1 for earlier, later in zip(times, times[10:], strict=False))


async def test_accounts_do_not_wait_for_one_another(clock):
    rate = limits(1, clock)
    await rate.acquire("a")

    await rate.acquire("b")

    assert clock.slept == []


async def test_a_rate_below_one_spreads_over_seconds(clock):
    rate = limits(0.5, clock)
    await rate.acquire("a")

    await rate.acquire("a")

    assert clock.slept == [2.0]


async def test_a_fraction_of_a_piece_a_second_counts(clock):
    rate = limits(2.5, clock)
    for _ in range(6):
        await rate.acquire("a")

    assert clock.time - 1000.0 == pytest.approx(1.6)


async def test_who_would_wait_too_long_is_put_off(clock):
    rate = limits(2, clock)
    await rate.acquire("a")
    await rate.acquire("a")
    clock.time += 0.25

    assert rate.put_off("a", patience=0.75) == 0
    assert rate.put_off("a", patience=0.5) == 0.75
    assert rate.put_off("b", patience=0) == 0
    assert clock.slept == []


async def test_those_who_are_put_off_come_back_one_after_another(clock):
    rate = limits(2, clock)
    await rate.acquire("a")
    await rate.acquire("a")

    assert [rate.put_off("a", patience=0) for _ in range(4)] == [1.0, 1.5, 2.0, 2.5]


async def test_being_put_off_takes_nobody_elses_turn(clock):
    rate = limits(1, clock)
    await rate.acquire("a")
    for _ in range(10):
        rate.put_off("a", patience=0)
    clock.time += 1

    assert runs_through(rate.acquire("a"))
