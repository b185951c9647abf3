"""Events come in once, in one commit for many, or not at all."""

from __future__ import annotations

import asyncio

from ak_instagram.store.verbs import steps
from tests.support.store_bench import DAY, START, answered, arrival, claim_one, mids


async def test_a_repeat_is_stored_once(bench, store):
    await store.put([arrival("m1"), arrival("m2")])

    await store.put([arrival("m2"), arrival("m3")])

    assert mids(await claim_one(store)) == ["m1", "m2", "m3"]


async def test_a_repeat_of_an_answered_message_wakes_nobody(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    assert await store.run(steps.settle, claim, answered(claim)) is None

    await store.put([arrival("m1")])

    assert await bench.query("SELECT due_at FROM conversations") == [(None,)]


async def test_one_spoilt_piece_of_work_costs_its_neighbours_nothing(bench, store):
    def broken(_connection, _now):
        raise ZeroDivisionError

    results = await asyncio.gather(
        store.put([arrival("m1")]),
        bench.database.run(broken),
        store.put([arrival("m2")]),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [type(None), ZeroDivisionError, type(None)]
    assert mids(await claim_one(store)) == ["m1", "m2"]


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
