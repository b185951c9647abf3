"""
Migrating a shared store: one replica brings the schema up to date while others work on it.

Waiting for a table's lock makes every later request for that table queue up behind. So a
migration waits for one only for a moment, and tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ak_instagram.store.migrations import migrate

from .connections import connect_args, driver_url
from .errors import REFUSED, is_held_up, refusal

log = structlog.get_logger()

LOCK = 7_104_117  # any number, the same in all replicas
IDLE_WITHIN = 30.0  # seconds
LOCKS_WITHIN = 2.0  # seconds for which other replicas may have to queue up behind this one
PAUSE = 5.0  # seconds until the next try; meanwhile the others work


async def migrate_when_free(
    url: str,
    *,
    migrate: Callable[[Connection], None] = migrate,
    idle_within: float = IDLE_WITHIN,
    locks_within: float = LOCKS_WITHIN,
    pause: float = PAUSE,
) -> None:
    """
    Bring the schema behind *url* up to date, one replica after the other.

    That takes however long somebody keeps a table locked, as a backup does while it runs.
    Raises `errors.StoreUnavailable` if the server can't be reached.
    """
    engine = create_async_engine(
        driver_url(url), poolclass=NullPool, connect_args=connect_args(idle_within)
    )
    has_waited = False
    try:
        while True:
            try:
                return await _migrate_now(engine, migrate, locks_within)
            except REFUSED as exc:
                if not is_held_up(exc):
                    raise refusal(exc) from exc
            if not has_waited:
                log.warning("store.migration_waits")
            has_waited = True
            await asyncio.sleep(pause)
    finally:
        await engine.dispose()


async def _migrate_now(
    engine: AsyncEngine, migrate: Callable[[Connection], None], locks_within: float
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        # From here on, since another replica may migrate for as long as it takes.
        await connection.execute(text(f"SET LOCAL lock_timeout = '{locks_within}s'"))
        await connection.run_sync(migrate)
