"""
The schema of a shared store is brought up to date by one replica, while others work on it.

Who waits for a table keeps all who come later waiting too. So nobody waits for long.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ak_instagram.store.migrations import migrate

from .connections import connect_args, driver_url
from .errors import REFUSED, is_held_up, refusal

log = structlog.get_logger()

LOCK = 7_104_117  # any number, the same in all replicas
IDLE_WITHIN = 30.0  # seconds
LOCKS_WITHIN = 2.0  # seconds; the other replicas queue up behind who waits for a table
PAUSE = 5.0  # seconds; meanwhile the others work


async def migrate_when_free(url: str) -> None:
    """
    Bring the schema behind *url* up to date, one replica after the other.

    That takes however long it takes. Raises `errors.StoreUnavailable` if the server can't
    be reached.
    """
    engine = create_async_engine(
        driver_url(url), poolclass=NullPool, connect_args=connect_args(IDLE_WITHIN)
    )
    try:
        await _migrate_patiently(engine)
    except REFUSED as exc:
        raise refusal(exc) from exc
    finally:
        await engine.dispose()


async def _migrate_patiently(engine: AsyncEngine) -> None:
    """Migrate once nobody keeps a table locked, as a backup does while it runs."""
    has_waited = False
    while True:
        try:
            return await _migrate_now(engine)
        except REFUSED as exc:
            if not is_held_up(exc):
                raise
        if not has_waited:
            log.warning("store.migration_waits")
        has_waited = True
        await asyncio.sleep(PAUSE)


async def _migrate_now(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        # From here on, since another replica may migrate for as long as it takes.
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCKS_WITHIN}s'"))
        await connection.run_sync(migrate)
