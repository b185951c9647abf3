"""Calls repeated for many are spread evenly, within a limit, and in fair turns."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise

import pytest

from ak_instagram.delivery.typing import Pacer
from tests.support.leaping import LeapingLoop, leaping

SLACK = 1e-6  # of adding up fractions of seconds


class Crowd:
    """So many who are paced together, and the time of each of their calls."""

    def __init__(self, size, pacer):
        self.pacer = pacer
        self.log = []
        self._calls = [partial(self._note, number) for number in range(size)]
        for call in self._calls:
            pacer.add(call)

    def _note(self, number):
        self.log.append((asyncio.get_running_loop().time(), number))

    def leave(self, number):
        self.pacer.remove(self._calls[number])

    @property
    def times(self):
        return [time for time, _ in self.log]

    @property
    def order(self):
        return [number for _, number in self.log]


def leaping_loop() -> LeapingLoop:
    """Return the loop that runs the test."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    return loop


@leaping
async def test_a_single_call_is_made_once_a_period():
    crowd = Crowd(1, Pacer(rate=25, every=12))

    await asyncio.sleep(40)

    assert crowd.times == pytest.approx([12, 24, 36])


@leaping
async def test_calls_added_at_once_are_made_one_after_another():
    crowd = Crowd(50, Pacer(rate=25, every=12))

    await asyncio.sleep(15)

    assert crowd.order == list(range(50))
    assert crowd.times == pytest.approx([12 + 0.04 * number for number in range(50)])


@leaping
async def test_a_crowd_gets_no_more_than_the_rate():
    crowd = Crowd(1000, Pacer(rate=25, every=12))

    await asyncio.sleep(112)

    assert len(crowd.log) == pytest.approx(25 * 100, abs=1)
    assert min(later - earlier for earlier, later in pairwise(crowd.times)) >= 0.04 - SLACK


@leaping
async def test_the_call_that_has_waited_longest_is_next():
    crowd = Crowd(1000, Pacer(rate=25, every=12))

    await asyncio.sleep(112)

    assert crowd.order[:2000] == [*range(1000), *range(1000)]


@leaping
async def test_a_newcomer_does_not_overtake():
    pacer = Pacer(rate=1, every=2)
    crowd = Crowd(3, pacer)
    await asyncio.sleep(3.5)
    newcomer = Crowd(1, pacer)

    await asyncio.sleep(4)

    assert crowd.order == [0, 1, 2, 0, 1]
    assert newcomer.times == pytest.approx([7])


@leaping
async def test_a_removed_call_is_not_made_and_takes_no_turn():
    crowd = Crowd(100, Pacer(rate=25, every=12))
    await asyncio.sleep(11)
    for number in range(99):
        crowd.leave(number)

    await asyncio.sleep(2)

    assert crowd.log == [(pytest.approx(12), 99)]


@leaping
async def test_after_a_lull_calls_do_not_come_in_a_burst():
    pacer = Pacer(rate=25, every=12)
    Crowd(1, pacer).leave(0)
    await asyncio.sleep(100)
    crowd = Crowd(10, pacer)

    await asyncio.sleep(13)

    assert crowd.times == pytest.approx([112 + 0.04 * number for number in range(10)])


@leaping
async def test_a_crowd_costs_no_more_than_the_calls_it_gets():
    loop = leaping_loop()
    crowd = Crowd(10_000, Pacer(rate=25, every=12))
    before = loop.timers

    await asyncio.sleep(60)

    assert len(crowd.log) == pytest.approx(25 * 48, abs=1)
    assert loop.timers - before <= len(crowd.log) + 2


@leaping
async def test_no_timer_is_set_when_all_have_left():
    loop = leaping_loop()
    crowd = Crowd(3, Pacer(rate=25, every=12))
    for number in range(3):
        crowd.leave(number)
    before = loop.timers

    await asyncio.sleep(1000)

    assert crowd.log == []
    assert loop.timers - before == 1  # the test's own
