"""A worker gets work as it comes in, and claims that it can't take are given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.database import Clock, T, Tx, Work
from ak_instagram.store.dispatch import Dispatcher, Poll
from ak_instagram.store.values import Claim
from tests.support.store_bench import stop, tx_on, worker

NO_TX = tx_on(None)
ANNA, BEN = Claim("shop", "anna", 1), Claim("shop", "ben", 1)


class ScriptedDatabase:
    """A database with its verbs: it says what is due, look after look."""

    def __init__(self, *due: list[Claim], is_shared: bool = False) -> None:
        self.due = list(due)
        self.is_shared = is_shared
        self.looks = 0
        self.wait: int | None = None
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def clock(self) -> Clock:
        return lambda: 0

    def on_notify(self, wake: Callable[[], None]) -> None:
        self.notify = wake

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        self.looks += 1
        found = work(NO_TX.connection, NO_TX.now)
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return found

    def claim(self, _tx: Tx, limit: int) -> list[Claim]:
        return self.due.pop(0)[:limit] if self.due else []

    def until_due(self, _tx: Tx) -> int | None:
        return self.wait


def dispatcher(database: ScriptedDatabase) -> Dispatcher:
    return Dispatcher(database, worker(), claim=database.claim, until_due=database.until_due)


async def waiting(look: Dispatcher, room: int = 8) -> asyncio.Task[list[Claim]]:
    """Return a claim that waits because nothing is due."""
    task = asyncio.create_task(look.claim(room))
    while not look.room:  # noqa: ASYNC110 - nobody is told that a worker waits
        await asyncio.sleep(0)
    return task


async def test_due_work_is_found():
    assert await dispatcher(ScriptedDatabase([ANNA, BEN])).claim(8) == [ANNA, BEN]


async def test_a_waiting_worker_tells_its_room():
    look = dispatcher(ScriptedDatabase())

    task = await waiting(look, room=3)

    assert look.room == 3
    await stop(task)
    assert look.room == 0


async def test_claims_of_a_webhook_are_handed_to_a_waiting_worker():
    look = dispatcher(ScriptedDatabase())
    task = await waiting(look)

    left = look.offer(Poll([ANNA]))

    assert (left, look.room) == ([], 0)
    assert await task == [ANNA]


async def test_no_look_follows_a_hand_over_with_nothing_else_due():
    database = ScriptedDatabase()
    look = dispatcher(database)
    task = await waiting(look)
    look.offer(look.poll(NO_TX, 8)._replace(claims=[ANNA]))
    await task

    await stop(await waiting(look))

    assert database.looks == 1


async def test_work_of_other_replicas_is_looked_for_after_a_hand_over():
    database = ScriptedDatabase([], [ANNA], [BEN], is_shared=True)
    look = dispatcher(database)
    task = await waiting(look)
    look.offer(look.poll(NO_TX, 8))

    assert await task == [ANNA]
    assert await look.claim(8) == [BEN]


async def test_work_without_room_is_looked_for_after_a_hand_over():
    database = ScriptedDatabase([], [BEN])
    look = dispatcher(database)
    task = await waiting(look, room=1)
    look.offer(Poll([ANNA], again_in=0))

    assert await task == [ANNA]
    assert await look.claim(8) == [BEN]


async def test_work_that_comes_due_during_a_hand_over_is_looked_for():
    database = ScriptedDatabase([], [BEN])
    look = dispatcher(database)
    task = await waiting(look)
    look.wake()
    look.offer(Poll([ANNA]))

    assert await task == [ANNA]
    assert await look.claim(8) == [BEN]


async def test_work_offered_for_later_while_no_worker_asks_is_looked_for():
    """Such as the messages of a burst, which are due later."""
    look = dispatcher(ScriptedDatabase([ANNA], [BEN]))
    assert await look.claim(8) == [ANNA]

    look.offer(Poll([], again_in=20))

    assert await look.claim(8) == [BEN]


async def test_locked_work_is_not_polled_without_a_pause():
    database = ScriptedDatabase([], [ANNA], is_shared=True)
    database.wait = 0
    look = dispatcher(database)

    task = await waiting(look)

    assert database.looks == 1
    async with asyncio.timeout(2):
        assert await task == []
        assert await look.claim(8) == [ANNA]


async def test_claims_offered_during_a_look_are_taken_with_its_own():
    database = ScriptedDatabase([ANNA])
    database.gate.clear()
    look = dispatcher(database)
    task = asyncio.create_task(look.claim(8))
    await asyncio.sleep(0)

    left = look.offer(Poll([BEN]))
    database.gate.set()

    assert (left, await task) == ([], [ANNA, BEN])


async def test_claims_offered_while_no_worker_asks_are_returned():
    look = dispatcher(ScriptedDatabase([], [BEN]))
    task = await waiting(look)
    look.wake()
    await task

    assert look.offer(Poll([ANNA])) == [ANNA]
    assert await look.claim(8) == [BEN]


async def test_claims_offered_before_the_store_refused_are_taken_next():
    database = ScriptedDatabase()
    database.gate.clear()
    look = dispatcher(database)
    task = asyncio.create_task(look.claim(8))
    await asyncio.sleep(0)
    look.offer(Poll([ANNA]))
    database.error = StoreUnavailable("away")
    database.gate.set()
    with pytest.raises(StoreUnavailable):
        await task

    assert await look.claim(8) == [ANNA]


async def test_work_notified_during_a_look_is_looked_for_at_once():
    database = ScriptedDatabase([], [ANNA])
    database.gate.clear()
    look = dispatcher(database)
    task = asyncio.create_task(look.claim(8))
    await asyncio.sleep(0)

    database.notify()
    database.gate.set()

    assert await task == []
    assert await look.claim(8) == [ANNA]


async def test_work_due_later_is_looked_for_after_claims_too():
    database = ScriptedDatabase([ANNA], [BEN])
    database.wait = 20
    look = dispatcher(database)
    assert await look.claim(8) == [ANNA]

    async with asyncio.timeout(2):
        assert await look.claim(8) == []
        assert await look.claim(8) == [BEN]


@pytest.mark.parametrize("is_handed_over", [False, True])
async def test_work_due_later_is_looked_for_in_time(is_handed_over):
    database = ScriptedDatabase([], [ANNA])
    look = dispatcher(database)
    if is_handed_over:
        task = await waiting(look)
        look.offer(Poll([], again_in=20))
    else:
        database.wait = 20
        task = asyncio.create_task(look.claim(8))

    async with asyncio.timeout(2):
        assert await task == []
        assert await look.claim(8) == [ANNA]


async def test_a_store_that_refuses_is_asked_again():
    database = ScriptedDatabase([ANNA], [ANNA])
    database.error = StoreUnavailable("away")
    look = dispatcher(database)
    with pytest.raises(StoreUnavailable):
        await look.claim(8)

    database.error = None

    assert await look.claim(8) == [ANNA]
