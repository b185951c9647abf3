"""Somebody seems to be there while the agent works, and nothing depends on it."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import pytest
import structlog

from ak_instagram.delivery.typing import GRACE, RENEW, TypingIndicator
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from tests.support.fakes import FakeGraph
from tests.support.leaping import leaping

SLACK = 1e-6  # of adding up fractions of seconds


class TimedGraph(FakeGraph):
    """Meta's side, which takes *takes* seconds to show an action, and notes when and to whom."""

    def __init__(self, takes: float = 0.0):
        super().__init__()
        self.takes = takes
        self.shown: list[tuple[float, str, str, str]] = []
        self.under_way = Counter[str]()
        self.contexts: list[tuple[str, str]] = []

    async def sender_action(self, token, recipient, action, timeout):
        self.shown.append((asyncio.get_running_loop().time(), token, recipient, action))
        self.contexts.append((recipient, structlog.contextvars.get_contextvars()["contact"]))
        self.under_way[recipient] += 1
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.under_way[recipient] -= 1

    def times(self, action: str, token: str = "token") -> list[float]:
        return [at for at, of, _, what in self.shown if (of, what) == (token, action)]


async def turn(
    typing_indicator: TypingIndicator,
    graph: TimedGraph,
    contact: str,
    seconds: float,
    token: str = "token",
) -> None:
    """Wait for an agent that takes so many *seconds*, as a conversation of its own does."""
    structlog.contextvars.bind_contextvars(contact=contact)
    async with typing_indicator.typing(token, contact):
        await asyncio.sleep(seconds)
    assert graph.under_way[contact] == 0


async def test_seen_and_typing_come_at_once():
    graph = FakeGraph()

    async with TypingIndicator(graph).typing("token", "anna"):
        assert graph.calls == ["mark_seen", "typing_on"]


async def test_no_call_is_under_way_after_the_block():
    meta_answers = asyncio.Event()

    async with TypingIndicator(FakeGraph(hang=meta_answers)).typing("token", "anna"):
        asyncio.get_running_loop().call_later(0.01, meta_answers.set)

    assert meta_answers.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@leaping
async def test_a_hanging_call_is_cut_off():
    graph = FakeGraph(hang=asyncio.Event())

    async with TypingIndicator(graph).typing("token", "anna"):
        pass

    assert asyncio.get_running_loop().time() == pytest.approx(GRACE)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_no_call_is_left_of_a_turn_that_was_cancelled_as_it_began():
    graph = FakeGraph(hang=asyncio.Event())
    typing_indicator = TypingIndicator(graph, grace=0.0)

    async def interrupted() -> None:
        turn = asyncio.current_task()
        assert turn is not None
        turn.cancel()
        async with typing_indicator.typing("token", "anna"):
            pytest.fail("the turn has been cancelled")

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(interrupted())

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failing_call_costs_nothing():
    graph = FakeGraph(action_error=GraphError(ErrorClass.AUTHORIZATION))

    async with TypingIndicator(graph).typing("token", "anna"):
        await asyncio.sleep(0)
    await TypingIndicator(graph).stop("token", "anna")

    assert graph.calls == ["mark_seen", "typing_on", "typing_off"]


@leaping
async def test_the_indicator_is_renewed_while_the_agent_works():
    graph = TimedGraph()

    await turn(TypingIndicator(graph), graph, "anna", 40)

    assert graph.times("mark_seen") == [0]
    assert graph.times("typing_on") == pytest.approx([0, RENEW, 2 * RENEW, 3 * RENEW])


@pytest.mark.parametrize(
    ("rate", "renewals"),
    [
        pytest.param(40, 10, id="a-quarter"),
        pytest.param(1e6, 25, id="of-what-meta-allows-at-most"),
    ],
)
@leaping
async def test_renewals_leave_most_of_an_accounts_calls_to_answers(rate, renewals):
    graph = TimedGraph()
    typing_indicator = TypingIndicator(graph, rate)

    async with asyncio.TaskGroup() as turns:
        for number in range(1000):
            turns.create_task(turn(typing_indicator, graph, f"person-{number}", 60))

    first, later = graph.times("typing_on")[:1000], graph.times("typing_on")[1000:]
    assert first == graph.times("mark_seen") == [0] * 1000
    assert len(later) == pytest.approx(renewals * (60 - RENEW), abs=2)
    assert min(after - before for before, after in pairwise(later)) >= 1 / renewals - SLACK


@leaping
async def test_accounts_do_not_wait_for_one_another():
    graph = TimedGraph()
    typing_indicator = TypingIndicator(graph, rate=4)

    async with asyncio.TaskGroup() as turns:
        for number in range(100):
            turns.create_task(turn(typing_indicator, graph, f"person-{number}", 20))
        turns.create_task(turn(typing_indicator, graph, "anna", 20, token="another"))

    assert graph.times("typing_on", "another") == pytest.approx([0, RENEW])


@leaping
async def test_no_indicator_comes_up_after_its_turn_however_slow_meta_is():
    graph = TimedGraph(takes=0.5)
    typing_indicator = TypingIndicator(graph, rate=40)
    ends = {f"person-{number}": 10 + number / 7 for number in range(100)}

    async with asyncio.TaskGroup() as turns:
        for contact, seconds in ends.items():
            turns.create_task(turn(typing_indicator, graph, contact, seconds))

    assert len(graph.shown) > 250
    assert all(at <= ends[contact] for at, _, contact, _ in graph.shown)


@leaping
async def test_a_renewal_is_logged_as_its_own_turns():
    graph = TimedGraph()
    typing_indicator = TypingIndicator(graph)

    async with asyncio.TaskGroup() as turns:
        for contact in ("anna", "ben", "carl"):
            turns.create_task(turn(typing_indicator, graph, contact, 30))

    assert len(graph.contexts) == 12
    assert all(recipient == contact for recipient, contact in graph.contexts)
