"""An agent that fails for good costs the person an apology, once, and nobody a message."""

from __future__ import annotations

import json

import pytest

from qa.support.agent import Hold, says, sends
from tests.support.stage import open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SORRY = "Sorry, something is broken here"
SETTINGS = {
    "agent__fallback": SORRY,
    "agent__timeout": "0.4",
    "conversation__attempts": "1",
}
HUGE = json.dumps({"reply": "word " * 400_000})


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        pytest.param(sends(200, "<html>Bad gateway</html>"), "not JSON", id="html"),
        pytest.param(sends(200, HUGE, "application/json"), "more than", id="2-mb"),
        pytest.param(says("word " * 20_000), "max_answer", id="100-kb"),
        pytest.param(sends(400, "no such field"), "400", id="bad-request"),
        pytest.param(sends(401, "who are you"), "api_key", id="unauthorized"),
        pytest.param(sends(302, ""), "redirects", id="redirect"),
        pytest.param(sends(503, "overloaded"), "gave up", id="unavailable-once-too-often"),
        pytest.param(Hold(), "longer than", id="hangs"),
        pytest.param(
            sends(200, json.dumps({"status": "ERROR", "reply": "429 of host"}), "application/json"),
            "ERROR",
            id="agno",
        ),
        pytest.param(
            sends(200, json.dumps({"__error__": {"message": "429 of host"}}), "application/json"),
            "429 of host",
            id="langgraph",
        ),
        pytest.param(says("Error code: 401 - no key at host"), "credentials", id="exception"),
    ],
)
async def test_a_failure_for_good_is_a_dead_letter_and_one_apology(stage, act, reason):
    mia = stage.person()
    stage.agent.will(act)

    stage.meta.phones.say(mia, "Can you help me?")
    await stage.until_answered(mia)
    stage.meta.phones.say(mia, "And now perhaps?")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == [SORRY, "You said: And now perhaps?"]
    dead = stage.query("SELECT reason FROM events WHERE contact = ? AND status = 'dead'", mia)
    assert len(dead) == 1
    assert reason in dead[0][0]


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(says(""), id="empty"),
        pytest.param(says(" \n\n\t "), id="blank"),
        pytest.param(sends(200, '{"silence": true}', "application/json"), id="silence"),
        pytest.param(sends(204, "", "application/json"), id="no-content"),
        pytest.param(sends(200, "", "application/json"), id="no-body"),
    ],
)
async def test_an_agent_that_says_nothing_is_not_spoken_for(stage, act):
    mia = stage.person()
    stage.agent.will(act)

    stage.meta.phones.say(mia, "No need to answer")
    await stage.until_called(mia, "typing_off")
    calls = stage.calls(mia)
    stage.meta.phones.say(mia, "But here there is")
    await stage.until_answered(mia)

    assert calls == ["mark_seen", "typing_on", "typing_off"]
    assert stage.answers(mia) == ["You said: But here there is"]
    sql = "SELECT DISTINCT status FROM events WHERE contact = ? AND kind = 'message'"
    assert stage.query(sql, mia) == [("answered",)]


async def test_the_persons_own_words_do_not_come_back(tmp_path):
    question = "Do you have tulips?"
    state = {
        "messages": [{"type": "ai", "content": "Hello!"}, {"type": "human", "content": question}]
    }
    async with open_stage(tmp_path, agent__reply="messages.-1.content") as stage:
        mia = stage.person()
        stage.agent.will(sends(200, json.dumps(state), "application/json"))

        stage.meta.phones.say(mia, question)
        await stage.until_called(mia, "typing_off")

        assert stage.answers(mia) == []
