"""What goes out to the Graph API, byte for byte, and what its answers become."""

from __future__ import annotations

import json

import aiohttp
import pytest
from yarl import URL

from ak_instagram.meta.graph.client import GraphClient, Profile, RecentMessage
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.outgoing import attachment, reaction

TOKEN = "IGAAtoken"


async def test_a_message_is_one_post_with_the_token_in_a_header(wire):
    wire.answer(200, {"recipient_id": "751", "message_id": "m1"})
    headers = {"User-Agent": "ak", "Accept-Encoding": "gzip"}  # versions of aiohttp differ in these

    async with aiohttp.ClientSession(headers=headers) as session:
        graph = GraphClient(session, wire.url, "v21.0")
        message_id = await graph.send_message(TOKEN, "751", {"text": 'Hé "you" 😀'}, 5)

    assert message_id == "m1"
    body = '{"recipient":{"id":"751"},"message":{"text":"Hé \\"you\\" 😀"}}'.encode()
    head = [
        "POST /v21.0/me/messages HTTP/1.1",
        f"Host: {wire.url.removeprefix('http://')}",
        "User-Agent: ak",
        "Accept-Encoding: gzip",
        f"Authorization: Bearer {TOKEN}",
        "Accept: */*",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        "\r\n",
    ]
    assert wire.requests == ["\r\n".join(head).encode() + body]


async def test_half_a_character_can_be_sent(wire, graph):
    wire.answer(200, {"message_id": "m1"})

    await graph.send_message(TOKEN, "751", {"text": "\ud83d"}, 5)

    assert b'{"text":"\\ud83d"}' in wire.requests[0]


async def test_what_a_person_wrote_has_metas_tag(wire, graph):
    wire.answer(200, {"message_id": "m1"})

    assert await graph.send_as_person(TOKEN, "751", {"text": "hi"}, 5) == "m1"

    assert json.loads(wire.requests[0].partition(b"\r\n\r\n")[2]) == {
        "recipient": {"id": "751"},
        "message": {"text": "hi"},
        "messaging_type": "MESSAGE_TAG",
        "tag": "HUMAN_AGENT",
    }


@pytest.mark.parametrize("action", ["mark_seen", "typing_on", "typing_off"])
async def test_a_sender_action_stands_alone_in_its_body(wire, graph, action):
    wire.answer(200, {"recipient_id": "751"})

    await graph.sender_action(TOKEN, "751", action, 5)

    head, _, body = wire.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v21.0/me/messages HTTP/1.1\r\n")
    assert json.loads(body) == {"recipient": {"id": "751"}, "sender_action": action}


async def test_a_sender_action_is_done_whatever_a_200_says(wire, graph):
    wire.answer(200, b"OK")

    assert await graph.sender_action(TOKEN, "751", "typing_on", 5) is None


async def test_the_account_is_asked_for_both_its_ids(wire, graph):
    wire.answer(200, {"data": [{"user_id": "178", "id": "24", "username": "shop"}]})

    profile = await graph.me(TOKEN, 5)

    assert profile == Profile(user_id="178", id="24", username="shop")
    head = wire.requests[0].decode()
    assert head.startswith("GET /v21.0/me?fields=user_id,username HTTP/1.1\r\n")
    assert f"Authorization: Bearer {TOKEN}\r\n" in head
    assert "Content-Type" not in head


async def test_the_latest_messages_are_asked_for_in_one_call(wire, graph):
    said = {
        "id": "m1",
        "created_time": "2026-08-31T14:30:00+0000",
        "from": {"id": "751"},
        "message": "hi",
    }
    wire.answer(200, {"data": [{"id": "c1", "messages": {"data": [said]}}]})

    recent = await graph.recent_messages(TOKEN, "751", 5)

    assert recent == (RecentMessage("m1", "hi", "751", 1788186600000),)
    address = wire.requests[0].split(b" ")[1].decode()
    assert URL(address).path == "/v21.0/me/conversations"
    assert dict(URL(address).query) == {
        "platform": "instagram",
        "user_id": "751",
        "fields": "messages{id,created_time,from,message,attachments}",
    }


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        pytest.param([{"image_data": {"url": "https://cdn.example/1"}}], "image", id="image"),
        pytest.param([{"video_data": {"url": "https://cdn.example/1"}}], "file", id="film"),
        pytest.param([{"file_url": "u", "mime_type": "audio/mp4"}], "file", id="sound"),
        pytest.param([{"file_url": "u", "mime_type": "image/png"}], "image", id="image-as-file"),
        pytest.param([{"generic_template": {}}], "template", id="template"),
        pytest.param([], "", id="empty"),
        pytest.param("?", "", id="no-list"),
    ],
)
async def test_attachments_are_read_by_their_kind(wire, graph, shown, kind):
    said = {"id": "m1", "created_time": "2026-08-31T14:30:00+0000", "attachments": {"data": shown}}
    wire.answer(200, {"data": [{"id": "c1", "messages": {"data": [said]}}]})

    [message] = await graph.recent_messages(TOKEN, "751", 5)

    assert (message.text, message.attachment) == ("", kind)


@pytest.mark.parametrize(
    ("message", "body"),
    [
        pytest.param(
            {"text": "?", "quick_replies": [{"title": "Red"}], "fallback": [{"text": "1. Red"}]},
            {"message": {"text": "?", "quick_replies": [{"title": "Red"}]}},
            id="quick-replies",
        ),
        pytest.param(
            attachment("image", {"url": "https://a.example/1"}, [{"text": "link"}]),
            {
                "message": {
                    "attachment": {"type": "image", "payload": {"url": "https://a.example/1"}}
                }
            },
            id="image",
        ),
        pytest.param(
            reaction("m1", "love", [{"text": "love"}]),
            {"sender_action": "react", "payload": {"message_id": "m1", "reaction": "love"}},
            id="reaction",
        ),
    ],
)
async def test_what_stands_in_for_a_message_stays_here(wire, graph, message, body):
    wire.answer(200, {"recipient_id": "751", "message_id": "m2"})

    message_id = await graph.send_message(TOKEN, "751", message, 5)

    sent = json.loads(wire.requests[0].partition(b"\r\n\r\n")[2])
    assert sent == {"recipient": {"id": "751"}} | body
    assert message_id == ("" if "sender_action" in body else "m2")


async def test_a_reaction_of_which_nobody_knows_is_worth_another_try(wire, graph):
    wire.answer(500, b"<html>")

    with pytest.raises(GraphError) as raised:
        await graph.send_message(TOKEN, "751", reaction("m1", "love", []), 5)

    assert raised.value.error_class is ErrorClass.TRANSIENT


async def test_one_line_serves_one_call_after_another(wire, graph):
    for number in range(3):
        wire.answer(200, {"message_id": f"m{number}"})

    ids = [await graph.send_message(TOKEN, "751", {"text": "hi"}, 5) for _ in range(3)]

    assert ids == ["m0", "m1", "m2"]
    assert wire.connections == 1


async def test_each_account_sends_with_its_own_token(wire, graph):
    wire.answer(200, {"message_id": "m1"})
    wire.answer(200, {"message_id": "m2"})

    await graph.send_message("first", "751", {"text": "hi"}, 5)
    await graph.send_message("second", "751", {"text": "hi"}, 5)

    assert b"Bearer first\r\n" in wire.requests[0]
    assert b"Bearer second\r\n" in wire.requests[1]


async def test_a_path_in_the_graph_url_is_kept(wire, session):
    wire.answer(200, {"user_id": "178"})

    await GraphClient(session, f"{wire.url}/proxy", "v26.0").me(TOKEN, 5)

    assert wire.requests[0].startswith(b"GET /proxy/v26.0/me?")
