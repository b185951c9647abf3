"""People are told that a machine answers: with its first answer, and when it returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ak_instagram.store.values import EventStatus, PieceStatus
from ak_instagram.store.verbs import steps, takeover
from ak_instagram.store.verbs.retention import purge
from tests.support.store_bench import (
    DAY,
    PAUSE,
    answered,
    arrival,
    claim_one,
    piece_of,
    sending,
    unsend,
)

LINE = "I am a machine"
GAP = 3 * DAY


@pytest.fixture
def store(bench):
    return bench.store(disclosure=LINE, disclosure_gap_ms=GAP)


async def answer(bench, store, mid: str, *texts: str) -> list[str]:
    """Have the message *mid* answered with *texts*, and all of it sent; return what was sent."""
    said = []
    step = await sending(store, *texts, mid=mid, at=bench.clock.now, turn=f"turn-{mid}")
    while step is not None:
        said.append(str(piece_of(step).message["text"]))
        step = await store.run(steps.sent, step, f"mid-{mid}-{len(said)}")
    return said


@pytest.mark.parametrize(
    ("after", "is_told"),
    [
        pytest.param(0, False, id="at-once"),
        pytest.param(GAP - 1, False, id="before-the-gap-has-passed"),
        pytest.param(GAP, True, id="after-it"),
    ],
)
async def test_the_line_comes_before_the_first_answer_and_again_after_a_gap(
    bench, store, after, is_told
):
    first = await answer(bench, store, "m1", "one", "two")
    bench.clock.move(after)
    second = await answer(bench, store, "m2", "three")

    assert first == [LINE, "one", "two"]
    assert second == [LINE, "three"][not is_told :]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        pytest.param({"shop": "The shop's machine"}, ["The shop's machine", "one"], id="its-own"),
        pytest.param({"shop": ""}, ["one"], id="none"),
        pytest.param({"cafe": "The cafe's"}, [LINE, "one"], id="another-account-s"),
    ],
)
async def test_an_account_may_have_a_line_of_its_own(bench, own, said):
    store = bench.store(disclosure=LINE, disclosure_gap_ms=GAP, disclosures=own)

    assert await answer(bench, store, "m1", "one") == said


async def test_a_private_reply_to_a_comment_is_the_one_message_there_is_room_for(bench):
    store = bench.store(disclosure=LINE, disclosure_gap_ms=GAP, replies_to_comments=True)
    payload = '{"id": "c1", "text": "price?", "from": {"id": "anna"}}'
    await store.put([arrival("c1", kind="comment", payload=payload)._replace(mid=None)])
    claim = await claim_one(store)
    message = {"comment_id": "c1", "text": "In your messages"}
    reply = replace(answered(claim), messages=(message,))

    step = await store.run(steps.settle, claim, reply)

    assert piece_of(step).message == message
    assert await bench.query("SELECT kind FROM outbox") == [(None,)]


async def test_an_answer_that_is_still_written_begins_with_the_line_once(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)

    step = await store.run(steps.settle, claim, answered(claim, "one", goes_on=True))
    told = [piece_of(step).message]
    step = await store.run(steps.sent, step, "mid-1")
    told.append(piece_of(step).message)
    await store.run(steps.sent, step, "mid-2")
    step = await store.run(steps.settle, claim, answered(claim, "two", first=1))
    told.append(piece_of(step).message)

    assert told == [{"text": LINE}, {"text": "one"}, {"text": "two"}]


async def test_each_answer_begins_the_gap_anew(bench, store):
    for number in range(4):
        said = await answer(bench, store, f"m{number}", "again")
        bench.clock.move(GAP - 1)

    assert said == ["again"]


@pytest.mark.parametrize("returns", ["by-itself", "by-command"])
async def test_the_line_comes_again_when_the_bot_returns_after_a_person(bench, store, returns):
    await answer(bench, store, "m1", "one")
    await bench.answer_by_hand(store)
    bench.clock.move(PAUSE if returns == "by-itself" else 1)
    if returns == "by-command":
        assert await store.run(takeover.resume, "shop", "anna")

    back = await answer(bench, store, "m2", "two")
    then = await answer(bench, store, "m3", "three")

    assert (back, then) == ([LINE, "two"], ["three"])


async def test_the_line_is_told_once_whatever_crashes(bench, store):
    step = await sending(store, "one")
    await store.run(steps.retry, step, after=0, why="killed", then=PieceStatus.SENDING)

    found = await claim_one(bench.store("other", disclosure=LINE, disclosure_gap_ms=GAP))

    assert piece_of(found).message == {"text": LINE}
    assert await bench.query("SELECT kind FROM outbox ORDER BY id") == [("disclosure",), (None,)]


async def test_silence_tells_nobody_anything(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)

    assert await store.run(steps.settle, claim, answered(claim)) is None
    assert await answer(bench, store, "m2", "one") == [LINE, "one"]


async def test_a_line_that_was_given_up_comes_with_the_next_answer(bench, store):
    step = await sending(store, "one")

    await store.run(steps.give_up, step, "no such person")

    assert await answer(bench, store, "m2", "two") == [LINE, "two"]


async def test_a_line_whose_question_was_taken_back_comes_with_the_next_answer(bench, store):
    step = await sending(store, "one")
    await store.run(steps.retry, step, after=60, why="later")

    await store.put([unsend("m1")])
    bench.clock.move(60_000)

    assert await bench.piece_statuses() == ["dropped", "dropped"]
    assert await answer(bench, store, "m2", "two") == [LINE, "two"]


async def test_a_line_that_was_sent_stays_told_when_its_question_is_taken_back(bench, store):
    step = await sending(store, "one")
    step = await store.run(steps.sent, step, "mid-1")
    await store.run(steps.retry, step, after=60, why="later")

    await store.put([unsend("m1")])
    bench.clock.move(60_000)

    assert await answer(bench, store, "m2", "two") == ["two"]


async def test_a_parked_line_that_expires_comes_with_the_next_answer(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    await store.run(steps.settle, claim, answered(claim, "too late"))
    bench.clock.move(2 * DAY + 1)

    await store.run(purge, 2 * DAY)

    assert await bench.piece_statuses() == []
    assert await answer(bench, store, "m2", "two") == [LINE, "two"]


async def test_an_apology_is_a_machines_word_too(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    failed = answered(claim, "Sorry!")
    dead = dict.fromkeys(failed.events, EventStatus.DEAD)

    step = await store.run(steps.settle, claim, type(failed)("turn", dead, "503", failed.messages))

    assert piece_of(step).message == {"text": LINE}


async def test_whom_the_bot_has_told_is_known_as_long_as_the_gap(bench):
    store = bench.store(disclosure=LINE, disclosure_gap_ms=30 * DAY)
    await answer(bench, store, "m1", "one")
    bench.clock.move(29 * DAY)

    await store.run(purge, 7 * DAY)

    assert await answer(bench, store, "m2", "two") == ["two"]


async def test_without_a_line_nothing_is_noted(bench):
    await answer(bench, bench.store(), "m1", "one")

    assert await bench.query("SELECT spoke_at FROM conversations") == [(0,)]
