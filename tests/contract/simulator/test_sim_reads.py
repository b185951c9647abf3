"""The fake Graph API's reads: field expansion, paging, and who may read what."""

from __future__ import annotations

import pytest


@pytest.fixture
async def conversation(graph, mia):
    """The conversation with Mia, who has written, been answered, and written again."""
    await graph.send(mia.igsid, "one")
    await graph.send(mia.igsid, "two")
    _, found = await graph.get("me/conversations", user_id=mia.igsid)
    return found["data"][0]["id"]


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


async def test_nested_fields_tell_how_many_and_of_what(graph, mia, conversation):
    fields = "message_count,messages.limit(2){id,message,from{username}},participants{username}"
    _, answer = await graph.get(conversation, fields=fields)

    assert answer["message_count"] == 3
    assert answer["participants"] == {"data": [{"username": "marigold.lane"}, {"username": "mia"}]}
    two, one = answer["messages"]["data"]
    assert (two["message"], one["message"]) == ("two", "one")
    assert two["from"] == {"username": "marigold.lane"}
    assert two.keys() == {"id", "message", "from"}


async def test_a_conversation_tells_what_is_unread(meta, graph, mia, conversation):
    meta.phones.say(mia.igsid, "and?")
    await graph.post({"recipient": {"id": mia.igsid}, "sender_action": "mark_seen"})
    meta.phones.say(mia.igsid, "hello?")
    _, answer = await graph.get(conversation, fields="unread_count,snippet,can_reply,link")

    assert answer == {
        "id": conversation,
        "unread_count": 1,
        "snippet": "hello?",
        "can_reply": True,
    }


async def test_fields_of_a_message_are_those_that_it_has(meta, graph, mia):
    (asked,) = meta.world.messages(mia.igsid)
    url = "https://shop.example/a.png"
    picture = {"attachment": {"type": "image", "payload": {"url": url}}}
    body = {"recipient": {"id": mia.igsid}, "reply_to": {"mid": asked.mid}, "message": picture}
    _, sent = await graph.post(body)
    meta.phones.react(sent["message_id"], "❤️")
    fields = "attachments,reply_to,reactions,is_unsupported,tags"
    _, answer = await graph.get(sent["message_id"], fields=fields)

    assert answer == {
        "id": sent["message_id"],
        "attachments": {"data": [{"image_data": {"url": url}}]},
        "reply_to": {"mid": asked.mid},
        "reactions": {"data": [{"reaction": "❤️", "users": [{"id": mia.igsid, "username": "mia"}]}]},
        "tags": {"data": [{"name": "inbox"}]},
    }


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        pytest.param("likes", 100, "(likes)", id="no-such-field"),
        pytest.param("messages{likes}", 100, "(likes)", id="no-such-field-of-a-message"),
        pytest.param("messages{", 2500, "character 9", id="open-brace"),
        pytest.param("messages.before(x){id}", 100, "before", id="backwards"),
        pytest.param("messages.after(x){id}", 100, "cursors", id="no-such-cursor"),
    ],
)
async def test_fields_that_cant_be_read_are_refused(graph, conversation, fields, code, named):
    status, answer = await graph.get(conversation, fields=fields)

    assert (status, answer["error"]["code"]) == (400, code)
    assert named in answer["error"]["message"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        pytest.param({"platform": "messenger"}, "platform", id="another-platform"),
        pytest.param({"folder": "spam"}, "folder", id="not-simulated"),
        pytest.param({"after": "x"}, "cursors", id="no-such-cursor"),
        pytest.param({"fields": "id,"}, "character 3", id="comma-at-the-end"),
    ],
)
async def test_a_list_that_cant_be_meant_is_refused(graph, mia, query, named):
    status, answer = await graph.get("me/conversations", **query)

    assert status == 400
    assert named in answer["error"]["message"]


async def test_conversations_come_newest_first_page_by_page(meta, http, graph):
    names = [f"person {number}" for number in range(5)]
    for name in names:
        meta.world.clock.advance(1)
        meta.phones.say(meta.add_person(name).igsid, name)
    query = {"platform": "INSTAGRAM", "limit": "2", "fields": "id,messages.limit(1){message}"}
    _, page = await graph.get("me/conversations", **query)
    seen = page["data"]
    while link := page["paging"].get("next"):
        async with http.get(link) as response:
            page = await response.json()
        seen = seen + page["data"]

    texts = [each["messages"]["data"][0]["message"] for each in seen]
    assert texts == names[::-1]


async def test_messages_come_newest_first_page_by_page(meta, http, graph, mia, conversation):
    _, answer = await graph.get(conversation, fields="messages.limit(2){message}")
    page = answer["messages"]
    seen = page["data"]
    meta.phones.say(mia.igsid, "said meanwhile")
    while link := page["paging"].get("next"):
        async with http.get(link) as response:
            page = await response.json()
        seen = seen + page["data"]

    assert [each["message"] for each in seen] == ["two", "one", "Hi!"]


async def test_messages_are_an_edge_of_their_conversation(graph, conversation):
    _, answer = await graph.get(f"{conversation}/messages", fields="message", limit="1")
    status, wrong = await graph.get("me/messages")
    _, nobodys = await graph.get("nothing/messages")

    assert [each["message"] for each in answer["data"]] == ["two"]
    assert (status, wrong["error"]["code"]) == (400, 100)
    assert nobodys["error"]["error_subcode"] == 33


async def test_details_are_for_the_newest_twenty(meta, graph, mia):
    for number in range(25):
        meta.phones.say(mia.igsid, str(number))
    oldest, *_, newest = meta.world.messages(mia.igsid)
    _, gone = await graph.get(oldest.mid)
    _, there = await graph.get(newest.mid, fields="message")

    assert gone["error"]["code"] == 9000001
    assert there == {"id": newest.mid, "message": "24"}


async def test_an_account_reads_nothing_of_another(meta, graph, mia):
    (message,) = meta.world.messages(mia.igsid)
    thread = meta.world.conversation(mia.igsid).conversation_id
    for node in (mia.igsid, message.mid, thread):
        _, answer = await graph.call("GET", node, token="other")
        assert answer["error"]["error_subcode"] == 33, node
    _, none = await graph.call("GET", "me/conversations", token="other")

    assert none == {"data": []}
