"""The fake Send API checks and answers as Meta's does."""

from __future__ import annotations

import pytest

TEXT = {"text": "hello"}
PICTURE = {"type": "image", "payload": {"url": "https://shop.example/a.png"}}


def template(**payload):
    return {"attachment": {"type": "template", "payload": payload}}


def card(**element):
    return template(template_type="generic", elements=[element])


def button(**changed):
    members = {"type": "postback", "title": "Go", "payload": "GO"} | changed
    known = {name: value for name, value in members.items() if value is not None}
    return template(template_type="button", text="Next?", buttons=[known])


def quick_reply(**changed):
    members = {"content_type": "text", "title": "A", "payload": "A"} | changed
    known = {name: value for name, value in members.items() if value is not None}
    return {"text": "Pick", "quick_replies": [known]}


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
        pytest.param({"attachment": {"type": "MEDIA_SHARE"}}, 100, None, id="share-of-nothing"),
        pytest.param({**TEXT, "attachment": PICTURE}, 100, 2534015, id="text-beside-attachment"),
        pytest.param(
            {"attachment": PICTURE, "attachments": [PICTURE]}, 100, 2534015, id="both-spellings"
        ),
        pytest.param({"attachments": [PICTURE] * 11}, 100, None, id="11-images"),
        pytest.param({**TEXT, "quick_replies": [{}] * 14}, 100, None, id="14-quick-replies"),
        pytest.param(quick_reply(title=None), 100, None, id="quick-reply-without-title"),
        pytest.param(quick_reply(payload=None), 100, None, id="quick-reply-without-payload"),
        pytest.param(quick_reply(content_type="user_email"), 100, None, id="quick-reply-for-mail"),
        pytest.param(template(template_type="list"), 100, None, id="unknown-template"),
        pytest.param(template(template_type="button", text="?"), 100, None, id="no-buttons"),
        pytest.param(button(title=None), 100, None, id="button-without-title"),
        pytest.param(button(title="x" * 21), 100, None, id="button-title-of-21"),
        pytest.param(button(payload=None), 100, None, id="postback-without-payload"),
        pytest.param(button(type="web_url"), 100, None, id="link-without-url"),
        pytest.param(button(type="web_url", url="shop"), 100, None, id="link-to-no-url"),
        pytest.param(button(type="phone_number"), 100, None, id="unknown-button"),
        pytest.param(card(title="Shoes"), 100, None, id="card-with-title-alone"),
        pytest.param(card(subtitle="38"), 100, None, id="card-without-title"),
        pytest.param(card(title="x" * 81, subtitle="38"), 100, None, id="card-title-of-81"),
        pytest.param(card(title="A", subtitle="x" * 81), 100, None, id="card-subtitle-of-81"),
        pytest.param(card(title="A", image_url="a.png"), 100, None, id="card-image-of-no-url"),
        pytest.param(
            card(title="A", default_action={"type": "postback"}), 100, None, id="tap-on-card"
        ),
        pytest.param(
            template(template_type="generic", elements=[{"title": "A", "subtitle": "B"}] * 11),
            100,
            None,
            id="11-cards",
        ),
    ],
)
async def test_what_meta_would_not_send_is_refused(meta, graph, mia, message, code, subcode):
    status, answer = await graph.post({"recipient": {"id": mia.igsid}, "message": message})

    assert status == 400
    assert (answer["error"]["code"], answer["error"].get("error_subcode")) == (code, subcode)
    assert answer["error"].keys() >= {"message", "type", "is_transient", "fbtrace_id"}
    assert meta.applied(mia.igsid) == ()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("u", id="word"),
        pytest.param("a.example/b.png", id="no-scheme"),
        pytest.param("https://", id="no-host"),
        pytest.param("https://a.example/b c.png", id="space"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("data:image/png;base64,AA==", id="data"),
        pytest.param("http://[", id="half-an-address"),
        pytest.param("", id="empty"),
        pytest.param(7, id="number"),
    ],
)
async def test_a_media_url_that_is_none_is_2018008(graph, mia, url):
    attachment = {"type": "audio", "payload": {"url": url}}
    body = {"recipient": {"id": mia.igsid}, "message": {"attachment": attachment}}
    status, answer = await graph.post(body)

    assert status == 400
    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (100, 2018008)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        pytest.param({"messaging_type": "response"}, "messaging_type", id="lower-case"),
        pytest.param({"messaging_type": "REPLY"}, "messaging_type", id="unknown-type"),
        pytest.param({"messaging_type": "MESSAGE_TAG"}, "tag", id="tag-missing"),
        pytest.param({"tag": "ACCOUNT_UPDATE"}, "ACCOUNT_UPDATE", id="retired-account"),
        pytest.param({"tag": "CONFIRMED_EVENT_UPDATE"}, "CONFIRMED_EVENT", id="retired-event"),
        pytest.param({"tag": "POST_PURCHASE_UPDATE"}, "POST_PURCHASE", id="retired-purchase"),
        pytest.param({"tag": "human_agent"}, "HUMAN_AGENT", id="tag-in-lower-case"),
        pytest.param({"reply_to": {"mid": "m1"}}, "reply_to", id="quotes-nothing"),
        pytest.param({"reply_to": "m1"}, "reply_to", id="quotes-a-string"),
        pytest.param({"thread_control": {}}, "thread_control", id="not-simulated"),
        pytest.param({"message": None}, "message", id="no-message"),
        pytest.param({"message": "hello"}, "message", id="message-of-flat-text"),
        pytest.param({"recipient": "id"}, "recipient", id="recipient-of-flat-text"),
        pytest.param({"recipient": {}}, "recipient", id="empty-recipient"),
        pytest.param({"recipient": {"phone_number": "1"}}, "phone_number", id="by-phone"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_its_name(meta, graph, mia, members, named):
    status, answer = await graph.post({"recipient": {"id": mia.igsid}, "message": TEXT} | members)

    assert (status, answer["error"]["code"]) == (400, 100)
    assert named in answer["error"]["message"]
    assert meta.applied(mia.igsid) == ()


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"messaging_type": "RESPONSE"}, id="response"),
        pytest.param({"messaging_type": "UPDATE"}, id="update"),
        pytest.param({"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}, id="human-agent"),
        pytest.param({"tag": "HUMAN_AGENT"}, id="human-agent-alone"),
    ],
)
async def test_a_right_type_and_tag_are_accepted(graph, mia, members):
    status, _ = await graph.post({"recipient": {"id": mia.igsid}, "message": TEXT} | members)

    assert status == 200


async def test_an_answer_quotes_a_message_of_its_person_alone(meta, graph, mia):
    (asked,) = meta.world.messages(mia.igsid)
    foreign = meta.phones.say(meta.add_person("Jo").igsid, "Hello")
    body = {"recipient": {"id": mia.igsid}, "message": TEXT}
    status, _ = await graph.post(body | {"reply_to": {"mid": asked.mid}})
    _, refused = await graph.post(body | {"reply_to": {"mid": foreign.mid}})

    (applied,) = meta.applied(mia.igsid)
    assert (status, applied.content.reply_to) == (200, {"mid": asked.mid})
    assert refused["error"]["code"] == 100


async def test_a_long_title_of_a_quick_reply_is_cut(meta, graph, mia):
    message = quick_reply(title="x" * 21, payload=7)
    await graph.post({"recipient": {"id": mia.igsid}, "message": message})

    (applied,) = meta.applied(mia.igsid)
    assert applied.content.quick_replies[0]["title"] == "x" * 20


async def test_a_text_of_exactly_1000_bytes_is_sent(graph, mia):
    status, _ = await graph.send(mia.igsid, "ü" * 500)

    assert status == 200


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"attachment": PICTURE}, id="image"),
        pytest.param({"attachments": PICTURE}, id="image-in-attachments"),
        pytest.param({"attachments": [PICTURE] * 10}, id="ten-images"),
        pytest.param({"attachment": {"type": "like_heart"}}, id="heart"),
        pytest.param({"attachment": {"type": "MEDIA_SHARE", "payload": {"id": "1"}}}, id="post"),
        pytest.param(quick_reply(), id="quick-replies"),
        pytest.param(button(), id="button-template"),
        pytest.param(card(title="Shoes", subtitle="38"), id="generic-template"),
        pytest.param(
            card(
                title="x" * 80,
                image_url="https://shop.example/a.png",
                default_action={"type": "web_url", "url": "https://shop.example/a"},
                buttons=[{"type": "web_url", "title": "x" * 20, "url": "https://shop.example/"}],
            ),
            id="card-with-everything",
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


@pytest.mark.parametrize(
    ("switches", "tag", "days", "subcode"),
    [
        pytest.param({}, {}, 7, None, id="a-week-after-an-ad"),
        pytest.param({}, {}, 8, 2534022, id="longer-after-it"),
        pytest.param({"ad_window": False}, {}, 2, 2534022, id="where-ads-open-nothing"),
        pytest.param({"ad_window": False}, {"tag": "HUMAN_AGENT"}, 7, None, id="a-person"),
        pytest.param({"ad_window": False}, {"tag": "HUMAN_AGENT"}, 8, 2534022, id="a-late-person"),
    ],
)
async def test_some_windows_last_a_week(meta, graph, switches, tag, days, subcode):
    jo = meta.add_person("Jo").igsid
    meta.phones.come_from_ad(jo, "Hi", "sale", "42")
    meta.switch(**switches)
    meta.world.clock.advance(days * 24 * 3600 - 1)

    _, answer = await graph.post({"recipient": {"id": jo}, "message": TEXT} | tag)

    assert answer.get("error", {}).get("error_subcode") == subcode


async def test_an_ad_that_led_to_an_earlier_message_opens_nothing_longer(meta, graph):
    jo = meta.add_person("Jo").igsid
    meta.phones.come_from_ad(jo, "Hi", "sale", "42")
    meta.world.clock.advance(6.5 * 24 * 3600)
    meta.phones.say(jo, "And now?")
    meta.world.clock.advance(24 * 3600 + 1)

    _, answer = await graph.send(jo, "late")

    assert answer["error"]["error_subcode"] == 2534022


async def test_the_tag_needs_its_feature(meta, graph, mia):
    meta.switch(human_agent=False)

    _, answer = await graph.post(
        {"recipient": {"id": mia.igsid}, "message": TEXT, "tag": "HUMAN_AGENT"}
    )

    assert (answer["error"]["code"], "error_subcode" in answer["error"]) == (10, False)


async def test_sender_actions_change_what_the_phone_shows(meta, graph, mia):
    for action in ("mark_seen", "TYPING_ON"):
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


async def test_more_sends_than_the_limit_are_613(meta, graph, mia):
    meta.switch(sends_per_second=1)
    codes = [(await graph.send(mia.igsid, "hi"))[1].get("error", {}).get("code") for _ in range(9)]

    assert 613 in codes
    assert None in codes
