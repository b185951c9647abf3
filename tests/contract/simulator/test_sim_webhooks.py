"""Webhooks arrive signed, in Meta's shapes, in order, and again until the service says 200."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json

import pytest

from instagram_simulator import VerificationFailed


async def test_a_webhook_is_escaped_and_signed_over_its_bytes(meta, subscribed):
    person = meta.add_person("Mia")
    meta.phones.say(person.igsid, "Grüße 🌷")
    await meta.settled()

    ((body, headers),) = subscribed.posts
    digest = hmac.new(meta.account.app_secret.encode(), body, hashlib.sha256).hexdigest()
    assert b"Gr\\u00fc\\u00dfe \\ud83c\\udf37" in body
    assert headers["x-hub-signature-256"] == f"sha256={digest}"
    assert headers["content-type"] == "application/json"


async def test_a_message_has_metas_envelope(meta, subscribed):
    person = meta.add_person("Mia")
    message = meta.phones.say(person.igsid, "Hi")
    await meta.settled()

    ((body, _),) = subscribed.posts
    payload = json.loads(body)
    assert payload["object"] == "instagram"
    assert payload["entry"][0]["id"] == meta.account.account_id
    assert payload["entry"][0]["messaging"] == [
        {
            "sender": {"id": person.igsid},
            "recipient": {"id": meta.account.account_id},
            "timestamp": message.created,
            "message": {"mid": message.mid, "text": "Hi"},
        }
    ]


async def test_a_sent_message_is_echoed_under_its_id(meta, subscribed, graph, mia):
    _, answer = await graph.send(mia.igsid, "answer")
    await meta.settled()

    echo = subscribed.events[-1]
    assert (echo["sender"]["id"], echo["recipient"]["id"]) == (meta.account.account_id, mia.igsid)
    assert echo["message"] == {"mid": answer["message_id"], "text": "answer", "is_echo": True}


async def test_an_echo_can_arrive_before_its_call_returns(meta, subscribed, graph, mia):
    meta.switch(echo_first=True)
    _, answer = await graph.send(mia.igsid, "answer")

    assert subscribed.events[-1]["message"]["mid"] == answer["message_id"]


async def test_echoes_can_be_switched_off(meta, subscribed, graph, mia):
    meta.switch(echoes=False)
    await graph.send(mia.igsid, "answer")
    await meta.settled()

    assert len(subscribed.events) == 1


async def test_a_person_in_the_app_is_heard_as_an_echo(meta, subscribed, mia):
    meta.phones.answer_by_hand(mia.igsid, "I am real")
    await meta.settled()

    assert subscribed.events[-1]["message"]["is_echo"] is True
    assert meta.applied(mia.igsid) == ()


async def test_what_people_do_has_metas_shapes(meta, subscribed, graph, mia):
    phones = meta.phones
    _, answer = await graph.send(mia.igsid, "answer")
    said = phones.say(mia.igsid, "helo", reply_to=answer["message_id"])
    phones.attach(mia.igsid, "image", "http://pictures/1")
    phones.tap_quick_reply(mia.igsid, "Blue", "COLOR_BLUE")
    phones.tap_button(mia.igsid, "Hours", "FAQ_HOURS")
    phones.react(answer["message_id"], "❤️")
    phones.react(answer["message_id"], None)
    phones.edit(said.mid, "hello")
    phones.unsend(said.mid)
    phones.reply_to_story(mia.igsid, "love it", "http://story")
    phones.come_from_ad(mia.igsid, "Hi", "sale", "42")
    phones.open_link(mia.igsid, "bio")
    await meta.settled()

    shapes = [
        {name: value for name, value in event.items() if name not in _ADDRESS}
        for event in subscribed.events[2:]
    ]
    for shape in shapes:
        for inner in shape.values():
            inner.pop("mid", None)
    assert shapes == [
        {"message": {"text": "helo", "reply_to": {"mid": answer["message_id"]}}},
        {"message": {"attachments": [{"type": "image", "payload": {"url": "http://pictures/1"}}]}},
        {"message": {"text": "Blue", "quick_reply": {"payload": "COLOR_BLUE"}}},
        {"postback": {"title": "Hours", "payload": "FAQ_HOURS"}},
        {"reaction": {"action": "react", "reaction": "love", "emoji": "❤️"}},
        {"reaction": {"action": "unreact"}},
        {"message_edit": {"text": "hello", "num_edit": 1}},
        {"message": {"is_deleted": True}},
        {
            "message": {
                "text": "love it",
                "reply_to": {"story": {"id": "17990000000000000", "url": "http://story"}},
            }
        },
        {
            "message": {
                "text": "Hi",
                "referral": {"ref": "sale", "ad_id": "42", "source": "ADS", "type": "OPEN_THREAD"},
            }
        },
        {"referral": {"ref": "bio", "source": "IGME", "type": "OPEN_THREAD"}},
    ]


_ADDRESS = {"sender", "recipient", "timestamp"}


async def test_looking_is_reported_once(meta, subscribed, graph, mia):
    _, answer = await graph.send(mia.igsid, "answer")
    meta.phones.look(mia.igsid)
    meta.phones.look(mia.igsid)
    await meta.settled()

    reads = [event["read"] for event in subscribed.events if "read" in event]
    assert reads == [{"mid": answer["message_id"]}]


async def test_the_empty_edit_can_be_switched_on(meta, subscribed):
    meta.switch(edit_companion=True)
    message = meta.phones.say(meta.add_person("Mia").igsid, "Hi")
    await meta.settled()

    assert subscribed.events[1] == {
        "timestamp": message.created,
        "message_edit": {"mid": message.mid, "num_edit": 0},
    }


async def test_a_webhook_comes_again_byte_for_byte_until_it_is_accepted(meta, subscribed):
    subscribed.statuses.extend([500, 503])
    message = meta.phones.say(meta.add_person("Mia").igsid, "Hi")
    await meta.settled()

    assert len(subscribed.posts) == 3
    assert len({body for body, _ in subscribed.posts}) == 1
    assert meta.accepted() == [message.mid]


async def test_a_webhook_that_is_never_accepted_is_given_up(meta, subscribed):
    subscribed.statuses.extend([500] * 9)
    meta.phones.say(meta.add_person("Mia").igsid, "Hi")
    await meta.settled()

    assert len(subscribed.posts) == 4
    assert meta.accepted() == []


async def test_a_service_that_is_away_is_tried_again(meta, subscribed):
    meta.deliveries.url = "http://127.0.0.1:9/hook"
    tried = meta.journal.wait(lambda entry: entry.kind == "webhook")
    waiting = asyncio.ensure_future(tried)
    await asyncio.sleep(0)
    message = meta.phones.say(meta.add_person("Mia").igsid, "Hi")
    entry = await waiting
    meta.deliveries.url = subscribed.url
    await meta.settled()

    assert entry.data["status"] is None
    assert meta.accepted() == [message.mid]


async def test_messages_of_a_person_arrive_in_order(meta, subscribed):
    person = meta.add_person("Mia")
    for number in range(50):
        meta.phones.say(person.igsid, str(number))
    await meta.settled()

    assert [event["message"]["text"] for event in subscribed.events] == [
        str(number) for number in range(50)
    ]


async def test_events_can_come_in_one_batch(meta, subscribed):
    with meta.dispatch.batch():
        for name in ("Mia", "Jo"):
            meta.phones.say(meta.add_person(name).igsid, name)
    await meta.settled()

    assert len(subscribed.posts) == 1
    assert [event["message"]["text"] for event in subscribed.events] == ["Mia", "Jo"]


@pytest.mark.parametrize(
    ("token", "path", "why"),
    [
        pytest.param("wrong", "", "it answered 403", id="wrong-token"),
        pytest.param("verify-me", "/nowhere", "it answered 404", id="no-such-page"),
    ],
)
async def test_a_webhook_that_fails_the_check_is_not_used(meta, service, token, path, why):
    with pytest.raises(VerificationFailed, match=why):
        await meta.subscribe(service.url + path, token)

    assert meta.deliveries.url is None


async def test_a_webhook_that_does_not_answer_fails_the_check(meta):
    with pytest.raises(VerificationFailed, match="no answer"):
        await meta.subscribe("http://127.0.0.1:9/hook", "verify-me")
