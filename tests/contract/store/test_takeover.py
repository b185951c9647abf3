"""Where a person answers, the bot is silent; its own echoes are no person."""

from __future__ import annotations

import pytest

from ak_instagram.store.values import PieceStatus
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.takeover import ECHOES_LIVE
from tests.support.store_bench import (
    PAUSE,
    START,
    answered,
    arrival,
    claim_one,
    echo,
    mids,
    piece_of,
    sending,
)


def standby(mid: str):
    return arrival(mid, kind="standby", key=f"standby:{mid}")


async def paused(bench) -> bool:
    return await bench.query("SELECT contact FROM conversations WHERE paused_until > 0") != []


@pytest.mark.parametrize(
    ("voice", "reason"), [("echo", "a person answers"), ("standby", "another app answers")]
)
async def test_messages_during_a_takeover_are_left_to_the_person(bench, store, voice, reason):
    if voice == "echo":
        await store.put([arrival("m0")])
        await bench.answer_by_hand(store)
    else:
        await store.put([standby("m9")])

    await store.put([arrival("m1")])
    bench.clock.move(1000)
    await store.run(steps.claim_due, 1)

    assert await bench.query("SELECT status, reason FROM events WHERE mid = 'm1'") == [
        ("ignored", reason)
    ]


async def test_the_bot_returns_by_itself(bench, store):
    await store.put([arrival("m0")])
    await bench.answer_by_hand(store)
    await store.run(steps.claim_due, 1)
    bench.clock.move(PAUSE)

    await store.put([arrival("m1")])

    assert mids(await claim_one(store)) == ["m1"]


async def test_a_takeover_during_a_turn_drops_its_answer(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await bench.answer_by_hand(store)

    assert await store.run(steps.settle, claim, answered(claim, "I am a bot")) is None

    assert await bench.query("SELECT count(*) FROM outbox") == [(0,)]


async def test_a_takeover_during_an_answer_drops_the_rest_of_it(bench, store):
    step = await sending(store, "one", "two")
    await bench.answer_by_hand(store)

    assert await store.run(steps.sent, step, "mid-1") is None

    assert await bench.query("SELECT status FROM outbox ORDER BY id") == [("sent",), ("dropped",)]


async def test_a_piece_of_unknown_outcome_is_not_sent_again_after_a_takeover(bench, store):
    step = await sending(store, "one")
    await store.run(steps.retry, step, after=5, why="time-out", then=PieceStatus.SENDING)
    await bench.answer_by_hand(store)

    bench.clock.move(5000)
    await store.put([arrival("m2", "ben")])

    assert (await claim_one(store)).contact == "ben"
    assert await bench.query("SELECT status FROM outbox") == [("dropped",)]


async def test_our_own_echo_before_the_answer_is_no_takeover(bench, store):
    await sending(store, "one")

    await store.put([echo("mid-1", "one")])

    assert not await paused(bench)


async def test_our_own_echo_after_the_answer_is_no_takeover(bench, store):
    step = await sending(store, "one")
    await store.run(steps.sent, step, "mid-1")

    await store.put([echo("mid-1", "Meta may have changed the text")])

    assert not await paused(bench)


async def test_our_own_echo_after_an_error_is_no_takeover_and_ends_the_wait(bench, store):
    step = await sending(store, "one", "two")
    await store.run(steps.retry, step, after=600, why="500")

    await store.put([echo("mid-1", "one")])

    assert not await paused(bench)
    assert piece_of(await claim_one(store)).message == {"text": "two"}


async def test_a_greeting_in_the_post_of_the_first_message_is_no_takeover(bench, store):
    await store.put([echo("g1", "Welcome!"), arrival("m1")])

    assert not await paused(bench)
    assert mids(await claim_one(store)) == ["m1"]


async def test_a_greeting_before_the_first_message_is_no_takeover(bench, store):
    await store.put([echo("g1", "Welcome!")])
    await store.put([arrival("m1")])

    assert not await paused(bench)


async def test_who_answers_in_earnest_after_a_greeting_takes_over(bench, store):
    await store.put([arrival("m1"), echo("g1", "Welcome!")])

    await bench.answer_by_hand(store)

    assert await paused(bench)


async def test_one_text_for_several_people_at_once_is_no_takeover(bench, store):
    people = ["anna", "ben", "carl"]
    await store.put([arrival(f"m-{name}", name) for name in people])
    bench.clock.move(60_000)

    for name in people:
        await bench.answer_by_hand(store, "We close early today", name, after=900)

    assert not await paused(bench)


async def test_the_silence_that_a_person_began_stays_when_several_are_told_the_same(bench, store):
    await store.put([arrival("m-anna", "anna"), arrival("m-ben", "ben")])
    await bench.answer_by_hand(store, "I am Ann", "anna")

    await bench.answer_by_hand(store, "We close early", "anna", after=900)
    await bench.answer_by_hand(store, "We close early", "ben", after=900)

    sql = "SELECT contact FROM conversations WHERE paused_until > 0"
    assert await bench.query(sql) == [("anna",)]


async def test_a_saved_reply_to_two_people_is_a_takeover_of_both(bench, store):
    await store.put([arrival("m-anna", "anna"), arrival("m-ben", "ben")])

    await bench.answer_by_hand(store, "We open at nine", "anna")
    await bench.answer_by_hand(store, "We open at nine", "ben", after=60_000)

    sql = "SELECT count(*) FROM conversations WHERE paused_until > 0"
    assert await bench.query(sql) == [(2,)]


async def test_listed_texts_are_no_takeover(bench):
    store = bench.store(automatic_texts=("Your parcel * is on its way",))
    await store.put([arrival("m1")])

    await bench.answer_by_hand(store, "Your parcel DE 12 is on its way")

    assert not await paused(bench)


async def test_what_was_heard_is_forgotten_in_time(bench, store):
    await store.put([arrival("m1")])
    await bench.answer_by_hand(store, "one")

    await bench.answer_by_hand(store, "two", after=ECHOES_LIVE + 1)

    assert await bench.query("SELECT count(*) FROM echoes") == [(1,)]


async def test_a_repeated_echo_does_not_pause_again(bench, store):
    await store.put([arrival("m1")])
    await bench.answer_by_hand(store)
    await bench.query_nothing("UPDATE conversations SET paused_until = 0")

    await bench.answer_by_hand(store, after=0)

    assert not await paused(bench)


async def test_an_echo_that_comes_too_late_pauses_nothing(bench, store):
    bench.clock.move(PAUSE)

    await store.put([echo("h1", "I am Ann")._replace(at=START)])

    assert not await paused(bench)


async def test_a_handoff_sends_its_last_words_and_then_falls_silent(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)

    step = await store.run(
        steps.settle, claim, answered(claim, "A colleague will help.", hands_over=True)
    )

    assert piece_of(step).message == {"text": "A colleague will help."}
    assert await store.run(steps.sent, step, "mid-1") is None
    assert await bench.query("SELECT paused_until FROM conversations") == [(START + PAUSE,)]
