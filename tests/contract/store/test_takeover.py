"""Where a person answers, the bot is silent; its own echoes are no person."""

from __future__ import annotations

import pytest

from ak_instagram.store.values import PieceStatus
from ak_instagram.store.verbs import steps
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


@pytest.mark.parametrize("voice", [echo("h1", "I am Ann"), standby("m9")], ids=["echo", "standby"])
async def test_messages_during_a_takeover_are_left_to_the_person(bench, store, voice):
    await store.put([voice])

    await store.put([arrival("m1")])
    bench.clock.move(1000)
    await store.run(steps.claim_due, 1)

    assert await bench.query("SELECT status, reason FROM events WHERE mid = 'm1'") == [
        ("ignored", "a person answers")
    ]


async def test_the_bot_returns_by_itself(bench, store):
    await store.put([echo("h1", "I am Ann")])
    bench.clock.move(PAUSE)

    await store.put([arrival("m1")])

    assert mids(await claim_one(store)) == ["m1"]


async def test_a_takeover_during_a_turn_drops_its_answer(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.put([echo("h1", "I am Ann")])

    assert await store.run(steps.settle, claim, answered(claim, "I am a bot")) is None

    assert await bench.query("SELECT count(*) FROM outbox") == [(0,)]


async def test_a_takeover_during_an_answer_drops_the_rest_of_it(bench, store):
    step = await sending(store, "one", "two")
    await store.put([echo("h1", "I am Ann")])

    assert await store.run(steps.sent, step, "mid-1") is None

    assert await bench.query("SELECT status FROM outbox ORDER BY id") == [("sent",), ("dropped",)]


async def test_a_piece_of_unknown_outcome_is_not_sent_again_after_a_takeover(bench, store):
    step = await sending(store, "one")
    await store.run(steps.retry, step, after=5, why="time-out", then=PieceStatus.SENDING)
    await store.put([echo("h1", "I am Ann")])

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


async def test_a_repeated_echo_does_not_pause_again(bench, store):
    await store.put([echo("h1", "I am Ann")])
    await bench.query_nothing("UPDATE conversations SET paused_until = 0")

    await store.put([echo("h1", "I am Ann")])

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
