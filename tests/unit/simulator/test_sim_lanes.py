"""Work keeps its order within a lane and does not wait for other lanes."""

from __future__ import annotations

import asyncio

import pytest

from instagram_simulator.lanes import Lanes


async def test_steps_of_a_lane_follow_each_other_and_lanes_do_not():
    lanes, log, gate = Lanes(), [], asyncio.Event()

    async def slow():
        await gate.wait()
        log.append("slow")

    async def quick():
        log.append("quick")

    async def other():
        log.append("other")
        gate.set()

    lanes.enter("a", slow)
    lanes.enter("a", quick)
    lanes.enter("b", other)
    await lanes.settled(1)

    assert log == ["other", "slow", "quick"]


async def test_closing_stops_what_still_runs():
    lanes = Lanes()
    lanes.start(asyncio.Event().wait())
    with pytest.raises(TimeoutError):
        await lanes.settled(0.01)
    await lanes.close()

    await lanes.settled(0.01)
