"""A filled store is one that was in use and is at rest; its verbs can be measured."""

from __future__ import annotations

import asyncio
from dataclasses import astuple

import asyncpg
import pytest

from ak_instagram.store.sqlite.writer import wall_clock
from ak_instagram.store.verbs.retention import DAY, purge
from qa.benchmarks import verbs
from qa.benchmarks.filling import fill, make, people_in
from qa.benchmarks.stores import copied_file, is_file, stored_mids
from tests.support.fakes import FakeClock
from tests.support.store_bench import Bench

EVENTS = 1_000
COUNTS = """
    SELECT (SELECT count(*) FROM events WHERE status = 'answered' AND kind = 'message'),
           (SELECT count(*) FROM events WHERE status = 'counted' AND kind = 'echo'),
           (SELECT count(DISTINCT key) FROM events),
           (SELECT count(*) FROM events JOIN outbox ON mid = message_id WHERE events.kind = 'echo'),
           (SELECT count(*) FROM outbox WHERE status = 'sent'),
           (SELECT count(*) FROM conversations WHERE due_at IS NULL AND fence = 4)
"""
INDICES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
}


@pytest.fixture
async def bench(url):
    bench = Bench(url, FakeClock(wall_clock()))
    async with bench.stack:
        await bench.open()
        yield bench


async def test_a_filled_store_has_messages_their_answers_and_their_echoes(bench):
    indices = INDICES[bench.url.partition(":")[0]]
    before = await bench.query(indices)

    await fill(bench.url, EVENTS)

    assert await bench.query(COUNTS) == [(500, 500, 1_000, 500, 500, people_in(EVENTS))]
    assert await bench.query(indices) == before


async def test_nothing_in_a_filled_store_is_old_enough_to_be_purged(bench):
    await fill(bench.url, EVENTS)

    purged = await bench.run(purge, 7 * DAY)

    assert purged.total == 0


def test_verbs_are_measured_on_filled_stores(url):
    asyncio.run(make(url, EVENTS))

    costs = verbs.measure(verbs.Plan({EVENTS: url}, rounds=2, batches=1))

    assert [len(samples) for samples in costs.values()] == [2]
    assert all(min(astuple(cost)) > 0 for cost in costs[EVENTS])
    assert len(stored_mids(url)) > EVENTS


def test_a_copied_store_has_what_the_other_has(url, databases, tmp_path):
    asyncio.run(make(url, EVENTS))

    with copied_file(url, tmp_path) if is_file(url) else databases.copied(url) as copy:
        assert copy != url
        assert stored_mids(copy) == stored_mids(url)


def test_statements_are_counted_where_that_was_asked_for(databases):
    counted, other = databases.new(), databases.new()
    databases.log_statements(counted)
    before = databases.statements()

    for url in (counted, other):
        asyncio.run(ask(url))

    assert databases.statements() - before == 1


async def ask(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.fetch("SELECT 1")
    await connection.close()
