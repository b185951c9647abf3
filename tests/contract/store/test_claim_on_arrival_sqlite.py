"""A lone process on its file: due work is found, though it looks only where it has to."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.store.dispatch import POLL
from ak_instagram.store.store import Store, open_store
from ak_instagram.store.verbs import steps
from tests.support.store_bench import answered, arrival_now, mids, until_waiting, worker

SOON = POLL / 2  # seconds: whoever only polls is later


@pytest.fixture(params=[0, 50], ids=["at-once", "after-a-burst"])
async def store(request, tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    async with open_store(url, worker(debounce=request.param)) as store:
        yield store


async def claimed(store: Store):
    """What a worker gets next, which is one conversation."""
    async with asyncio.timeout(SOON):
        while not (claims := await store.claim(8)):
            pass
    [claim] = claims
    return claim


async def handed_over(store: Store, mid: str, contact: str = "anna"):
    """What a worker gets that waited when the message came in."""
    waiting = asyncio.create_task(claimed(store))
    await until_waiting(store)
    await store.put([arrival_now(mid, contact)])
    return await waiting


async def test_an_event_after_a_claim_on_arrival_is_found_though_no_worker_waited(store):
    await handed_over(store, "m1")
    await store.put([arrival_now("m2", "ben")])

    assert mids(await claimed(store)) == ["m2"]


async def test_an_event_during_a_turn_is_found_after_the_turn(store):
    claim = await handed_over(store, "m1")
    await store.put([arrival_now("m2")])

    step = await store.run(steps.settle, claim, answered(claim))

    assert mids(step or await claimed(store)) == ["m2"]


async def test_a_retry_after_a_claim_on_arrival_is_found_in_time(store):
    claim = await handed_over(store, "m1")

    await store.run(steps.retry, claim, after=0.05, why="503")

    assert mids(await claimed(store)) == ["m1"]


async def test_claims_on_arrival_in_a_row_hide_no_other_due_work(store):
    claim = await handed_over(store, "m1")
    await store.run(steps.retry, claim, after=0.3, why="503")
    for number in range(3):
        other = await handed_over(store, f"b{number}", "ben")
        await store.run(steps.settle, other, answered(other, turn=f"turn-{number}"))

    assert mids(await claimed(store)) == ["m1"]
