"""A replica goes on listening to the others, whatever becomes of the server meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal

import asyncpg
import pytest
from structlog.testing import capture_logs

from ak_instagram.store.database import CHANNEL, Tx
from ak_instagram.store.postgres.connections import LOOK
from ak_instagram.store.postgres.engine import open_pool
from ak_instagram.store.verbs import claims
from tests.support.store_bench import stop, worker

LISTENS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = $1"


@pytest.fixture
async def logs():
    with capture_logs() as logs:
        yield logs


@pytest.fixture
async def pool(postgres_url):
    async with open_pool(postgres_url, answer_within=0.5) as pool:
        yield pool


@pytest.fixture
def look_every():
    """Seconds between two looks whether the server is still there."""
    return LOOK


@pytest.fixture
async def listener(pool, look_every):
    """A replica that listens: the event is set when it hears of work, and when it begins to."""
    heard = asyncio.Event()
    pool.on_notify(heard.set)
    task = asyncio.create_task(pool.listen(look_every=look_every))
    yield heard
    assert not task.done()
    await stop(task)


async def hears(heard: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await heard.wait()
    heard.clear()


def losses(logs: list) -> list[str]:
    return [line["reason"] for line in logs if line["event"] == "store.listener_lost"]


@pytest.fixture
def refusals(monkeypatch):
    """What the server says to the next who want to listen."""
    listen = asyncpg.Connection.add_listener
    refusals = [asyncpg.ReadOnlySQLTransactionError("cannot execute LISTEN during recovery")] * 3

    async def refuse(self, *arguments):
        if refusals:
            raise refusals.pop()
        await listen(self, *arguments)

    monkeypatch.setattr(asyncpg.Connection, "add_listener", refuse)
    return refusals


async def test_a_server_that_refuses_to_be_listened_to_is_asked_again(logs, refusals, listener):
    """As one does that is to take over and is a standby yet; it is told once."""
    await hears(listener)

    assert not refusals
    assert losses(logs) == ["ReadOnlySQLTransactionError"]


async def test_a_connection_that_is_cut_is_told_and_replaced(postgres_server, pool, listener, logs):
    await hears(listener)

    await asyncio.to_thread(postgres_server.cut_connections)
    await hears(listener)

    await pool.run(lambda connection, now: claims.notify(Tx(connection, now, worker())))
    await hears(listener)
    assert losses(logs) == ["InterfaceError"]


@pytest.mark.parametrize("look_every", [0.1])
async def test_a_server_that_falls_silent_is_noticed(postgres_url, listener, logs):
    """Or one whose machine is gone without a word: nothing ever comes on that line again."""
    await hears(listener)
    connection = await asyncpg.connect(postgres_url)
    pid = await connection.fetchval(LISTENS, f'LISTEN "{CHANNEL}"')
    os.kill(pid, signal.SIGSTOP)
    try:
        await hears(listener)
    finally:
        os.kill(pid, signal.SIGCONT)
        await connection.close()

    assert losses(logs) == ["TimeoutError"]
