"""A comment gets one private reply, and the conversation goes on when the person answers."""

from __future__ import annotations

import json

import pytest

TEXT = {"text": "hello"}


@pytest.fixture
def jo(meta):
    """A person who has never written."""
    return meta.add_person("Jo", "jo")


def reply(comment_id, message=TEXT):
    return {"recipient": {"comment_id": comment_id}, "message": message}


async def test_a_comment_is_a_change_in_the_webhook(meta, subscribed, jo):
    comment = meta.phones.comment(jo.igsid, "price?")
    await meta.settled()

    ((body, _),) = subscribed.posts
    [entry] = json.loads(body)["entry"]
    [change] = entry["changes"]
    assert entry.keys() == {"id", "time", "changes"}
    assert entry["time"] < 10**11
    assert change["field"] == "comments"
    assert change["value"]["from"] == {"id": jo.igsid, "username": "jo"}
    assert (change["value"]["id"], change["value"]["text"]) == (comment.comment_id, "price?")
    assert meta.accepted("comment") == [comment.comment_id]


async def test_a_private_reply_begins_the_conversation(meta, graph, jo):
    comment = meta.phones.comment(jo.igsid, "price?")
    status, answer = await graph.post(reply(comment.comment_id))

    (applied,) = meta.applied(jo.igsid)
    assert status == 200
    assert answer == {"recipient_id": jo.igsid, "message_id": applied.mid}


async def test_a_second_word_waits_for_the_persons_first(meta, graph, jo):
    comment = meta.phones.comment(jo.igsid, "price?")
    await graph.post(reply(comment.comment_id))
    _, early = await graph.send(jo.igsid, "still there?")
    meta.phones.say(jo.igsid, "yes")
    in_time, _ = await graph.send(jo.igsid, "18 €")

    assert early["error"]["error_subcode"] == 2534022
    assert in_time == 200


async def test_a_comment_has_one_private_reply(meta, graph, jo):
    comment = meta.phones.comment(jo.igsid, "price?")
    await graph.post(reply(comment.comment_id, {"text": ""}))
    first, _ = await graph.post(reply(comment.comment_id))
    _, second = await graph.post(reply(comment.comment_id))

    assert (first, second["error"]["code"]) == (200, 10900)


async def test_an_old_comment_has_no_private_reply(meta, graph, jo):
    comment = meta.phones.comment(jo.igsid, "price?")
    meta.world.clock.advance(7 * 24 * 3600 + 1)
    _, answer = await graph.post(reply(comment.comment_id))

    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (100, 2534025)


async def test_a_comment_that_is_none_or_anothers_is_2534014(meta, graph, jo):
    comment = meta.phones.comment(jo.igsid, "price?")
    _, unknown = await graph.post(reply("1"))
    _, foreign = await graph.post(reply(comment.comment_id), token="other")

    assert [it["error"]["error_subcode"] for it in (unknown, foreign)] == [2534014] * 2
    assert meta.applied(jo.igsid) == ()


async def test_nobody_types_under_a_comment(meta, graph, jo):
    comment = meta.phones.comment(jo.igsid, "price?")
    recipient = {"comment_id": comment.comment_id}
    status, answer = await graph.post({"recipient": recipient, "sender_action": "typing_on"})

    assert (status, answer["error"]["code"]) == (400, 100)


async def test_a_comment_can_be_written_over_http(meta, http, jo):
    url = f"{meta.url}/_sim/people/{jo.igsid}/comments"
    async with http.post(url, json={"text": "price?"}) as response:
        comment = await response.json()

    assert response.status == 201
    assert meta.world.comment(comment["comment_id"]).text == "price?"
