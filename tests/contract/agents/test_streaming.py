"""An adapter whose protocol streams gives each word before the next, unless it is told not to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from ak_instagram.agents.agent import MessageEnd, Text
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.answers import clean
from ak_instagram.agents.registry import build_agent
from ak_instagram.settings.model import AgentSettings

Json = dict[str, Any]
WHOLE = [Text("One."), MessageEnd(), Text("Two.")]
SSE = "text/event-stream"


def event(frame: object) -> str:
    return f"data: {frame if isinstance(frame, str) else json.dumps(frame)}\n\n"


def line(frame: object) -> str:
    return f"{json.dumps(frame)}\n"


@dataclass(frozen=True)
class Protocol:
    """
    *first* says "One.", *rest* "Two." behind it; *asks* tells if a request wants a stream.

    Who asks for *whole* answers gets that; without one, the stream. *settings* may name
    the adapter.
    """

    first: tuple[str, ...]
    rest: tuple[str, ...]
    asks: Callable[[web.Request, Json], bool] | None = None
    content_type: str = SSE
    settings: Json = field(default_factory=dict)
    whole: Json | None = None
    aside: Callable[[str, str, Json], object | None] = lambda _method, _path, _body: None


def wants(_: web.Request, body: Json) -> bool:
    return body["stream"] is True


def chat(text: str, **fields: object) -> str:
    return event({"choices": [{"delta": {"content": text}, **fields}]})


def response(kind: str, **fields: object) -> str:
    return event({"type": f"response.{kind}", **fields})


def item(kind: str, id_: str, **fields: object) -> str:
    return response(kind, item={"type": "message", "id": id_, "content": [], **fields})


def said(text: str) -> list[Json]:
    return [{"type": "output_text", "text": text}]


CARD = {
    "capabilities": {"streaming": True},
    "supportedInterfaces": [
        {"url": "http://a/v1/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    ],
}
APP: Json = {"data": [], "sensitive_word_avoidance": {"enabled": False}}
TASKS = {"jsonrpc": "2.0", "id": 1, "result": {"tasks": []}}


def a2a(**result: object) -> str:
    return event({"jsonrpc": "2.0", "id": "turn-1", "result": result})


def said_by(text: str) -> Json:
    return {"artifactId": text, "parts": [{"text": text}]}


def artifact(id_: str, text: str, **fields: object) -> str:
    said = {"artifactId": id_, "parts": [{"text": text}]}
    return a2a(artifactUpdate={"artifact": said, **fields})


def node(kind: str, content: str | None = None) -> str:
    return line({"type": kind, "content": content, "metadata": {"nodeName": "AI Agent"}})


TOOLS = {"tools": ("send_image", "react")}
PROTOCOLS = {
    "openai-chat": Protocol(
        (chat("One."),),
        (chat("\n\n"), chat("Two."), chat("", finish_reason="stop"), event("[DONE]")),
        wants,
    ),
    "openai-responses": Protocol(
        (
            item("output_item.added", "c", phase="commentary"),
            response("output_text.delta", item_id="c", delta="Thinking"),
            item("output_item.added", "a"),
            response("output_text.delta", item_id="a", delta="One."),
        ),
        (
            item("output_item.done", "a", content=said("One.")),
            item("output_item.added", "b"),
            response("output_text.delta", item_id="b", delta="Two."),
            item("output_item.done", "b", content=said("Two.")),
            response("completed", response={"status": "completed", "output": []}),
        ),
        wants,
    ),
    "agentkernel": Protocol(
        (event({"delta": "One."}), event({"event": {"type": "message_end"}})),
        (event({"delta": "Two."}), event({"done": True})),
    ),
    "n8n": Protocol(
        (node("begin"), node("item", "One.")),
        (node("end"), node("begin"), node("item", "Two."), node("end")),
        content_type="application/json; charset=utf-8",
    ),
    "a2a": Protocol(
        (
            a2a(task={"id": "t", "status": {"state": "TASK_STATE_SUBMITTED"}}),
            a2a(statusUpdate={"status": {"state": "TASK_STATE_WORKING"}}),
            artifact("a", "One"),
            artifact("a", ".", append=True),
        ),
        (
            artifact("b", "Two."),
            a2a(statusUpdate={"status": {"state": "TASK_STATE_COMPLETED"}}),
        ),
        lambda _, body: body["method"] == "SendStreamingMessage",
        whole={"result": {"task": {"artifacts": [said_by("One."), said_by("Two.")]}}},
        aside=lambda method, _, body: (
            CARD if method == "GET" else TASKS if body["method"] == "ListTasks" else None
        ),
    ),
    "dify": Protocol(
        (event({"event": "message", "answer": "One."}),),
        (event({"event": "message", "answer": "\n\nTwo."}), event({"event": "message_end"})),
        settings={"api_key": "app-1"},
        aside=lambda method, *_: APP if method == "GET" else None,
    ),
    "http": Protocol(
        (event({"reply": "One."}),),
        (event({"end": 1}), event({"reply": "Two."}), event("[DONE]")),
        settings={"reply_format": "events", "outcomes": {"end": "next"}},
    ),
}
PROTOCOLS |= {
    f"{name}, offered tools": replace(PROTOCOLS[name], settings={"adapter": name, **TOOLS})
    for name in ("openai-chat", "openai-responses")
}


@pytest.fixture(params=PROTOCOLS)
def protocol(request) -> Protocol:
    return PROTOCOLS[request.param]


@pytest.fixture
def agent(agent_server, client_session, request, protocol):
    """The adapter, before a server that speaks its protocol."""
    agent_server.aside = protocol.aside

    def agent(**settings: object):
        [name] = [name for name, it in PROTOCOLS.items() if it is protocol]
        chosen: Json = {"url": agent_server.url, "model": "m", **protocol.settings, **settings}
        return build_agent(AgentSettings(**{"adapter": name, **chosen}), client_session)

    return agent


async def test_the_first_words_are_given_before_the_server_says_the_next(
    agent_server, agent, turn, protocol
):
    heard = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": protocol.content_type})
        await answer.prepare(request)
        for each in protocol.first:
            await answer.write(each.encode())
        await heard.wait()
        for each in protocol.rest:
            await answer.write(each.encode())
        return answer

    agent_server.respond = respond
    parts = []
    async with asyncio.timeout(5):
        async for part in agent().answer(turn):
            parts.append(part)
            if "One." in "".join(words(parts)):
                heard.set()

    assert [it for it in "".join(words(parts)).split() if it] == ["One.", "Two."]


def words(parts):
    """Return the texts that a person gets, with a space where a message ends."""
    for part in clean(parts):
        yield part.text if isinstance(part, Text) else " "


@pytest.mark.parametrize(
    "streams", [pytest.param(True, id="stream"), pytest.param(False, id="whole")]
)
async def test_a_request_asks_for_what_the_setting_says(
    agent_server, agent, turn, protocol, streams
):
    if protocol.asks is None:
        pytest.skip("its requests do not say")
    if streams or protocol.whole is None:
        agent_server.streams(*(each.encode() for each in (*protocol.first, *protocol.rest)))
    else:
        agent_server.says(protocol.whole)

    parts = await ask_agent(agent(stream=streams), turn, 1000, 5.0)

    assert [
        protocol.asks(*it) for it in zip(agent_server.asked, agent_server.bodies, strict=True)
    ] == [streams]
    assert "".join(words(parts)).split() == ["One.", "Two."]


@pytest.mark.parametrize("adapter", ["openai-chat", "openai-responses"])
async def test_a_server_that_refuses_to_stream_is_asked_for_a_whole_answer(
    agent_server, ask, turn, adapter
):
    whole = {"openai-chat": {"choices": [{"message": {"content": "Hi"}}]}}.get(
        adapter, {"output": [{"type": "message", "content": "Hi"}]}
    )

    async def respond(request: web.Request) -> web.Response:
        if (await request.json())["stream"]:
            error = {"error": {"message": "this model does not support streaming"}}
            return web.json_response(error, status=400)
        return web.json_response(whole)

    agent_server.respond = respond

    assert await ask(turn, adapter) == [Text("Hi")]
    assert [body["stream"] for body in agent_server.bodies] == [True, False]


async def test_words_before_a_final_answer_are_withdrawn(agent_server, ask, turn):
    agent_server.streams(
        *(
            each.encode()
            for each in (
                item("output_item.added", "a"),
                response("output_text.delta", item_id="a", delta="Let me see"),
                item("output_item.added", "b", phase="final_answer"),
                response("output_text.delta", item_id="b", delta="At nine."),
                response("completed", response={"output": []}),
            )
        )
    )

    assert await ask(turn, "openai-responses") == [Text("At nine.")]
