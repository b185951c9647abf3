"""Leases are renewed at a third of their time: two may fail before one is lost."""

from __future__ import annotations

import asyncio

from ak_instagram.conversation.worker import Worker
from ak_instagram.settings.values import Conversation
from tests.fakes import FakeStore

LEASE = 1.2  # seconds


class CountingStore(FakeStore):
    """Notes when it was asked to renew; *enough* is set the third time."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed_at: list[float] = []
        self.enough = asyncio.Event()

    async def renew(self) -> set[tuple[str, str, int]]:
        self.renewed_at.append(asyncio.get_running_loop().time())
        if len(self.renewed_at) == 3:
            self.enough.set()
        return set()


async def test_a_lease_is_renewed_twice_before_it_ends_and_not_all_the_time():
    store, began = CountingStore(), asyncio.get_running_loop().time()

    renewal = asyncio.create_task(Worker(store, Conversation(lease=LEASE)).renew())
    await store.enough.wait()
    renewal.cancel()
    await asyncio.gather(renewal, return_exceptions=True)

    first, second, third = (at - began for at in store.renewed_at)
    assert first >= LEASE / 3 * 0.9
    assert second < LEASE
    assert third >= LEASE * 0.9
