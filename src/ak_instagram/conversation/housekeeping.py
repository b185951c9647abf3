"""The job that lets the store forget."""

from __future__ import annotations

import asyncio

import structlog

from ak_instagram.store.retention import DAY, Purged
from ak_instagram.store.store import Store

log = structlog.get_logger()

FIRST_AFTER = 60.0  # seconds: a start has more urgent things to do
EVERY = 3600.0
BREATHER = 0.1  # seconds between two pieces of work, in which webhooks have the store


async def housekeeping(
    store: Store, days: float, *, first_after: float = FIRST_AFTER, every: float = EVERY
) -> None:
    """Purge what is older than *days* again and again; never return."""
    await asyncio.sleep(first_after)
    while True:
        try:
            await _purge(store, int(days * DAY))
        except Exception as exc:  # the loop outlives whatever it meets
            log.exception("store.purge_failed", reason=type(exc).__name__)
        await asyncio.sleep(every)


async def _purge(store: Store, keep: int) -> None:
    total = Purged()
    while (purged := await store.purge(keep)).total:
        total += purged
        await asyncio.sleep(BREATHER)
    if total.total:
        log.info(
            "store.purged",
            events=total.events,
            pieces=total.pieces,
            expired=total.expired,
            lines=total.lines,
            conversations=total.conversations,
        )
