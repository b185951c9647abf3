"""Two replicas' transactions, one in the middle of the other: neither sees the other's changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from ak_instagram.store.database import Tx
from ak_instagram.store.dispatch import POLL
from ak_instagram.store.sqlite.writer import wall_clock
from ak_instagram.store.store import Store, open_store
from ak_instagram.store.verbs import inbox, steps
from tests.support.store_bench import (
    answered,
    arrival,
    echo,
    sending,
    stop,
    unsend,
    until_waiting,
    worker,
)

LISTENERS = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ~* '^listen'
"""
BLOCKED = "SELECT 1 FROM pg_locks WHERE NOT granted"


@dataclass
class Interrupted:
    """A connection on which something else happens right before a statement like *before*."""

    real: Connection
    before: str
    happens: Callable[[], object]
    left: list[str] = field(default_factory=lambda: ["once"])

    @property
    def dialect(self):
        return self.real.dialect

    @property
    def connection(self):
        return self

    def cursor(self):
        return InterruptedCursor(self.real.connection.cursor(), self)


@dataclass
class InterruptedCursor:
    real: Any
    of: Interrupted

    def __getattr__(self, name: str):
        return getattr(self.real, name)

    def execute(self, sql: str, values: object) -> None:
        if sql.startswith(self.of.before) and self.of.left:
            self.of.left.clear()
            self.of.happens()
        self.real.execute(sql, values)


@pytest.fixture
async def replicas(postgres_url):
    async with (
        open_store(postgres_url, worker("one")) as one,
        open_store(postgres_url, worker("two")) as two,
    ):
        yield one, two


async def query(store: Store, sql: str) -> list[tuple]:
    return await store.run(lambda tx: [tuple(row) for row in tx.connection.exec_driver_sql(sql)])


def interrupted(tx: Tx, happens: Callable[[], object]) -> Tx:
    """Return *tx*, in which something *happens* right before a piece is changed."""
    connection = Interrupted(tx.connection, "UPDATE outbox", happens)
    return replace(tx, connection=cast(Connection, connection))


async def paused(store: Store) -> bool:
    return await query(store, "SELECT contact FROM conversations WHERE paused_until > 0") != []


async def heard(store: Store, said, happens: Callable[[], object]) -> None:
    """Store the echo *said*; while it is being looked for in the outbox, something *happens*."""
    await store.run(lambda tx: inbox.put(interrupted(tx, happens), [said]))


async def test_an_echo_while_its_piece_is_being_noted_is_no_takeover(replicas):
    one, two = replicas
    step = await sending(one, "one", at=wall_clock())
    said = echo("mid-1", "one")._replace(at=wall_clock())

    await heard(two, said, lambda: await_only(one.run(steps.sent, step, "mid-1")))

    assert not await paused(one)


async def test_a_persons_words_while_a_piece_is_being_noted_are_a_takeover(replicas):
    one, two = replicas
    step = await sending(one, "one", at=wall_clock() - 5000)
    said = echo("h1", "I am Ann")._replace(at=wall_clock())

    await heard(two, said, lambda: await_only(one.run(steps.sent, step, "mid-1")))

    assert await paused(one)


async def test_concurrent_unsends_of_all_its_messages_drop_an_answer(replicas):
    """The second unsend waits for the first, and sees what it has wiped."""
    one, two = replicas
    now = wall_clock()
    await one.put([arrival("m1", at=now), arrival("m2", at=now)])
    [claim] = await one.claim(1)
    await one.run(steps.settle, claim, answered(claim, "one"))

    def both(tx: Tx) -> asyncio.Task:
        inbox.put(tx, [unsend("m1")])
        second = asyncio.ensure_future(two.put([unsend("m2")]))
        while not tx.connection.exec_driver_sql(BLOCKED).first():
            assert not second.done()
            await_only(asyncio.sleep(0))
        return second

    await (await one.run(both))

    assert await query(one, "SELECT status FROM outbox") == [("dropped",)]


async def test_a_piece_is_not_sent_again_if_its_echo_comes_during_its_claim(replicas):
    one, two = replicas
    await one.run(steps.retry, await sending(one, "one", at=wall_clock()), after=0, why="code 2")
    said = echo("mid-1", "one")._replace(at=wall_clock())

    def claim(tx: Tx):
        return steps.claim_due(interrupted(tx, lambda: await_only(two.put([said]))), 10)

    assert await one.run(claim) == []

    assert await query(one, "SELECT status, tries FROM outbox") == [("sent", 1)]


async def test_a_renewal_locks_conversations_in_the_order_of_webhooks(replicas):
    """So one waits for the other, and neither for something that the other waits for."""
    one, two = replicas
    for contact in ("zoe", "anna"):
        await one.put([arrival(contact, contact, at=wall_clock())])
        await one.claim(1)

    def lock_both(tx: Tx) -> asyncio.Task:
        lock = "SELECT 1 FROM conversations WHERE contact = '{}' FOR UPDATE NOWAIT"
        tx.connection.exec_driver_sql(lock.format("anna"))
        renewal = asyncio.get_running_loop().create_task(one.renew())
        while not tx.connection.exec_driver_sql(BLOCKED).first():
            assert not renewal.done()
            await_only(asyncio.sleep(0))
        tx.connection.exec_driver_sql(lock.format("zoe"))
        return renewal

    renewed = await (await two.run(lock_both))

    assert {lease_id.contact for lease_id in renewed} == {"anna", "zoe"}


async def until_listening(*stores: Store) -> None:
    """Return once all *stores* would hear of work."""
    # The server tells nobody who listens.
    while len(await query(stores[0], LISTENERS)) < len(stores):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_work_that_a_replica_has_no_room_for_wakes_another(replicas):
    claimed: asyncio.Queue[str] = asyncio.Queue()

    async def work(store: Store) -> None:
        """Take what there is room for, and work on that for ever."""
        while not (claims := await store.claim(1)):
            pass
        for claim in claims:
            claimed.put_nowait(claim.contact)

    await until_listening(*replicas)
    workers = [asyncio.create_task(work(store)) for store in replicas]
    for store in replicas:
        await until_waiting(store)
    now = wall_clock()

    await replicas[0].put([arrival("m1", "anna", at=now), arrival("m2", "ben", at=now)])

    async with asyncio.timeout(POLL / 2):
        assert {await claimed.get(), await claimed.get()} == {"anna", "ben"}
    for task in workers:
        await stop(task)
