"""Work keeps its order within a lane and does not wait for other tasks."""

from __future__ import annotations

import asyncio

import pytest

from instagram_simulator.webhooks.delivery import OrderedTasks


async def test_steps_of_a_lane_follow_each_other_and_lanes_do_not():
    tasks, gate = OrderedTasks(), asyncio.Event()
    log: list[str] = []

    async def slow():
        await gate.wait()
        log.append("slow")

    async def quick():
        log.append("quick")

    async def other():
        log.append("other")
        gate.set()

    tasks.enqueue("a", slow)
    tasks.enqueue("a", quick)
    tasks.enqueue("b", other)
    await tasks.settled(1)

    assert log == ["other", "slow", "quick"]


async def never() -> None:
    await asyncio.Event().wait()


async def test_closing_stops_what_still_runs():
    tasks = OrderedTasks()
    tasks.start(never())
    with pytest.raises(TimeoutError):
        await tasks.settled(0.01)
    await tasks.close()

    await tasks.settled(0.01)
