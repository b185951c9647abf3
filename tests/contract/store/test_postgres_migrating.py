"""The replicas that work, and the one that migrates, while a backup holds the tables."""

from __future__ import annotations

import asyncio
import shutil
import time
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.util import await_only
from structlog.testing import capture_logs

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.migrations import STEPS, migrate
from ak_instagram.store.postgres.engine import open_pool
from ak_instagram.store.postgres.migrating import migrate_when_free
from ak_instagram.store.store import open_store
from tests.support.next_version import NEWEST, next_steps
from tests.support.store_bench import arrival, echo, worker

BACKUP = "BEGIN; LOCK TABLE outbox IN ACCESS SHARE MODE"  # what pg_dump holds until it is done
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
async def outside(postgres_url):
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def waiting(outside: asyncpg.Connection) -> None:
    while not await outside.fetchval(WAITS):  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)


async def test_a_migration_lets_the_others_work_while_a_backup_runs(
    postgres_url, outside, tmp_path
):
    later = next_steps(tmp_path, last=NEWEST, oldest=NEWEST, table="outbox")
    now = int(time.time() * 1000)
    migration = migrate_when_free(
        postgres_url, migrate=partial(migrate, steps=later), locks_within=0.2, pause=0.1
    )
    async with open_store(postgres_url, worker("old")) as old:
        await outside.execute(BACKUP)
        with capture_logs() as logs:
            update = asyncio.create_task(migration)
            for n in range(3):
                await waiting(outside)
                async with asyncio.timeout(3):
                    await old.put([arrival(f"m{n}", at=now), echo(f"e{n}", "hi")._replace(at=now)])

            assert not update.done()
            await outside.execute("ROLLBACK")
            async with asyncio.timeout(5):
                await update

    assert [line["event"] for line in logs].count("store.migration_waits") == 1
    assert await outside.fetchval("SELECT version_num FROM alembic_version") == "9999"


async def test_a_replica_frozen_in_a_migration_does_not_keep_others_from_starting(
    postgres_url,
):
    frozen, thaw = asyncio.Event(), asyncio.Event()

    def freeze(connection):
        migrate(connection)
        if not frozen.is_set():
            frozen.set()
            await_only(thaw.wait())
            connection.exec_driver_sql("SELECT 1")

    first = asyncio.create_task(migrate_when_free(postgres_url, migrate=freeze, idle_within=0.3))
    await frozen.wait()

    async with asyncio.timeout(5):
        await migrate_when_free(postgres_url)

    thaw.set()
    with pytest.raises(StoreUnavailable):
        await first


async def test_the_second_step_looks_through_the_events_before_it_locks_the_outbox(
    postgres_url, outside, tmp_path
):
    first = Path(shutil.copytree(STEPS, tmp_path / "steps"))
    for later in sorted((first / "versions").glob("*.py"))[1:]:
        later.unlink()
    async with open_pool(postgres_url) as pool:
        await pool.run(lambda connection, _now: migrate(connection, first))
    await outside.execute("BEGIN; LOCK TABLE events")

    update = asyncio.create_task(migrate_when_free(postgres_url))
    await waiting(outside)
    async with asyncio.timeout(1):
        assert await outside.fetchval("SELECT count(*) FROM outbox") == 0

    await outside.execute("ROLLBACK")
    await update
