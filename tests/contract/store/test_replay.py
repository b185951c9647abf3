"""A replay doubles nothing and talks over nobody, however late it comes."""

from __future__ import annotations

import json

import pytest

from ak_instagram.conversation.turn import compose
from ak_instagram.store.values import EventStatus, PieceStatus, TurnResult
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators.dead_letters import Filter, find, replay
from ak_instagram.store.verbs.retention import DAY, purge
from tests.support.store_bench import (
    PAUSE,
    START,
    arrival,
    claim_one,
    echo,
    mids,
    piece_of,
    sending,
)

TURN = "turn-1"
MINUTE = 60_000


async def replayed(bench) -> bool:
    return await bench.run(replay, TURN)


async def letters(bench) -> list[str]:
    found = await bench.run(find, Filter())
    return [letter.turn for letter in found]


async def dead_turn(store, *arrivals) -> None:
    """A turn that the agent failed on for good."""
    await store.put(arrivals or [arrival("m1")])
    claim = await claim_one(store)
    dead = dict.fromkeys(compose(claim).answered_ids, EventStatus.DEAD)
    await store.run(steps.settle, claim, TurnResult(TURN, dead, reason="gave up: 503"))


async def dead_piece(bench, store, *, minutes: int) -> None:
    """A piece of unknown outcome that nobody could look for, given up after so many *minutes*."""
    step = await sending(store, "one", turn=TURN)
    await store.run(steps.retry, step, after=0, why="time-out", then=PieceStatus.SENDING)
    bench.clock.move(minutes * MINUTE)
    await store.run(steps.give_up, await claim_one(store), "gave up: no answer")


async def test_a_piece_of_unknown_outcome_is_looked_up_from_its_plan_on(bench, store):
    await dead_piece(bench, store, minutes=300)

    assert await replayed(bench)

    piece = piece_of(await claim_one(store))
    assert (piece.outcome_unknown, piece.planned_at) == (True, START)


async def test_an_echo_of_the_last_attempt_after_a_replay_is_no_takeover(bench, store):
    await dead_piece(bench, store, minutes=300)
    assert await replayed(bench)

    await store.put([echo("mid-1", "one")._replace(at=bench.clock.now)])

    assert await bench.query("SELECT paused_until FROM conversations") == [(0,)]
    assert await bench.query("SELECT status, message_id FROM outbox") == [("sent", "mid-1")]


@pytest.mark.parametrize("what", ["turn", "piece"])
async def test_nothing_is_replayed_during_a_takeover(bench, store, what):
    await (dead_turn(store) if what == "turn" else dead_piece(bench, store, minutes=0))
    await bench.answer_by_hand(store)

    assert not await replayed(bench)
    assert await letters(bench) == [TURN]

    bench.clock.move(PAUSE)
    assert await replayed(bench)
    assert await letters(bench) == []


async def test_wiped_events_are_not_replayed(bench, store):
    await dead_turn(store)
    bench.clock.move(3 * DAY)
    await bench.run(purge, 2 * DAY)

    assert not await replayed(bench)

    assert await bench.query("SELECT status, payload FROM events") == [("dead", None)]


async def test_a_replayed_turn_has_its_edits(bench, store):
    said = json.dumps({"message": {"mid": "m1", "text": "helo"}})
    edited = json.dumps({"message_edit": {"mid": "m1", "text": "hello", "num_edit": 1}})
    await dead_turn(
        store,
        arrival("m1", payload=said),
        arrival("m1", kind="edit", key="edit:m1:1", payload=edited),
    )

    assert await replayed(bench)

    claim = await claim_one(store)
    assert mids(claim) == ["m1", "m1"]
    turn = compose(claim).turn
    assert turn is not None
    assert [message.text for message in turn.messages] == ["hello"]
