"""A private reply goes out whether the person has written or not; nothing else does."""

from __future__ import annotations

import json

import pytest

from ak_instagram.store.store import Store
from ak_instagram.store.values import PieceStatus
from ak_instagram.store.verbs import steps
from tests.support.store_bench import (
    DAY,
    START,
    answered,
    arrival,
    claim_one,
    mids,
    piece_of,
    worker,
)

REPLY = {"comment_id": "179", "text": "See your messages"}


@pytest.fixture
def store(bench):
    rules = worker()
    fields = {name: getattr(rules, name) for name in rules.__slots__}
    return Store(bench.database, type(rules)(**(fields | {"replies_to_comments": True})))


def comment(mid: str = "c1", at: int = START):
    payload = json.dumps({"id": mid, "text": "price?", "from": {"id": "anna"}})
    return arrival(mid, kind="comment", at=at, payload=payload)._replace(mid=None)


async def replied(store, *messages):
    """Have a comment answered with *messages*; return the next step."""
    claim = await claim_one(store)
    result = answered(claim)
    values = {name: getattr(result, name) for name in result.__slots__} | {"messages": messages}
    return await store.run(steps.settle, claim, type(result)(**values))


async def test_the_reply_goes_out_and_what_follows_waits_for_the_person(bench, store):
    await store.put([comment()])
    step = await replied(store, REPLY, {"text": "more"})
    first = piece_of(step).message
    last = await store.run(steps.sent, step, "mid-1")
    await store.put([arrival("m1", at=START + 5)])

    assert (first, last) == (REPLY, None)
    assert await bench.piece_statuses() == ["sent", "parked"]
    assert piece_of(await claim_one(store)).message == {"text": "more"}


async def test_an_answer_that_is_parked_does_not_keep_a_reply(bench, store):
    await store.put([arrival("m0")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    assert await store.run(steps.settle, claim, answered(claim, "late")) is None
    await store.put([comment(at=bench.clock.now)])

    step = await replied(store, REPLY)

    assert piece_of(step).message == REPLY
    assert await store.run(steps.sent, step, "mid-1") is None
    assert await bench.piece_statuses() == ["parked", "sent"]


async def test_a_reply_that_has_to_wait_is_not_parked_meanwhile(bench, store):
    await store.put([comment()])
    step = await replied(store, REPLY)
    await store.run(steps.retry, step, after=1, why="busy", then=PieceStatus.PLANNED)
    bench.clock.move(1000)

    assert piece_of(await claim_one(store)).message == REPLY


async def test_each_comment_has_a_turn_of_its_own_before_what_else_waits(store):
    await store.put([arrival("m1", at=START - 5), comment("c1"), comment("c2", START + 5)])
    first = await claim_one(store)
    second = await store.run(steps.settle, first, answered(first))
    third = await store.run(steps.settle, second, answered(second))

    assert [it.events[0].kind for it in (first, second, third)] == ["comment", "comment", "message"]
    assert [len(it.events) for it in (first, second, third)] == [1, 1, 1]
    assert mids(third) == ["m1"]


async def test_a_comment_opens_no_window_and_its_repeat_is_known(bench, store):
    await store.put([comment()])
    await replied(store)
    await store.put([comment()])

    assert await bench.query("SELECT window_closes_at, due_at FROM conversations") == [(0, None)]
