"""A replica that falls silent inside a transaction: it holds others up for a moment only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.util import await_only

from ak_instagram.store.database import Tx
from ak_instagram.store.postgres.engine import Pool, open_pool
from ak_instagram.store.postgres.migrating import migrate_when_free
from ak_instagram.store.statement import Statement
from ak_instagram.store.store import Store
from ak_instagram.store.verbs import inbox
from tests.support.store_bench import arrival, claim_one, mids, worker

IDLE = 0.3  # seconds
_WRITE = Statement(text("INSERT INTO notes VALUES (1)"))
_COUNT = Statement(text("SELECT count(*) FROM notes"))


@pytest.fixture
async def store(postgres_url):
    await migrate_when_free(postgres_url)
    async with open_pool(postgres_url, idle_within=IDLE) as pool:
        yield Store(pool, worker())


@pytest.fixture
async def pool(postgres_url, store):
    """Another replica's."""
    async with open_pool(postgres_url, idle_within=IDLE) as pool:
        await pool.run(lambda it, _: it.exec_driver_sql("CREATE TABLE notes (i int)"))
        yield pool


def new(mid: str, contact: str = "anna"):
    return arrival(mid, contact, at=int(time.time() * 1000))


class Silent:
    """Work that, the first time, says nothing more after *verb* until it is woken."""

    def __init__(self, verb: Callable[[Tx], object]) -> None:
        self.verb = verb
        self.runs = 0
        self.is_silent = asyncio.Event()
        self.awake = asyncio.Event()

    def __call__(self, connection: Connection, now: int) -> None:
        self.runs += 1
        tx = Tx(connection, now, worker("two"))
        self.verb(tx)
        self.is_silent.set()
        await_only(self.awake.wait())
        _WRITE.run(tx)


async def noted(pool: Pool) -> int:
    return await pool.run(lambda it, now: _COUNT.value(Tx(it, now, worker("two"))))


async def during(silence: Silent, pool: Pool, happens) -> None:
    """While a transaction on *pool* is silent, see that *happens* gets done; then wake it."""
    under_way = asyncio.create_task(pool.run(silence))
    await silence.is_silent.wait()
    async with asyncio.timeout(IDLE + 3):
        await happens
    silence.awake.set()
    await under_way


async def test_messages_get_in_though_a_silent_replica_holds_their_conversation(store, pool):
    await store.put([new("m1")])
    lock = "SELECT 1 FROM conversations WHERE contact = 'anna' FOR UPDATE"
    silence = Silent(lambda tx: tx.connection.exec_driver_sql(lock))

    await during(silence, pool, store.put([new("m2"), new("m3", "ben")]))

    assert silence.runs == 2
    assert await noted(pool) == 1


async def test_what_a_silent_replica_was_storing_is_stored_once_by_another(store, pool):
    silence = Silent(lambda tx: inbox.put(tx, [new("m1")]))

    await during(silence, pool, store.put([new("m1")]))

    assert silence.runs == 2
    assert mids(await claim_one(store)) == ["m1"]


def frozen() -> None:
    """As a process that is stopped: it can't even hear that its session was ended."""
    time.sleep(IDLE * 3)


def late() -> None:
    await_only(asyncio.sleep(IDLE * 3))


@pytest.mark.parametrize("stalls", [frozen, late])
@pytest.mark.parametrize("goes_on", [True, False], ids=["in-the-middle", "before-the-commit"])
async def test_a_process_that_stalls_in_a_transaction_does_it_again(pool, stalls, goes_on):
    runs = []

    def stall(connection: Connection, now: int) -> None:
        tx = Tx(connection, now, worker("two"))
        runs.append(1)
        _WRITE.run(tx)
        if len(runs) == 1:
            stalls()
        if goes_on:
            _WRITE.run(tx)

    await pool.run(stall)

    assert len(runs) == 2
    assert await noted(pool) == 1 + goes_on


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tcp_keepalives_idle", "15"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "30000"),
    ],
)
async def test_the_server_looks_whether_a_replica_is_still_there(pool, setting, value):
    shown = await pool.run(lambda it, _: it.exec_driver_sql(f"SHOW {setting}").scalar())

    assert shown == value
