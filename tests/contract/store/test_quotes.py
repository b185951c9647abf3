"""What a message refers to is found in the store: quoted messages, and a link that led here."""

from __future__ import annotations

import json

import pytest

from ak_instagram.conversation.turn import compose
from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import mid_key
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.quotes import LONGEST
from ak_instagram.store.verbs.retention import purge
from tests.support.store_bench import (
    START,
    answered,
    arrival,
    claim_none,
    claim_one,
    sending,
    unsend,
)

HOUR = 3_600_000


def reply(mid: str, to: str):
    payload = {"message": {"mid": mid, "text": "I take this one", "reply_to": {"mid": to}}}
    return arrival(mid, payload=json.dumps(payload))


def said(mid: str, **content: object):
    payload = json.dumps({"message": {"mid": mid, **content}})
    return arrival(mid, key=mid_key(Kind.MESSAGE, "shop", mid), payload=payload)


def led_here(ref: str, at: int = START):
    payload = json.dumps({"timestamp": at, "referral": {"ref": ref}})
    return arrival("", kind="referral", key=f"referral:{ref}", at=at, payload=payload)


async def context(store) -> dict[str, str]:
    """Return the context of the first message of the turn that is next."""
    turn = compose(await claim_one(store)).turn
    assert turn is not None
    return dict(turn.messages[0].context or {})


async def test_a_quoted_piece_of_ours_is_known_by_its_text(store):
    step = await sending(store, "The large one is 18 €.")
    await store.run(steps.sent, step, "mid-1")

    await store.put([reply("m2", "mid-1")])

    assert await context(store) == {
        "reply_to_mid": "mid-1",
        "reply_to_text": "The large one is 18 €.",
    }


async def test_a_quoted_message_reads_as_its_person_last_edited_it(bench, store):
    edits = [
        arrival(
            "m1",
            kind="edit",
            key=mid_key(Kind.EDIT, "shop", "m1", str(number)),
            payload=json.dumps({"message_edit": {"mid": "m1", "text": text, "num_edit": number}}),
        )
        for number, text in ((1, "In blue?"), (2, "In red?"))
    ]
    await store.put([said("m1", text="In bleu?"), *edits])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))

    await store.put([reply("m2", "m1")])

    assert (await context(store))["reply_to_text"] == "In red?"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param({"text": "Do you have it in red?"}, "Do you have it in red?", id="words"),
        pytest.param(
            {"attachments": [{"type": "image", "payload": {"url": "https://cdn/1"}}]},
            "[image] https://cdn/1",
            id="a-photo",
        ),
        pytest.param({"text": "x" * 1000}, "x" * (LONGEST - 1) + "…", id="long"),
    ],
)
async def test_a_persons_own_message_that_is_quoted_is_known(store, content, text):
    await store.put([said("m1", **content)])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))

    await store.put([reply("m2", "m1")])

    assert (await context(store))["reply_to_text"] == text


async def test_what_was_taken_back_or_is_anothers_is_not_quoted(store):
    await store.put([said("m1", text="secret"), arrival("m9", "ben")])
    for claim in await store.claim(2):
        await store.run(steps.settle, claim, answered(claim))
    await store.put([unsend("m1")._replace(unsends=mid_key(Kind.MESSAGE, "shop", "m1"))])

    for number, quoted in enumerate(("m1", "m9", "m-unknown")):
        await store.put([reply(f"r{number}", quoted)])
        claim = await claim_one(store)
        assert claim.quotes == {}
        await store.run(steps.settle, claim, answered(claim))


async def test_what_the_account_took_back_of_its_own_is_not_quoted(store):
    step = await sending(store, "The large one is 18 €.")
    await store.run(steps.sent, step, "mid-1")
    await store.put([unsend("mid-1"), reply("m2", "mid-1")])

    assert await context(store) == {"reply_to_mid": "mid-1"}


# --- a link that led here -----------------------------------------------------


async def test_a_link_is_kept_for_the_next_message_and_told_once(bench, store):
    await store.put([led_here("table-12")])
    await claim_none(store)
    await store.put([said("m1", text="two beers please")])
    claim = await claim_one(store)

    turn = compose(claim).turn
    await store.run(steps.settle, claim, answered(claim))
    await store.put([said("m2", text="and one more")])

    assert turn is not None
    assert turn.messages[0].context == {"ref": "table-12"}
    assert await context(store) == {}


async def test_a_link_is_told_again_when_the_turn_is_tried_again(bench, store):
    await store.put([led_here("table-12"), said("m1", text="two beers please")])
    claim = await claim_one(store)
    await store.run(steps.retry, claim, after=1, why="503")
    bench.clock.move(1000)

    assert await context(store) == {"ref": "table-12"}


async def test_a_link_is_told_once_although_a_message_came_meanwhile(store):
    await store.put([led_here("table-12"), said("m1", text="hi")])
    claim = await claim_one(store)
    await store.put([said("m2", text="two beers please")])

    step = await store.run(steps.settle, claim, answered(claim))

    assert step is not None
    assert step.referral is None


async def test_a_link_belongs_to_the_message_after_it(store):
    first = said("m1", text="hi")._replace(at=START - 2000)
    await store.put([first, led_here("table-12", at=START - 1000), said("m2", text="two beers")])

    turn = compose(await claim_one(store)).turn

    assert turn is not None
    assert [it.context for it in turn.messages] == [None, {"ref": "table-12"}]


async def test_an_earlier_link_does_not_replace_a_later_one(store):
    await store.put([led_here("later"), led_here("earlier", at=START - 1000)])
    await store.put([said("m1", text="hi")])

    assert await context(store) == {"ref": "later"}


async def test_a_fresh_link_is_not_purged_with_idle_conversations(bench, store):
    await store.put([led_here("table-12")])

    await store.run(purge, 7 * 24 * HOUR)

    assert await bench.query("SELECT count(*) FROM conversations") == [(1,)]


async def test_a_link_of_nobodys_is_not_kept(bench, store):
    await store.put([led_here("table-12")._replace(account="")])

    assert await bench.query("SELECT count(*) FROM conversations") == [(0,)]


async def test_a_link_of_days_ago_is_not_told(bench, store):
    await store.put([led_here("table-12", at=START - 25 * HOUR)])

    await store.put([said("m1", text="hi")])

    assert await context(store) == {}


async def test_a_repeated_link_is_not_kept_again(store):
    await store.put([led_here("table-12"), said("m1", text="hi")])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))

    await store.put([led_here("table-12"), said("m2", text="hi")])

    assert await context(store) == {}
