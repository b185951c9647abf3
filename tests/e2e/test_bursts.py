"""With `conversation.debounce`, lines typed in quick succession are answered together."""

from __future__ import annotations

import asyncio

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"conversation__debounce": "0.3"}


async def test_a_burst_is_one_turn(stage):
    mia = stage.person()

    for line in ("Hello there", "I have a question", "about my order"):
        stage.meta.phones.say(mia, line)
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Hello there\nI have a question\nabout my order"]


async def test_a_burst_of_one_waits_no_longer_than_it_must(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Only this one")

    async with asyncio.timeout(2):
        await stage.until_answered(mia)

    assert len(stage.agent.asked) == 1


async def test_a_message_during_a_turn_waits_for_the_end_of_its_own_burst_only(stage):
    mia = stage.person()
    hold = await stage.hold(mia, "First message")

    stage.meta.phones.say(mia, "Second message")
    await stage.meta.settled()
    hold.release()
    await stage.until_answered(mia, 2, within=2)

    assert stage.answers(mia) == ["First answer", "You said: Second message"]


async def test_bursts_that_end_while_others_begin_are_all_answered_in_time(stage):
    """An arrival may fall into the very moment in which another conversation becomes due."""
    people = [stage.person() for _ in range(400)]

    for person in people:
        stage.meta.phones.say(person, f"I am number {person}")
        await asyncio.sleep(0.003)  # people write when they like: this is the load, not a wait
    async with asyncio.timeout(4):
        for person in people:
            await stage.until_answered(person)

    assert {len(stage.answers(person)) for person in people} == {1}
