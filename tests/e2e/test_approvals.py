"""An approval is put to the person as two choices, and their tap resumes the run that waits."""

from __future__ import annotations

import json

from qa.support.agent import sends
from tests.support.stage import open_stage

INTERRUPTION = {"id": "i1", "kind": "tool_call", "tool_name": "cancel_order", "arguments": "{}"}
PAUSED = {"status": "PAUSED", "run_id": "r1", "agent": "sales", "interruptions": [INTERRUPTION]}


def answers(status, document):
    return sends(status, json.dumps(document), "application/json")


async def test_a_tap_approves_a_paused_run_of_agent_kernel(tmp_path):
    settings = {"agent__paused": "approve", "agent__approval_words": "Yes please,Better not"}
    async with open_stage(tmp_path, agent__adapter="agentkernel", **settings) as stage:
        mia = stage.person()
        stage.agent.will(answers(202, PAUSED), answers(200, {"result": "Your order is cancelled."}))

        stage.meta.phones.say(mia, "Cancel my order")
        await stage.until_answered(mia)
        chips = stage.meta.applied(mia)[-1].content.quick_replies
        stage.meta.phones.tap_quick_reply(mia, chips[0]["title"], chips[0]["payload"])
        await stage.until_answered(mia, 2)

        assert [it["title"] for it in chips] == ["Yes please", "Better not"]
        assert stage.answers(mia) == ["cancel order?", "Your order is cancelled."]
        asked = stage.agent.asked[-1].body
        assert asked["resume"] == {
            "run_id": "r1",
            "decisions": [{"id": "i1", "status": "approved"}],
        }
        assert (asked["agent"], "prompt" in asked) == ("sales", False)


async def test_by_default_an_approval_is_for_staff_and_the_bot_falls_silent(tmp_path):
    async with open_stage(tmp_path, agent__adapter="agentkernel") as stage:
        mia = stage.person()
        stage.agent.will(answers(202, PAUSED))

        stage.meta.phones.say(mia, "Cancel my order")
        await stage.service.until_logged(lambda line: line["event"] == "turn.handed_off")
        stage.meta.phones.say(mia, "Hello?")
        await stage.service.until_logged(lambda line: line["event"] == "turn.skipped")

        assert stage.answers(mia) == []
        assert len(stage.agent.asked) == 1
