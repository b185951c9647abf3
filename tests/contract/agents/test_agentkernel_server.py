"""A run of the published Agent Kernel that waits for an approval is resumed by the person's tap."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from ak_instagram.agents.agent import Handoff, Text, Turn, UserMessage
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.settings.model import AgentSettings
from qa.support.processes import free_port
from tests.support.agent_kernel import any_python
from tests.support.installed import installed, served

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),  # the first test makes the environment
]

APP = Path(__file__).parents[2] / "data/agent_kernel/app.py"
# On openai-agents 0.24 a run that has paused can't be resumed.
NEEDS = ("agentkernel[api]==0.9.5", "openai-agents==0.20.0")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def root(request):
    """The server's root."""
    python = installed(request.config.cache.mkdir("agent-kernel"), *NEEDS, on=any_python())
    port = str(free_port())
    environ = {
        "AK_API__HOST": "127.0.0.1",
        "AK_API__PORT": port,
        "AK_EXECUTION__MODE": "rest_sync",
        "AK_SESSION__TYPE": "in_memory",
        "OPENAI_API_KEY": "none",
    }
    address = f"http://127.0.0.1:{port}"
    async with served(python, APP, root=address, path="/api/v1/agents", environ=environ) as there:
        yield there


@pytest.fixture
def asks(root, request):
    """Ask the agent in a conversation of the test's own."""

    async def asks(said, turn_id, payload=None, paused="approve"):
        settings = AgentSettings("agentkernel", url=root, paused=paused)
        name = f"session-{request.node.name}"
        message = UserMessage("m", 1, said, payload=payload)
        turn = Turn(f"{name}-{turn_id}", name, "account", "igsid", (message,), agent="shop")
        async with aiohttp.ClientSession() as session:
            return await ask_agent(build_agent(settings, session), turn, 65536, 20.0)

    return asks


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        pytest.param(0, "120 are back", id="approved"),
        pytest.param(1, "Tool execution was not approved.", id="denied"),
    ],
)
async def test_a_tap_resumes_the_run(asks, choice, told):
    [question, choices] = await asks("Give me my money back", "1")
    tapped = choices.options[choice]

    assert question == Text("refund (euros: 120)?")
    assert await asks(tapped.title, "2", payload=tapped.payload) == [Text(told)]


async def test_by_default_staff_decides(asks):
    parts = await asks("Give me my money back", "1", paused="ask")

    assert parts == [Handoff("the Agent Kernel run is paused until a person decides")]
