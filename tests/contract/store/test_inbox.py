"""Events come in once, in one commit for many, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from sqlalchemy import event

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.sqlite import StoreInUse, open_sqlite
from tests.store_bench import DAY, START, answered, arrival, claim_one, mids


async def test_a_repeat_is_stored_once(bench, store):
    await store.put([arrival("m1"), arrival("m2")])

    await store.put([arrival("m2"), arrival("m3")])

    assert mids(await claim_one(store)) == ["m1", "m2", "m3"]


async def test_a_repeat_of_an_answered_message_wakes_nobody(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    assert await store.settle(claim, answered(claim)) is None

    await store.put([arrival("m1")])

    assert await bench.query("SELECT due_at FROM conversations") == [(None,)]


async def test_requests_that_wait_together_share_a_commit(bench, store):
    commits = []
    event.listen(bench.transactions._engine, "commit", lambda _: commits.append(1))

    await asyncio.gather(*(store.put([arrival(f"m{n}", f"p{n}")]) for n in range(300)))

    assert await bench.query("SELECT count(*) FROM events") == [(300,)]
    assert len(commits) < 10


async def test_events_are_on_the_disk_when_put_returns(bench, store, tmp_path):
    await store.put([arrival("m1")])

    with sqlite3.connect(tmp_path / "store.db") as other:
        assert other.execute("SELECT mid, status FROM events").fetchall() == [("m1", "waiting")]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


async def test_every_commit_waits_for_the_disk(bench):
    assert await bench.query("PRAGMA synchronous") == [(2,)]  # 2 is FULL


async def test_a_full_disk_refuses_and_the_store_recovers(bench, store):
    await bench.query("PRAGMA max_page_count = 1")

    with pytest.raises(StoreUnavailable, match="full"):
        await store.put([arrival("m1", payload="x" * 100_000)])

    await store.put([arrival("m1")])
    assert mids(await claim_one(store)) == ["m1"]


async def test_a_locked_file_refuses_and_the_store_recovers(tmp_path, bench):
    await bench.stack.aclose()
    await bench.open(busy_timeout=0.05)
    store = bench.store()
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        await store.put([arrival("m1")])

    other.execute("ROLLBACK")
    other.close()
    await store.put([arrival("m1")])
    assert mids(await claim_one(store)) == ["m1"]


async def test_one_spoilt_piece_of_work_costs_its_neighbours_nothing(bench, store):
    def broken(_connection, _now):
        raise ZeroDivisionError

    results = await asyncio.gather(
        store.put([arrival("m1")]),
        bench.transactions.run(broken),
        store.put([arrival("m2")]),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [type(None), ZeroDivisionError, type(None)]
    assert mids(await claim_one(store)) == ["m1", "m2"]


async def test_a_second_process_on_the_file_is_refused(bench):
    with pytest.raises(StoreInUse, match="AK_STORE__URL"):
        async with open_sqlite(bench.url):
            pass


async def test_ids_and_payloads_survive_any_characters(bench, store):
    odd = "a\"b\\c'd\n\x7fé😀\\ud800"

    await store.put([arrival(odd, odd, payload=odd)])

    claim = await claim_one(store)
    assert (claim.contact, claim.events[0].mid, claim.events[0].payload) == (odd, odd, odd)


async def test_an_inbound_message_opens_the_window_for_a_day(bench, store):
    await store.put([arrival("m1", at=START), arrival("m2", at=START - 5000)])

    assert await bench.query("SELECT window_closes_at FROM conversations") == [(START + DAY,)]


async def test_an_unsend_does_not_open_the_window(bench, store):
    await store.put([arrival("m1", kind="unsend", key="unsend:m1")])

    assert await bench.query("SELECT window_closes_at FROM conversations") == [(0,)]
