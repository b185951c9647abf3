"""Swept messages get into the inbox once, and only if nobody knew or answered them."""

from __future__ import annotations

import pytest

from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import mid_key
from ak_instagram.meta.threads import Listed
from ak_instagram.store.values import WINDOW
from ak_instagram.store.verbs import steps, sweeps
from ak_instagram.store.verbs.sweeps import Progress
from tests.support.store_bench import START, arrival, claim_one, sending

MINUTE = 60_000


def listed(mid: str, *said_since: str, at: int = START) -> Listed:
    event = arrival(mid, at=at)
    keys = (event.key, mid_key(Kind.POSTBACK, event.account, mid))
    return Listed(event, keys, said_since)


async def waiting(bench) -> list[str]:
    rows = await bench.query("SELECT mid FROM events WHERE status = 'waiting' ORDER BY id")
    return [mid for (mid,) in rows]


async def test_a_message_that_nobody_knew_is_stored_once_and_claimed_at_once(bench, store):
    first = await store.run(sweeps.take, [listed("m1")])
    again = await store.run(sweeps.take, [listed("m1")])

    claim = await claim_one(store)

    assert (first, again) == (1, 0)
    assert [event.mid for event in claim.events] == ["m1"]


async def test_its_webhook_that_comes_after_all_changes_nothing(bench, store):
    await store.run(sweeps.take, [listed("m1")])
    await store.put([arrival("m1")])

    assert await waiting(bench) == ["m1"]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(listed("m1"), id="stored"),
        pytest.param(listed("m2", "a-persons"), id="answered-by-somebody"),
        pytest.param(listed("m2", at=START - WINDOW), id="a-day-old"),
    ],
)
async def test_what_is_known_or_answered_or_too_old_is_left(bench, store, message):
    await store.put([arrival("m1")])

    assert await store.run(sweeps.take, [message]) == 0
    assert await waiting(bench) == ["m1"]


async def test_what_the_service_said_since_is_no_answer_to_what_it_did_not_know(bench, store):
    step = await sending(store, "an answer to another message")
    await store.run(steps.sent, step, "ours")

    assert await store.run(sweeps.take, [listed("m9", "ours")]) == 1
    assert await store.run(sweeps.take, [listed("m8", "ours", "a-persons")]) == 0


async def test_replicas_take_turns_and_the_next_goes_on_where_the_last_was(bench):
    one, two = bench.store("one"), bench.store("two")
    first = await one.run(sweeps.begin, "shop", MINUTE)
    meanwhile = await two.run(sweeps.begin, "shop", MINUTE)
    by_hand = await two.run(sweeps.begin, "shop", MINUTE, in_turn=False)
    left = Progress(START, swept_until=1, round_began=2, cursor="page-2")
    await one.run(sweeps.save, "shop", left, 10 * MINUTE)
    bench.clock.move(10 * MINUTE - 1)
    too_early = await two.run(sweeps.begin, "shop", MINUTE)
    bench.clock.move(1)
    second = await two.run(sweeps.begin, "shop", MINUTE)

    assert first == by_hand == Progress(START)
    assert (meanwhile, too_early) == (None, None)
    assert second == left


async def test_one_that_died_in_the_middle_of_a_round_is_replaced(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.run(sweeps.begin, "shop", MINUTE)
    bench.clock.move(MINUTE)

    assert await two.run(sweeps.begin, "shop", MINUTE) == Progress(START)
