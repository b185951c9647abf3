"""What was given up is found, tried again without doubling anything, or let go."""

from __future__ import annotations

from typing import Any

import pytest

from ak_instagram.store.values import EventStatus, TurnResult
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators.dead_letters import Filter, contents, discard, find, replay
from tests.support.store_bench import START, answered, arrival, claim_one, mids, piece_of, sending


async def dead_turn(store, mid: str = "m1", contact: str = "anna") -> None:
    """A turn that the agent failed on for good."""
    await store.put([arrival(mid, contact)])
    claim = await claim_one(store)
    events = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
    await store.run(steps.settle, claim, TurnResult(f"turn-{mid}", events, reason="gave up: 503"))


async def dead_pieces(store):
    """An answer of three pieces of which the first was sent, and the second refused."""
    step = await sending(store, "one", "two", "three", turn="turn-m1")
    await store.run(steps.give_up, await store.run(steps.sent, step, "mid-1"), "bad_request")


async def failed(store, *texts: str):
    """The person's turn has failed for good, and is told so with *texts*."""
    claim = await claim_one(store)
    events = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
    messages = tuple({"text": text} for text in texts)
    return await store.run(steps.settle, claim, TurnResult("turn-m1", events, "gave up", messages))


async def letters(bench, **wanted: Any):
    return await bench.run(find, Filter(**wanted))


async def replayed(bench, turn: str = "turn-m1") -> bool:
    return await bench.run(replay, turn)


async def test_a_turn_that_fails_again_after_a_replay_apologises_no_more(bench, store):
    await store.put([arrival("m1")])
    step = await failed(store, "Sorry")
    assert await store.run(steps.sent, step, "mid-1") is None
    await replayed(bench)

    assert await failed(store, "Sorry") is None

    assert await bench.query("SELECT status FROM outbox") == [("sent",)]
    assert [letter.turn for letter in await letters(bench)] == ["turn-m1"]


async def test_a_replayed_turn_is_answered_though_an_apology_was_sent(bench, store):
    await store.put([arrival("m1")])
    await store.run(steps.sent, await failed(store, "Sorry"), "mid-1")
    await replayed(bench)

    claim = await claim_one(store)
    step = await store.run(steps.settle, claim, answered(claim, "Yes", turn="turn-m1"))

    assert piece_of(step).message == {"text": "Yes"}


async def test_a_dead_turn_is_found_with_its_reason(bench, store):
    await dead_turn(store)

    [letter] = await letters(bench)

    assert (letter.turn, letter.contact, letter.what, letter.reason, letter.count) == (
        "turn-m1",
        "anna",
        "turn",
        "gave up: 503",
        1,
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({}, ["turn-m1", "turn-m2"], id="all"),
        pytest.param({"contact": "ben"}, ["turn-m2"], id="person"),
        pytest.param({"account": "cafe"}, [], id="account"),
        pytest.param({"turn": "turn-m1"}, ["turn-m1"], id="turn"),
        pytest.param({"since": START + 1}, [], id="time"),
        pytest.param({"limit": 1}, ["turn-m1"], id="limit"),
    ],
)
async def test_filters_select_dead_letters(bench, store, wanted, found):
    await dead_turn(store, "m1")
    await dead_turn(store, "m2", "ben")

    assert [letter.turn for letter in await letters(bench, **wanted)] == found


async def test_a_replayed_turn_is_asked_again_once(bench, store):
    await dead_turn(store)

    assert [await replayed(bench), await replayed(bench)] == [True, False]

    assert mids(await claim_one(store)) == ["m1"]
    assert await letters(bench) == []


async def test_a_replayed_answer_sends_only_what_was_not_sent(bench, store):
    await dead_pieces(store)
    [letter] = await letters(bench)
    assert (letter.what, letter.count) == ("answer", 2)

    assert await replayed(bench)

    tried = await claim_one(store)
    piece = piece_of(tried)
    assert (piece.message, piece.outcome_unknown) == ({"text": "two"}, True)
    untried = await store.run(steps.sent, tried, "mid-2")
    piece = piece_of(untried)
    assert (piece.message, piece.outcome_unknown) == ({"text": "three"}, False)
    assert await store.run(steps.sent, untried, "mid-3") is None


async def test_a_discarded_letter_is_gone(bench, store):
    await dead_turn(store)

    gone = [await bench.run(discard, "turn-m1") for _ in range(2)]

    assert gone == [True, False]
    assert await letters(bench) == []
    assert not await replayed(bench)


async def test_the_contents_are_the_events_and_the_unsent_pieces(bench, store):
    await dead_pieces(store)
    await store.put([arrival("m2", "ben")._replace(payload='{"said":1}')])

    shown = await bench.run(contents, "turn-m1")

    assert shown == [("piece 1", '{"text":"two"}'), ("piece 2", '{"text":"three"}')]
