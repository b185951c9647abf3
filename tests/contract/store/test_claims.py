"""A conversation is one worker's at a time, in Meta's order, and never forgotten."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.errors import LeaseLost
from ak_instagram.store.dispatch import POLL
from ak_instagram.store.store import Store
from ak_instagram.store.values import MAX_CLAIMS, Claim, LeaseId, WaitReason
from ak_instagram.store.verbs import claims, steps
from ak_instagram.store.verbs.claims import ClaimedRow
from tests.support.store_bench import (
    DAY,
    LEASE,
    START,
    answered,
    arrival,
    claim_one,
    mids,
    stop,
    worker,
)


async def test_events_come_in_metas_order_however_they_arrived(store):
    await store.put([arrival("late", at=START + 2), arrival("early", at=START + 1)])

    assert mids(await claim_one(store)) == ["early", "late"]


async def test_a_claimed_conversation_is_nobody_elses(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.put([arrival("m1")])
    await claim_one(one)

    bench.clock.move(LEASE - 1)
    waiting = asyncio.create_task(two.claim(1))
    await two.ping()

    assert not waiting.done()
    await stop(waiting)


async def test_an_expired_lease_is_taken_over_and_fences_its_old_holder_off(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.put([arrival("m1")])
    old = await claim_one(one)
    bench.clock.move(LEASE)

    new = await claim_one(two)

    assert new.fence > old.fence
    assert mids(new) == ["m1"]
    for verb in (
        one.run(steps.settle, old, answered(old, "hi")),
        one.run(steps.sent, old, "mid"),
        one.run(steps.give_up, old, "why"),
        one.run(steps.retry, old, after=0, why="why"),
    ):
        with pytest.raises(LeaseLost):
            await verb


async def test_a_claimed_row_has_its_columns_names(store):
    await store.put([arrival("m1")])

    [claimed] = await store.run(claims.acquire, 1)
    held = await store.run(claims.require, Claim("shop", "anna", fence=1))

    assert claimed == held
    assert held == ClaimedRow(
        account="shop",
        contact="anna",
        fence=1,
        lease_owner="one",
        lease_until=START + LEASE,
        due_at=START,
        failures=0,
        epoch=0,
        window_closes_at=START + DAY,
        paused_until=0,
        referral=None,
        spoke_at=0,
        ad_window_closes_at=0,
        writing=None,
    )


class CountedRuns:
    """The bench's transactions, counted."""

    def __init__(self, database) -> None:
        self._transactions = database
        self.clock = database.clock
        self.on_notify = database.on_notify
        self.is_shared = database.is_shared
        self.count = 0

    async def run(self, work, *, urgent: bool = False):
        self.count += 1
        return await self._transactions.run(work, urgent=urgent)


async def test_a_renewed_lease_holds(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.put([arrival("m1")])
    claim = await claim_one(one)
    bench.clock.move(LEASE - 1)

    assert await one.renew() == {("shop", "anna", claim.fence)}

    bench.clock.move(LEASE - 1)
    assert await two.run(steps.claim_due, 1) == []


@pytest.mark.parametrize(("at_once", "database"), [(1, 6), (2, 3), (5, 2), (6, 1)])
async def test_leases_are_renewed_a_few_at_a_time(bench, at_once, database):
    runs = CountedRuns(bench.database)
    store = Store(runs, worker(), renewals=at_once)
    await store.put([arrival(f"m{n}", f"person {n}") for n in range(5)])
    held = {claim.lease_id for claim in await store.claim(10)}
    bench.clock.move(LEASE - 1)
    runs.count = 0

    assert await store.renew() == held

    assert runs.count == database
    ends = await bench.query("SELECT DISTINCT lease_until FROM conversations")
    assert ends == [(START + LEASE - 1 + LEASE,)]


async def test_renewing_does_not_bring_back_what_was_taken_over(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.put([arrival("m1")])
    await claim_one(one)
    bench.clock.move(LEASE)
    await claim_one(two)

    assert await one.renew() == set()


async def test_what_arrives_during_a_turn_waits_for_the_next(store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.put([arrival("m2"), arrival("m3")])

    step = await store.run(steps.settle, claim, answered(claim))

    assert mids(step) == ["m2", "m3"]
    assert await store.run(steps.settle, step, answered(step)) is None


async def test_release_is_final_only_when_nothing_is_due(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)

    assert await store.run(steps.settle, claim, answered(claim)) is None

    assert await bench.query("SELECT due_at, lease_owner, lease_until FROM conversations") == [
        (None, None, 0)
    ]


async def test_a_failed_turn_waits_and_new_messages_do_not_hasten_it(bench, store):
    await store.put([arrival("m1")])
    await store.run(steps.retry, await claim_one(store), after=60, why="503")

    await store.put([arrival("m2")])

    assert await bench.query("SELECT due_at, attempts FROM conversations") == [(START + 60_000, 1)]
    bench.clock.move(60_000)
    claim = await claim_one(store)
    assert (mids(claim), claim.failures) == (["m1", "m2"], 1)


async def test_progress_forgets_the_failures(bench, store):
    await store.put([arrival("m1")])
    await store.run(steps.retry, await claim_one(store), after=1, why="503")
    bench.clock.move(1000)
    claim = await claim_one(store)
    await store.put([arrival("m2")])

    step = await store.run(steps.settle, claim, answered(claim))

    assert step.failures == 0


async def test_a_wait_with_a_reason_uses_up_no_attempt(bench, store):
    await store.put([arrival("m1")])

    await store.run(
        steps.retry, await claim_one(store), after=1, why="rate", wait_reason=WaitReason.OTHER
    )

    bench.clock.move(1000)
    assert (await claim_one(store)).failures == 0


async def test_a_burst_is_waited_for(bench):
    store = bench.store(debounce=2000)
    await store.put([arrival("m1")])
    bench.clock.move(1500)
    await store.put([arrival("m2")])

    assert await bench.query("SELECT due_at FROM conversations") == [(START + 3500,)]
    bench.clock.move(2000)
    assert mids(await claim_one(store)) == ["m1", "m2"]


async def test_an_endless_burst_is_answered_all_the_same(bench):
    store = bench.store(debounce=2000)
    for n in range(12):
        await store.put([arrival(f"m{n}")])
        bench.clock.move(1000)

    assert await bench.query("SELECT due_at FROM conversations") == [(START + 10_000,)]


async def test_a_burst_during_a_turn_is_waited_for_too(bench):
    store = bench.store(debounce=2000)
    await store.put([arrival("m1")])
    bench.clock.move(2000)
    claim = await claim_one(store)
    await store.put([arrival("m2")])

    assert await store.run(steps.settle, claim, answered(claim)) is None

    assert await bench.query("SELECT due_at FROM conversations") == [(START + 4000,)]


async def test_a_waiting_worker_is_woken_by_an_arrival(store):
    async def claimed():
        while not (claims := await store.claim(10)):
            pass
        return claims

    waiting = asyncio.create_task(claimed())
    await store.ping()
    await store.ping()

    await store.put([arrival("m1")])

    async with asyncio.timeout(POLL / 2):
        [claim] = await waiting
    assert mids(claim) == ["m1"]


async def test_no_more_is_claimed_than_asked_for(store):
    await store.put([arrival(f"m{n}", f"p{n}") for n in range(5)])

    claims = [*await store.claim(3), *await store.claim(3)]

    assert sorted(claim.contact for claim in claims) == ["p0", "p1", "p2", "p3", "p4"]


async def test_a_released_conversation_is_due_at_once(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.put([arrival("m1")])
    await claim_one(one)

    await one.run(claims.release_all)

    assert mids(await claim_one(two)) == ["m1"]


async def test_an_abandoned_conversation_is_due_at_once(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.put([arrival("m1"), arrival("m2", "ben")])
    kept, left = sorted(await one.claim(2), key=lambda claim: claim.contact)

    await one.abandon([LeaseId(left.account, left.contact, left.fence)])

    assert (await claim_one(two)).contact == left.contact
    assert await one.renew() == {(kept.account, kept.contact, kept.fence)}


async def test_only_work_that_waits_for_the_account_is_woken_when_it_can_send(bench, store):
    await store.put([arrival("m1"), arrival("m2", "ben"), arrival("m3", "cleo", account="cafe")])
    for claim in await store.claim(10):
        wait_reason = None if claim.contact == "ben" else WaitReason.ACCOUNT
        await store.run(steps.retry, claim, after=600, why="190", wait_reason=wait_reason)

    assert await store.run(claims.wake_account, "shop") == 1

    assert (await claim_one(store)).contact == "anna"


async def test_the_time_left_of_a_lease_is_known_before_a_send(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(LEASE - 1000)

    assert store.lease_left(claim) == 1

    await store.renew()
    assert store.lease_left(claim) == LEASE / 1000


async def test_work_that_waits_for_an_account_is_due_when_a_process_starts(bench, store):
    await store.put([arrival("m1")])
    await store.run(
        steps.retry, await claim_one(store), after=600, why="190", wait_reason=WaitReason.ACCOUNT
    )

    await bench.store("next run").run(claims.unblock)

    assert mids(await claim_one(store)) == ["m1"]


async def test_no_more_than_max_claims_are_made_in_one_transaction(store):
    await store.put([arrival(f"m{n}", f"p{n}") for n in range(MAX_CLAIMS + 8)])

    first, second = await store.claim(500), await store.claim(500)

    assert (len(first), len(second)) == (MAX_CLAIMS, 8)
    assert len({claim.contact for claim in first + second}) == MAX_CLAIMS + 8
