"""Webhooks of the same moment share a batch, and none pays for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ak_instagram.errors import StoreUnavailable
from ak_instagram.meta.events import Event
from ak_instagram.store.store import MAX_EVENTS, Batcher
from tests.support.store_bench import arrival


class Batches:
    """Takes batches, one at a time; refuses those with an event that is called *bad*."""

    def __init__(self, bad: str = "", error: Exception | None = None) -> None:
        self.taken: list[list[str | None]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._bad, self._error = bad, error

    async def __call__(self, batch: Sequence[Event]) -> None:
        mids = [it.mid for it in batch]
        await self.gate.wait()
        if self._error is not None and self._bad in mids:
            raise self._error
        self.taken.append(mids)


async def put(batcher: Batcher, *mids: str) -> list[BaseException | None]:
    """Post webhooks with one event each, all at once; return what each of them heard."""
    return await asyncio.gather(
        *(batcher.put([arrival(mid)]) for mid in mids), return_exceptions=True
    )


async def test_concurrent_webhooks_share_a_batch():
    batches = Batches()

    await put(Batcher(batches), "m1", "m2", "m3")

    assert batches.taken == [["m1", "m2", "m3"]]


async def test_webhooks_during_a_batch_are_the_next_one():
    batches = Batches()
    batches.gate.clear()
    batcher = Batcher(batches)
    first = asyncio.ensure_future(batcher.put([arrival("m1")]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [asyncio.ensure_future(batcher.put([arrival(mid)])) for mid in ("m2", "m3")]

    batches.gate.set()
    await asyncio.gather(first, *later)

    assert batches.taken == [["m1"], ["m2", "m3"]]


async def test_a_batch_has_a_limit():
    batches = Batches()
    batcher = Batcher(batches)
    many = [arrival(f"m{n}") for n in range(MAX_EVENTS)]

    await asyncio.gather(batcher.put(many), batcher.put([arrival("last")]))

    assert [len(batch) for batch in batches.taken] == [MAX_EVENTS, 1]


async def test_only_the_webhook_that_spoils_its_batch_is_refused():
    error = ValueError("a bug")
    batches = Batches("m2", error)

    heard = await put(Batcher(batches), "m1", "m2", "m3")

    assert heard == [None, error, None]
    assert batches.taken == [["m1"], ["m3"]]


async def test_a_store_that_refuses_refuses_all_of_a_batch():
    batches = Batches("m2", StoreUnavailable("full"))

    heard = await put(Batcher(batches), "m1", "m2")

    assert [type(it) for it in heard] == [StoreUnavailable] * 2
    assert batches.taken == []


async def test_a_webhook_whose_sender_went_away_keeps_nobody_waiting():
    batches = Batches()
    batches.gate.clear()
    batcher = Batcher(batches)
    gone = asyncio.ensure_future(batcher.put([arrival("m1")]))
    stays = asyncio.ensure_future(batcher.put([arrival("m2")]))
    await asyncio.sleep(0)
    gone.cancel()

    batches.gate.set()
    await stays

    assert batches.taken == [["m1", "m2"]]
    with pytest.raises(asyncio.CancelledError):
        await gone
