"""What holds for the shared store only: replicas, a server that restarts, lines that break."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.dispatch import POLL
from ak_instagram.store.postgres.engine import open_postgres
from ak_instagram.store.store import Store, open_store
from ak_instagram.store.verbs import steps
from tests.support.store_bench import answered, arrival_now, mids, stop, worker


@pytest.fixture
def url(postgres_url):
    return postgres_url


def replica(url: str, owner: str):
    return open_store(url, worker(owner))


async def claimed(store: Store):
    while not (claims := await store.claim(10)):
        pass
    return claims


async def test_replicas_that_start_together_migrate_once(url):
    async with replica(url, "one") as one, replica(url, "two") as two:
        await asyncio.gather(one.put([arrival_now("m1")]), two.put([arrival_now("m2", "ben")]))

        claims = await claimed(one)

    assert sorted(claim.contact for claim in claims) == ["anna", "ben"]


async def test_a_replica_that_can_not_work_itself_wakes_another(url):
    async with replica(url, "one") as busy, replica(url, "two") as idle:
        waiting = asyncio.create_task(claimed(idle))
        await idle.ping()

        async with asyncio.timeout(POLL / 2):
            while not waiting.done():
                await busy.put([arrival_now(f"m{time.monotonic_ns()}")])
        [claim] = await waiting

    assert claim.contact == "anna"


async def test_replicas_never_claim_the_same_conversation(url):
    async with replica(url, "one") as one, replica(url, "two") as two:
        await one.put([arrival_now(f"m{n}", f"p{n}") for n in range(100)])

        rounds = await asyncio.gather(*(store.run(steps.claim_due, 10) for store in (one, two) * 5))

    contacts = [claim.contact for claims in rounds for claim in claims]
    assert len(contacts) == len(set(contacts))
    assert len(contacts) > 10


async def test_batches_that_touch_the_same_conversations_all_get_in(url):
    people = [f"p{n}" for n in range(20)]
    async with replica(url, "one") as one, replica(url, "two") as two:
        await asyncio.gather(
            *(
                store.put([arrival_now(f"{name}-{n}-{who}", who) for who in order])
                for n in range(5)
                for name, store, order in (("a", one, people), ("b", two, people[::-1]))
            )
        )

        claims = [*await claimed(one), *await claimed(one)]

    assert [len(claim.events) for claim in claims] == [10] * 20


async def test_the_servers_clock_decides(url):
    async with open_postgres(url) as pool:
        seen = await pool.run(lambda _connection, now: now)

    assert abs(seen - time.time() * 1000) < 5000


async def test_a_server_that_restarts_is_survived(postgres_server, url):
    async with replica(url, "one") as store:
        await store.put([arrival_now("m1")])
        await asyncio.to_thread(postgres_server.stop, "immediate")
        try:
            with pytest.raises(StoreUnavailable):
                await store.put([arrival_now("m2")])
        finally:
            await asyncio.to_thread(postgres_server.start)

        await store.put([arrival_now("m3")])

        [claim] = await claimed(store)
        assert mids(claim) == ["m1", "m3"]


async def test_connections_that_are_cut_are_replaced(postgres_server, url):
    async with replica(url, "one") as store:
        await store.put([arrival_now("m1")])
        [claim] = await claimed(store)

        await asyncio.to_thread(postgres_server.cut_connections)

        assert await store.run(steps.settle, claim, answered(claim)) is None


async def test_a_server_that_is_not_there_is_said_so():
    with pytest.raises(StoreUnavailable):
        async with open_postgres("postgresql://nobody@127.0.0.1:1/none"):
            pass


async def test_a_pool_without_a_free_connection_is_unavailable_and_no_bug(url):
    def starve(_connection, _now):
        raise PoolTimeout

    async with open_postgres(url) as pool:
        with pytest.raises(StoreUnavailable):
            await pool.run(starve)


async def test_webhooks_have_connections_that_turns_can_not_take(url):
    async with open_postgres(url) as pool:
        turns = [
            asyncio.create_task(pool.run(lambda c, _: c.exec_driver_sql("SELECT pg_sleep(30)")))
            for _ in range(40)
        ]
        await asyncio.sleep(0)

        async with asyncio.timeout(2):
            assert await pool.run(lambda _connection, _now: "stored", urgent=True) == "stored"

        for turn in turns:
            await stop(turn)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        pytest.param({"database": "nowhere"}, "InvalidCatalogNameError", id="no-database"),
        pytest.param(
            {"username": "nobody"}, "InvalidAuthorizationSpecificationError", id="no-user"
        ),
        pytest.param({"port": 1}, "ConnectionRefusedError", id="no-server"),
    ],
)
async def test_why_it_can_not_be_opened_is_said_in_the_drivers_words(url, wrong, reason):
    broken = make_url(url).set(**wrong).render_as_string(hide_password=False)

    with pytest.raises(StoreUnavailable, match=reason):
        async with replica(broken, "one"):
            pytest.fail("it opened")


@asynccontextmanager
async def read_only(url: str):
    """Have the database take no writes in the block, from whatever session."""
    name = make_url(url).database
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
    administrator = await asyncpg.connect(url, database="postgres")
    try:
        await administrator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await administrator.execute(cut, name)
        yield
    finally:
        await administrator.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await administrator.execute(cut, name)
        await administrator.close()


async def test_a_server_that_takes_no_writes_fails_the_probe_until_it_does(url):
    async with replica(url, "one") as store:
        await store.ping()

        async with read_only(url):
            with pytest.raises(StoreUnavailable, match="ReadOnly"):
                await store.ping()

        await store.ping()
