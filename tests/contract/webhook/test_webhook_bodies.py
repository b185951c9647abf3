"""What a signed body may hold: all that is JSON is taken, and costs none of its neighbours."""

from __future__ import annotations

import json

import pytest

from tests.support.store_bench import START
from tests.support.webhook_bench import ACCOUNT, CONTACT, post_of, text_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEIGHBOURS = (text_event("mid-before"), text_event("mid-after"))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"entry=1&object=instagram", id="a-form"),
        pytest.param(b'{"object": "instagram", "entry": [', id="cut"),
        pytest.param(b"[" * 20_000 + b"]" * 20_000, id="20000-nested-lists"),
        pytest.param(b'{"a":' * 20_000 + b"1" + b"}" * 20_000, id="20000-nested-objects"),
        pytest.param(b'{"object": "\xff\xfe"}', id="not-utf-8"),
    ],
)
async def test_what_is_not_json_is_refused_and_not_stored(webhook, body):
    assert await webhook.post(body) == 400

    assert await webhook.mids() == []


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(None, id="null"),
        pytest.param(7, id="number"),
        pytest.param("text", id="string"),
        pytest.param([], id="list"),
        pytest.param(text_event(sender=None), id="no-sender"),
        pytest.param(text_event(sender={}), id="sender-without-id"),
        pytest.param(text_event(sender={"id": None}), id="sender-null"),
        pytest.param(text_event(sender={"id": 1.5}), id="sender-float"),
        pytest.param(text_event(message=[]), id="message-is-a-list"),
        pytest.param(text_event(message={"mid": None, "is_deleted": True}), id="unsend-of-nothing"),
        pytest.param(text_event(message=None, message_edit={"num_edit": 3}), id="edit-of-nothing"),
    ],
)
async def test_an_unreadable_event_costs_none_of_its_neighbours(webhook, event):
    assert await webhook.post(post_of(NEIGHBOURS[0], event, NEIGHBOURS[1])) == 200

    assert await webhook.mids() == ["mid-before", "mid-after"]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"mid": "mid-1", "text": "\ud83d half a pair"}, id="lone-surrogate"),
        pytest.param({"mid": "mid-1", "text": "NUL \0 inside"}, id="nul"),
        pytest.param({"mid": "mid-1", "text": 12345}, id="number-for-text"),
        pytest.param({"mid": "mid-1", "text": None, "attachments": None}, id="nulls"),
        pytest.param({"mid": "mid-1", "text": {"a": [None]}}, id="object-for-text"),
        pytest.param({"mid": "mid-1", "attachments": [None, 7, {"type": None}]}, id="attachments"),
        pytest.param({"mid": "mid-1", "attachments": {"payload": 3}}, id="attachments-object"),
        pytest.param({"mid": "mid-1", "quick_reply": 3, "reply_to": "x"}, id="odd-references"),
        pytest.param({"mid": "mid-1", "text": float("nan")}, id="not-a-number"),
        pytest.param({"mid": "mid-1", "unheard_of": [[[{}]]]}, id="unheard-of-member"),
    ],
)
async def test_odd_values_are_stored_for_the_worker(webhook, message):
    assert await webhook.post(post_of(text_event(message=message))) == 200

    assert await webhook.stored("mid", "contact", "status") == [("mid-1", CONTACT, "waiting")]


async def test_ids_may_be_numbers(webhook):
    event = text_event(77, sender={"id": int(CONTACT)}, recipient={"id": int(ACCOUNT)})

    assert await webhook.post(post_of(event)) == 200

    assert await webhook.stored("mid", "contact", "account") == [("77", CONTACT, ACCOUNT)]


async def test_a_lone_surrogate_in_an_id_is_stored_and_known_again(webhook):
    for _ in range(2):
        assert await webhook.post(post_of(text_event("mid-\ud800"))) == 200

    assert await webhook.mids() == ["mid-\N{REPLACEMENT CHARACTER}"]


async def test_an_event_without_a_mid_is_stored_once(webhook):
    for _ in range(2):
        assert await webhook.post(post_of(text_event(message={"text": "Hello"}))) == 200

    assert await webhook.stored("mid", "status") == [(None, "waiting")]


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        pytest.param(START + 5, START + 5, id="milliseconds"),
        pytest.param(str(START + 5), START + 5, id="milliseconds-as-text"),
        pytest.param(START // 1000 + 5, START + 5000, id="seconds"),
        pytest.param(str(START // 1000 + 5), START + 5000, id="seconds-as-text"),
        pytest.param(None, START, id="none-so-the-entry's"),
        pytest.param("soon", START, id="words-so-the-entry's"),
        pytest.param(-1, START, id="negative-so-the-entry's"),
        pytest.param(10**30, START, id="far-future-so-the-entry's"),
    ],
)
async def test_timestamps_are_read_in_every_unit(webhook, timestamp, at):
    assert await webhook.post(post_of(text_event(timestamp=timestamp))) == 200

    assert await webhook.stored("at") == [(at,)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="empty-object"),
        pytest.param(None, id="null"),
        pytest.param([], id="empty-list"),
        pytest.param("text", id="string"),
        pytest.param({"object": "instagram", "entry": None}, id="null-entry"),
        pytest.param({"object": "instagram", "entry": [None, 1]}, id="null-in-entry"),
        pytest.param(post_of() | {"object": "page"}, id="no-events"),
        pytest.param(post_of(text_event()) | {"object": "whatsapp"}, id="unknown-object"),
        pytest.param({"field": "messages", "value": None}, id="bare-null"),
    ],
)
async def test_what_holds_nothing_for_us_is_taken_and_dropped(webhook, body):
    assert await webhook.post(body) == 200

    assert await webhook.mids() == []


@pytest.mark.parametrize("kind", ["change", "messaging", "postback", "comment", "bare"])
async def test_the_dashboards_test_wakes_nobody(webhook, kind, webhook_payload):
    assert await webhook.post(webhook_payload(f"test_{kind}")) == 200

    assert await webhook.bench.query("SELECT * FROM conversations") == []
    assert await webhook.stored("status") == []


async def test_a_batch_of_a_thousand_is_stored_whole(webhook):
    events = [text_event(f"mid-{number}") for number in range(1000)]

    assert await webhook.post(post_of(*events)) == 200

    assert await webhook.mids() == [f"mid-{number}" for number in range(1000)]


async def test_a_repeat_in_another_batch_is_stored_once(webhook):
    assert await webhook.post(post_of(text_event("mid-1"), text_event("mid-2"))) == 200
    assert await webhook.post(post_of(text_event("mid-2"), text_event("mid-3"))) == 200

    assert await webhook.mids() == ["mid-1", "mid-2", "mid-3"]


async def test_the_nesting_that_json_can_read_is_stored(webhook):
    deep = json.loads("[" * 400 + "]" * 400)

    assert await webhook.post(post_of(*NEIGHBOURS, text_event(text=deep))) == 200

    assert len(await webhook.mids()) == 3
