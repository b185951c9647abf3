"""A transaction that is broken off at whatever moment takes no later one with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import text

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.database import Tx
from ak_instagram.store.postgres.engine import CONNECTIONS, open_pool
from ak_instagram.store.statement import Statement
from tests.support.store_bench import worker

_READ = Statement(text("SELECT 1 AS one"))
_WRITE = Statement(text("INSERT INTO notes VALUES (1)"))


@pytest.fixture
def url(postgres_url):
    return postgres_url


async def seen_from_outside(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT count(*) FROM notes")
    finally:
        await connection.close()


def _read(connection, now):
    return _READ.value(Tx(connection, now, worker()))


def _write(connection, now):
    return _WRITE.run(Tx(connection, now, worker()))


async def broken_off(work, turns: int) -> bool:
    """Cancel *work* after *turns* of the loop; return whether it was still under way."""
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    under_way = task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return under_way


async def test_what_is_stored_after_a_transaction_was_cancelled_is_durable(url):
    async with open_pool(url) as pool:
        await pool.run(lambda connection, _: connection.execute(text("CREATE TABLE notes (i int)")))

        under_way = []
        for turns in range(60):
            under_way.append(await broken_off(pool.run(_read), turns))
            await pool.run(_write)

        assert sum(under_way) > 10  # it was cancelled at many moments
        assert await seen_from_outside(url) == len(under_way)


async def test_what_is_stored_after_a_statement_took_too_long_is_durable(url):
    async with open_pool(url, answer_within=0.2) as pool:
        await pool.run(lambda connection, _: connection.execute(text("CREATE TABLE notes (i int)")))

        with pytest.raises(StoreUnavailable):
            await pool.run(lambda it, _: it.execute(text("SELECT pg_sleep(1)")))
        for _ in range(CONNECTIONS):
            await pool.run(_write)

        assert await seen_from_outside(url) == CONNECTIONS
