"""docs/agent-servers.md keeps its word: its settings are right for what the servers answer."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from ak_instagram.agents.adapters.langgraph import thread_id
from ak_instagram.agents.agent import Handoff, MessageEnd, Text
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings
from tests.support.settings import load

DOCS = (Path(__file__).parents[3] / "docs/agent-servers.md").read_text(encoding="utf-8")
REQUIRED = {"AK_INSTAGRAM__VERIFY_TOKEN": "a-token", "AK_INSTAGRAM__ACCESS_TOKEN": "IGAA"}


def printed(server: str) -> AgentSettings:
    """Return the settings that the section of *server* shows."""
    section = DOCS.partition(f"\n## {server}\n")[2].partition("\n## ")[0]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    words = shlex.split(block[1].replace("…", "x"), comments=True)
    return load(REQUIRED | dict(word.split("=", 1) for word in words)).agent


@pytest.fixture
def ask_documented(agent_server, client_session):
    """Ask what the section of a server sets up, with the test's server in its place."""

    async def ask(server, turn):
        settings = printed(server)
        here = urlsplit(agent_server.url)
        url = urlsplit(settings.url or "")._replace(scheme=here.scheme, netloc=here.netloc).geturl()
        agent = build_agent(replace(settings, url=url), client_session)
        return await ask_agent(agent, turn, settings.max_answer, 5.0)

    return ask


# --- requests ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "path", "body"),
    [
        pytest.param(
            "n8n",
            "/webhook/3f2cx/chat",
            {
                "action": "sendMessage",
                "sessionId": "session-1",
                "chatInput": "Where is my order?",
                "metadata": {
                    "turn": "turn-1",
                    "account": "17841400000000001",
                    "agent": None,
                },
            },
            id="n8n",
        ),
        pytest.param(
            "LangGraph",
            f"/threads/{thread_id('session-1')}/runs/stream",
            {
                "assistant_id": "agent",
                "input": {
                    "messages": [{"role": "user", "content": "Where is my order?", "id": "turn-1"}]
                },
                "metadata": {"turn": "turn-1", "session": "session-1"},
                "if_not_exists": "create",
                "multitask_strategy": "enqueue",
                "on_disconnect": "continue",
                "stream_mode": ["values", "updates"],
            },
            id="langgraph",
        ),
        pytest.param(
            "Dify",
            "/v1/chat-messages",
            {
                "inputs": {"account": "17841400000000001"},
                "query": "Where is my order?",
                "response_mode": "streaming",
                "conversation_id": "",
                "user": "session-1",
            },
            id="dify",
        ),
        pytest.param(
            "Flowise",
            "/api/v1/prediction/FLOW",
            {
                "question": "Where is my order?",
                "streaming": False,
                "overrideConfig": {"sessionId": "session-1"},
            },
            id="flowise",
        ),
        pytest.param(
            "Google ADK",
            "/run",
            {
                "appName": "shop",
                "userId": "session-1",
                "sessionId": "session-1",
                "newMessage": {"role": "user", "parts": [{"text": "Where is my order?"}]},
            },
            id="adk",
        ),
        pytest.param(
            "Langflow",
            "/api/v1/run/FLOW?stream=false",
            {"input_value": "Where is my order?", "session_id": "session-1"},
            id="langflow",
        ),
        pytest.param(
            "Mastra",
            "/api/agents/shop/generate",
            {
                "messages": "Where is my order?",
                "memory": {"thread": "session-1", "resource": "session-1"},
            },
            id="mastra",
        ),
    ],
)
async def test_the_request_is_the_servers(agent_server, ask_documented, turn, server, path, body):
    agent_server.says({})

    with pytest.raises(Permanent, match=r"nothing at|no text|no list"):
        await ask_documented(server, turn)

    assert agent_server.asked[-1].path_qs == path
    assert agent_server.bodies[-1] == body


async def test_an_ag_ui_run_is_posted_to_its_address(agent_server, ask_documented, turn):
    agent_server.streams(b'data: {"type": "RUN_FINISHED"}\n\n')

    assert await ask_documented("AG-UI", turn) == []
    assert agent_server.asked[-1].path_qs == "/agui"
    assert agent_server.bodies[-1]["threadId"] == "session-1"


async def test_agno_gets_a_form(agent_server, ask_documented, turn):
    forms = []

    async def respond(request):
        forms.append(dict(await request.post()))
        return web.json_response({"status": "COMPLETED", "content": "Hello!"})

    agent_server.respond = respond

    assert await ask_documented("Agno AgentOS", turn) == [Text("Hello!")]
    assert forms == [
        {
            "message": "Where is my order?",
            "session_id": "session-1",
            "user_id": "session-1",
            "stream": "false",
        }
    ]


# --- answers ----------------------------------------------------------------


def adk_event(text: str, **fields: object) -> dict:
    """Return an event of an ADK agent."""
    content = {"role": "model", "parts": [{"text": text}]} if text else None
    return {"invocationId": "e-1", "author": "shop", "content": content, **fields}


@pytest.mark.parametrize(
    ("server", "answer", "parts"),
    [
        pytest.param(
            "Agno AgentOS",
            {"run_id": "r", "status": "PAUSED", "content": "I need an approval."},
            [Handoff("agent's answer has `status == PAUSED`")],
            id="agno-paused",
        ),
        pytest.param(
            "Google ADK",
            [
                adk_event("Let me look."),
                {"invocationId": "e-1", "author": "shop", "content": {"parts": [{"call": 1}]}},
                {
                    "invocationId": "e-1",
                    "author": "shop",
                    "content": {"parts": [{"text": "hm", "thought": True}, {"text": "It left."}]},
                },
            ],
            [Text("Let me look."), MessageEnd(), Text("It left.")],
            id="adk-events",
        ),
        pytest.param(
            "Langflow",
            {
                "session_id": "s",
                "outputs": [
                    {
                        "inputs": {"input_value": "Where is my order?"},
                        "outputs": [
                            {"results": {"message": {"text": "one"}}},
                            {"results": {"message": {"text": "two"}}},
                        ],
                    }
                ],
            },
            [Text("one"), MessageEnd(), Text("two")],
            id="langflow-two-outputs",
        ),
        pytest.param(
            "Mastra",
            {
                "text": "onetwo",
                "steps": [{"text": "one"}, {"text": ""}, {"text": "two"}],
                "finishReason": "stop",
                "request": {"body": "x" * 1_000_000},
            },
            [Text("one"), MessageEnd(), Text("two")],
            id="mastra-steps",
        ),
        pytest.param(
            "Mastra",
            {"text": "", "steps": [{"text": ""}], "finishReason": "suspended"},
            [Handoff("agent's answer has `finishReason == suspended`")],
            id="mastra-suspended",
        ),
    ],
)
async def test_an_answer_is_read(agent_server, ask_documented, turn, server, answer, parts):
    agent_server.says(answer)

    assert await ask_documented(server, turn) == parts


@pytest.mark.parametrize(
    ("server", "status", "answer", "error"),
    [
        pytest.param(
            "Agno AgentOS",
            200,
            {"run_id": "r", "status": "ERROR", "content": "Error code: 429 - slow down"},
            Transient,
            id="agno-rate-limit",
        ),
        pytest.param(
            "Agno AgentOS",
            200,
            {"run_id": "r", "status": "CANCELLED", "content": "Run was cancelled"},
            Transient,
            id="agno-cancelled",
        ),
        pytest.param(
            "Google ADK", 200, [adk_event("", errorCode="SAFETY")], Transient, id="adk-blocked"
        ),
        pytest.param(
            "Langflow",
            500,
            {"detail": json.dumps({"message": "Error building Component"})},
            Transient,
            id="langflow-failed",
        ),
        pytest.param("Mastra", 500, {"error": "Unauthorized"}, Transient, id="mastra-failed"),
    ],
)
async def test_a_failure_is_told(agent_server, ask_documented, turn, server, status, answer, error):
    agent_server.says(answer, status)

    with pytest.raises(error):
        await ask_documented(server, turn)
