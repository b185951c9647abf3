"""What a person takes back leaves nothing behind and is not answered, whenever its unsend comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ak_instagram.conversation.turn import compose
from ak_instagram.store.values import EventStatus, PieceStatus, TranscriptLine, TurnResult
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators.dead_letters import replay
from ak_instagram.store.verbs.steps import MAX_EVENTS
from tests.support.store_bench import (
    DAY,
    START,
    answered,
    arrival,
    claim_one,
    piece_of,
    sending,
    unsend,
)


def edit(mid: str, count: int = 1):
    return arrival(mid, kind="edit", key=f"edit:{mid}:{count}", payload='{"said":"corrected"}')


async def parked(bench, store, *mids: str):
    """An answer to *mids* that came too late and waits for the person to write again."""
    await store.put([arrival(mid) for mid in mids])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    assert await store.run(steps.settle, claim, answered(claim, "late")) is None


# --- what was kept of it -----------------------------------------------------


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "waiting"])
async def test_an_unsend_wipes_the_message_and_its_edits(bench, store, is_answered):
    await store.put([arrival("m1"), edit("m1", 1), edit("m1", 2), edit("m2", 1)])
    if is_answered:
        claim = await claim_one(store)
        await store.run(steps.settle, claim, answered(claim))

    await store.put([unsend("m1")])

    sql = "SELECT key FROM events WHERE payload IS NOT NULL AND kind <> 'unsend'"
    assert await bench.query(sql) == [("edit:m2:1",)]


async def test_an_unsend_removes_the_messages_line_of_the_transcript(bench):
    store = bench.store(lines=10)
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    lines = (TranscriptLine("user", "my card number"), TranscriptLine("assistant", "thanks"))
    await store.run(steps.settle, claim, answered(claim, lines=lines))

    await store.put([unsend("m1")])

    assert await bench.query("SELECT text FROM transcript") == [("thanks",)]


# --- the turn that would answer it -------------------------------------------


async def test_a_waiting_message_is_not_claimed(bench, store):
    await store.put([arrival("m1"), arrival("m2")])

    await store.put([unsend("m1")])

    claim = await claim_one(store)
    assert [(event.kind, event.mid) for event in claim.events] == [
        ("message", "m2"),
        ("unsend", "m1"),
    ]
    assert await bench.query("SELECT status, payload FROM events WHERE key = 'message:m1'") == [
        ("unsent", None)
    ]


async def test_an_unsend_that_overtakes_its_message_counts(store):
    await store.put([unsend("m1")])
    await store.put([arrival("m1")])

    claim = await claim_one(store)

    assert {(event.kind, event.is_unsent) for event in claim.events} == {
        ("unsend", True),
        ("message", True),
    }


async def test_an_unsend_of_an_answered_message_asks_the_agent_nothing(store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))
    await store.put([arrival("m2")])
    claim = await claim_one(store)
    await store.put([unsend("m1")])

    step = await store.run(steps.settle, claim, answered(claim, "one"))

    assert piece_of(step).message == {"text": "one"}


async def test_a_turn_ends_although_a_message_beyond_its_limit_is_unsent(store):
    await store.put(more_than_a_turn_takes())
    claim = await claim_one(store)
    await store.put([unsend(f"m{MAX_EVENTS}", at=START + DAY)])

    step = await store.run(steps.settle, claim, answered(claim, "one"))

    assert piece_of(step).message == {"text": "one"}


async def test_a_turn_ends_although_the_unsend_of_its_message_is_beyond_its_limit(store):
    await store.put([unsend("m0", at=START + DAY)])
    await store.put(more_than_a_turn_takes())
    claim = await claim_one(store)
    composed = compose(claim)
    assert composed.turn is not None
    assert composed.turn.messages[0].mid == "m1"

    settled = dict.fromkeys(composed.answered_ids, EventStatus.ANSWERED)
    ends = {**composed.other_statuses, **settled}
    step = await store.run(steps.settle, claim, replace(answered(claim, "one"), events=ends))

    assert piece_of(step).message == {"text": "one"}


def more_than_a_turn_takes():
    return [arrival(f"m{n}", at=START + n) for n in range(MAX_EVENTS + 1)]


# --- the answer that has not gone out ----------------------------------------


async def test_a_parked_answer_is_dropped_with_its_question(bench, store):
    await parked(bench, store, "m1")

    await store.put([unsend("m1")])

    assert await bench.query("SELECT status, payload FROM outbox") == [("dropped", None)]


async def test_an_answer_to_another_message_as_well_is_kept(bench, store):
    await parked(bench, store, "m1", "m2")

    await store.put([unsend("m1")])
    assert await bench.piece_statuses() == ["parked"]

    await store.put([unsend("m2")])
    assert await bench.piece_statuses() == ["dropped"]


async def test_two_unsends_in_one_batch_drop_their_answer(bench, store):
    await parked(bench, store, "m1", "m2")

    await store.put([unsend("m1"), unsend("m2")])

    assert await bench.piece_statuses() == ["dropped"]


async def test_an_unsend_that_comes_twice_counts_once(bench, store):
    await parked(bench, store, "m1", "m2")

    await store.put([unsend("m1"), unsend("m1")])
    await store.put([unsend("m1")])

    assert await bench.piece_statuses() == ["parked"]


async def test_a_tap_keeps_the_answer_to_it_and_an_edit_does_not(bench, store):
    for contact, beside in (("anna", "postback"), ("ben", "edit")):
        other = arrival(f"{contact}-2", contact, kind=beside, key=f"{beside}:{contact}")
        await store.put([arrival(contact, contact), other])
        claim = await claim_one(store)
        await store.run(steps.settle, claim, answered(claim, "one", turn=contact))

        await store.put([unsend(contact, contact)])

    sql = "SELECT contact, status FROM outbox ORDER BY contact"
    assert await bench.query(sql) == [("anna", "sending"), ("ben", "dropped")]


async def test_a_message_unsent_before_the_plan_does_not_keep_the_answer(bench, store):
    await store.put([unsend("m1")])
    await store.put([arrival("m1"), arrival("m2")])
    claim = await claim_one(store)
    unsent = {it.id: EventStatus.UNSENT for it in claim.events if it.is_unsent}
    assert len(unsent) == 2
    turn_result = answered(claim, "one")
    await store.run(
        steps.settle, claim, replace(turn_result, events={**turn_result.events, **unsent})
    )
    await store.put([unsend("m1")])
    assert await bench.piece_statuses() == ["sending"]

    await store.put([unsend("m2")])

    assert await bench.piece_statuses() == ["dropped"]


async def test_a_replayed_turn_is_answered_without_its_unsent_messages(bench, store):
    await store.put([arrival("m1"), arrival("m2"), arrival("m3")])
    claim = await claim_one(store)
    dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
    await store.run(steps.settle, claim, TurnResult("turn", dead, "503"))
    await store.put([unsend("m1")])
    assert await bench.run(replay, "turn")
    claim = await claim_one(store)
    assert [event.mid for event in claim.events if event.kind == "message"] == ["m2", "m3"]
    await store.run(steps.settle, claim, answered(claim, "one", turn="anew"))

    await store.put([unsend("m2")])
    assert await bench.piece_statuses() == ["sending"]

    await store.put([unsend("m3")])
    assert await bench.piece_statuses() == ["dropped"]


async def test_an_answer_without_its_messages_noted_is_dropped_by_any_unsend(bench, store):
    await parked(bench, store, "m1", "m2")
    await bench.query_nothing("UPDATE outbox SET answers = NULL")

    await store.put([unsend("m1")])

    assert await bench.piece_statuses() == ["dropped"]


async def test_an_unsend_by_an_older_version_does_not_keep_the_answer(bench, store):
    """It wipes, and finds by itself what is still said."""
    await parked(bench, store, "m1", "m2")
    wiped = "UPDATE events SET status = 'unsent', payload = NULL WHERE key = 'message:m1'"
    await bench.query_nothing(wiped)

    await store.put([unsend("m2")])

    assert await bench.piece_statuses() == ["dropped"]


async def test_the_answers_to_other_messages_stay(bench, store):
    await parked(bench, store, "m1")
    await store.put([arrival("m9", "ben")])

    await store.put([unsend("m9")])

    assert await bench.piece_statuses() == ["parked"]


async def test_a_piece_on_its_way_at_an_unsend_is_sent_or_dropped_and_not_retried(bench, store):
    for contact, arrives in (("anna", True), ("ben", False)):
        step = await sending(store, "one", "two", turn=contact, mid=f"m-{contact}", contact=contact)
        await store.put([unsend(f"m-{contact}", contact)])
        if arrives:
            await store.run(steps.sent, step, "mid-1")
        else:
            await store.run(steps.retry, step, after=1, why="time-out", then=PieceStatus.SENDING)

    assert await bench.piece_statuses() == ["sent", "dropped", "dropped", "dropped"]


async def test_an_unsend_wipes_a_dead_answer_which_is_not_replayed(bench, store):
    step = await sending(store, "quoting it")
    await store.run(steps.give_up, step, "100/100")

    await store.put([unsend("m1")])

    assert not await bench.run(replay, "turn")
    assert await bench.query("SELECT status, payload FROM outbox") == [("dropped", None)]


async def test_an_unsend_drops_the_apology_for_a_dead_turn(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    dead = {claim.events[0].id: EventStatus.DEAD}
    await store.run(
        steps.settle, claim, TurnResult("turn", dead, "503", messages=({"text": "Sorry"},))
    )

    await store.put([unsend("m1")])

    assert await bench.piece_statuses() == ["dropped"]
    assert await bench.query("SELECT status, payload FROM events WHERE kind = 'message'") == [
        ("unsent", None)
    ]
