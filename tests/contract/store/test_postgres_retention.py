"""What another replica wants again, while it is just being forgotten, stays."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from ak_instagram.store.database import Tx
from ak_instagram.store.postgres.connections import driver_url
from ak_instagram.store.values import EventStatus, TurnResult
from ak_instagram.store.verbs import inbox, steps
from ak_instagram.store.verbs.operators import dead_letters
from ak_instagram.store.verbs.retention import purge
from tests.support.store_bench import DAY, answered, arrival, claim_one, sending, worker


@pytest.fixture
def bench(postgres_bench):
    return postgres_bench


async def purged_during(bench, work, *, days: int = 7) -> None:
    """Purge while *work* is done and not committed yet; what it has changed is waited for."""
    engine = create_async_engine(driver_url(bench.url))
    async with engine.connect() as connection:
        transaction = await connection.begin()
        await connection.run_sync(lambda it: work(Tx(it, bench.clock(), worker("two"))))
        purging = asyncio.create_task(bench.run(purge, days * DAY))
        while not await bench.query("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert not purging.done()
        await transaction.commit()
    await purging
    await engine.dispose()


async def dead_turn(store) -> None:
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
    await store.run(steps.settle, claim, TurnResult("turn", dead, reason="503"))


def replay(tx: Tx) -> None:
    assert dead_letters.replay(tx, "turn")


async def test_a_conversation_that_becomes_due_is_still_found(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))
    bench.clock.move(9 * DAY)
    late = arrival("m2", at=bench.clock.now)

    await purged_during(bench, lambda tx: inbox.put(tx, [late]))

    assert (await claim_one(store)).events[0].mid == "m2"


async def test_a_parked_piece_that_is_being_sent_does_not_expire(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    assert await store.run(steps.settle, claim, answered(claim, "late")) is None
    bench.clock.move(8 * DAY)
    await store.put([arrival("m2", at=bench.clock.now)])

    await purged_during(bench, lambda tx: steps.claim_due(tx, 1))

    assert await bench.query("SELECT status, error FROM outbox") == [("sending", None)]


async def test_a_dead_piece_that_is_replayed_is_still_there(bench, store):
    step = await sending(store, "one")
    await store.run(steps.give_up, step, "100/100")
    bench.clock.move(8 * DAY)

    await purged_during(bench, replay)

    assert await bench.query("SELECT status FROM outbox") == [("sending",)]


@pytest.mark.parametrize(
    ("age", "days"),
    [pytest.param(8, 7, id="deleted"), pytest.param(3, 2, id="wiped")],
)
async def test_a_dead_turn_that_is_replayed_still_says_what_it_said(bench, store, age, days):
    await dead_turn(store)
    bench.clock.move(age * DAY)

    await purged_during(bench, replay, days=days)

    assert await bench.query("SELECT status, payload IS NULL FROM events") == [("waiting", False)]
