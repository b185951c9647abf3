"""The settings that docs/agent-servers.md prints are right for the published servers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from ak_instagram.agents.agent import Handoff, MessageEnd, Text, Turn, UserMessage
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Transient
from qa.support.processes import free_port
from tests.contract.agents.test_documented_servers import printed
from tests.support.installed import AGNO, installed, served

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),  # the first test of a server makes its environment
]

DATA = Path(__file__).parents[2] / "data"
ADK = ("google-adk==2.13.0",)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def roots(request, tmp_path_factory):
    """The servers, by the headings under which their settings stand."""
    cache = request.config.cache
    adk, agno = free_port(), free_port()
    with_agno = installed(cache.mkdir("ag-ui"), *AGNO)
    with_adk = installed(cache.mkdir("adk"), *ADK).with_name("adk")
    apps = shutil.copytree(DATA / "adk", tmp_path_factory.mktemp("adk") / "apps")
    api_server = (with_adk, "api_server", "--auto_create_session", "--port", str(adk), apps)
    program = DATA / "ag_ui/server_agno.py"
    async with (
        served(*api_server, root=f"http://127.0.0.1:{adk}", path="/list-apps") as of_adk,
        served(with_agno, program, str(agno), root=f"http://127.0.0.1:{agno}") as of_agno,
    ):
        yield {"Google ADK": of_adk, "Agno AgentOS": of_agno}


@pytest.fixture
def asks(roots, request):
    """Ask a server by its settings, in a conversation of the test's own."""

    async def asks(server, said, turn_id="1"):
        settings = printed(server)
        here, url = urlsplit(roots[server]), urlsplit(settings.url or "")
        settings = replace(settings, url=url._replace(netloc=here.netloc).geturl(), api_key=None)
        name = f"session-{abs(hash(request.node.name))}"
        turn = Turn(f"{name}-{turn_id}", name, "account", "igsid", (UserMessage("m", 1, said),))
        async with aiohttp.ClientSession() as session:
            return await ask_agent(build_agent(settings, session), turn, 65536, 20.0)

    return asks


@pytest.mark.parametrize(
    ("server", "said", "parts"),
    [
        pytest.param("Google ADK", "hello", [Text("hello")], id="adk"),
        pytest.param(
            "Google ADK",
            "two",
            [Text("One moment."), MessageEnd(), Text("It left.")],
            id="adk-around-a-tool",
        ),
        pytest.param("Google ADK", "think", [Text("At nine.")], id="adk-thoughts"),
        pytest.param("Agno AgentOS", "hello", [Text("hello")], id="agno"),
        pytest.param("Agno AgentOS", "two", [Text("one momentIt left.")], id="agno-glued"),
        pytest.param(
            "Agno AgentOS",
            "approve",
            [Handoff("agent's answer has `status == PAUSED`")],
            id="agno-waits-for-staff",
        ),
    ],
)
async def test_an_answer_is_read(asks, server, said, parts):
    assert await asks(server, said) == parts


@pytest.mark.parametrize("server", ["Google ADK", "Agno AgentOS"])
async def test_the_conversation_goes_on(asks, server):
    await asks(server, "first", "1")

    assert await asks(server, "second", "2") == [Text("first / second")]


@pytest.mark.parametrize(
    ("server", "said", "reason"),
    [
        pytest.param("Google ADK", "block", "SAFETY: blocked", id="adk-blocked"),
        pytest.param("Google ADK", "fail", "agent answered 500", id="adk-failed"),
        pytest.param("Agno AgentOS", "fail", "a rate limit is reached", id="agno-failed"),
    ],
)
async def test_a_failure_is_told(asks, server, said, reason):
    with pytest.raises(Transient, match=reason):
        await asks(server, said)
