"""The job that lets the store forget."""

from __future__ import annotations

import asyncio

import structlog

from ak_instagram.jobs import run_logged
from ak_instagram.settings.model import StoreSettings
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.retention import DAY, Kinds, Purged, purge

log = structlog.get_logger()

FIRST_AFTER = 60.0  # seconds: a start has more urgent things to do
EVERY = 3600.0
BREATHER = 0.1  # seconds between two pieces of work, in which webhooks have the store


async def run_purges(
    store: Transactions,
    settings: StoreSettings,
    *,
    first_after: float = FIRST_AFTER,
    every: float = EVERY,
    breather: float = BREATHER,
) -> None:
    """Purge what is older than *settings* say again and again; never return."""
    kinds = Kinds(
        messages=_ms(settings.retention_messages),
        answers=_ms(settings.retention_answers),
        transcript=_ms(settings.retention_transcript),
        dead_letters=_ms(settings.retention_dead_letters),
    )
    keep = int(settings.retention * DAY)
    await asyncio.sleep(first_after)
    while True:
        await run_logged(_purge(store, keep, kinds, breather), failure="store.purge_failed")
        await asyncio.sleep(every)


def _ms(days: float | None) -> int | None:
    return None if days is None else int(days * DAY)


async def _purge(store: Transactions, keep: int, kinds: Kinds, breather: float) -> None:
    total = Purged()
    while (purged := await store.run(purge, keep, kinds)).total:
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
            profiles=total.profiles,
            deletions=total.deletions,
        )
