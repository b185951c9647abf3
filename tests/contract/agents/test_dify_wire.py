"""
The `dify` adapter asks and reads as docs/agent-servers.md says.

Dify is no package. Its answers here are shaped after its source, of November 2026:
`api/controllers/service_api/app/completion.py`, `conversation.py` and `error.py` (requests and
refusals), `api/core/app/entities/task_entities.py` and
`api/core/app/apps/advanced_chat/generate_response_converter.py` (events) in langgenius/dify.
"""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from ak_instagram.agents.agent import Attachment, Handoff, Media, MessageEnd, Text, UserMessage
from ak_instagram.errors import Permanent, Transient

NEWEST = {"id": "0b1c", "name": "Where …", "inputs": {}, "status": "normal", "created_at": 1}
WAITS = Handoff("the Dify workflow waits for somebody's decision")


class FakeDify:
    """Lists one user's conversations, and answers each question with the same frames."""

    def __init__(self, server) -> None:
        self.server = server
        self.looks: list[str] = []
        self.conversations: list[dict] = []
        server.respond = self.respond
        self.frames: list[dict] = []

    async def respond(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            self.looks.append(request.path_qs)
            return web.json_response({"limit": 1, "has_more": False, "data": self.conversations})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"event: ping\n\n")
        for frame in self.frames:
            told = {"task_id": "t", "conversation_id": "0b1c", "message_id": "m", **frame}
            await response.write(f"data: {json.dumps(told)}\n\n".encode())
        return response


@pytest.fixture
def dify(agent_server):
    """A Dify app."""
    return FakeDify(agent_server)


def message(text: str, event: str = "message") -> dict:
    return {"event": event, "answer": text}


END = {"event": "message_end", "metadata": {"usage": {}}}


async def test_the_first_question_begins_a_conversation_and_the_next_goes_on_with_it(
    dify, agent_server, ask, turn
):
    dify.frames = [message("It "), message("left."), END]

    first = await ask(turn, "dify", api_key="app-1")
    dify.conversations = [NEWEST]
    await ask(turn, "dify", api_key="app-1")

    assert first == [Text("It left.")]
    assert dify.looks == ["/v1/conversations?user=session-1&limit=1"] * 2
    asked = [body for body in agent_server.bodies if body]
    assert asked[0] == {
        "inputs": {"account": "17841400000000001"},
        "query": "Where is my order?",
        "response_mode": "streaming",
        "conversation_id": "",
        "user": "session-1",
    }
    assert [body["conversation_id"] for body in asked] == ["", "0b1c"]
    assert {it.path for it in agent_server.asked if it.method == "POST"} == {"/v1/chat-messages"}
    assert agent_server.asked[-1].headers["Authorization"] == "Bearer app-1"


async def test_a_picture_is_a_file_and_a_line_and_a_tap_a_variable(
    dify, agent_server, ask, turn_of
):
    dify.frames = [message("ok"), END]
    picture, voice = Attachment("image", "https://cdn/1"), Attachment("ephemeral")

    await ask(turn_of(UserMessage("m", 1, "Blue", (picture, voice), payload="B")), "dify")

    body = agent_server.bodies[-1]
    assert body["query"] == "Blue\n[image] https://cdn/1\n[ephemeral]"
    assert body["inputs"]["payload"] == "B"
    assert body["files"] == [
        {"type": "image", "transfer_method": "remote_url", "url": "https://cdn/1"}
    ]


@pytest.mark.parametrize(
    ("frames", "parts"),
    [
        pytest.param(
            [
                message("It ", "agent_message"),
                message("left", "agent_message"),
                message("It left."),
            ],
            [Text("It left.")],
            id="an-agents-last-message-has-all",
        ),
        pytest.param(
            [message("damn"), message("[removed]", "message_replace")],
            [Text("[removed]")],
            id="moderated",
        ),
        pytest.param(
            [
                message("See:"),
                {
                    "event": "message_file",
                    "type": "image",
                    "belongs_to": "assistant",
                    "url": "https://files/1.png",
                },
                {
                    "event": "message_file",
                    "type": "image",
                    "belongs_to": "user",
                    "url": "https://files/2.png",
                },
            ],
            [Text("See:"), MessageEnd(), Media("image", "https://files/1.png")],
            id="file",
        ),
        pytest.param(
            [
                {"event": "workflow_started", "data": {}},
                {"event": "node_finished", "data": {"outputs": {"text": "draft"}}},
                message("ok"),
                {"event": "workflow_finished", "data": {"status": "succeeded"}},
            ],
            [Text("ok")],
            id="chatflow",
        ),
        pytest.param([], [], id="nothing"),
    ],
)
async def test_a_stream_is_read(dify, ask, turn, frames, parts):
    dify.frames = [*frames, END]

    assert await ask(turn, "dify") == parts


@pytest.mark.parametrize("event", ["human_input_required", "workflow_paused"])
async def test_what_waits_for_staff_is_a_handoff(dify, ask, turn, event):
    dify.frames = [message("Let me ask."), {"event": event, "data": {"form_content": "Refund?"}}]

    assert await ask(turn, "dify") == [WAITS]


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        pytest.param(
            {"status": 400, "code": "completion_request_error", "message": "model is busy"},
            Permanent,
            "agent answered 400: the server says: completion_request_error 400: model is busy",
            id="provider",
        ),
        pytest.param(
            {"status": 500, "code": "internal_server_error", "message": "contact support"},
            Transient,
            "agent answered 500",
            id="internal",
        ),
        pytest.param(
            {"status": 429, "code": "rate_limit_error", "message": "used up"},
            Permanent,
            "agent answered 429: the server says: rate_limit_error",
            id="quota",
        ),
        pytest.param({}, Transient, "run failed", id="without-a-word"),
    ],
)
async def test_an_error_in_a_stream_is_told_by_its_status(dify, ask, turn, fields, error, reason):
    dify.frames = [message("It le"), {"event": "error", **fields}]

    with pytest.raises(error, match=reason):
        await ask(turn, "dify")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        pytest.param(429, "too_many_requests", Transient, id="too-many"),
        pytest.param(429, "rate_limit_error", Permanent, id="quota"),
        pytest.param(400, "not_chat_app", Permanent, id="not-a-chat"),
        pytest.param(401, "unauthorized", Permanent, id="key"),
    ],
)
async def test_a_refusal_is_told_by_its_code(agent_server, ask, turn, status, code, error):
    agent_server.says({"code": code, "message": "as it is", "status": status}, status)

    with pytest.raises(error, match=f"says: {code}: as it is"):
        await ask(turn, "dify")


async def test_an_app_that_answers_whole_is_understood(agent_server, ask, turn):
    agent_server.aside = lambda method, *_: {"data": []} if method == "GET" else None
    agent_server.says({"event": "message", "answer": "It left.", "conversation_id": "0b1c"})

    assert await ask(turn, "dify") == [Text("It left.")]
