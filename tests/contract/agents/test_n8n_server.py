"""Workflows on the published n8n are asked and understood."""

from __future__ import annotations

import json

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from ak_instagram.agents.agent import MessageEnd, Text, Turn, UserMessage
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings
from tests.support.n8n import BUILT, PACKAGE, served
from tests.support.npm import npm_installed

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1200),  # the first test installs n8n
]


def chunk(delta: dict, reason: str | None = None) -> str:
    """Return an event of a model's stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**frame, 'choices': [choice]})}\n\n"


async def complete(request: web.Request) -> web.Response:
    """Answer as a model that streams, or refuse the key."""
    asked = await request.json()
    if "refuse" in str(asked["messages"][-1]):
        error = {"message": "Incorrect API key provided", "code": "invalid_api_key"}
        return web.json_response({"error": error}, status=401)
    texts = "".join(chunk({"content": text}) for text in ("It ", "left."))
    whole = texts + chunk({}, "stop") + "data: [DONE]\n\n"
    return web.Response(text=whole, content_type="text/event-stream")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(request, tmp_path_factory):
    """The server's root."""
    installed = npm_installed(request.config.cache.mkdir("npm"), PACKAGE, *BUILT)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    async with TestServer(app) as model:
        url = str(model.make_url("/v1"))
        async with served(installed, tmp_path_factory.mktemp("n8n"), url) as root:
            yield root


@pytest.fixture
def asks(server):
    """Ask a workflow."""

    async def asks(path, text="Hello"):
        chosen = AgentSettings("n8n", url=f"{server}/webhook/{path}")
        turn = Turn("turn-1", "session-1", "account", "igsid", (UserMessage("m", 1, text),))
        async with aiohttp.ClientSession() as session:
            return await ask_agent(build_agent(chosen, session), turn, 65536, 30.0)

    return asks


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        pytest.param("chat/chat", [Text("session-1: Hello")], id="chat-trigger"),
        pytest.param("items", [Text("one"), MessageEnd(), Text("two")], id="all-items"),
        pytest.param("text", [Text("You said: Hello")], id="bare-text"),
        pytest.param("quiet", [], id="a-branch-that-never-responds"),
        pytest.param("stream/chat", [Text("It left.")], id="streamed"),
    ],
)
async def test_an_answer_is_read(asks, path, parts):
    assert await asks(path) == parts


@pytest.mark.parametrize(
    ("path", "text", "error", "reason"),
    [
        pytest.param("started", "Hello", Permanent, "before the workflow has run", id="started"),
        pytest.param("fails", "Hello", Transient, "500: .*Error in workflow", id="failed"),
        pytest.param("unknown", "Hello", Transient, "publish the workflow", id="unpublished"),
        pytest.param(
            "stream/chat", "refuse", Permanent, "credentials are refused", id="streamed-error"
        ),
    ],
)
async def test_what_is_no_answer_is_told(asks, path, text, error, reason):
    with pytest.raises(error, match=reason):
        await asks(path, text)
