"""The store is told to forget until nothing is left, and again later, whatever happens."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from ak_instagram.maintenance.retention import run_purges
from ak_instagram.settings.model import StoreSettings
from ak_instagram.store.verbs.retention import DAY, Kinds, Purged, purge
from tests.support.fakes import ScriptedStore
from tests.support.store_bench import stop


async def test_it_goes_on_until_nothing_is_left_and_survives_a_failure():
    outcomes = (Purged(events=500), Purged(events=1, lines=2), Purged(), OSError("disk"))
    store = ScriptedStore(purge, *outcomes)

    with capture_logs() as logs:
        settings = StoreSettings(retention=2, retention_dead_letters=30)
        job = asyncio.create_task(run_purges(store, settings, first_after=0, every=0, breather=0))
        async with asyncio.timeout(5):
            await store.done.wait()
        await stop(job)

    assert set(store.calls) == {(2 * DAY, Kinds(dead_letters=30 * DAY))}
    assert [line["event"] for line in logs] == ["store.purged", "store.purge_failed"]
    assert (logs[0]["events"], logs[0]["lines"]) == (501, 2)
