"""Flows on the published Flowise are asked and understood."""

from __future__ import annotations

import aiohttp
import pytest
import pytest_asyncio

from ak_instagram.agents.agent import Handoff, Text, Turn, UserMessage
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings
from tests.support.flowise import BUILT, PACKAGE, served
from tests.support.npm import npm_installed

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1200),  # the first test installs Flowise
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def flows(request, tmp_path_factory):
    """The address of each flow."""
    installed = npm_installed(request.config.cache.mkdir("npm"), PACKAGE, *BUILT)
    async with served(installed, tmp_path_factory.mktemp("flowise")) as addresses:
        yield addresses


@pytest.fixture
def asks(flows):
    """Ask a flow."""

    async def asks(flow, text="Hello", session="", payload=None, **settings):
        chosen = AgentSettings("flowise", url=flows.get(flow, f"{flows['says']}0"), **settings)
        said = UserMessage("m", 1, text, payload=payload)
        turn = Turn("turn-1", session or f"session-{flow}", "account", "igsid", (said,))
        async with aiohttp.ClientSession() as session:
            return await ask_agent(build_agent(chosen, session), turn, 65536, 30.0)

    return asks


async def test_a_flow_answers_in_the_conversations_session(asks):
    assert await asks("says") == [Text("session-says: Hello")]


async def test_a_question_for_staff_is_a_handoff_and_so_is_the_next_turn(asks):
    waits = [Handoff("the Flowise flow waits for somebody's decision")]

    assert await asks("asks") == waits
    assert await asks("asks", "And now?") == waits


async def test_a_question_for_a_decision_is_two_choices_and_a_tap_goes_on(asks):
    approve = {"session": "approved", "paused": "approve"}

    [question, choices] = await asks("asks", **approve)
    answer = await asks("asks", "Yes", payload=choices.options[0].payload, **approve)

    assert question == Text("Refund 120 €?")
    assert answer == [Text("approved: proceed")]


@pytest.mark.parametrize(
    ("flow", "error", "reason"),
    [
        pytest.param("fails", Transient, "agent answered 500: the server says", id="failed"),
        pytest.param("unknown", Permanent, "Invalid Chatflow ID", id="unknown"),
    ],
)
async def test_what_is_no_answer_is_told(asks, flow, error, reason):
    with pytest.raises(error, match=reason):
        await asks(flow)
