"""An A2A 1.0 agent is asked as the protocol has it, and its errors are told apart."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest
from aiohttp import web

from ak_instagram.agents.agent import Attachment, Text, UserMessage
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings
from tests.support.dialects import DIALECTS

[A2A] = [dialect for dialect in DIALECTS if dialect.adapter == "a2a"]


def rpc_error(code: int, message: str = "no luck") -> dict:
    """Return an error as JSON-RPC has it, in a 200."""
    return {"jsonrpc": "2.0", "id": "1", "error": {"code": code, "message": message}}


@pytest.fixture
def agent(agent_server):
    """The agent's server, with its card and no tasks to list."""
    agent_server.aside = A2A.aside
    agent_server.says(A2A.answer("Hi"))
    return agent_server


async def test_the_request_is_the_protocols(agent, ask, turn_of):
    picture = Attachment("image", "https://cdn.example/1.jpg")
    said = UserMessage("m", 1, "This?", (picture,), "COLOR", {"ad_title": "Shoes"})

    await ask(turn_of(said), "a2a")

    [body], [request] = agent.bodies, agent.asked
    assert (request.path, request.headers["A2A-Version"]) == ("/v1/rpc", "1.0")
    assert body == {
        "jsonrpc": "2.0",
        "id": "turn-1",
        "method": "SendMessage",
        "params": {
            "message": {
                "messageId": "turn-1",
                "contextId": "session-1",
                "role": "ROLE_USER",
                "parts": [
                    {"text": "[came from ad] Shoes\nThis?"},
                    {"url": "https://cdn.example/1.jpg", "mediaType": "image/jpeg"},
                ],
                "metadata": {"payloads": ["COLOR"]},
            },
            "configuration": {"returnImmediately": False},
        },
    }


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        pytest.param(rpc_error(-32603), Transient, "JSON-RPC -32603: no luck", id="failed-run"),
        pytest.param(
            rpc_error(-32603, "401 invalid api key"), Permanent, "invalid api key", id="its-key"
        ),
        pytest.param(rpc_error(-32001), Permanent, "JSON-RPC -32001: no luck", id="no-task"),
        pytest.param(rpc_error(-32004), Permanent, "JSON-RPC -32004", id="unsupported"),
        pytest.param(rpc_error(-32005), Permanent, "JSON-RPC -32005", id="media-type"),
        pytest.param(rpc_error(-32009), Permanent, "JSON-RPC -32009", id="version"),
        pytest.param(rpc_error(-32602), Permanent, "JSON-RPC -32602", id="parameters"),
    ],
)
async def test_only_a_failed_run_is_worth_another_attempt(agent, ask, turn, error, kind, reason):
    agent.says(error)

    with pytest.raises(kind, match=reason):
        await ask(turn, "a2a")


@pytest.mark.parametrize("code", [-32601, -32004, -32603])
async def test_a_server_that_lists_no_tasks_is_asked_all_the_same(agent, ask, turn, code):
    def aside(method, path, body):
        is_look = body.get("method") == "ListTasks"
        return rpc_error(code) if is_look else A2A.aside(method, path, body)

    agent.aside = aside

    assert await ask(turn, "a2a") == [Text("Hi")]


async def test_the_card_is_read_once_and_anew_after_a_failure(agent, client_session, turn):
    cards: list[str] = []

    def aside(method, path, body):
        if method == "GET":
            cards.append(path)
        return A2A.aside(method, path, body)

    agent.aside = aside
    asked = build_agent(AgentSettings("a2a", url=agent.url), client_session)

    async def ask() -> list:
        return [part async for part in asked.answer(turn)]

    await ask()
    await ask()
    read = len(cards)
    agent.says({}, status=404)
    with pytest.raises(Permanent):
        await ask()
    agent.says(A2A.answer("Hi"))
    await ask()

    assert (read, len(cards)) == (1, 2)


async def test_a_turn_is_not_disturbed_by_anothers_failure(agent, client_session, turn):
    looked, released = asyncio.Event(), asyncio.Event()

    async def respond(request):
        body = await request.json()
        if body["method"] == "SendMessage":
            status = 200 if body["id"] == "turn-1" else 404
            return web.json_response(A2A.answer("Hi"), status=status)
        if body["id"] == "turn-1":
            looked.set()
            await released.wait()
        return web.json_response({"result": {"tasks": []}})

    agent.aside = lambda method, path, body: (
        A2A.aside(method, path, body) if method == "GET" else None
    )
    agent.respond = respond
    asked = build_agent(AgentSettings("a2a", url=agent.url), client_session)

    async def ask(id_: str) -> list:
        return [part async for part in asked.answer(dataclasses.replace(turn, id=id_))]

    first = asyncio.create_task(ask("turn-1"))
    await asyncio.wait_for(looked.wait(), 2)
    with pytest.raises(Permanent):
        await ask("turn-2")
    released.set()

    assert await first == [Text("Hi")]


@pytest.mark.parametrize(
    ("status", "kind"),
    [pytest.param(404, Permanent, id="404"), pytest.param(503, Transient, id="503")],
)
async def test_a_card_that_cannot_be_had_is_told_by_its_status(agent, ask, turn, status, kind):
    async def respond(_request):
        return web.json_response({}, status=status)

    agent.aside = lambda *_: None
    agent.respond = respond

    with pytest.raises(kind, match=f"agent answered {status}"):
        await ask(turn, "a2a")


async def test_the_card_may_be_named_itself(agent, ask, turn):
    parts = await ask(turn, "a2a", url=f"{agent.url}/.well-known/agent-card.json")

    assert parts == [Text("Hi")]


async def test_the_persons_id_and_the_key_go_nowhere_but_to_the_agent(agent, ask, turn):
    await ask(turn, "a2a", api_key="sk-1")

    assert agent.asked[0].headers["Authorization"] == "Bearer sk-1"
    assert turn.contact not in json.dumps(agent.bodies)
