"""The job that lets the store forget."""

from __future__ import annotations

import asyncio

import structlog

from ak_instagram.jobs import run_logged
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.retention import DAY, Purged, purge

log = structlog.get_logger()

FIRST_AFTER = 60.0  # seconds: a start has more urgent things to do
EVERY = 3600.0
BREATHER = 0.1  # seconds between two pieces of work, in which webhooks have the store


async def run_purges(
    store: Transactions,
    days: float,
    *,
    first_after: float = FIRST_AFTER,
    every: float = EVERY,
    breather: float = BREATHER,
) -> None:
    """Purge what is older than *days* again and again; never return."""
    await asyncio.sleep(first_after)
    while True:
        await run_logged(_purge(store, int(days * DAY), breather), failure="store.purge_failed")
        await asyncio.sleep(every)


async def _purge(store: Transactions, keep: int, breather: float) -> None:
    total = Purged()
    while (purged := await store.run(purge, keep)).total:
        total += purged
        await asyncio.sleep(breather)
    if total.total:
        log.info(
            "store.purged",
            events=total.events,
            pieces=total.pieces,
            expired=total.expired,
            lines=total.lines,
            conversations=total.conversations,
        )
