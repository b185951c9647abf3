"""No account sends more pieces in any second than it may, and who comes first sends first."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.delivery.rate_limit import GRACE, RateLimiter

PATIENCE = 1.0


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
    return RateLimiter(rate, now=clock.now, sleep=clock.sleep)


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

    assert rate.put_off("a", patience=0.75, key=1) == 0
    assert rate.put_off("a", patience=0.5, key=2) == 0.75
    assert rate.put_off("b", patience=0, key=3) == 0
    assert clock.slept == []


async def test_those_who_are_put_off_come_back_one_after_another(clock):
    rate = limits(2, clock)
    await rate.acquire("a")
    await rate.acquire("a")

    assert [rate.put_off("a", patience=0, key=key) for key in range(4)] == [1.0, 1.5, 2.0, 2.5]


async def test_being_put_off_takes_nobody_elses_turn(clock):
    rate = limits(1, clock)
    await rate.acquire("a")
    for key in range(10):
        rate.put_off("a", patience=0, key=key)
    clock.time += 1

    assert runs_through(rate.acquire("a"))


async def test_who_comes_later_queues_behind_those_who_were_put_off(clock):
    rate = limits(2, clock)
    await rate.acquire("a")
    await rate.acquire("a")
    rate.put_off("a", patience=0, key=1)
    rate.put_off("a", patience=0, key=2)
    clock.time += 1.0
    rate.put_off("a", patience=0, key=1)
    await rate.acquire("a")
    await rate.acquire("a")

    assert rate.put_off("a", patience=1, key=3) == 1.0, "though the queue itself is that short"
    clock.time += 0.5
    assert rate.put_off("a", patience=1, key=2) == 0


async def test_a_turn_that_was_promised_and_is_not_taken_is_free_for_others(clock):
    rate = limits(1, clock)
    await rate.acquire("a")
    for key in range(5):
        rate.put_off("a", patience=0, key=key)
    clock.time += 1.5

    assert rate.put_off("a", patience=0, key=9) == 0


async def test_a_promise_is_good_for_one_turn(clock):
    rate = limits(1, clock)
    await rate.acquire("a")
    for key in range(3):
        rate.put_off("a", patience=0, key=key)
    clock.time += 1
    assert rate.put_off("a", patience=0, key=0) == 0
    await rate.acquire("a")

    assert rate.put_off("a", patience=0, key=0) == 3


async def test_who_comes_back_early_keeps_its_place(clock):
    rate = limits(1, clock)
    await rate.acquire("a")
    backs = [rate.put_off("a", patience=0, key=key) for key in (1, 2, 3)]

    clock.time += 0.5

    assert backs == [1, 2, 3]
    assert [rate.put_off("a", patience=0, key=key) for key in (3, 2, 1)] == [2.5, 1.5, 0.5]


async def test_a_place_is_kept_for_those_who_are_late_and_not_for_ever(clock):
    rate = limits(1, clock)
    await rate.acquire("a")
    for key in range(20):
        rate.put_off("a", patience=0, key=key)
    clock.time += 4 + GRACE
    await rate.acquire("a")

    late = rate.put_off("a", patience=0, key=3)
    too_late = rate.put_off("a", patience=0, key=2)

    assert (late, too_late) == (1, 18), "the others are as late as the first"


def queued(rate, arrivals, lateness=lambda _key: 0.0, comes_back=lambda _key: True):
    """Let each of *arrivals* come, and come back as it is told; return when each may send."""
    clock = Clock()
    start = clock.time
    many = limits(rate, clock)
    visits = [(start + at, key) for key, at in enumerate(arrivals)]
    heapq.heapify(visits)
    turns = {}
    while visits:
        clock.time, key = heapq.heappop(visits)
        wait = many.put_off("a", PATIENCE, key)
        if not wait:
            turns[key] = turn_of(many, clock) - start
        elif comes_back(key):
            heapq.heappush(visits, (clock.time + wait + lateness(key), key))
    return turns


def turn_of(many, clock):
    """Take a turn, and return when it is, without waiting for it."""
    now = clock.time
    assert runs_through(many.acquire("a"))
    turn, clock.time = clock.time, now
    return turn


def first_come(rate, arrivals):
    """Return when each of *arrivals* may send if they all wait in one line."""
    clock = Clock()
    start = clock.time
    line = limits(rate, clock)
    turns = []
    for at in arrivals:
        clock.time = start + at
        turns.append(turn_of(line, clock) - start)
    return turns


def steady(backlog, fresh, seconds):
    """Return when *backlog* at once come, and then *fresh* ones a second."""
    return [0.0] * backlog + [number / fresh for number in range(int(fresh * seconds))]


RATES = st.sampled_from([1.0, 2.0, 2.5, 7.0, 20.0])
ARRIVALS = st.lists(st.floats(0, 20), min_size=1, max_size=150).map(sorted)
LATENESS = st.lists(st.floats(0, 0.3), min_size=1, max_size=20)


def busiest(rate, turns):
    """Return the shortest time in which one more than a burst was sent."""
    burst, times = int(rate), sorted(turns)
    return min((b - a for a, b in zip(times, times[burst:], strict=False)), default=None)


@given(rate=RATES, arrivals=ARRIVALS, late=LATENESS)
def test_nobody_waits_much_longer_than_in_one_line(rate, arrivals, late):
    turns = queued(rate, arrivals, lambda key: late[key % len(late)])

    line = first_come(rate, arrivals)
    period = int(rate) / rate
    bound = PATIENCE + period + max(late) + 1 / rate
    assert max(turns[key] - at for key, at in enumerate(line)) <= bound


@given(rate=RATES, arrivals=ARRIVALS, late=LATENESS)
def test_no_second_has_more_than_the_rate_however_late_they_come_back(rate, arrivals, late):
    turns = queued(rate, arrivals, lambda key: 20 * late[key % len(late)])

    shortest = busiest(rate, turns.values())
    assert len(turns) == len(arrivals)
    assert shortest is None or shortest >= int(rate) / rate - 1e-6


@given(rate=RATES, arrivals=ARRIVALS, kept=st.lists(st.booleans(), min_size=1, max_size=20))
def test_those_who_do_not_come_back_keep_nobody_waiting(rate, arrivals, kept):
    turns = queued(rate, arrivals, comes_back=lambda key: kept[key % len(kept)])

    line = first_come(rate, arrivals)
    bound = PATIENCE + int(rate) / rate + 1 / rate
    assert all(turn - line[key] <= bound for key, turn in turns.items())


def test_a_backlog_is_not_overtaken_again_and_again():
    """2,000 wait, and 90 a second come, of the 100 that may go."""
    arrivals = steady(2000, 90, 60)

    turns = queued(100, arrivals)

    waits = [turns[key] - at for key, at in enumerate(arrivals)]
    assert max(waits) <= 20 + 2
    assert max(turns.values()) <= len(arrivals) / 100 + 2, "and no turn is wasted"
