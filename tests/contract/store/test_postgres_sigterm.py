"""A start that waits for its turn to migrate ends when it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import asyncpg
import pytest

from ak_instagram.store.postgres.migrating import LOCK
from qa.support.processes import free_port, variable

WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def settings(postgres_url):
    return {
        "store.url": postgres_url,
        "server.port": str(free_port()),
        "agent.adapter": "echo",
        "instagram.verify_token": "verify",
        "instagram.access_token": "token",
        "instagram.app_secret": "secret",
    }


async def test_a_start_that_waits_to_migrate_ends_on_sigterm(postgres_url, settings, tmp_path):
    gate = await asyncpg.connect(postgres_url)
    await gate.execute("SELECT pg_advisory_lock($1)", LOCK)
    variables = {variable(key): value for key, value in settings.items()}
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ak_instagram", "serve"),
        env=os.environ | variables,
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        while not await gate.fetchval(WAITS):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)

        service.send_signal(signal.SIGTERM)

        async with asyncio.timeout(5):
            assert await service.wait() == 0
    finally:
        if service.returncode is None:
            service.kill()
            await service.wait()
        await gate.close()
