"""The `flowise` adapter asks and reads as docs/agent-servers.md says, by answers of Flowise 3.1."""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    MessageEnd,
    Option,
    QuickReplies,
    Text,
    UserMessage,
)
from ak_instagram.errors import Permanent, Transient

IDS = {"chatId": "c", "chatMessageId": "m", "sessionId": "session-1", "isStreamValid": False}


async def test_it_asks_for_a_whole_answer_in_the_conversations_session(agent_server, ask, turn):
    agent_server.says({"text": "ok", **IDS})

    await ask(turn, "flowise")

    assert agent_server.bodies == [
        {
            "question": "Where is my order?",
            "streaming": False,
            "overrideConfig": {"sessionId": "session-1"},
        }
    ]


async def test_a_picture_is_an_upload_and_a_line(agent_server, ask, turn_of):
    agent_server.says({"text": "ok", **IDS})
    picture, voice = Attachment("image", "https://cdn/1"), Attachment("audio", "https://cdn/2")

    await ask(turn_of(UserMessage("m", 1, "look", (picture, voice))), "flowise")

    [body] = agent_server.bodies
    assert body["question"] == "look\n[image] https://cdn/1\n[audio] https://cdn/2"
    assert body["uploads"] == [
        {"type": "url", "name": "image-1.jpg", "mime": "image/jpeg", "data": "https://cdn/1"}
    ]


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        pytest.param({"text": "a"}, [Text("a")], id="text"),
        pytest.param({"text": ""}, [], id="empty"),
        pytest.param(
            {"text": "", "json": {"messages": ["a", "b"]}},
            [Text("a"), MessageEnd(), Text("b")],
            id="json-answer",
        ),
        pytest.param(
            {"json": {"text": "Which?", "quick_replies": [{"title": "Red"}]}},
            [Text("Which?"), QuickReplies((Option("Red", "Red"),))],
            id="json-message",
        ),
        pytest.param(
            {
                "text": "Refund 120 € to Mia?",
                "action": {"id": "1", "mapping": {"approve": "Proceed", "reject": "Reject"}},
            },
            [Handoff("the Flowise flow waits for somebody's decision")],
            id="question-for-staff",
        ),
    ],
)
async def test_an_answer_is_read(agent_server, ask, turn, answer, parts):
    agent_server.says({**answer, **IDS})

    assert await ask(turn, "flowise") == parts


@pytest.mark.parametrize(
    ("status", "answer", "error", "reason"),
    [
        pytest.param(
            500,
            {"statusCode": 500, "success": False, "message": "429 slow down", "stack": {}},
            Transient,
            "agent answered 500: the server says: 429 slow down",
            id="failed",
        ),
        pytest.param(
            404,
            {"statusCode": 404, "success": False, "message": "Chatflow not found"},
            Permanent,
            r"agent answered 404: agent.url ends in .*; the server says: Chatflow not found",
            id="unknown-flow",
        ),
        pytest.param(200, {"json": {"a": 1}}, Permanent, "`json` is not in", id="other-json"),
        pytest.param(200, {"text": 7}, Permanent, "no text in `text`", id="number"),
    ],
)
async def test_what_is_no_answer_is_told(agent_server, ask, turn, status, answer, error, reason):
    agent_server.says(answer, status)

    with pytest.raises(error, match=reason):
        await ask(turn, "flowise")
