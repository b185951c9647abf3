"""Whose words an echo repeats: by the moment they were said, whatever becomes of the send."""

from __future__ import annotations

import pytest

from ak_instagram.store.values import CLOCK_SLACK, PieceStatus
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.takeover import LATEST_ECHO
from tests.support.store_bench import (
    PAUSE,
    START,
    answered,
    arrival,
    claim_one,
    echo,
    piece_of,
    sending,
    unsend,
)

HOUR = 3_600_000


async def pieces(bench) -> list[tuple]:
    return await bench.query("SELECT status, message_id FROM outbox ORDER BY id")


async def paused_until(bench) -> int:
    [(until,)] = await bench.query("SELECT paused_until FROM conversations")
    return until


async def take_over(bench, store) -> int:
    """A person says something from the app; return until when the bot is silent."""
    until = await bench.answer_by_hand(store)
    assert await paused_until(bench) == until
    return until


async def test_a_piece_that_fails_during_a_takeover_is_not_retried(bench, store):
    step = await sending(store, "one")
    await take_over(bench, store)

    await store.run(steps.retry, step, after=1, why="rate_limited")

    bench.clock.move(PAUSE)
    await store.put([arrival("m2", at=bench.clock.now)])
    assert (await claim_one(store)).piece is None
    assert await pieces(bench) == [("dropped", None)]


async def test_a_piece_of_unknown_outcome_is_not_looked_up_during_a_takeover(bench, store):
    step = await sending(store, "one")
    await take_over(bench, store)

    await store.run(steps.retry, step, after=1, why="time-out", then=PieceStatus.SENDING)

    assert await pieces(bench) == [("dropped", None)]


@pytest.mark.parametrize("how", ["answer", "echo"])
async def test_a_piece_that_arrives_during_a_takeover_is_noted_as_sent(bench, store, how):
    step = await sending(store, "one", "two")
    until = await take_over(bench, store)

    if how == "answer":
        assert await store.run(steps.sent, step, "mid-1") is None
    else:
        await store.put([echo("mid-1", "one")])

    assert await pieces(bench) == [("sent", "mid-1"), ("dropped", None)]
    assert await paused_until(bench) == until


async def test_a_handoffs_last_words_are_retried_although_the_bot_is_silent(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    step = await store.run(
        steps.settle, claim, answered(claim, "A colleague will help.", hands_over=True)
    )

    await store.run(steps.retry, step, after=1, why="rate_limited")

    bench.clock.move(1000)
    assert piece_of(await claim_one(store)).message == {"text": "A colleague will help."}


async def test_an_echo_that_was_on_its_way_for_hours_is_known_as_ours(bench, store):
    """After a crash in the middle of a send and a long time out of service."""
    await sending(store, "one")
    bench.clock.move(2 * HOUR)

    await store.put([echo("mid-1", "one")])

    assert await pieces(bench) == [("sent", "mid-1")]
    assert await paused_until(bench) == 0


@pytest.mark.parametrize(
    "said_at",
    [
        pytest.param(START - CLOCK_SLACK - 1, id="before-we-planned-it"),
        pytest.param(START + LATEST_ECHO + 1, id="long-after-the-last-try"),
    ],
)
async def test_our_words_at_another_time_are_a_takeover(bench, store, said_at):
    step = await sending(store, "Yes")
    await store.run(steps.retry, step, after=1, why="code 2")
    bench.clock.move(HOUR)

    await store.put([echo("h1", "Yes")._replace(at=said_at)])

    assert await pieces(bench) == [("dropped", None)]
    assert await paused_until(bench) == said_at + PAUSE


@pytest.mark.parametrize("ahead", [-23 * HOUR, -HOUR, -600_000, 600_000, HOUR, 24 * HOUR])
async def test_an_echo_of_what_is_on_its_way_is_ours_however_far_metas_clock_is(
    bench, store, ahead
):
    await sending(store, "one", "two", at=START + ahead)

    await store.put([echo("mid-1", "one")._replace(at=START + ahead + 300)])

    assert await pieces(bench) == [("sent", "mid-1"), ("planned", None)]
    assert await paused_until(bench) == 0


async def test_a_late_echo_of_the_same_words_does_not_settle_what_is_on_its_way(bench, store):
    first = await sending(store, "Sorry", at=START - HOUR)
    await store.run(steps.retry, first, after=1, why="code 2")
    bench.clock.move(1000)
    again = await claim_one(store)
    await store.run(steps.sent, again, "mid-2")
    await sending(store, "Sorry", turn="turn-2", mid="m2")

    await store.put([echo("mid-1", "Sorry")._replace(at=START - 60_000)])

    assert await pieces(bench) == [("sent", "mid-2"), ("sending", None)]
    assert await paused_until(bench) == 0


@pytest.mark.parametrize(
    "order", [("answer", "echo", "echo"), ("echo", "answer", "echo"), ("echo", "echo", "answer")]
)
async def test_two_echoes_of_a_piece_sent_twice_are_no_takeover(bench, store, order):
    """Meta reports a failure although it sent the message, so it is sent again."""
    step = await sending(store, "one", "two")
    await store.run(steps.retry, step, after=1, why="code 2")
    bench.clock.move(1000)
    step = await claim_one(store)
    echoes = iter((echo("mid-1", "one"), echo("mid-2", "one")))

    for what in order:
        if what == "answer":
            step = await store.run(steps.sent, step, "mid-2")
        else:
            await store.put([next(echoes)])

    assert await paused_until(bench) == 0
    assert piece_of(step).message == {"text": "two"}


async def test_a_second_echo_of_a_piece_sent_once_is_a_takeover(bench, store):
    step = await sending(store, "one", "two")
    await store.run(steps.sent, step, "mid-1")

    until = await bench.answer_by_hand(store, "one")

    assert await paused_until(bench) == until


async def test_an_echo_settles_the_piece_on_its_way_before_a_dead_one(bench, store):
    refused = await sending(store, "Sorry")
    await store.run(steps.give_up, refused, "bad_request")
    await sending(store, "Sorry", turn="turn-2", mid="m2")

    await store.put([echo("mid-2", "Sorry")])

    assert await pieces(bench) == [("dead", None), ("sent", "mid-2")]


async def test_a_message_after_its_unsend_is_wiped_during_a_takeover(bench, store):
    await store.put([arrival("m0")])
    await take_over(bench, store)
    await store.put([unsend("m1")])
    await store.put([arrival("m1"), arrival("m2")])

    await store.run(steps.claim_due, 1)

    sql = (
        "SELECT kind, status, payload IS NULL FROM events"
        " WHERE kind <> 'echo' AND mid <> 'm0' ORDER BY key"
    )
    assert [
        (kind, status, bool(is_wiped)) for kind, status, is_wiped in await bench.query(sql)
    ] == [
        ("message", "unsent", True),
        ("message", "ignored", False),
        ("unsend", "ignored", False),
    ]
