"""Whatever protocol the agent speaks, a DM is answered with nothing but settings changed."""

from __future__ import annotations

import pytest

from ak_instagram.agents.registry import ADAPTERS
from qa.support.agent import CALLBACK_SECRET, says
from tests.e2e import test_conversation
from tests.support.stage import API_KEY, open_stage

# More than one piece in bytes.
LONG = " ".join(f"Предложение номер {number}." for number in range(60))
SETTINGS = {
    "ag-ui": {},
    "langgraph": {"instagram__agent": "shop"},
    "dify": {},
    "n8n": {},
    "flowise": {},
    "http-callback": {"agent__callback_secret": CALLBACK_SECRET},
}


def test_every_adapter_is_played_end_to_end():
    assert sorted([*SETTINGS, *test_conversation.ADAPTERS]) == sorted(ADAPTERS)


WHOLE = {"agent__stream": "false", "agent__model": "m"}
PLAYED = [
    *(pytest.param(adapter, {}, id=adapter) for adapter in SETTINGS),
    *(
        pytest.param(adapter, WHOLE, id=f"{adapter}-whole")
        for adapter in ("openai-chat", "openai-responses", "langgraph")
    ),
]


@pytest.mark.parametrize(("adapter", "asking"), PLAYED)
async def test_two_turns_and_a_long_answer_in_one_conversation(tmp_path, adapter, asking):
    settings = {**SETTINGS.get(adapter, {}), **asking}
    async with open_stage(tmp_path, agent__adapter=adapter, **settings) as stage:
        mia = stage.person()

        stage.meta.phones.say(mia, "Where is my order?")
        await stage.until_answered(mia)
        stage.agent.will(says(LONG))
        stage.meta.phones.say(mia, "Tell me everything")
        await stage.until_answered(mia, 4)
        await stage.meta.settled()

        first, *pieces = stage.answers(mia)
        asked = stage.agent.asked
        assert first == "You said: Where is my order?"
        assert " ".join(pieces) == LONG
        assert max(len(piece.encode()) for piece in pieces) <= 1000
        assert [it.text for it in asked] == ["Where is my order?", "Tell me everything"]
        assert {it.headers["Authorization"] for it in asked} == {f"Bearer {API_KEY}"}
        assert len({it.headers["Idempotency-Key"] for it in asked}) == 2
        statuses = stage.query("SELECT status FROM events WHERE kind = 'message'")
        assert statuses == [("answered",), ("answered",)]
