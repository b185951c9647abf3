"""Agents on the published Pydantic AI and Agno are understood behind AG-UI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    HistoryLine,
    MessageEnd,
    Option,
    QuickReplies,
    Text,
    Turn,
    UserMessage,
)
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.agents.tools import TOOLS
from ak_instagram.errors import Transient
from ak_instagram.settings.model import AgentSettings
from qa.support.processes import free_port
from tests.support.installed import AGNO, installed, served

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),  # the first test of a server makes its environment
]

SERVERS = Path(__file__).parents[2] / "data/ag_ui"
WAITS = Handoff("the AG-UI run waits for somebody's decision")


@dataclass(frozen=True)
class Published:
    """A server, what it is installed by, and whether it keeps the conversation itself."""

    name: str
    needs: tuple[str, ...]
    remembers: bool = False

    def __str__(self) -> str:
        return self.name


PUBLISHED = [
    Published(
        "pydantic_ai",
        ("pydantic-ai-slim[ag-ui]==2.68.0", "ag-ui-protocol==1.0.0", "uvicorn"),
    ),
    Published(
        "agno",
        AGNO,
        remembers=True,
    ),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=PUBLISHED, ids=str)
async def server(request):
    """A server, and where its agent listens."""
    python = installed(request.config.cache.mkdir("ag-ui"), *request.param.needs)
    port = str(free_port())
    program = SERVERS / f"server_{request.param}.py"
    async with served(python, program, port, root=f"http://127.0.0.1:{port}") as root:
        yield request.param, f"{root}/agui"


@pytest.fixture
def asks(server, request):
    """Ask the agent in a conversation of the test's own."""
    _, url = server

    async def asks(said, turn_id="1", timeout=20.0, history=(), settings=(), **message):
        chosen = AgentSettings("ag-ui", url=url, tools=tuple(TOOLS), **dict(settings))
        name = f"session-{request.node.name}"
        words = UserMessage("m", 1, said, **message)
        turn = Turn(f"{name}-{turn_id}", name, "account", "igsid", (words,), history=history)
        async with aiohttp.ClientSession() as session:
            return await ask_agent(build_agent(chosen, session), turn, 65536, timeout)

    return asks


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        pytest.param("hello", [Text("hello")], id="text"),
        pytest.param(
            "two", [Text("one moment"), MessageEnd(), Text("It left.")], id="around-a-tool"
        ),
        pytest.param(
            "choose", [Text("Which?"), QuickReplies((Option("Red", "Red"),))], id="our-tool"
        ),
    ],
)
async def test_an_answer_is_read(asks, said, parts):
    assert await asks(said) == parts


async def test_the_conversation_goes_on(asks, server):
    published, _ = server
    history = (HistoryLine("user", "first"), HistoryLine("assistant", "first"))

    await asks("first", "1")

    # One gets the history, the other has it, and reads the last message alone.
    assert await asks("second", "2", history=history) == [Text("first / second")]
    assert published.remembers is (published.name == "agno")


async def test_a_picture_reaches_the_model(asks, server):
    published, _ = server
    if published.name == "agno":
        pytest.skip("its model here has no eyes")
    by_url = Attachment("image", "https://cdn.example/1.jpg")
    fetched = Attachment("image", "https://x", data="data:image/png;base64,AAAA")

    parts = await asks("look", attachments=(by_url, fetched))

    assert parts == [Text("look|url https://cdn.example/1.jpg|bytes image/png 3")]


async def test_a_failed_run_is_told(asks, server):
    published, _ = server
    for said in ("fail before", "fail within") if published.name == "pydantic_ai" else ("fail",):
        with pytest.raises(Transient, match="a rate limit is reached"):
            await asks(said)


async def test_an_approval_is_for_staff_unless_the_settings_say_otherwise(asks, server):
    published, _ = server
    said = [Text("I have to ask.")] if published.name == "agno" else []

    assert await asks("approve") == [*said, WAITS]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        pytest.param(0, "so: 120 are back", id="approved"),
        pytest.param(1, "so: The tool call was denied.", id="denied"),
    ],
)
async def test_an_approval_is_resumed_by_a_tap(asks, server, choice, told):
    published, _ = server
    approve = {"paused": "approve"}

    [text, choices] = await asks("approve", "1", settings=approve)
    tapped = choices.options[choice]
    history = (HistoryLine("user", "approve"), HistoryLine("assistant", text.text))
    answer = await asks(tapped.title, "2", history=history, payload=tapped.payload)

    is_agno = published.name == "agno"
    assert text == Text("I have to ask." if is_agno else 'Approve refund({"euros":120})?')
    assert answer == [Text("approve" if is_agno else told)]


async def test_a_run_that_takes_too_long_is_cancelled(asks, server):
    published, _ = server
    if published.name == "agno":
        pytest.skip("has no slow answer here")

    with pytest.raises(Transient, match=r"agent\.timeout"):
        await asks("slow", timeout=0.3)
