"""Who asks not to be answered is not, until they ask to be or an operator resumes."""

from __future__ import annotations

import json

import pytest

from ak_instagram.store.store import Store
from ak_instagram.store.verbs import steps, takeover
from tests.support.store_bench import (
    DAY,
    START,
    answered,
    arrival,
    claim_one,
    mids,
    sending,
    worker,
)


@pytest.fixture
def store(bench):
    rules = worker()
    words = {"opt_out_words": ("Stop", "leave me *"), "opt_in_words": ("START",)}
    fields = {name: getattr(rules, name) for name in rules.__slots__} | words
    return Store(bench.database, type(rules)(**fields))


def says(mid: str, text: str, at: int = START, **changes: object):
    payload = {"message": {"mid": mid, "text": text, **changes}}
    return arrival(mid, at=at, payload=json.dumps(payload))


async def statuses(bench) -> list[tuple[str, str | None]]:
    return await bench.query("SELECT status, reason FROM events ORDER BY id")


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(says("m1", "Stop"), id="the-word"),
        pytest.param(says("m1", "  STOP!"), id="shouted"),
        pytest.param(says("m1", "Leave me alone."), id="a-pattern"),
        pytest.param(says("m1", "No more", quick_reply={"payload": "stop"}), id="a-quick-reply"),
        pytest.param(
            arrival("m1", kind="postback", payload='{"postback":{"title":"No","payload":"STOP"}}'),
            id="a-menu-entry",
        ),
    ],
)
async def test_a_wish_is_respected_for_years(bench, store, event):
    await store.put([event])
    await store.run(steps.claim_due, 1)
    bench.clock.move(1000 * DAY)
    await store.put([says("m2", "Hello?", bench.clock.now)])
    await store.run(steps.claim_due, 1)

    why = "the person does not want to be answered"
    assert await statuses(bench) == [("ignored", why)] * 2


@pytest.mark.parametrize("text", ["Stop it, I meant another one", "Don't stop", "", "start"])
async def test_other_words_are_none(store, text):
    await store.put([says("m1", text)])

    assert mids(await claim_one(store)) == ["m1"]


async def test_an_answer_that_is_being_made_or_sent_goes_no_further(bench, store):
    step = await sending(store, "one", "two", mid="m0", at=START - 5)
    await store.put([says("m1", "Stop")])
    assert await store.run(steps.sent, step, "mid-1") is None

    await store.put([arrival("m2", "ben")])
    claim = await claim_one(store)
    await store.put([says("m3", "Stop")._replace(contact="ben")])
    assert await store.run(steps.settle, claim, answered(claim, "too late")) is None

    assert await bench.piece_statuses() == ["sent", "dropped"]


async def test_who_asks_to_be_answered_again_is_and_a_repeat_of_the_wish_changes_nothing(
    bench, store
):
    await store.put([says("m1", "Stop")])
    await store.run(steps.claim_due, 1)
    await store.put([says("m2", "Start.", START + 5)])
    await store.put([says("m1", "Stop")])

    assert mids(await claim_one(store)) == ["m2"]


async def test_of_two_wishes_in_one_post_the_later_counts(store):
    await store.put([says("m2", "Start", START + 5), says("m1", "Stop")])

    assert "m2" in mids(await claim_one(store))


async def test_an_operator_resumes(bench, store):
    await store.put([says("m1", "Stop")])
    await store.run(steps.claim_due, 1)

    assert await store.run(takeover.resume, "shop", "anna")
    await store.put([says("m2", "Hello?", START + 5)])

    assert mids(await claim_one(store)) == ["m2"]


async def test_to_opt_in_ends_no_person_s_takeover(bench, store):
    await store.put([says("m0", "Hi")])
    await bench.answer_by_hand(store)
    await store.put([says("m1", "Start", bench.clock.now)])
    await store.run(steps.claim_due, 1)

    assert (await statuses(bench))[-1] == ("ignored", "a person answers")
