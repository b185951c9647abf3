"""The alarm rings at the earliest moment asked for, and can be set again after that."""

from __future__ import annotations

import asyncio

from ak_instagram.store.dispatch import WakeupTimer


async def rung_within(seconds: float, *settings: float) -> bool:
    """Whether an alarm that is set to *settings*, one after another, rings in time."""
    rang = asyncio.Event()
    timer = WakeupTimer(rang.set)
    for setting in settings:
        timer.set(setting)
    try:
        await asyncio.wait_for(rang.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def test_the_earliest_moment_counts_whichever_was_asked_for_first():
    assert await rung_within(5, 60, 0.001)
    assert await rung_within(5, 0.001, 60)


async def test_a_later_moment_alone_is_later():
    assert not await rung_within(0.01, 60)


async def test_a_timer_that_rang_early_can_be_set_again():
    rang = asyncio.Event()
    timer = WakeupTimer(rang.set)
    timer.set(0.001)
    timer.fire()  # as uvloop may, before the time it was set for
    rang.clear()

    timer.set(0.002)

    assert await asyncio.wait_for(rang.wait(), 5)
