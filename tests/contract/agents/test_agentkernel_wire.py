"""Agent Kernel is asked and understood as its REST handler declares it (0.6, 0.9)."""

from __future__ import annotations

import json
from dataclasses import replace

import pydantic
import pytest
from aiohttp import web

from ak_instagram.agents.agent import (
    Attachment,
    ContactProfile,
    Handoff,
    MessageEnd,
    Text,
    UserMessage,
)
from ak_instagram.errors import Permanent, Transient


class File(pydantic.BaseModel):
    """An entry of `files`."""

    file_data: str
    name: str
    mime_type: str | None = None


class Image(pydantic.BaseModel):
    """An entry of `images`."""

    image_data: str
    name: str
    mime_type: str | None = None


class ChatRequest(pydantic.BaseModel):
    """The chat request; the server refuses an empty prompt or session."""

    model_config = pydantic.ConfigDict(extra="allow")

    prompt: str = pydantic.Field(min_length=1)
    agent: str | None = None
    session_id: str = pydantic.Field(min_length=1)
    user_id: str | None = None
    files: list[File] | None = None
    images: list[Image] | None = None


# Of 0.9: fields with a meaning of their own that a chat must never set by accident.
RESERVED = {"request_id", "group_id", "thread_name", "schedule", "resume", "requests"}


@pytest.fixture
def asked(agent_server):
    """The one request that the server got, read as the server does."""

    def asked() -> ChatRequest:
        (body,) = agent_server.bodies
        assert not RESERVED & body.keys()
        return ChatRequest.model_validate(body)

    return asked


def sse(*frames: dict) -> bytes:
    """Return *frames* as the server writes them."""
    return b"".join(f"data: {json.dumps(frame)}\n\n".encode() for frame in frames)


# --- the request ------------------------------------------------------------


async def test_a_text_is_posted_to_the_chat_path(agent_server, ask, asked, turn_of):
    agent_server.says({"result": "ok"})

    await ask(turn_of(UserMessage("m", 1, "hi"), agent="general"), "agentkernel")

    assert agent_server.asked[0].path == "/v1/api/v1/chat"
    assert asked() == ChatRequest(
        prompt="hi", agent="general", session_id="session-1", user_id="session-1"
    )


@pytest.mark.parametrize("ending", ["/", "/api/v1/chat"])
async def test_the_url_may_end_with_a_slash_or_the_path(agent_server, ask, turn, ending):
    agent_server.says({"result": "ok"})

    await ask(turn, "agentkernel", url=agent_server.url + ending)

    assert agent_server.asked[0].path == "/v1/api/v1/chat"


async def test_pictures_and_documents_have_fields_and_the_rest_is_in_the_prompt(
    agent_server, ask, asked, turn_of
):
    agent_server.says({"result": "ok"})
    attachments = tuple(
        Attachment(kind, f"https://cdn/{kind}") for kind in ("image", "audio", "video", "file")
    )
    reel = Attachment("ig_reel", "https://cdn/reel", "A caption")
    once = Attachment("ephemeral")

    await ask(turn_of(UserMessage("m", 1, "look", (*attachments, reel, once))), "agentkernel")

    request = asked()
    assert request.prompt.splitlines() == [
        "look",
        "[audio] https://cdn/audio",
        "[video] https://cdn/video",
        "[ig_reel] A caption https://cdn/reel",
        "[ephemeral]",
    ]
    assert request.images == [
        Image(image_data="https://cdn/image", name="image-1.jpg", mime_type="image/jpeg")
    ]
    assert request.files == [
        File(file_data="https://cdn/file", name="file-2.pdf", mime_type="application/pdf")
    ]


async def test_an_image_alone_still_has_a_prompt(agent_server, ask, asked, turn_of):
    agent_server.says({"result": "ok"})

    await ask(
        turn_of(UserMessage("m", 1, attachments=(Attachment("image", "https://cdn/1"),))),
        "agentkernel",
    )

    assert asked().prompt == "[image]"


async def test_payload_and_context_reach_the_hooks_without_any_text(
    agent_server, ask, asked, turn_of
):
    agent_server.says({"result": "ok"})
    tap = UserMessage("m1", 1, "Blue", payload="COLOR_BLUE")
    reply = UserMessage("m2", 2, "love it", context={"story_id": "179"})

    await ask(turn_of(tap, UserMessage("m3", 3, "plain"), reply), "agentkernel")

    request = asked()
    assert request.prompt == "Blue\nplain\nlove it"
    assert request.model_extra == {
        "instagram": {
            "messages": [
                {"payload": "COLOR_BLUE", "context": {}},
                {"payload": None, "context": {"story_id": "179"}},
            ]
        }
    }


async def test_who_writes_is_in_the_hooks_field_and_not_in_the_prompt(
    agent_server, ask, asked, turn_of
):
    agent_server.says({"result": "ok"})
    told = replace(turn_of(UserMessage("m1", 1, "Hi")), profile=ContactProfile("Mia", "mia.b"))

    await ask(told, "agentkernel")

    request = asked()
    assert request.prompt == "Hi"
    assert request.model_extra == {"instagram": {"profile": {"name": "Mia", "username": "mia.b"}}}


# --- a JSON answer ----------------------------------------------------------


async def test_a_paused_run_asks_for_a_person(agent_server, ask, turn):
    paused = {"status": "PAUSED", "result": '{"run_id": "r"}', "run_id": "r", "interruptions": []}
    agent_server.says(paused, status=202)

    (part,) = await ask(turn, "agentkernel")

    assert isinstance(part, Handoff)
    assert "paused" in part.reason


FAILURES = [
    pytest.param("Too many requests. Please try again later.", Transient, None, id="rate-limit"),
    pytest.param(
        "Could not connect to the model provider. Please check your internet.",
        Transient,
        None,
        id="connection",
    ),
    pytest.param("Model refused to produce output: no", Transient, 3, id="refused"),
    pytest.param("Event loop is closed", Transient, 3, id="event-loop"),
    pytest.param("Invalid API configuration or credentials.", Permanent, None, id="credentials"),
    pytest.param(
        "Invalid model or resource not found. Please check your configuration.",
        Permanent,
        None,
        id="model",
    ),
    pytest.param("Error code: 401 - {'error': 'no'}", Permanent, None, id="code-401"),
    pytest.param("Error code: 429 - {'error': 'no'}", Transient, None, id="code-429"),
    pytest.param("Error code: 503 - {'error': 'no'}", Transient, None, id="code-503"),
]


@pytest.mark.parametrize("streams", [False, True], ids=["rest_sync", "stream"])
@pytest.mark.parametrize(("words", "error", "attempts"), FAILURES)
async def test_a_failed_run_is_an_error_and_tried_again_as_often_as_it_may_heal(
    agent_server, ask, turn, streams, words, error, attempts
):
    agent_server.says({"result": f"Error: {words}"})
    if streams:
        agent_server.streams(sse({"done": True, "error": words}))

    with pytest.raises(error, match=r"\(.+\): the server says: ") as caught:
        await ask(turn, "agentkernel")

    assert words in str(caught.value)
    assert getattr(caught.value, "attempts", None) == attempts


async def test_a_server_that_only_queues_is_named_with_the_fix(agent_server, ask, turn):
    agent_server.says({"status": "ACCEPTED", "request_id": "r", "session_id": "session-1"})

    with pytest.raises(Permanent, match=r"execution\.mode"):
        await ask(turn, "agentkernel")


@pytest.mark.parametrize("streams", [False, True], ids=["rest_sync", "stream"])
async def test_a_run_that_refuses_a_picture_is_asked_for_again_without_it(
    agent_server, ask, turn_of, streams
):
    words = "Error code: 400 - {'error': {'message': 'image input is not supported'}}"

    async def respond(_request):
        has_failed = "images" in agent_server.bodies[-1]
        if not streams:
            return web.json_response({"result": f"Error: {words}" if has_failed else "12 €."})
        end = {"done": True} | ({"error": words} if has_failed else {"delta": "12 €."})
        return web.Response(body=sse(end), content_type="text/event-stream")

    agent_server.respond = respond
    photo = Attachment("image", "https://cdn/1")

    parts = await ask(turn_of(UserMessage("m", 1, "How much?", (photo,))), "agentkernel")

    assert parts == [Text("12 €.")]
    assert [body["prompt"] for body in agent_server.bodies] == [
        "How much?",
        "How much?\n[image] https://cdn/1",
    ]


# --- a stream ---------------------------------------------------------------


async def test_a_stream_is_text_and_message_ends(agent_server, ask, turn):
    agent_server.streams(
        sse(
            {"event": {"type": "message_start", "message_id": "1"}, "done": False},
            {"delta": "Let me ", "event": {"type": "text_delta", "content": "Let me "}},
            {"delta": "look."},
            {"event": {"type": "message_end", "message_id": "1"}},
            {"event": {"type": "tool_call_start", "name": "orders"}},
            {"event": {"type": "reasoning_delta", "content": "hmm"}},
            {"delta": "It left 🎉"},
            {"done": True, "session_id": "session-1"},
        )
    )

    assert await ask(turn, "agentkernel") == [
        Text("Let me look."),
        MessageEnd(),
        Text("It left 🎉"),
    ]


async def test_a_stream_may_come_a_byte_at_a_time(agent_server, ask, turn):
    frames = b'data: {"delta": "\xf0\x9f\x8e\x89"}\r\n\r\ndata: {"done": true}\r\n\r\n'
    agent_server.streams(*(frames[at : at + 1] for at in range(len(frames))))

    assert await ask(turn, "agentkernel") == [Text("🎉")]


async def test_a_run_that_pauses_in_a_stream_asks_for_a_person(agent_server, ask, turn):
    agent_server.streams(sse({"event": {"type": "run_paused", "run_id": "r"}}, {"done": True}))

    (part,) = await ask(turn, "agentkernel")

    assert isinstance(part, Handoff)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(sse({"delta": "It"}, {"error": "boom", "done": True}), id="error-event"),
        pytest.param(sse({"delta": "It"}), id="no-end"),
        pytest.param(sse({"delta": "It"}) + b'data: {"done": tr', id="cut-in-an-event"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_a_stream_that_fails_is_transient_whatever_came_before(
    agent_server, ask, turn, frames
):
    agent_server.streams(frames)

    with pytest.raises(Transient, match="stream"):
        await ask(turn, "agentkernel")


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(b"data: hello\n\n", id="not-json"),
        pytest.param(b"data: [1]\n\n", id="not-an-object"),
        pytest.param(b"data: " + b"x" * 200_000, id="an-event-without-end"),
        pytest.param(b"data: x\n" * 100_000, id="lines-without-end"),
        pytest.param(sse({"delta": "a" * 600}, {"delta": "a" * 600}), id="too-much-text"),
        pytest.param(sse({"event": {"type": "message_end"}}) * 1001, id="messages-without-end"),
    ],
)
async def test_a_stream_that_is_no_answer_is_permanent(agent_server, ask, turn, frames):
    agent_server.streams(frames)

    with pytest.raises(Permanent, match="agent"):
        await ask(turn, "agentkernel", max_answer=1000)
