"""
The `dify` adapter asks and reads as docs/agent-servers.md says.

Dify is no package. Its answers here are shaped after its source, of November 2026:
`api/controllers/service_api/app/completion.py`, `conversation.py` and `error.py` (requests and
refusals), `api/core/app/entities/task_entities.py` and
`api/core/app/apps/advanced_chat/generate_response_converter.py` (events) in langgenius/dify;
what an app tells of itself is in `api/controllers/common/fields.py`.
"""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from ak_instagram.agents.agent import Attachment, Handoff, Media, MessageEnd, Text, UserMessage
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

NEWEST = {"id": "0b1c", "name": "Where …", "inputs": {}, "status": "normal", "created_at": 1}
WAITS = Handoff("the Dify workflow waits for somebody's decision")


class FakeDify:
    """Lists one user's conversations, and answers each question with the same frames."""

    def __init__(self, server) -> None:
        self.server = server
        self.looks: list[str] = []
        self.conversations: list[dict] = []
        self.parameters: dict = {}
        server.respond = self.respond
        self.frames: list[dict] = []

    async def respond(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            self.looks.append(request.path_qs)
            if request.path == "/v1/parameters":
                return web.json_response(self.parameters)
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
    assert dify.looks == ["/v1/conversations?user=session-1&limit=1", "/v1/parameters"] * 2
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


OFF = {"enabled": False, "type": "", "configs": []}
ON = {"enabled": True, "type": "keywords", "config": {}}


@pytest.mark.parametrize(
    ("parameters", "first", "streams"),
    [
        pytest.param({"sensitive_word_avoidance": OFF}, message("It "), True, id="final"),
        pytest.param({"sensitive_word_avoidance": ON}, message("It "), False, id="moderated"),
        pytest.param({}, message("It "), False, id="not-told"),
        pytest.param(
            {"sensitive_word_avoidance": OFF}, message("It ", "agent_message"), False, id="agent"
        ),
    ],
)
async def test_text_that_nothing_may_replace_is_told_as_it_comes(
    dify, client_session, agent_server, turn, parameters, first, streams
):
    dify.parameters = parameters
    dify.frames = [first, message("It left." if "agent" in first["event"] else "left."), END]
    agent = build_agent(AgentSettings("dify", agent_server.url, api_key="app-1"), client_session)

    parts = [it async for it in agent.answer(turn)]

    assert parts == ([Text("It "), Text("left.")] if streams else [Text("It left.")])


async def test_a_replaced_text_is_taken_back_even_if_nothing_announced_it(dify, ask, turn):
    dify.parameters = {"sensitive_word_avoidance": OFF}
    dify.frames = [message("damn"), message("[removed]", "message_replace"), END]

    assert await ask(turn, "dify") == [Text("[removed]")]


@pytest.mark.parametrize("event", ["human_input_required", "workflow_paused"])
async def test_what_waits_for_staff_is_a_handoff(dify, ask, turn, event):
    dify.parameters = {"sensitive_word_avoidance": OFF}
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
