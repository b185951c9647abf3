"""An answer goes out while it is written: nothing of it doubles, and a crash ends it as it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ak_instagram.errors import LeaseLost
from ak_instagram.store.values import EventStatus, PieceStatus, TranscriptLine
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators import dead_letters
from tests.support.store_bench import (
    DAY,
    LEASE,
    PAUSE,
    answered,
    arrival,
    claim_none,
    claim_one,
    mids,
    piece_of,
    unsend,
)

CUT = "the service ended while the agent wrote: the rest of the answer is lost"


async def begin(store, *texts, events=("m1",), **changes):
    """Have messages answered with *texts* and more to come; return their claim and the step."""
    await store.put([arrival(mid) for mid in events])
    claim = await claim_one(store)
    step = await store.run(steps.settle, claim, answered(claim, *texts, goes_on=True, **changes))
    return claim, step


async def go_on(store, claim, *texts, first=1, goes_on=True, **changes):
    """Tell what comes next of the answer; return the step."""
    result = answered(claim, *texts, first=first, goes_on=goes_on, **changes)
    return await store.run(steps.settle, claim, result)


async def statuses(bench):
    return await bench.query("SELECT status, reason FROM events WHERE kind = 'message' ORDER BY id")


async def pieces(bench):
    return await bench.query("SELECT seq, status FROM outbox ORDER BY id")


async def test_the_first_message_goes_out_and_its_events_are_answered(bench, store):
    _, step = await begin(store, "one")

    assert (step.is_writing, piece_of(step).message) == (True, {"text": "one"})
    assert await statuses(bench) == [("answered", None)]


async def test_the_conversation_is_kept_between_messages(bench, store):
    claim, step = await begin(store, "one")
    await store.put([arrival("m2")])

    idle = await store.run(steps.sent, step, "mid-1")
    more = await go_on(store, claim, "two")

    assert (idle.is_writing, idle.piece, idle.events) == (True, None, ())
    assert (piece_of(more).seq, piece_of(more).message) == (1, {"text": "two"})
    assert await bench.query("SELECT writing IS NULL, lease_owner FROM conversations") == [
        (False, "one")
    ]


@pytest.mark.parametrize(
    "rest", [pytest.param(("two",), id="with-more"), pytest.param((), id="at-once")]
)
async def test_its_end_leads_to_what_came_in_meanwhile(bench, store, rest):
    claim, step = await begin(store, "one")
    await store.put([arrival("m2")])
    await store.run(steps.sent, step, "mid-1")

    step = await go_on(store, claim, *rest, goes_on=False)
    for number in range(len(rest)):
        step = await store.run(steps.sent, step, f"mid-{number + 2}")

    assert (mids(step), step.is_writing) == (["m2"], False)
    assert await statuses(bench) == [("answered", None), ("waiting", None)]


async def test_the_end_of_an_answer_releases_the_conversation(bench, store):
    claim, step = await begin(store, "one")
    await store.run(steps.sent, step, "mid-1")

    assert await go_on(store, claim, goes_on=False) is None

    assert await bench.query("SELECT due_at, lease_owner, writing FROM conversations") == [
        (None, None, None)
    ]


# --- a crash --------------------------------------------------------------------


async def test_after_a_crash_the_answer_ends_and_nobody_is_asked_again(bench):
    one, two = bench.store("one"), bench.store("two")
    _, step = await begin(one, "one", "two")
    await one.run(steps.sent, step, "mid-1")
    await two.put([arrival("m2")])
    bench.clock.move(LEASE)

    found = await claim_one(two)
    step = await two.run(steps.sent, found, "mid-2")

    assert piece_of(found).message == {"text": "two"}
    assert mids(step) == ["m2"]
    assert await statuses(bench) == [("dead", CUT), ("waiting", None)]


async def test_an_answer_that_was_cut_off_is_one_dead_letter_and_told(bench):
    one, two = bench.store("one"), bench.store("two", notifies=True)
    _, step = await begin(one, "one")
    await one.run(steps.sent, step, "mid-1")
    bench.clock.move(LEASE)
    await claim_none(two)

    [letter] = await two.run(dead_letters.find, dead_letters.Filter())

    assert (letter.what, letter.reason, letter.count) == ("turn", CUT, 1)
    assert await bench.query("SELECT due_at, writing FROM conversations") == [(None, None)]
    [(event, body)] = await bench.query("SELECT event, body FROM notifications")
    assert (event, json.loads(body)["reason"]) == ("dead_letter", CUT)


async def test_who_lost_the_conversation_can_tell_nothing_more(bench):
    one, two = bench.store("one"), bench.store("two")
    claim, step = await begin(one, "one")
    await one.run(steps.sent, step, "mid-1")
    bench.clock.move(LEASE)
    await claim_none(two)

    with pytest.raises(LeaseLost):
        await go_on(one, claim, "two")

    assert await pieces(bench) == [(0, "sent")]


async def test_a_replay_sends_only_what_was_not_said(bench, store):
    claim, step = await begin(store, "one", "ok")
    step = await store.run(steps.sent, step, "mid-1")
    await store.run(steps.sent, step, "mid-2")
    dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
    failed = answered(claim, goes_on=False, first=2, reason="stream ended")
    assert await store.run(steps.settle, claim, replace(failed, events=dead)) is None
    await store.run(dead_letters.replay, "turn")
    claim = await claim_one(store)

    step = await store.run(steps.settle, claim, answered(claim, "one", "ok", "ok", "three"))

    assert [it[0] for it in await bench.query("SELECT payload FROM outbox ORDER BY id")] == [
        '{"text":"one"}',
        '{"text":"ok"}',
        '{"text":"ok"}',
        '{"text":"three"}',
    ]
    assert piece_of(step).message == {"text": "ok"}


# --- what stops it ----------------------------------------------------------------


async def test_a_person_who_answers_stops_the_rest(bench, store):
    claim, step = await begin(store, "one", "two")
    step = await store.run(steps.sent, step, "mid-1")
    await bench.answer_by_hand(store)
    await store.run(steps.sent, step, "mid-2")

    assert await go_on(store, claim, "three", first=2) is None

    assert await pieces(bench) == [(0, "sent"), (1, "sent")]
    assert await statuses(bench) == [("answered", None)]


async def test_a_person_who_answers_before_the_first_message_stops_all(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    until = await bench.answer_by_hand(store)
    assert until > bench.clock.now
    assert until - bench.clock.now == PAUSE

    step = await store.run(steps.settle, claim, answered(claim, "one", goes_on=True))

    assert (step, await pieces(bench)) == (None, [])


async def test_an_unsend_before_the_first_message_makes_the_turn_anew(bench, store):
    await store.put([arrival("m1"), arrival("m2")])
    claim = await claim_one(store)
    await store.put([unsend("m1")])

    step = await store.run(steps.settle, claim, answered(claim, "one", goes_on=True))

    assert (step.is_writing, sorted(event.kind for event in step.events)) == (
        False,
        ["message", "unsend"],
    )
    assert await pieces(bench) == []


@pytest.mark.parametrize(
    ("gone", "goes_on"),
    [
        pytest.param(["m1", "m2"], False, id="all-of-it"),
        pytest.param(["m1"], True, id="a-part-of-it"),
    ],
)
async def test_an_unsend_in_the_middle_stops_the_answer_to_it(bench, store, gone, goes_on):
    claim, step = await begin(store, "one", events=("m1", "m2"))
    await store.run(steps.sent, step, "mid-1")
    await store.put([unsend(mid) for mid in gone])

    step = await go_on(store, claim, "two")

    assert (step is not None and step.is_writing) == goes_on
    assert await pieces(bench) == [(0, "sent"), (1, "sending")][: 1 + goes_on]
    assert ("unsent", None) in await statuses(bench)


async def test_the_failure_of_a_stream_leaves_what_was_taken_back(bench, store):
    claim, step = await begin(store, "one", events=("m1", "m2"))
    await store.run(steps.sent, step, "mid-1")
    await store.put([unsend("m1")])
    dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
    failed = replace(answered(claim, first=1, reason="stream ended"), events=dead)

    await store.run(steps.settle, claim, failed)

    assert await statuses(bench) == [("unsent", None), ("dead", "stream ended")]


# --- a piece that fails in the middle -----------------------------------------------


async def test_a_piece_that_failed_is_tried_with_the_next_message_once_its_time_has_come(
    bench, store
):
    claim, step = await begin(store, "one")
    await store.run(steps.retry, step, after=5, why="503")

    idle = await go_on(store, claim, "two")
    bench.clock.move(5000)
    again = await go_on(store, claim, "three", first=2)

    assert (idle.is_writing, idle.piece) == (True, None)
    assert (piece_of(again).message, piece_of(again).attempt, again.failures) == (
        {"text": "one"},
        2,
        1,
    )
    assert await pieces(bench) == [(0, "sending"), (1, "planned"), (2, "planned")]


async def test_the_end_of_the_answer_waits_for_a_piece_that_failed(bench, store):
    claim, step = await begin(store, "one")
    await store.run(steps.retry, step, after=5, why="time-out", then=PieceStatus.SENDING)

    assert await go_on(store, claim, "two", goes_on=False) is None

    await claim_none(store)
    bench.clock.move(5000)
    found = await claim_one(bench.store("later"))
    assert (piece_of(found).outcome_unknown, found.failures) == (True, 1)
    assert await statuses(bench) == [("answered", None)]


async def test_what_follows_a_piece_that_was_given_up_is_dead_until_a_replay(bench, store):
    claim, step = await begin(store, "one")
    await store.run(steps.give_up, step, "100/2534014")
    await go_on(store, claim, "two")

    assert await go_on(store, claim, "three", first=2, goes_on=False) is None

    assert (
        await bench.query("SELECT status, error FROM outbox ORDER BY id")
        == [("dead", "100/2534014")] * 3
    )
    await store.run(dead_letters.replay, "turn")
    assert await bench.piece_statuses() == ["sending", "planned", "planned"]


async def test_outside_the_window_the_rest_is_parked(bench, store):
    claim, step = await begin(store, "one")
    await store.run(steps.sent, step, "mid-1")
    bench.clock.move(DAY)

    idle = await go_on(store, claim, "two")
    assert idle.is_writing
    assert await go_on(store, claim, "three", first=2, goes_on=False) is None

    assert await pieces(bench) == [(0, "sent"), (1, "parked"), (2, "parked")]


# --- the transcript -----------------------------------------------------------------


async def test_the_transcript_has_what_was_said_so_far_and_then_all_of_it(bench):
    store = bench.store(lines=10)
    asked = TranscriptLine("user", "hi")
    claim, step = await begin(store, "one", lines=(asked, TranscriptLine("assistant", "one")))
    await store.run(steps.sent, step, "mid-1")
    so_far = await bench.query("SELECT role, text FROM transcript ORDER BY id")

    whole = (asked, TranscriptLine("assistant", "one\ntwo"))
    await go_on(store, claim, "two", goes_on=False, lines=whole)

    assert so_far == [("user", "hi"), ("assistant", "one")]
    assert await bench.query("SELECT role, text FROM transcript ORDER BY id") == [
        ("user", "hi"),
        ("assistant", "one\ntwo"),
    ]
