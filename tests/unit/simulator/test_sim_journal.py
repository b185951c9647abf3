"""The journal tells everyone what happened, in order and once."""

from __future__ import annotations

import asyncio

import pytest

from instagram_simulator import Journal


async def collect(journal, count, after=None):
    entries = []
    async for entry in journal.follow(after):
        entries.append(entry.seq)
        if len(entries) == count:
            break
    return entries


def test_entries_are_numbered_and_the_old_ones_forgotten():
    journal = Journal(keep=3)
    for _ in range(5):
        journal.write("tick")

    assert [entry.seq for entry in journal.known()] == [3, 4, 5]
    later = journal.since(3)
    assert later is not None
    assert [entry.seq for entry in later] == [4, 5]
    assert journal.since(5) == ()
    assert journal.since(1) is None
    assert journal.since(6) is None


async def test_a_wait_ends_with_the_entry_it_is_for():
    journal = Journal()
    waiting = asyncio.ensure_future(journal.wait(lambda entry: entry.data["n"] == 2))
    await asyncio.sleep(0)
    for number in range(4):
        journal.write("tick", n=number)

    assert (await waiting).seq == 3


async def test_a_wait_can_look_back():
    journal = Journal()
    journal.write("before")
    journal.write("tick")

    entry = await journal.wait(lambda entry: entry.kind == "tick", after=0)
    assert entry.seq == 2


async def test_a_wait_has_an_end():
    with pytest.raises(TimeoutError):
        await Journal().wait(lambda _: True, within=0.01)


async def test_a_condition_is_asked_anew_whenever_something_happens():
    journal = Journal()
    facts: list[str] = []
    until = asyncio.ensure_future(journal.until(lambda: len(facts) == 2))
    for _ in range(2):
        await asyncio.sleep(0)
        facts.append("one more")
        journal.write("fact")

    await until
    assert journal.seq == 2


async def test_a_follower_gets_what_was_and_what_comes():
    journal = Journal()
    journal.write("one")
    following = asyncio.ensure_future(collect(journal, 3, after=0))
    await asyncio.sleep(0)
    journal.write("two")
    journal.write("three")

    assert await following == [1, 2, 3]


async def test_followers_end_with_the_journal():
    journal = Journal()
    following = asyncio.ensure_future(collect(journal, 9))
    await asyncio.sleep(0)
    journal.write("one")
    journal.close()

    assert await following == [1]


async def test_a_follower_that_is_too_slow_is_let_go():
    journal = Journal(keep=5)
    reader = journal.follow()
    first = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    journal.write("tick")
    assert (await first).seq == 1

    for _ in range(20_000):
        journal.write("tick")
    rest = [entry.seq async for entry in reader]

    assert len(rest) < 20_000
