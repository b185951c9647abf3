"""A comment gets one private reply, of the rules' or the agent's, and the person may go on."""

from __future__ import annotations

import asyncio
import json

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from instagram_simulator.webhooks.payload import comment_event
from qa.support import postgres
from qa.support.agent import says, sends
from tests.support.stage import ACCOUNT, Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRICES = "I have sent you our prices."
RULES = [
    {"words": ["price", "how much"], "reply": PRICES},
    {"words": ["size", "colour"]},
]
SETTINGS = {
    "comments__reply": "rules",
    "comments__rules": json.dumps(RULES),
    "agent__request": '{"text": "{text}", "messages": "{messages}", "session": "{session}"}',
    "conversation__attempts": "1",
}


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["sqlite", "postgres"])
async def running_stage(request, tmp_path_factory):
    """A stage that replies to comments, on each store."""
    settings = dict(SETTINGS)
    server = None
    if request.param == "postgres":
        server = await asyncio.to_thread(postgres.launch)
        settings["store__url"] = server.database()
    try:
        async with open_stage(tmp_path_factory.mktemp("stage"), **settings) as stage:
            yield stage
    finally:
        if server is not None:
            postgres.discard(server)


def recipients(stage: Stage) -> list[dict[str, str]]:
    """Return whom each message was sent to, in order."""
    calls = (entry.data for entry in stage.meta.journal.known() if entry.kind == "graph")
    bodies = (call["request"] or {} for call in calls if call["method"] == "POST")
    return [body["recipient"] for body in bodies if "message" in body]


async def until_left(stage: Stage, igsid: str) -> str:
    """Return why a comment of the person was left alone."""
    line = await stage.service.until_logged(
        lambda it: it["event"] == "comment.left" and it["contact"] == igsid
    )
    return line["reason"]


async def test_a_rule_replies_once_and_the_person_goes_on_with_the_agent(stage):
    mia = stage.person()

    comment = stage.meta.phones.comment(mia, "What's the PRICE?")
    await stage.until_answered(mia)
    stage.meta.dispatch.send(comment_event(comment))  # Meta repeats it
    await stage.meta.settled()
    stage.meta.phones.say(mia, "Thank you, and in red?")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == [PRICES, "You said: Thank you, and in red?"]
    assert recipients(stage)[-2:] == [{"comment_id": comment.comment_id}, {"id": mia}]
    assert [question.text for question in stage.agent.asked] == ["Thank you, and in red?"]


async def test_the_agent_replies_where_the_rule_says_so_and_only_once_in_public(stage):
    mia = stage.person()
    first, second = "In every size. " * 66, "Which one would you like?"
    stage.agent.will(says(f"{first}\n\n{second}"))

    comment = stage.meta.phones.comment(mia, "Which sizes? My size is 38")
    await stage.until_answered(mia)
    await stage.service.until_logged(
        lambda it: it["event"] == "answer.parked" and it["contact"] == mia
    )
    shown = stage.calls(mia)
    stage.meta.phones.say(mia, "38, please")
    await stage.until_answered(mia, 3)

    [asked, again] = stage.agent.asked
    assert shown == []  # neither "seen" nor "typing" before there is a conversation
    assert asked.body["messages"][0]["context"]["comment_id"] == comment.comment_id
    assert asked.text.startswith("[public comment on] ")
    assert again.body["session"] == asked.body["session"]
    assert stage.answers(mia) == [first.strip(), second, "You said: 38, please"]


async def test_what_no_rule_fits_is_left_alone_and_so_are_the_account_s_own(stage):
    mia = stage.person()
    seen = len(stage.service.lines)
    stage.meta.phones.comment(mia, "Nice priceless picture")
    reason = await until_left(stage, mia)
    own = stage.meta.world.write_comment(mia, "The price is below")
    event = comment_event(own)
    event.body["value"]["from"]["id"] = ACCOUNT.account_id
    stage.meta.dispatch.send(event)
    await stage.meta.settled()

    line = await stage.service.until_logged(
        lambda it: it["event"] == "webhook.received" and not it["stored"], after=seen
    )
    assert reason == "no rule of comments.rules fits the comment"
    assert line["events"] == ["comments"]
    assert stage.answers(mia) == []


async def test_a_comment_that_is_gone_is_given_up_with_a_clear_sentence(stage):
    mia = stage.person()
    gone = stage.meta.world.write_comment(mia, "price?")
    event = comment_event(gone)
    event.body["value"]["id"] = "17900000000000009"

    stage.meta.dispatch.send(event)
    line = await stage.service.until_logged(
        lambda it: it["event"] == "delivery.dead_lettered" and it["contact"] == mia
    )

    assert line["reason"].startswith("the comment can't be replied to privately (any more): ")


async def test_a_failing_agent_says_nothing_to_whoever_commented(stage):
    mia = stage.person()
    stage.agent.will(sends(400, "no such field"))

    stage.meta.phones.comment(mia, "Which colour?")
    await stage.service.until_logged(
        lambda it: it["event"] == "turn.dead_lettered" and it["contact"] == mia
    )
    stage.meta.phones.say(mia, "Hello?")
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Hello?"]


async def test_a_reply_of_unknown_outcome_is_looked_for_and_its_echo_is_no_takeover(stage):
    mia = stage.person()
    stage.meta.switch(echoes=False)
    stage.meta.fail(Fault(FaultKind.SENT_BUT_500, times=1))

    stage.meta.phones.comment(mia, "How much is it?")
    await stage.service.until_logged(
        lambda it: it["event"] == "delivery.looked_up" and it["contact"] == mia, within=15
    )
    stage.meta.switch(echoes=True)
    stage.meta.phones.say(mia, "And in red?")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == [PRICES, "You said: And in red?"]


async def test_nobody_replies_unless_it_is_switched_on(tmp_path):
    async with open_stage(tmp_path) as stage:
        mia = stage.person()
        stage.meta.phones.comment(mia, "price?")
        await stage.meta.settled()
        line = await stage.service.until_logged(
            lambda it: it["event"] == "webhook.received" and it["events"] == ["comments"]
        )

        assert line["stored"] == 0
        assert stage.answers(mia) == []
