"""The `http` adapter posts and reads as docs/agents.md says."""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    HistoryLine,
    MessageEnd,
    Silence,
    Text,
    UserMessage,
)
from ak_instagram.errors import Permanent

IMAGE = Attachment("image", "https://cdn/1")


async def test_the_default_request_has_the_whole_turn(agent_server, ask, turn_of):
    agent_server.says({"reply": "ok"})
    message = UserMessage("m1", 5, "look", (IMAGE,), payload="P", context={"story_id": "1"})

    await ask(turn_of(message, agent="general"), "http")

    image = {"kind": "image", "url": "https://cdn/1", "title": None}
    assert agent_server.bodies == [
        {
            "session": "session-1",
            "turn": "turn-1",
            "account": "17841400000000001",
            "agent": "general",
            "text": "look",
            "messages": [
                {
                    "mid": "m1",
                    "at": 5,
                    "text": "look",
                    "attachments": [image],
                    "payload": "P",
                    "context": {"story_id": "1"},
                }
            ],
            "attachments": [image],
        }
    ]


async def test_a_request_of_ones_own_is_filled(agent_server, ask, turn_of):
    agent_server.says({"data": [{"text": "ok"}]})
    past = (HistoryLine("user", "hi"), HistoryLine("assistant", "Hello!"))

    parts = await ask(
        turn_of(UserMessage("m1", 5, "And {session}?", (IMAGE,)), history=past),
        "http",
        request={
            "chatInput": "Customer: {text}",
            "meta": {
                "who": "{contact}",
                "ids": ["{turn}", "{session}-x"],
                "n": 1,
                "agent": "{agent}",
            },
            "past": "{history}",
        },
        reply="data.0.text",
    )

    assert parts == [Text("ok")]
    assert agent_server.bodies == [
        {
            "chatInput": "Customer: And {session}?\n[image] https://cdn/1",
            "meta": {
                "who": "751390000000001",
                "ids": ["turn-1", "session-1-x"],
                "n": 1,
                "agent": None,
            },
            "past": [{"role": "user", "text": "hi"}, {"role": "assistant", "text": "Hello!"}],
        }
    ]


@pytest.mark.parametrize(
    ("answer", "path", "parts"),
    [
        pytest.param({"reply": "a"}, "reply", [Text("a")], id="text"),
        pytest.param(
            {"choices": [{"message": {"content": "a"}}]},
            "choices.0.message.content",
            [Text("a")],
            id="deep",
        ),
        pytest.param({"m": [{"t": "a"}, {"t": "b"}]}, "m.-1.t", [Text("b")], id="last-of-a-list"),
        pytest.param({"0": "a"}, "0", [Text("a")], id="number-as-key"),
        pytest.param("a", "", [Text("a")], id="bare-string"),
        pytest.param(
            {"reply": ["a", None, "b"]},
            "reply",
            [Text("a"), MessageEnd(), Text("b")],
            id="several-messages",
        ),
        pytest.param({"reply": None}, "reply", [], id="null"),
        pytest.param({"reply": []}, "reply", [], id="empty-list"),
        pytest.param({"silence": True, "reply": "a"}, "reply", [Silence()], id="silence"),
        pytest.param({"silence": False, "reply": "a"}, "reply", [Text("a")], id="no-silence"),
        pytest.param({"handoff": "angry"}, "reply", [Handoff("angry")], id="handoff"),
        pytest.param(
            {"handoff": True, "reply": "A colleague will write."},
            "reply",
            [Text("A colleague will write."), Handoff()],
            id="handoff-with-a-word",
        ),
        pytest.param({"handoff": "angry"}, "", [Handoff("angry")], id="handoff-instead-of-text"),
        pytest.param({"handoff": None, "reply": "a"}, "reply", [Text("a")], id="no-handoff"),
    ],
)
async def test_the_reply_is_found_by_its_path(agent_server, ask, turn, answer, path, parts):
    agent_server.says(answer)

    assert await ask(turn, "http", reply=path) == parts


async def test_no_content_is_silence(agent_server, ask, turn):
    agent_server.sends(b"", "", status=204)

    assert await ask(turn, "http") == [Silence()]


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        pytest.param({"output": "a"}, "reply", id="other-key"),
        pytest.param({"reply": "a"}, "reply.text", id="into-a-text"),
        pytest.param({"m": []}, "m.0", id="empty-list"),
        pytest.param({"m": ["a"]}, "m.first", id="word-into-a-list"),
        pytest.param(None, "reply", id="null"),
        pytest.param({"handoff": ""}, "reply", id="empty-handoff"),
    ],
)
async def test_a_path_that_leads_nowhere_is_permanent_and_named(
    agent_server, ask, turn, answer, path
):
    agent_server.says(answer)

    with pytest.raises(Permanent, match=f"nothing at `{path}`"):
        await ask(turn, "http", reply=path)


# --- what is no answer --------------------------------------------------------


@pytest.mark.parametrize("mark", [{"type": "human"}, {"role": "user"}])
async def test_the_persons_own_message_is_never_the_answer(agent_server, ask, turn, mark):
    said = {"content": turn.messages[-1].text, **mark}
    agent_server.says({"messages": [{"type": "ai", "content": "before"}, said]})

    assert await ask(turn, "http", reply="messages.-1.content") == []


async def test_an_error_in_a_success_is_a_failure(agent_server, ask, turn):
    agent_server.says({"error": {"message": "Error code: 401 - bad key"}, "reply": "partial"})

    with pytest.raises(Permanent, match="the server says: Error code: 401"):
        await ask(turn, "http")
