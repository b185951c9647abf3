"""What holds for the embedded store only: one file, one process, one fsync for many."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest

from ak_instagram.errors import StoreInUse, StoreUnavailable
from ak_instagram.store.database import Tx
from ak_instagram.store.sqlite.engine import PAGE_SIZE, open_sqlite
from ak_instagram.store.verbs.retention import purge
from tests.support.store_bench import DAY, arrival, claim_one, mids


@pytest.fixture
def bench(sqlite_bench):
    return sqlite_bench


@pytest.fixture
def store(bench):
    return bench.store()


async def test_requests_that_wait_together_share_a_commit(bench, store):
    done: list[str] = []
    await bench.database.run(
        lambda connection, _: connection.connection.driver_connection.set_trace_callback(
            done.append
        )
    )

    await asyncio.gather(*(store.put([arrival(f"m{n}", f"p{n}")]) for n in range(300)))

    assert await bench.query("SELECT count(*) FROM events") == [(300,)]
    assert 1 <= done.count("COMMIT") < 10


async def test_events_are_on_the_disk_when_put_returns(bench, store, tmp_path):
    await store.put([arrival("m1")])

    with sqlite3.connect(tmp_path / "store.db") as other:
        assert other.execute("SELECT mid, status FROM events").fetchall() == [("m1", "waiting")]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


async def test_every_commit_waits_for_the_disk(bench):
    assert await bench.query("PRAGMA synchronous") == [(2,)]  # 2 is FULL


async def test_pages_of_a_new_file_are_small(bench):
    assert await bench.query("PRAGMA page_size") == [(PAGE_SIZE,)]


async def test_a_full_disk_refuses_and_the_store_recovers(bench, store):
    await bench.query("PRAGMA max_page_count = 1")

    with pytest.raises(StoreUnavailable, match="full"):
        await store.put([arrival("m1", payload="x" * 100_000)])

    await store.put([arrival("m1")])
    assert mids(await claim_one(store)) == ["m1"]


async def test_a_probe_writes_unless_a_webhook_was_just_stored(bench, store):
    done: list[str] = []
    await bench.database.run(
        lambda connection, _: connection.connection.driver_connection.set_trace_callback(
            done.append
        )
    )

    def statements() -> int:
        """Return how many began since the last call."""
        number = len(done)
        done.clear()
        return number

    await store.put([arrival("m1")])
    statements()

    await store.ping()
    assert statements() == 0

    await store.ping()
    assert statements() > 2  # more than a transaction around nothing

    await store.put([arrival("m1")])  # a repeat writes nothing
    statements()
    await store.ping()
    assert statements() > 2
    assert await bench.query("SELECT count(*) FROM schema_compatibility") == [(1,)]


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


async def test_a_second_process_on_the_file_is_refused(bench):
    with pytest.raises(StoreInUse, match="AK_STORE__URL"):
        async with open_sqlite(bench.url):
            pass


async def test_what_a_killed_process_held_is_free_at_once(bench, store):
    await store.put([arrival("m1")])
    await claim_one(store)
    await bench.stack.aclose()

    await bench.open()

    assert mids(await claim_one(bench.store("next run"))) == ["m1"]


async def test_a_folder_that_can_not_be_made_is_said_so(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailable, match="can't be made"):
        async with open_sqlite(f"sqlite:///{tmp_path}/file/store.db"):
            pass


async def test_urgent_work_comes_before_other_work_each_in_its_order(bench):
    order: list[str] = []
    is_busy, may_go_on = threading.Event(), threading.Event()

    def hold_up(_connection, _now) -> None:
        is_busy.set()
        may_go_on.wait(5)

    def note(name: str):
        return bench.database.run(
            lambda _connection, _now: order.append(name), urgent="webhook" in name
        )

    busy = asyncio.ensure_future(bench.database.run(hold_up))
    await asyncio.to_thread(is_busy.wait, 5)
    names = ("turn 1", "turn 2", "webhook 1", "webhook 2")
    waiting = [asyncio.ensure_future(note(name)) for name in names]
    await asyncio.sleep(0)
    may_go_on.set()
    await asyncio.gather(busy, *waiting)

    assert order == ["webhook 1", "webhook 2", "turn 1", "turn 2"]


async def steps_to_purge(bench) -> int:
    """Purge what is older than three days; return how many times a hundred steps SQLite took."""
    taken: list[None] = []

    def purge_counted(tx: Tx) -> None:
        driver = tx.connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(lambda: taken.append(None), 100)
        try:
            purge(tx, 3 * DAY)
        finally:
            driver.set_progress_handler(None, 0)

    await bench.run(purge_counted)
    return len(taken)


async def test_to_purge_nothing_costs_the_same_however_much_is_kept(bench, store):
    async def keep(*numbers: int) -> None:
        await store.put([arrival(f"m{n}", "anna", kind="echo") for n in numbers])

    await keep(*range(10))
    few = await steps_to_purge(bench)
    await keep(*range(10, 5_000))

    assert await steps_to_purge(bench) <= few + 5
