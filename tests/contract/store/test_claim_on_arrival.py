"""Claims that a webhook makes for a worker that waits: taken at once, or given back."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.backoff import Backoff
from ak_instagram.conversation.worker import Worker
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.delivery import Delivery
from ak_instagram.delivery.rate_limit import RateLimiter
from ak_instagram.errors import StoreUnavailable
from ak_instagram.jobs import TaskSet
from ak_instagram.settings.model import Account
from ak_instagram.store.dispatch import POLL
from ak_instagram.store.store import Store
from ak_instagram.store.verbs import steps
from tests.support.fakes import FakeGraph, FakeSteps
from tests.support.store_bench import (
    LEASE,
    arrival,
    claim_one,
    piece_of,
    sending,
    stop,
    until_waiting,
    worker,
)

SHOP = Account("token", "shop")


class LatePuts:
    """The bench's transactions; what Meta waits for is told of when the test says so."""

    def __init__(self, database) -> None:
        self._transactions = database
        self.clock = database.clock
        self.is_shared = database.is_shared
        self.committed = asyncio.Event()
        self.told = asyncio.Event()
        self.refuses = False
        self.urgent: list[bool] = []

    def on_notify(self, wake) -> None:
        self.notify = wake

    async def run(self, work, *, urgent: bool = False):
        self.urgent.append(urgent)
        if self.refuses:
            raise StoreUnavailable("away")
        result = await self._transactions.run(work, urgent=urgent)
        if urgent:
            self.committed.set()
            await self.told.wait()
        return result


@pytest.fixture
def late(bench) -> LatePuts:
    return LatePuts(bench.database)


@pytest.fixture
def one(late) -> Store:
    return Store(late, worker())


def delivery(store: Store, graph: FakeGraph) -> Delivery:
    return Delivery(store, graph, CircuitBreaker(), RateLimiter(100), Backoff())


async def put_too_late(store: Store, late: LatePuts, *arrivals) -> asyncio.Future[None]:
    """Store *arrivals* for a worker that waits, and leave it waiting no more meanwhile."""
    waiting = asyncio.create_task(store.claim(1))
    await until_waiting(store)
    put = asyncio.ensure_future(store.put(arrivals))
    await late.committed.wait()
    await stop(waiting)
    return put


async def test_a_claim_that_the_worker_has_no_room_for_is_due_at_once(bench, one, late):
    put = await put_too_late(one, late, arrival("m1"))
    late.told.set()
    await put

    assert (await claim_one(bench.store("two"))).contact == "anna"
    assert await one.renew() == frozenset()


async def test_a_webhook_gives_a_claim_back_ahead_of_turns(one, late):
    put = await put_too_late(one, late, arrival("m1"))
    late.urgent.clear()
    late.told.set()

    await put

    assert late.urgent == [True]


async def test_a_webhook_is_answered_though_its_claim_can_not_be_given_back(bench, one, late):
    put = await put_too_late(one, late, arrival("m1"))
    late.refuses = True
    late.told.set()

    await put

    assert await bench.query("SELECT mid FROM events") == [("m1",)]


async def test_a_piece_is_not_sent_on_a_claim_that_expired_before_its_work_began(bench, one, late):
    """
    A webhook claims bob for the worker, whose piece failed before, while it finds carl itself.

    It has room for one, and carl's agent hangs. When that is over, another has seen to bob.
    """
    two, graph, answered_carl = bench.store("two"), FakeGraph(), asyncio.Event()
    answering = FakeSteps(answered_carl)
    step = await sending(two, "hello bob", mid="b1", contact="bob")
    await two.run(steps.retry, step, after=1, why="connection refused")
    sends = delivery(one, graph)
    accounts = Accounts([SHOP], graph)
    working = Worker(one, accounts, answering, sends, TaskSet(), concurrency=1, backoff=Backoff())
    claiming = asyncio.create_task(working.run_claims())
    await until_waiting(one)
    bench.clock.move(1_001)

    put = asyncio.ensure_future(one.put([arrival("c1", "carl")]))
    await late.committed.wait()
    late.notify()
    await answering.until(1)
    late.told.set()
    await put
    for _ in range(2):
        bench.clock.move(LEASE // 3)
        await working.renew_leases()
    for _ in range(2):  # looked for, then sent
        claim = await claim_one(two)
        await delivery(two, graph).deliver(claim, piece_of(claim), SHOP)
        bench.clock.move(4_000)
    await working.renew_leases()
    answered_carl.set()
    await until_waiting(one)
    await stop(claiming)

    assert graph.sent == [{"text": "hello bob"}]


async def test_a_renewal_extends_only_what_it_found(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.put([arrival("m1")])
    lost = await claim_one(one)
    bench.clock.move(LEASE)
    await claim_one(two)
    await one.put([arrival("m2", "ben")])
    kept = await claim_one(one)

    await one.renew()

    assert one.lease_left(lost) <= 0
    assert one.lease_left(kept) == LEASE / 1000


async def test_an_abandoned_claim_has_no_time_left_after_its_first_lease(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(LEASE - 1000)
    await store.renew()

    await store.abandon([claim.lease_id])
    bench.clock.move(1000)

    assert store.lease_left(claim) <= 0


async def test_a_claim_being_abandoned_ends_with_its_first_lease(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(LEASE - 1000)
    await store.renew()

    abandoning = asyncio.create_task(store.abandon([claim.lease_id]))
    await asyncio.sleep(0)

    assert store.lease_left(claim) == 1
    await abandoning


async def test_other_replicas_hear_of_a_claim_given_back_at_once(postgres_bench):
    one, two = postgres_bench.store("one"), postgres_bench.store("two")
    await one.put([arrival("m1")])
    claim = await claim_one(one)

    async def next_claim():
        while not (claims := await two.claim(1)):  # it may be told to look for the put as well
            pass
        return claims[0]

    waiting = asyncio.create_task(next_claim())
    await until_waiting(two)

    await one.abandon([claim.lease_id])

    async with asyncio.timeout(POLL / 2):
        assert (await waiting).contact == "anna"
