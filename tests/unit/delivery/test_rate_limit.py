"""No account sends more pieces in any second than it may, and the first to come sends first."""

from __future__ import annotations

import heapq
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.delivery.rate_limit import GRACE, RateLimiter, Reservation
from tests.support.fakes import FakeSteadyClock

PATIENCE = 1.0
NEWCOMERS = count(1_000_000)  # keys that nothing else has


@pytest.fixture
def clock():
    return FakeSteadyClock(1000.0)


def limits(rate, clock):
    return RateLimiter(rate, now=clock)


def take(rate):
    """Take the next slot that is free right now, and check that it is."""
    assert rate.reserve("a", next(NEWCOMERS), PATIENCE) == Reservation(0, is_granted=True)


def slots(rate, clock, number):
    """Return when each of so many pieces may go out that come one after another, as sent."""
    times = []
    for _ in range(number):
        wait, is_granted = rate.reserve("a", next(NEWCOMERS), patience=10)
        assert is_granted
        clock.time += wait
        times.append(clock.time)
    return times


def put_off(rate, *keys, patience=0.0):
    """Return in how many seconds each of *keys* is to ask again."""
    reservations = [rate.reserve("a", key, patience) for key in keys]
    assert not any(it.is_granted for it in reservations)
    return [it.after for it in reservations]


def test_a_burst_up_to_the_rate_goes_through_at_once(clock):
    rate = limits(100, clock)

    reservations = [rate.reserve("a", key, PATIENCE) for key in range(100)]

    assert reservations == [Reservation(0, is_granted=True)] * 100


def test_the_next_one_waits_until_a_second_has_passed(clock):
    rate = limits(2, clock)
    take(rate)
    clock.time += 0.25
    take(rate)

    assert rate.reserve("a", 1, PATIENCE) == Reservation(0.75, is_granted=True)


def test_no_second_has_more_than_the_rate(clock):
    rate = limits(10, clock)
    times = []
    for _ in range(95):
        times += slots(rate, clock, 1)
        clock.time += 0.013

    assert all(later - earlier >= 1 for earlier, later in zip(times, times[10:], strict=False))


def test_accounts_do_not_wait_for_one_another(clock):
    rate = limits(1, clock)
    take(rate)

    assert rate.reserve("b", 1, PATIENCE) == Reservation(0, is_granted=True)


def test_a_rate_below_one_spreads_over_seconds(clock):
    assert slots(limits(0.5, clock), clock, 3) == [1000.0, 1002.0, 1004.0]


def test_a_fraction_of_a_piece_a_second_counts(clock):
    assert slots(limits(2.5, clock), clock, 6)[-1] == pytest.approx(1001.6)


def test_a_piece_that_would_wait_too_long_is_put_off(clock):
    rate = limits(2, clock)
    take(rate)
    take(rate)
    clock.time += 0.25

    assert rate.reserve("a", 2, patience=0.5) == Reservation(0.75, is_granted=False)
    assert rate.reserve("b", 3, patience=0) == Reservation(0, is_granted=True)


def test_a_piece_that_would_not_wait_too_long_gets_its_slot(clock):
    rate = limits(2, clock)
    take(rate)
    take(rate)
    clock.time += 0.25

    assert rate.reserve("a", 1, patience=0.75) == Reservation(0.75, is_granted=True)


def test_pieces_that_are_put_off_come_back_one_after_another(clock):
    rate = limits(2, clock)
    take(rate)
    take(rate)

    assert put_off(rate, 0, 1, 2, 3) == [1.0, 1.5, 2.0, 2.5]


def test_a_promise_takes_nobody_elses_slot(clock):
    rate = limits(1, clock)
    take(rate)
    put_off(rate, *range(10))
    clock.time += 1

    assert rate.reserve("a", 11, PATIENCE) == Reservation(0, is_granted=True)


def test_a_newcomer_queues_behind_those_who_were_put_off(clock):
    rate = limits(2, clock)
    take(rate)
    take(rate)
    put_off(rate, 1, 2)
    clock.time += 1.0
    assert rate.reserve("a", 1, PATIENCE).is_granted
    take(rate)

    assert put_off(rate, 3, patience=1) == [1.0], "though the queue itself is that short"
    clock.time += 0.5
    assert rate.reserve("a", 2, PATIENCE).is_granted


def test_a_promised_slot_that_is_not_taken_is_free_for_others(clock):
    rate = limits(1, clock)
    take(rate)
    put_off(rate, *range(5))
    clock.time += 1.5

    assert rate.reserve("a", 9, patience=0).is_granted


def test_a_promise_is_good_for_one_slot(clock):
    rate = limits(1, clock)
    take(rate)
    put_off(rate, 0, 1, 2)
    clock.time += 1
    assert rate.reserve("a", 0, patience=0).is_granted

    assert put_off(rate, 0) == [3]


def test_a_piece_that_comes_back_early_keeps_its_place(clock):
    rate = limits(1, clock)
    take(rate)
    backs = put_off(rate, 1, 2, 3)

    clock.time += 0.5

    assert backs == [1, 2, 3]
    assert put_off(rate, 3, 2, 1) == [2.5, 1.5, 0.5]


def test_a_place_is_kept_for_a_late_piece_and_not_for_ever(clock):
    rate = limits(1, clock)
    take(rate)
    put_off(rate, *range(20))
    clock.time += 4 + GRACE
    take(rate)

    late, too_late = put_off(rate, 3, 2)

    assert (late, too_late) == (1, 18), "the others are as late as the first"


def queued(rate, arrivals, lateness=lambda _key: 0.0, comes_back=lambda _key: True):
    """Let each of *arrivals* come, and come back as it is told; return when each may send."""
    clock = FakeSteadyClock()
    start = clock.time
    many = limits(rate, clock)
    visits = [(start + at, key) for key, at in enumerate(arrivals)]
    heapq.heapify(visits)
    turns = {}
    while visits:
        clock.time, key = heapq.heappop(visits)
        wait, is_granted = many.reserve("a", key, PATIENCE)
        if is_granted:
            turns[key] = clock.time + wait - start
        elif comes_back(key):
            heapq.heappush(visits, (clock.time + wait + lateness(key), key))
    return turns


def first_come(rate, arrivals):
    """Return when each of *arrivals* may send if they all wait in one line."""
    clock = FakeSteadyClock()
    start = clock.time
    line = limits(rate, clock)
    turns = []
    for key, at in enumerate(arrivals):
        clock.time = start + at
        turns.append(clock.time + line.reserve("a", key, patience=float("inf")).after - start)
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
def test_no_piece_waits_much_longer_than_in_one_line(rate, arrivals, late):
    turns = queued(rate, arrivals, lambda key: late[key % len(late)])

    line = first_come(rate, arrivals)
    period = int(rate) / rate
    bound = PATIENCE + period + max(late) + 1 / rate
    assert max(turns[key] - at for key, at in enumerate(line)) <= bound


@given(rate=RATES, arrivals=ARRIVALS, late=LATENESS)
def test_no_second_has_more_than_the_rate_however_late_pieces_come_back(rate, arrivals, late):
    turns = queued(rate, arrivals, lambda key: 20 * late[key % len(late)])

    shortest = busiest(rate, turns.values())
    assert len(turns) == len(arrivals)
    assert shortest is None or shortest >= int(rate) / rate - 1e-6


@given(rate=RATES, arrivals=ARRIVALS, kept=st.lists(st.booleans(), min_size=1, max_size=20))
def test_pieces_that_do_not_come_back_keep_nobody_waiting(rate, arrivals, kept):
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


def test_an_account_may_have_a_rate_of_its_own(clock):
    rate = limits(3, clock)

    granted = {
        (name, own): [rate.reserve(name, key, 0, own).is_granted for key in (1, 2, 3)]
        for name, own in (("shop", None), ("cafe", 1.0))
    }

    assert granted == {("shop", None): [True, True, True], ("cafe", 1.0): [True, False, False]}
