"""The main job: a signed DM is answered by the agent, whatever protocol that speaks."""

from __future__ import annotations

import pytest
import pytest_asyncio

from qa.support.agent import says
from tests.support.stage import API_KEY, Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

# More than one piece in bytes, not in characters.
LONG = " ".join(f"Предложение номер {number}." for number in range(60))

ADAPTERS = {
    "echo": {},
    "http": {},
    "agentkernel": {"instagram__agent": "general"},
    "openai-chat": {"agent__model": "small", "agent__instructions": "Be kind."},
    "openai-responses": {"agent__model": "small", "agent__instructions": "Be kind."},
    "a2a": {},
}
PATHS = {
    "http": "/",
    "agentkernel": "/api/v1/chat",
    "openai-chat": "/chat/completions",
    "openai-responses": "/responses",
    "a2a": "/a2a",
}


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=ADAPTERS)
async def running_stage(request, tmp_path_factory):
    """A stage for each adapter."""
    settings = {"agent__adapter": request.param, **ADAPTERS[request.param]}
    async with open_stage(tmp_path_factory.mktemp("stage"), **settings) as stage:
        yield stage


@pytest.fixture
def adapter(request) -> str:
    return request.node.callspec.params["running_stage"]


async def say_long(stage: Stage, adapter: str, igsid: str) -> None:
    """Let the answer be `LONG`."""
    stage.agent.will(says(LONG))
    stage.meta.phones.say(igsid, LONG if adapter == "echo" else "Tell me everything")
    await stage.until_answered(igsid, 3)


async def test_a_dm_is_answered_with_only_environment_variables(stage, adapter):
    mia = stage.person()

    stage.meta.phones.say(mia, "Where is my order?")
    await stage.until_answered(mia)

    said = "Where is my order?" if adapter == "echo" else "You said: Where is my order?"
    assert stage.answers(mia) == [said]
    assert [question.path for question in stage.agent.asked] == (
        [] if adapter == "echo" else [PATHS[adapter]]
    )


async def test_the_person_sees_that_it_was_seen_and_that_somebody_types(stage, adapter):
    mia = stage.person()

    await say_long(stage, adapter, mia)

    calls = stage.calls(mia)
    assert calls[:2] == ["mark_seen", "typing_on"]
    assert set(calls[2:]) == {"message"}


async def test_a_long_answer_comes_in_pieces_that_fit_and_in_order(stage, adapter):
    mia = stage.person()

    await say_long(stage, adapter, mia)

    pieces = stage.answers(mia)
    assert " ".join(pieces) == LONG
    assert max(len(piece.encode()) for piece in pieces) <= 1000


async def test_the_echoes_of_its_own_answers_are_not_answered(stage, adapter):
    mia = stage.person()
    stage.meta.phones.say(mia, "Where is my order?")
    await stage.until_answered(mia)
    await stage.meta.settled()

    stage.meta.phones.say(mia, "And the other one?")
    await stage.until_answered(mia, 2)
    await stage.meta.settled()

    assert len(stage.answers(mia)) == 2
    kinds = stage.query("SELECT kind, count(*) FROM events WHERE contact = ? GROUP BY kind", mia)
    assert dict(kinds) == {"message": 2, "echo": 2}


async def test_the_agent_is_told_its_key_and_one_turn_id_for_each_turn(stage, adapter):
    mia = stage.person()
    for number in range(2):
        stage.meta.phones.say(mia, f"Message number {number}")
        await stage.until_answered(mia, number + 1)

    headers = [question.headers for question in stage.agent.asked]
    expected = 0 if adapter == "echo" else 2
    assert {each["Authorization"] for each in headers} <= {f"Bearer {API_KEY}"}
    assert len({each["Idempotency-Key"] for each in headers}) == expected
