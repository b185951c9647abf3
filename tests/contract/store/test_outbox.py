"""Each piece of an answer is written down before it is sent, and settled once."""

from __future__ import annotations

import pytest

from ak_instagram.store.values import PieceStatus, TranscriptLine
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators.dead_letters import replay
from tests.support.store_bench import (
    DAY,
    LEASE,
    answered,
    arrival,
    claim_one,
    echo,
    mids,
    piece_of,
    sending,
)


async def test_pieces_go_out_in_order_and_end_the_claim(bench, store):
    first = await sending(store, "one", "two")

    second = await store.run(steps.sent, first, "mid-1")
    end = await store.run(steps.sent, second, "mid-2")

    assert (piece_of(first).message, piece_of(second).message, end) == (
        {"text": "one"},
        {"text": "two"},
        None,
    )
    assert await bench.query("SELECT seq, status, message_id, tries FROM outbox ORDER BY id") == [
        (0, "sent", "mid-1", 1),
        (1, "sent", "mid-2", 1),
    ]


async def test_a_piece_is_written_down_before_it_is_sent(bench, store):
    await sending(store, "one", "two")

    assert await bench.query("SELECT status FROM outbox ORDER BY id") == [
        ("sending",),
        ("planned",),
    ]


async def test_pieces_go_before_new_events(store):
    step = await sending(store, "one")
    await store.put([arrival("m2")])

    step = await store.run(steps.sent, step, "mid-1")

    assert mids(step) == ["m2"]


async def test_a_crash_during_a_send_leaves_its_outcome_unknown(bench):
    one, two = bench.store("one"), bench.store("two")
    crashed = await sending(one, "one")
    bench.clock.move(LEASE)

    found = await claim_one(two)

    assert piece_of(found).outcome_unknown
    assert piece_of(found).tried_at == piece_of(crashed).tried_at


async def test_a_piece_that_did_not_arrive_is_sent_again(bench):
    one, two = bench.store("one"), bench.store("two")
    await sending(one, "one")
    bench.clock.move(LEASE)

    await two.run(steps.retry, await claim_one(two), after=1, why="not there")

    bench.clock.move(1000)
    again = await claim_one(two)
    piece = piece_of(again)
    assert (piece.outcome_unknown, piece.attempt, again.failures) == (False, 2, 1)


async def test_a_retry_keeps_an_outcome_unknown(bench, store):
    step = await sending(store, "one")

    await store.run(steps.retry, step, after=5, why="time-out", then=PieceStatus.SENDING)

    bench.clock.move(5000)
    assert piece_of(await claim_one(store)).outcome_unknown


async def test_any_replica_knows_that_an_attempt_of_unknown_outcome_is_over(bench):
    one, two = bench.store("one"), bench.store("two")
    step = await sending(one, "one")
    await one.run(steps.retry, step, after=5, why="cut line", then=PieceStatus.SENDING)
    bench.clock.move(5000)

    assert piece_of(await claim_one(two)).is_over


async def test_a_look_up_that_waits_makes_no_attempt_look_over(bench):
    one, two = bench.store("one"), bench.store("two")
    await sending(one, "one")
    bench.clock.move(LEASE)
    crashed = await claim_one(two)
    await two.run(steps.retry, crashed, after=5, why="too early", then=PieceStatus.SENDING)
    bench.clock.move(5000)

    found = piece_of(await claim_one(two))

    assert (piece_of(crashed).is_over, found.outcome_unknown, found.is_over) == (False, True, False)


async def test_the_end_of_an_attempt_says_nothing_of_the_next(bench):
    one, two = bench.store("one"), bench.store("two")
    await one.run(steps.retry, await sending(one, "one"), after=0, why="refused")
    await claim_one(one)
    bench.clock.move(LEASE)

    found = piece_of(await claim_one(two))

    assert (found.attempt, found.outcome_unknown, found.is_over) == (2, True, False)


async def test_a_certain_failure_is_no_unknown_outcome(bench, store):
    step = await sending(store, "one")

    await store.run(steps.retry, step, after=5, why="refused")

    bench.clock.move(5000)
    piece = piece_of(await claim_one(store))
    assert (piece.outcome_unknown, piece.attempt) == (False, 2)


async def test_an_echo_settles_a_send_of_unknown_outcome(bench, store):
    step = await sending(store, "one", "two")
    await store.run(steps.retry, step, after=5, why="time-out", then=PieceStatus.SENDING)

    await store.put([echo("mid-1", " one\n")])

    bench.clock.move(5000)
    step = await claim_one(store)
    piece = piece_of(step)
    assert (piece.message, piece.outcome_unknown) == ({"text": "two"}, False)
    assert await bench.query("SELECT message_id FROM outbox WHERE seq = 0") == [("mid-1",)]


async def test_an_echo_that_is_faster_than_the_answer_is_harmless(bench, store):
    step = await sending(store, "one", "two")
    await store.put([echo("mid-1", "one")])

    step = await store.run(steps.sent, step, "mid-1")

    assert piece_of(step).message == {"text": "two"}


async def test_an_echo_that_is_faster_than_an_error_wins(bench, store):
    step = await sending(store, "one", "two")
    await store.put([echo("mid-1", "one")])

    await store.run(steps.retry, step, after=0, why="500")

    assert piece_of(await claim_one(store)).message == {"text": "two"}


async def test_a_late_echo_does_not_settle_the_next_piece_of_the_same_words(bench, store):
    step = await sending(store, "ok", "ok")
    await store.run(steps.sent, step, "mid-1")

    await store.put([echo("mid-1", "ok")])

    assert await bench.query("SELECT seq, status FROM outbox ORDER BY id") == [
        (0, "sent"),
        (1, "sending"),
    ]


@pytest.mark.parametrize(
    ("mid", "said", "contact"),
    [
        pytest.param("mid-9", "something else", "anna", id="another-text"),
        pytest.param("mid-9", "one", "ben", id="another-person"),
    ],
)
async def test_other_echoes_settle_nothing(bench, store, mid, said, contact):
    await sending(store, "one")

    await store.put([echo(mid, said, contact)])

    assert await bench.query("SELECT message_id FROM outbox WHERE status = 'sent'") == []


async def test_outside_the_window_the_answer_is_parked_and_goes_first_later(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    assert await store.run(steps.settle, claim, answered(claim, "one", "two")) is None
    assert await bench.query("SELECT status FROM outbox ORDER BY id") == [("parked",), ("parked",)]

    await store.put([arrival("m2", at=bench.clock.now)])

    step = await claim_one(store)
    assert piece_of(step).message == {"text": "one"}
    step = await store.run(steps.sent, await store.run(steps.sent, step, "mid-1"), "mid-2")
    assert mids(step) == ["m2"]


async def test_a_window_that_meta_calls_closed_parks_the_rest(bench, store):
    step = await sending(store, "one", "two")

    assert await store.run(steps.close_window, step, "10/2534022") is None

    assert await bench.query("SELECT status FROM outbox ORDER BY id") == [("parked",), ("parked",)]


async def test_giving_up_drops_the_rest_of_the_answer_but_not_what_waits(bench, store):
    step = await sending(store, "one", "two")
    await store.put([arrival("m2")])

    step = await store.run(steps.give_up, step, "100/2534014")

    assert mids(step) == ["m2"]
    assert await bench.query("SELECT status, error FROM outbox ORDER BY id") == [
        ("dead", "100/2534014"),
        ("dead", "100/2534014"),
    ]


async def test_giving_up_a_piece_that_its_echo_settled_drops_nothing(bench, store):
    step = await sending(store, "one", "two")
    await store.put([echo("mid-1", "one")])

    step = await store.run(steps.give_up, step, "100/2534014")

    assert piece_of(step).message == {"text": "two"}
    assert await bench.query("SELECT status, error FROM outbox ORDER BY id") == [
        ("sent", None),
        ("sending", None),
    ]


async def test_an_unsend_during_a_turn_keeps_it_from_being_settled(bench, store):
    await store.put([arrival("m1"), arrival("m2")])
    claim = await claim_one(store)
    await store.put([arrival("m1", kind="unsend", key="unsend:m1")])

    step = await store.run(steps.settle, claim, answered(claim, "answer to what is gone"))

    assert sorted(event.kind for event in step.events) == ["message", "message", "unsend"]
    assert await bench.query("SELECT count(*) FROM outbox") == [(0,)]


async def test_known_message_ids_are_those_of_the_conversation(store):
    step = await sending(store, "one", "two")
    step = await store.run(steps.sent, step, "mid-1")

    assert await store.run(steps.sent_ids, step) == {"mid-1"}


async def test_the_transcript_keeps_the_latest_lines_in_order(bench):
    store = bench.store(lines=3)
    for n in range(3):
        await store.put([arrival(f"m{n}")])
        claim = await claim_one(store)
        lines = (TranscriptLine("user", f"q{n}"), TranscriptLine("assistant", f"a{n}"))
        assert await store.run(steps.settle, claim, answered(claim, lines=lines)) is None
    await store.put([arrival("m9")])

    claim = await claim_one(store)

    assert claim.transcript == (
        TranscriptLine("assistant", "a1"),
        TranscriptLine("user", "q2"),
        TranscriptLine("assistant", "a2"),
    )


async def test_an_answer_waits_for_a_piece_that_came_back(bench, store):
    step = await sending(store, "one", turn="t1")
    await store.run(steps.give_up, step, "refused")
    await store.put([arrival("m2")])
    claim = await claim_one(store)
    await bench.run(replay, "t1")

    step = await store.run(steps.settle, claim, answered(claim, "two", turn="t2"))

    assert piece_of(step).message == {"text": "one"}
    step = await store.run(steps.sent, step, "mid-1")
    assert piece_of(step).message == {"text": "two"}
    assert not piece_of(step).outcome_unknown
