"""What is sent unasked goes the way of an answer, while Instagram lets it."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest

from ak_instagram.outbound.send import OutgoingMessage, Queued, SendRefused, send
from ak_instagram.store.values import PieceStatus
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators import stops
from tests.support.store_bench import (
    DAY,
    START,
    answered,
    arrival,
    claim_one,
    echo,
    mids,
    piece_of,
    sending,
)

WEEK = 7 * DAY
READY = OutgoingMessage(({"text": "Your order is ready"},), "Your order is ready")
BY_ANN = OutgoingMessage(({"text": "Ann here"},), "Ann here", by_person=True)


async def known(bench, store, *, by_ad: bool = False) -> None:
    """Have somebody written, and been answered with nothing."""
    await store.put([arrival("m1", from_ad=by_ad)])
    claim = await claim_one(store)
    assert await store.run(steps.settle, claim, answered(claim)) is None


async def sent_now(bench, store) -> list[tuple[object, bool]]:
    """Send what may go out now; return the messages, and whether each was tagged."""
    said = []
    for step in await store.run(steps.claim_due, 10):
        while step is not None and step.piece is not None:
            said.append((step.piece.message["text"], step.piece.is_tagged))
            step = await store.run(steps.sent, step, f"mid-{step.piece.id}")
    return said


async def test_it_wakes_a_conversation_in_which_nothing_waits(bench, store):
    await known(bench, store)

    queued = await store.run(send, "command", "anna", READY)

    assert queued == Queued(queued.turn, "shop", 1, START + DAY)
    piece = piece_of(await claim_one(store))
    assert (piece.message, piece.turn) == ({"text": "Your order is ready"}, queued.turn)


async def test_it_goes_out_behind_what_waits(bench, store):
    step = await sending(store, "one", "two")
    await store.run(send, "command", "anna", READY)

    said = []
    while step is not None:
        said.append(piece_of(step).message["text"])
        step = await store.run(steps.sent, step, f"mid-{len(said)}")

    assert said == ["one", "two", "Your order is ready"]


async def test_it_does_not_hasten_what_waits_for_its_next_attempt(bench, store):
    step = await sending(store, "one")
    await store.run(steps.retry, step, after=60, why="503")

    await store.run(send, "command", "anna", READY)
    early = await store.run(steps.claim_due, 10)
    bench.clock.move(60_000)

    assert early == []
    assert await sent_now(bench, store) == [("one", False), ("Your order is ready", False)]


@pytest.mark.parametrize("is_noted", [True, False], ids=["after-the-answer", "before-it"])
async def test_its_echo_is_nobodys_takeover(bench, store, is_noted):
    await known(bench, store)
    await store.run(send, "command", "anna", READY)
    step = await claim_one(store)
    if is_noted:
        await store.run(steps.sent, step, "mid-1")
    bench.clock.move(5000)

    heard = echo("mid-1", "Your order is ready")._replace(at=bench.clock.now)
    await store.put([heard])

    assert await bench.query("SELECT paused_until FROM conversations") == [(0,)]
    assert await bench.piece_statuses() == ["sent"]


async def test_an_agent_without_a_memory_knows_of_it(bench):
    store = bench.store(lines=5)
    await known(bench, store)
    await store.run(send, "command", "anna", READY)
    await sent_now(bench, store)

    await store.put([arrival("m2")])

    [line] = (await claim_one(store)).transcript
    assert (line.role, line.text) == ("assistant", "Your order is ready")


async def test_one_key_sends_once_and_another_again(bench, store):
    await known(bench, store)
    first = await store.run(send, "command", "anna", READY, None, "order-7")
    again = await store.run(send, "command", "anna", READY, None, "order-7")
    await sent_now(bench, store)
    late = await store.run(send, "command", "anna", READY, None, "order-7")
    other = await store.run(send, "command", "anna", READY, None, "order-8")

    assert [it.is_repeat for it in (first, again, late, other)] == [False, True, True, False]
    assert first.turn == again.turn == late.turn != other.turn
    assert await bench.piece_statuses() == ["sent", "planned"]


# --- when Instagram lets it -----------------------------------------------------

OPENS = "it opens again when the person writes"


@pytest.mark.parametrize(
    ("by_ad", "after", "message", "why"),
    [
        pytest.param(False, DAY - 1, READY, None, id="in-the-window"),
        pytest.param(
            False,
            DAY,
            READY,
            "the window is closed since 2027-01-16T08:00:00+00:00: it opens again when the person"
            " writes; until 2027-01-22T08:00:00+00:00 it is open to what a person writes, with"
            " Meta's feature Human Agent",
            id="after-it",
        ),
        pytest.param(True, WEEK - 1, READY, None, id="in-the-week-after-an-ad"),
        pytest.param(False, WEEK - 1, BY_ANN, None, id="a-person-in-the-week"),
        pytest.param(
            False,
            WEEK,
            BY_ANN,
            f"the window is closed since 2027-01-16T08:00:00+00:00: {OPENS}",
            id="a-person-after-it",
        ),
    ],
)
async def test_a_closed_window_is_said_with_its_time(bench, store, by_ad, after, message, why):
    await known(bench, store, by_ad=by_ad)
    bench.clock.move(after)

    allowed = (
        nullcontext() if why is None else pytest.raises(SendRefused, match=f"^{re.escape(why)}$")
    )

    with allowed:
        await store.run(send, "command", "anna", message)


async def test_nobody_is_written_to_who_has_not_written(bench, store):
    await store.put([arrival("r1", kind="referral")])

    with pytest.raises(SendRefused, match="has not written yet"):
        await store.run(send, "command", "anna", READY)
    with pytest.raises(SendRefused, match="no conversation with ben is known"):
        await store.run(send, "command", "ben", READY)
    with pytest.raises(SendRefused, match="no conversation with anna is known"):
        await store.run(send, "command", "anna", READY, "cafe")


async def test_whom_several_accounts_know_is_written_to_by_a_named_one(bench, store):
    await store.put([arrival("m1"), arrival("m2", account="cafe")])

    with pytest.raises(SendRefused, match="several accounts: name one"):
        await store.run(send, "command", "anna", READY)

    assert (await store.run(send, "command", "anna", READY, "cafe")).account == "cafe"


async def test_it_says_that_sending_is_stopped(bench, store):
    await known(bench, store)
    await store.run(stops.stop, "shop")

    queued = await store.run(send, "command", "anna", READY)

    assert queued.waits_for == "sending is stopped: it goes out on `resume`"


# --- what a person writes ---------------------------------------------------------


async def test_it_is_tagged_only_once_the_bots_window_is_over(bench, store):
    await known(bench, store)
    await store.run(send, "command", "anna", BY_ANN)
    in_time = await sent_now(bench, store)
    bench.clock.move(DAY)
    await store.run(send, "command", "anna", BY_ANN)

    assert in_time == [("Ann here", False)]
    assert await sent_now(bench, store) == [("Ann here", True)]


async def test_it_goes_out_past_what_the_bot_has_parked(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    assert await store.run(steps.settle, claim, answered(claim, "too late")) is None
    await store.run(send, "command", "anna", BY_ANN)

    said = await sent_now(bench, store)
    await store.put([arrival("m2", at=bench.clock.now)])

    assert said == [("Ann here", True)]
    assert piece_of(await claim_one(store)).message == {"text": "too late"}


async def test_one_that_meta_refuses_as_too_late_is_parked_like_the_bots(bench, store):
    await known(bench, store)
    bench.clock.move(DAY)
    await store.run(send, "command", "anna", BY_ANN)
    step = await claim_one(store)

    assert await store.run(steps.close_window, step, "10/2534022") is None

    assert await bench.piece_statuses() == ["parked"]
    assert await store.run(steps.claim_due, 10) == []


async def test_one_that_waits_past_its_week_is_parked(bench, store):
    await known(bench, store)
    bench.clock.move(WEEK - 1000)
    await store.run(send, "command", "anna", BY_ANN)
    bench.clock.move(1000)

    assert await sent_now(bench, store) == []
    assert await bench.piece_statuses() == ["parked"]


async def test_one_that_may_have_arrived_is_looked_for_and_then_tagged(bench, store):
    await known(bench, store)
    bench.clock.move(DAY)
    await store.run(send, "command", "anna", BY_ANN)
    step = await claim_one(store)
    await store.run(steps.retry, step, after=1, why="time-out", then=PieceStatus.SENDING)
    bench.clock.move(1000)

    looked_for = await claim_one(store)
    assert piece_of(looked_for).outcome_unknown
    await store.run(steps.retry, looked_for, after=1, why="not there")
    bench.clock.move(1000)

    assert await sent_now(bench, store) == [("Ann here", True)]


async def test_a_person_who_answers_meanwhile_keeps_it_back(bench, store):
    await known(bench, store)
    await store.run(send, "command", "anna", READY)

    await bench.answer_by_hand(store)

    assert await bench.piece_statuses() == ["dropped"]


async def test_a_message_of_the_persons_that_comes_meanwhile_is_answered_after_it(bench, store):
    await known(bench, store)
    await store.run(send, "command", "anna", READY)
    await store.put([arrival("m2")])

    step = await claim_one(store)
    assert piece_of(step).message == {"text": "Your order is ready"}

    assert mids(await store.run(steps.sent, step, "mid-1")) == ["m2"]
