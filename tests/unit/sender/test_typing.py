"""Somebody seems to be there while the agent works, and nothing depends on it."""

from __future__ import annotations

import asyncio

from ak_instagram.sender import typing
from ak_instagram.sender.graph_errors import ErrorClass, GraphError
from ak_instagram.sender.typing import Courtesy
from tests.fakes import FakeGraph


async def test_seen_and_typing_come_at_once():
    graph = FakeGraph()

    async with Courtesy(graph).typing("token", "anna"):
        await asyncio.sleep(0)
        assert graph.calls == ["mark_seen", "typing_on"]


async def test_no_courtesy_is_under_way_after_the_block():
    graph = FakeGraph(hang=asyncio.Event())

    async with Courtesy(graph).typing("token", "anna"):
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, graph.hang.set)

    assert graph.hang.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_hanging_courtesy_is_cut_off(monkeypatch):
    monkeypatch.setattr(typing, "GRACE", 0.01)
    graph = FakeGraph(hang=asyncio.Event())

    async with asyncio.timeout(1):
        async with Courtesy(graph).typing("token", "anna"):
            await asyncio.sleep(0)

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failing_courtesy_costs_nothing():
    graph = FakeGraph(action_error=GraphError(ErrorClass.AUTHORIZATION))

    async with Courtesy(graph).typing("token", "anna"):
        await asyncio.sleep(0)
    await Courtesy(graph).stop("token", "anna")

    assert graph.calls == ["mark_seen", "typing_on", "typing_off"]


async def test_the_indicator_is_renewed_while_the_agent_works(monkeypatch):
    monkeypatch.setattr(typing, "RENEW", 0.001)
    graph = FakeGraph()

    async with asyncio.timeout(1):
        async with Courtesy(graph).typing("token", "anna"):
            await graph.until("typing_on", 3)

    assert graph.calls.count("mark_seen") == 1


async def test_a_renewal_that_finds_no_place_is_left_out(monkeypatch):
    monkeypatch.setattr(typing, "RENEW", 0.001)
    graph, full, shown = FakeGraph(), asyncio.Semaphore(1), []
    await full.acquire()

    def make_room() -> None:
        shown.extend(graph.calls)
        full.release()

    async with asyncio.timeout(1):
        async with Courtesy(graph, full).typing("token", "anna"):
            asyncio.get_running_loop().call_later(0.02, make_room)
            await graph.until("typing_on", 3)

    assert shown == ["mark_seen", "typing_on"]
