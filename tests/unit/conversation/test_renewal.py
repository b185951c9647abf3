"""Leases are renewed while there is work on them, and released when there is none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from ak_instagram.backoff import Backoff
from ak_instagram.conversation.worker import RENEWALS, Worker
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.jobs import TaskSet
from ak_instagram.settings.model import Account
from ak_instagram.store.values import Claim, LeaseId
from tests.support.fakes import FakeGraph, FakeSteps, FakeStore
from tests.support.store_bench import stop

LEASE = 1.2  # seconds
ANNA, BEN = Claim("shop", "anna", 1), Claim("shop", "ben", 1)


class RenewingStore(FakeStore):
    """Hands out what is put into `due`; notes when it renews, and says what the test wants."""

    def __init__(self, *held: frozenset[LeaseId]) -> None:
        super().__init__()
        self.due: asyncio.Queue[list[Claim]] = asyncio.Queue()
        self.answers = list(held)
        self.gate = asyncio.Event()
        self.gate.set()
        self.renewed_at: list[float] = []
        self._renewed = asyncio.Condition()

    async def claim(self, limit: int) -> list[Claim]:
        return await self.due.get()

    async def renew(self) -> frozenset[LeaseId]:
        self.renewed_at.append(asyncio.get_running_loop().time())
        async with self._renewed:
            self._renewed.notify_all()
        await self.gate.wait()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def until_renewed(self, times: int) -> None:
        """Return once it was asked to renew so often."""
        async with self._renewed:
            await self._renewed.wait_for(lambda: len(self.renewed_at) >= times)


def hanging() -> FakeSteps:
    """Work that never ends."""
    return FakeSteps(*[asyncio.Event()] * 2)


@asynccontextmanager
async def renewing(store: RenewingStore, work: FakeSteps | None = None, lease: float = 0.003):
    work = work or hanging()
    accounts = Accounts([Account("token", "shop")], FakeGraph())
    worker = Worker(store, accounts, work, work, TaskSet(), lease=lease, backoff=Backoff())
    jobs = [asyncio.create_task(job) for job in (worker.run_claims(), worker.run_renewals())]
    try:
        async with asyncio.timeout(5):
            yield worker
    finally:
        for job in jobs:
            await stop(job)
        await worker.drain(0)


async def begin(store: RenewingStore, work: FakeSteps, claim: Claim) -> None:
    store.due.put_nowait([claim])
    await work.until(len(work.taken) + 1)


async def test_a_lease_is_renewed_twice_before_it_ends_and_not_all_the_time():
    store, began = RenewingStore(frozenset()), asyncio.get_running_loop().time()

    async with renewing(store, lease=LEASE):
        await store.until_renewed(3)

    first, second, third = (at - began for at in store.renewed_at)
    assert first >= LEASE / 3 * 0.9
    assert second < LEASE
    assert third >= LEASE * 0.9


async def test_work_whose_lease_is_lost_is_cancelled():
    store, work = RenewingStore(frozenset({ANNA.lease_id})), hanging()

    async with renewing(store, work):
        await begin(store, work, ANNA)
        store.gate.clear()
        await store.until_renewed(len(store.renewed_at) + 1)
        await begin(store, work, BEN)  # no renewal can find it lost before its work began
        store.gate.set()
        await store.until_renewed(len(store.renewed_at) + 3)
        cut_off = list(work.cut_off)

    assert cut_off == ["ben"]


async def test_a_claim_made_while_leases_are_renewed_is_not_cancelled():
    both = frozenset({ANNA.lease_id, BEN.lease_id})
    store, work = RenewingStore(frozenset({ANNA.lease_id}), both), hanging()
    store.gate.clear()

    async with renewing(store, work):
        await begin(store, work, ANNA)
        await store.until_renewed(1)
        await begin(store, work, BEN)
        store.gate.set()
        await store.until_renewed(3)
        cut_off = list(work.cut_off)

    assert cut_off == []


async def test_a_lease_without_work_is_released_once_it_would_have_ended():
    idle = LeaseId("shop", "zoe", 3)
    store = RenewingStore(frozenset({idle}))

    async with renewing(store):
        await store.told.wait()
        renewals = len(store.renewed_at)

    assert store.log[0] == ("abandon", {idle})
    assert renewals == RENEWALS + 1


async def test_a_lease_with_work_again_is_kept():
    store, work = RenewingStore(frozenset({ANNA.lease_id})), hanging()

    async with renewing(store, work):
        await store.until_renewed(RENEWALS)
        await begin(store, work, ANNA)
        seen = len(store.renewed_at)
        await store.until_renewed(seen + RENEWALS + 2)

    assert store.log == []
