"""The fake Graph API checks and answers as Meta's does."""

from __future__ import annotations

import pytest

TEXT = {"text": "hello"}


async def test_a_text_is_applied_and_answered_with_its_id(meta, graph, mia):
    status, answer = await graph.send(mia.igsid, "Grüße 🌷")

    (applied,) = meta.applied(mia.igsid)
    assert (status, answer) == (200, {"recipient_id": mia.igsid, "message_id": applied.mid})
    assert applied.content.text == "Grüße 🌷"


@pytest.mark.parametrize("node", ["me", "17841400000000001", "24600000000000001"])
async def test_the_account_may_be_called_by_any_of_its_names(graph, mia, node):
    status, _ = await graph.post({"recipient": {"id": mia.igsid}, "message": TEXT}, node=node)

    assert status == 200


@pytest.mark.parametrize(
    ("message", "code", "subcode"),
    [
        pytest.param(None, 100, None, id="no-message"),
        pytest.param({}, 100, 2534015, id="nothing-in-it"),
        pytest.param({"text": "  "}, 100, 2534015, id="blank"),
        pytest.param({"text": "x" * 1001}, 100, 2534015, id="1001-bytes"),
        pytest.param({"text": "ü" * 501}, 100, 2534015, id="1002-bytes-in-501-characters"),
        pytest.param({"text": "x" * 2001}, 100, None, id="over-2000-characters"),
        pytest.param({"attachment": {"type": "image", "payload": {}}}, 100, None, id="no-url"),
        pytest.param({"attachment": {"type": "image", "payload": 7}}, 100, None, id="malformed"),
        pytest.param({"attachment": {"type": "sofa"}}, 100, None, id="unknown-attachment"),
        pytest.param({**TEXT, "quick_replies": [{}] * 14}, 100, None, id="14-quick-replies"),
    ],
)
async def test_what_meta_would_not_send_is_refused(meta, graph, mia, message, code, subcode):
    status, answer = await graph.post({"recipient": {"id": mia.igsid}, "message": message})

    assert status == 400
    assert (answer["error"]["code"], answer["error"].get("error_subcode")) == (code, subcode)
    assert answer["error"].keys() >= {"message", "type", "is_transient", "fbtrace_id"}
    assert meta.applied(mia.igsid) == ()


async def test_a_text_of_exactly_1000_bytes_is_sent(graph, mia):
    status, _ = await graph.send(mia.igsid, "ü" * 500)

    assert status == 200


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"attachment": {"type": "image", "payload": {"url": "u"}}}, id="image"),
        pytest.param(
            {"attachments": [{"type": "image", "payload": {"url": "u"}}] * 10}, id="ten-images"
        ),
        pytest.param({"attachment": {"type": "like_heart"}}, id="heart"),
        pytest.param(
            {
                "text": "Pick",
                "quick_replies": [{"content_type": "text", "title": "A", "payload": "A"}],
            },
            id="quick-replies",
        ),
        pytest.param(
            {
                "attachment": {
                    "type": "template",
                    "payload": {
                        "template_type": "button",
                        "text": "Next?",
                        "buttons": [{"type": "postback", "title": "Go", "payload": "GO"}],
                    },
                }
            },
            id="button-template",
        ),
        pytest.param(
            {
                "attachment": {
                    "type": "template",
                    "payload": {
                        "template_type": "generic",
                        "elements": [{"title": "Shoes", "subtitle": "38"}],
                    },
                }
            },
            id="generic-template",
        ),
    ],
)
async def test_every_kind_of_message_is_accepted(meta, graph, mia, message):
    status, _ = await graph.post({"recipient": {"id": mia.igsid}, "message": message})

    assert status == 200
    assert len(meta.applied(mia.igsid)) == 1


async def test_a_wrong_token_is_190(graph, mia):
    status, answer = await graph.post({"recipient": {"id": mia.igsid}, "message": TEXT}, "wrong")

    assert (status, answer["error"]["code"]) == (400, 190)


async def test_an_unknown_recipient_is_2534014(graph):
    _, answer = await graph.send("12334", "hello")

    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (100, 2534014)


async def test_nobody_may_be_written_to_who_never_wrote(meta, graph):
    _, answer = await graph.send(meta.add_person("Jo").igsid, "buy!")

    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (10, 2534022)


async def test_the_window_closes_after_24_hours_and_opens_again(meta, graph, mia):
    meta.world.clock.advance(24 * 3600 + 1)
    _, late = await graph.send(mia.igsid, "late")
    meta.phones.say(mia.igsid, "still there?")
    in_time, _ = await graph.send(mia.igsid, "yes")

    assert late["error"]["error_subcode"] == 2534022
    assert in_time == 200


async def test_sender_actions_change_what_the_phone_shows(meta, graph, mia):
    for action in ("mark_seen", "typing_on"):
        status, answer = await graph.post({"recipient": {"id": mia.igsid}, "sender_action": action})
        assert (status, answer) == (200, {"recipient_id": mia.igsid})

    conversation = meta.world.conversation(mia.igsid)
    assert (conversation.seen_by_account, conversation.is_typing) == (1, True)


async def test_a_reaction_of_the_account_is_kept(meta, graph, mia):
    (message,) = meta.world.messages(mia.igsid)
    payload = {"message_id": message.mid, "reaction": "love"}
    await graph.post({"recipient": {"id": mia.igsid}, "sender_action": "react", "payload": payload})

    assert meta.world.message(message.mid).reactions == {"account": "❤️"}


async def test_an_unknown_sender_action_is_refused(graph, mia):
    status, _ = await graph.post({"recipient": {"id": mia.igsid}, "sender_action": "dance"})

    assert status == 400


async def test_me_gives_both_ids(meta, graph):
    _, answer = await graph.get("me", fields="user_id,username")

    assert answer == {
        "id": meta.account.app_scoped_id,
        "user_id": meta.account.account_id,
        "username": meta.account.username,
    }


async def test_a_profile_needs_that_the_person_has_written(meta, graph, mia):
    _, known = await graph.get(mia.igsid, fields="name,username")
    _, stranger = await graph.get(meta.add_person("Jo").igsid)

    assert known == {"id": mia.igsid, "name": "Mia", "username": "mia"}
    assert stranger["error"]["code"] == 230


async def test_the_conversation_of_one_person_can_be_read(graph, mia):
    await graph.send(mia.igsid, "answer")
    fields = "messages{id,message,from}"
    _, found = await graph.get("me/conversations", user_id=mia.igsid, fields=fields)
    _, same = await graph.get(found["data"][0]["id"], fields=fields)

    newest, first = found["data"][0]["messages"]["data"]
    assert (newest["message"], first["message"]) == ("answer", "Hi!")
    assert first["from"] == {"id": mia.igsid, "username": "mia"}
    assert same == found["data"][0]


async def test_details_are_for_the_newest_twenty(meta, graph, mia):
    for number in range(25):
        meta.phones.say(mia.igsid, str(number))
    oldest, *_, newest = meta.world.messages(mia.igsid)
    _, gone = await graph.get(oldest.mid)
    _, there = await graph.get(newest.mid, fields="message")

    assert gone["error"]["code"] == 9000001
    assert there == {"id": newest.mid, "message": "24"}


async def test_an_account_without_subscription_gets_no_webhooks(meta, graph, subscribed, mia):
    await graph.call("DELETE", "me/subscribed_apps")
    _, none = await graph.get("me/subscribed_apps")
    await meta.settled()
    meta.phones.say(mia.igsid, "unheard")
    await graph.call("POST", "me/subscribed_apps")
    _, some = await graph.get("me/subscribed_apps")
    meta.phones.say(mia.igsid, "heard")
    await meta.settled()

    assert none == {"data": []}
    assert "messages" in some["data"][0]["subscribed_fields"]
    assert [event["message"]["text"] for event in subscribed.events] == ["Hi!", "heard"]


async def test_a_token_is_refreshed_and_the_old_one_works_on(meta, http, graph, mia):
    query = {"grant_type": "ig_refresh_token", "access_token": meta.account.access_token}
    async with http.get(f"{meta.url}/refresh_access_token", params=query) as response:
        answer = await response.json()

    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 5_184_000)
    for token in (answer["access_token"], meta.account.access_token):
        status, _ = await graph.post({"recipient": {"id": mia.igsid}, "message": TEXT}, token)
        assert status == 200


@pytest.mark.parametrize("path", ["me/unknown", "nobody", "a/b/c"])
async def test_what_does_not_exist_is_an_error_in_metas_shape(graph, path):
    status, answer = await graph.get(path)

    assert status == 400
    assert answer["error"]["type"] == "OAuthException"


async def test_more_sends_than_the_limit_are_613(meta, graph, mia):
    meta.switch(sends_per_second=1)
    codes = [(await graph.send(mia.igsid, "hi"))[1].get("error", {}).get("code") for _ in range(9)]

    assert 613 in codes
    assert None in codes
