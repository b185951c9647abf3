"""Pieces that are more than words: settled by the kind of their echo, replaced if Meta refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ak_instagram.meta.events import Event
from ak_instagram.meta.outgoing import Outgoing, attachment, reaction
from ak_instagram.store.store import Store
from ak_instagram.store.values import Claim, PieceStatus
from ak_instagram.store.verbs import steps
from tests.support.store_bench import (
    START,
    answered,
    arrival,
    claim_one,
    echo,
    piece_of,
    sending,
)

IMAGE = attachment("image", {"url": "https://shop.example/a.jpg"}, [{"text": "the link"}])
CARDS = attachment("template", {"elements": []}, [{"text": "one"}, {"text": "two"}])
REACTION = reaction("m1", "❤", [{"text": "❤"}])


async def on_its_way(store: Store, *messages: Outgoing, turn: str = "turn") -> Claim:
    """Have a message answered with *messages*; return the claim of the first of them."""
    await store.put([arrival(f"m-{turn}")])
    claim = await claim_one(store)
    result = replace(answered(claim, turn=turn), messages=messages)
    step = await store.run(steps.settle, claim, result)
    assert step is not None
    return step


async def pieces(bench) -> list[tuple]:
    return await bench.query("SELECT status, message_id FROM outbox ORDER BY id")


def shown(mid: str, kind: str, said: str = "") -> Event:
    return echo(mid, said)._replace(echo_attachment=kind)


async def paused(bench) -> list[tuple]:
    return await bench.query("SELECT paused_until FROM conversations WHERE paused_until > 0")


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        pytest.param(IMAGE, shown("mid-1", "image"), id="image"),
        pytest.param(CARDS, shown("mid-1", "template"), id="template"),
        pytest.param(CARDS, shown("mid-1", "template", "Our shop"), id="template-with-words"),
        pytest.param(
            {"text": "Which?", "quick_replies": [], "fallback": []},
            echo("mid-1", "Which?"),
            id="quick-replies",
        ),
    ],
)
async def test_an_early_echo_of_its_kind_settles_a_piece(bench, store, message, heard):
    await on_its_way(store, message, {"text": "after"})

    await store.put([heard])

    assert await pieces(bench) == [("sent", "mid-1"), ("planned", None)]
    assert await paused(bench) == []


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(shown("h1", "file"), id="another-kind"),
        pytest.param(echo("h1", ""), id="nothing-that-could-be-seen"),
        pytest.param(shown("h1", "image")._replace(at=START - 1), id="before-it-was-asked-for"),
    ],
)
async def test_another_echo_does_not_settle_it_and_is_no_takeover(bench, store, heard):
    await on_its_way(store, IMAGE)

    await store.put([heard])

    assert await pieces(bench) == [("sending", None)]
    assert await paused(bench) == []


async def test_a_piece_of_unknown_outcome_is_settled_by_its_echo_and_the_next_goes_out(
    bench, store
):
    step = await on_its_way(store, IMAGE, {"text": "after"})
    await store.run(steps.retry, step, after=60, why="time-out", then=PieceStatus.SENDING)

    await store.put([shown("mid-1", "image")])

    assert piece_of(await claim_one(store)).message == {"text": "after"}
    assert (await pieces(bench))[0] == ("sent", "mid-1")


async def test_a_refused_piece_gives_its_place_to_what_stands_in_for_it(bench, store):
    step = await on_its_way(store, CARDS, IMAGE, {"text": "after"})
    sent = []

    next_step = await store.run(steps.degrade, step, "bad_request")
    while next_step is not None:
        sent.append(piece_of(next_step).message)
        next_step = await store.run(steps.sent, next_step, f"mid-{len(sent)}")

    assert sent == [{"text": "one"}, {"text": "two"}, IMAGE, {"text": "after"}]
    assert await bench.query("SELECT seq, status, error FROM outbox ORDER BY id") == [
        (0, "dropped", "bad_request"),
        (0, "sent", None),
        (0, "sent", None),
        (1, "sent", None),
        (2, "sent", None),
    ]
    answers = await bench.query("SELECT DISTINCT answers FROM outbox")
    assert len(answers) == 1


async def test_a_refused_piece_that_arrived_after_all_keeps_its_place(bench, store):
    step = await on_its_way(store, CARDS, {"text": "after"})
    await store.put([shown("mid-1", "template")])

    next_step = await store.run(steps.degrade, step, "bad_request")

    assert piece_of(next_step).message == {"text": "after"}
    assert await pieces(bench) == [("sent", "mid-1"), ("sending", None)]


async def test_nothing_stands_in_for_a_piece_once_a_person_has_answered(bench, store):
    step = await on_its_way(store, CARDS, {"text": "after"})
    await bench.answer_by_hand(store)

    assert await store.run(steps.degrade, step, "bad_request") is None

    assert await bench.piece_statuses() == ["dropped", "dropped"]


async def test_a_reaction_is_sent_without_an_id(bench, store):
    step = await on_its_way(store, REACTION, {"text": "Hi"})

    next_step = await store.run(steps.sent, step, "")

    assert piece_of(next_step).message == {"text": "Hi"}
    assert await pieces(bench) == [("sent", None), ("sending", None)]
    assert await store.run(steps.sent_ids, next_step) == frozenset()


async def test_what_stands_in_for_cards_is_what_a_person_quotes(bench, store):
    step = await on_its_way(store, CARDS)
    await store.run(steps.sent, step, "mid-1")
    reply = '{"message":{"mid":"m2","text":"this","reply_to":{"mid":"mid-1"}}}'

    await store.put([arrival("m2", payload=reply)])

    assert (await claim_one(store)).quotes == {"mid-1": "one\ntwo"}


async def test_words_are_still_told_by_their_own_echo(bench, store):
    await sending(store, "one")

    await store.put([shown("h1", "image")])

    assert await pieces(bench) == [("sending", None)]
