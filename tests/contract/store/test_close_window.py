"""The 24 h window opens with what a person says, and is looked at before every try."""

from __future__ import annotations

import pytest

from ak_instagram.store.verbs import steps
from tests.support.store_bench import (
    DAY,
    START,
    answered,
    arrival,
    claim_none,
    claim_one,
    echo,
    piece_of,
    sending,
)


async def closes_at(bench) -> int:
    return (await bench.query("SELECT window_closes_at FROM conversations"))[0][0]


@pytest.mark.parametrize("kind", ["message", "postback"])
async def test_messages_and_taps_open_the_window_from_the_time_they_were_said(bench, store, kind):
    bench.clock.move(1000)

    await store.put([arrival("m1", kind=kind, at=START)])

    assert await closes_at(bench) == START + DAY


async def test_the_window_opens_on_arrival_if_metas_clock_is_ahead(bench, store):
    await store.put([arrival("m1", at=START + 3000)])

    assert await closes_at(bench) == START + DAY


async def test_a_refusal_closes_the_window_though_metas_clock_is_ahead(bench, store):
    step = await sending(store, "one", at=START + 3000)
    bench.clock.move(10)

    assert await store.run(steps.close_window, step, "10/2534022") is None

    assert await bench.piece_statuses() == ["parked"]


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(arrival("m1", kind="edit", key="edit:m1", at=START + 9), id="edit"),
        pytest.param(arrival("m1", kind="unsend", key="unsend:m1", at=START + 9), id="unsend"),
        pytest.param(echo("h1", "I am Ann")._replace(at=START + 9), id="echo"),
        pytest.param(arrival("m0", at=START - 9), id="a-late-webhook-of-an-earlier-message"),
    ],
)
async def test_no_other_event_moves_the_window(bench, store, later):
    await store.put([arrival("m1")])

    await store.put([later])

    assert await closes_at(bench) == START + DAY


async def test_the_window_may_close_between_two_pieces(bench, store):
    step = await sending(store, "one", "two")
    bench.clock.move(DAY)

    assert await store.run(steps.sent, step, "mid-1") is None

    assert await bench.piece_statuses() == ["sent", "parked"]


async def test_the_window_may_close_between_two_attempts(bench, store):
    step = await sending(store, "one", "two")
    await store.run(steps.retry, step, after=DAY / 1000, why="503")
    bench.clock.move(DAY)
    await store.put([arrival("m2", "ben", at=bench.clock.now)])

    assert (await claim_one(store)).contact == "ben"
    assert await bench.piece_statuses() == ["parked", "parked"]


async def test_a_refusal_closes_the_window_of_messages_before_the_attempt(bench, store):
    step = await sending(store, "one", "two")

    assert await store.run(steps.close_window, step, "10/2534022") is None

    assert await bench.piece_statuses() == ["parked", "parked"]


async def test_a_message_after_the_attempt_keeps_the_window_open(bench, store):
    step = await sending(store, "one", "two")
    bench.clock.move(1000)
    await store.put([arrival("m2", at=bench.clock.now)])

    step = await store.run(steps.close_window, step, "10/2534022")

    piece = piece_of(step)
    assert (piece.message, piece.attempt) == ({"text": "one"}, 2)
    assert await closes_at(bench) == START + 1000 + DAY


async def test_the_window_is_open_a_millisecond_before_its_end(bench, store):
    step = await sending(store, "one", "two")
    bench.clock.move(DAY - 1)

    assert (await store.run(steps.sent, step, "mid-1")).piece.message == {"text": "two"}


async def test_what_was_said_too_long_ago_is_part_of_the_turn_that_opens_the_window(bench, store):
    await store.put([arrival("m1", at=START - 3 * DAY), arrival("m2", at=START - 2 * DAY)])

    await claim_none(store)
    await store.put([arrival("m3", at=START)])

    assert [it.mid for it in (await claim_one(store)).events] == ["m1", "m2", "m3"]


async def test_an_unsend_alone_does_not_wait_for_the_window(bench, store):
    await store.put([arrival("m1", kind="unsend", key="unsend:m1")])

    assert [it.kind for it in (await claim_one(store)).events] == ["unsend"]


# --- by an ad -----------------------------------------------------------------


def by_ad(mid: str, at: int = START, kind: str = "message"):
    return arrival(mid, at=at, kind=kind, key=f"{kind}:{mid}", from_ad=True)


@pytest.mark.parametrize(
    ("later", "statuses"),
    [
        pytest.param(7 * DAY - 1, ["sending"], id="in-its-week"),
        pytest.param(7 * DAY, ["parked"], id="after-it"),
    ],
)
async def test_what_came_by_an_ad_is_answered_for_a_week(bench, store, later, statuses):
    await store.put([by_ad("m1")])
    claim = await claim_one(store)
    bench.clock.move(later)

    await store.run(steps.settle, claim, answered(claim, "one"))
    await store.run(steps.claim_due, 1)

    assert await bench.piece_statuses() == statuses


async def test_a_message_that_comes_late_from_an_ad_is_asked_about(bench, store):
    await store.put([by_ad("m1", at=START - 2 * DAY)])

    assert [it.mid for it in (await claim_one(store)).events] == ["m1"]


async def test_an_ad_that_was_tapped_lets_what_is_said_then_be_answered_for_a_week(bench, store):
    await store.put([by_ad("r1", kind="referral")])
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(2 * DAY)

    assert piece_of(await store.run(steps.settle, claim, answered(claim, "one"))).attempt == 1


async def test_metas_refusal_ends_an_ads_window_and_parks_the_answer(bench, store):
    await store.put([by_ad("m1")])
    claim = await claim_one(store)
    bench.clock.move(2 * DAY)
    step = await store.run(steps.settle, claim, answered(claim, "one", "two"))

    assert await store.run(steps.close_window, step, "10/2534022") is None

    assert await bench.piece_statuses() == ["parked", "parked"]
    state = "SELECT window_closes_at, ad_window_closes_at FROM conversations"
    assert await bench.query(state) == [(START + DAY, 0)]


async def test_what_is_parked_after_an_ad_goes_out_when_the_person_writes(bench, store):
    await store.put([by_ad("m1")])
    claim = await claim_one(store)
    bench.clock.move(2 * DAY)
    step = await store.run(steps.settle, claim, answered(claim, "one"))
    await store.run(steps.close_window, step, "10/2534022")

    await store.put([arrival("m2", at=bench.clock.now)])

    assert piece_of(await claim_one(store)).message == {"text": "one"}
