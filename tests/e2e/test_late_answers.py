"""An agent that answers hours later is waited for in the store, and heard wherever it was asked."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import aiohttp
import pytest

from ak_instagram.webhook.signature import sign
from qa.support import postgres
from qa.support.agent import sends
from qa.support.service import Service
from tests.support.forking import forked
from tests.support.stage import ACCOUNT, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "the-agents-own-secret"
SETTINGS = {
    "agent__adapter": "http-callback",
    "agent__callback_url": "http://ak-instagram.internal:8000/",
    "agent__callback_secret": SECRET,
    # Whoever waits for an answer must not take the only place.
    "conversation__concurrency": "1",
    "conversation__lease": "5",
}
TAKEN = sends(202, "{}", "application/json")


def at_once(text):
    """Answer without a callback."""
    return sends(200, json.dumps({"reply": text}), "application/json")


async def post(stage, question, body, secret=SECRET, signature=None, service=None):
    """Post *body* to the callback of *question*; return the status and what is said of it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Hub-Signature-256": sign(secret, raw) if signature is None else signature}
    path = urlsplit(question.body["callback_url"]).path
    async with (
        aiohttp.ClientSession() as session,
        session.post((service or stage.service).url + path, data=raw, headers=headers) as response,
    ):
        return response.status, await response.json()


async def asked(stage, igsid, text):
    """Have the agent take a question; return the question once its turn waits in the store."""
    before = len(stage.agent.asked)
    stage.agent.will(TAKEN)
    stage.meta.phones.say(igsid, text)
    question = await stage.agent.until_asked(before + 1)
    await stage.service.until_logged(
        lambda line: line["event"] == "turn.deferred" and line["contact"] == igsid
    )
    return question


async def test_an_answer_comes_later_and_what_was_said_meanwhile_is_the_next_turn(stage):
    mia, zoe = stage.person(), stage.person()

    first = await asked(stage, mia, "Where is my order?")
    stage.agent.will(at_once("Hello Zoe"))
    stage.meta.phones.say(zoe, "I want to know something too")
    await stage.until_answered(zoe)
    stage.meta.phones.say(mia, "Are you still there?")
    await stage.meta.settled()
    stage.agent.will(at_once("Yes, always"))
    status, told = await post(stage, first, {"messages": ["It left today.", "By ship."]})
    await stage.until_answered(mia, 3)

    assert (status, told) == (200, {"status": "accepted"})
    assert stage.answers(zoe) == ["Hello Zoe"]
    assert stage.answers(mia) == ["It left today.", "By ship.", "Yes, always"]
    assert [it.text for it in stage.agent.asked if it.body["session"] == first.body["session"]] == [
        "Where is my order?",
        "Are you still there?",
    ]
    assert first.body["callback_url"].endswith(f":8000/agent/answers/{first.body['turn']}")


async def test_neither_side_has_to_live_through_the_wait(stage):
    mia = stage.person()
    question = await asked(stage, mia, "Will you survive?")
    await stage.service.kill()
    await stage.restart()

    posted = await post(stage, question, {"reply": "Easily."})
    await stage.service.kill()  # the 200 says that the answer is durable
    await stage.restart()
    await stage.until_answered(mia, within=20)
    repeated = await post(stage, question, {"reply": "Easily."})

    assert posted == (200, {"status": "accepted"})
    assert repeated == (200, {"status": "repeated"})
    assert stage.answers(mia) == ["Easily."]
    assert len([it for it in stage.agent.asked if it.text == "Will you survive?"]) == 1


@pytest.mark.parametrize(
    ("body", "signing", "status", "reason"),
    [
        pytest.param({"reply": "x"}, {"signature": ""}, 403, "missing", id="unsigned"),
        pytest.param({"reply": "x"}, {"secret": "guess"}, 403, "did not sign", id="forged"),
        pytest.param(
            {"reply": "x"}, {"secret": ACCOUNT.app_secret}, 403, "did not sign", id="metas-secret"
        ),
        pytest.param(b"<html>", {}, 400, "not JSON", id="web-page"),
        pytest.param(b'{"reply": "ha', {}, 400, "ended early", id="cut"),
        pytest.param(b"\xff\xfe", {}, 400, "not UTF-8", id="bytes"),
        pytest.param({"other": 1}, {}, 400, "nothing at `reply`", id="another-shape"),
        pytest.param({"reply": "x" * 400_000}, {}, 400, "agent.max_body", id="too-long"),
    ],
)
async def test_what_is_no_answer_is_refused_and_the_turn_waits_on(
    stage, body, signing, status, reason
):
    mia = stage.person()
    question = await asked(stage, mia, "Who may answer?")

    refused = await post(stage, question, body, **signing)
    accepted = await post(stage, question, {"reply": "Only my agent."})
    await stage.until_answered(mia)

    assert refused[0] == status
    assert reason in refused[1]["error"]
    assert accepted[0] == 200
    assert stage.answers(mia) == ["Only my agent."]


async def test_an_answer_to_nobodys_turn_is_told_so(stage):
    mia = stage.person()
    question = await asked(stage, mia, "One more thing")
    question.body["callback_url"] = "http://x/agent/answers/" + "0" * 32
    unknown = await post(stage, question, {"reply": "x"})
    question.body["callback_url"] = "http://x/agent/answers/NOT-A-TURN"
    malformed = await post(stage, question, {"reply": "x"})

    assert unknown == (404, {"status": "unknown"})
    assert malformed == (404, {"status": "unknown"})


async def test_a_person_who_answers_first_is_not_spoken_over(stage):
    mia = stage.person()
    question = await asked(stage, mia, "Can I talk to somebody?")
    await stage.answer_by_hand(mia, "Ann here, hello!")

    late = await post(stage, question, {"reply": "I am a bot"})
    await stage.meta.settled()

    assert late == (410, {"status": "gone"})
    assert stage.answers(mia) == []


async def test_an_overdue_turn_is_asked_again_and_given_up_in_the_end(tmp_path):
    async with open_stage(
        tmp_path,
        **SETTINGS,
        agent__callback_timeout="0.3",
        agent__fallback="Sorry",
        conversation__attempts="2",
    ) as stage:
        mia = stage.person()
        stage.agent.will(TAKEN, at_once("On second thought: yes"))
        stage.meta.phones.say(mia, "Do you ship to Peru?")
        await stage.until_answered(mia)

        stage.agent.will(TAKEN, TAKEN)
        stage.meta.phones.say(mia, "And to Chile?")
        await stage.until_answered(mia, 2)
        late = await post(stage, stage.agent.asked[-1], {"reply": "Yes"})

        turns = [it.body["turn"] for it in stage.agent.asked]
        assert stage.answers(mia) == ["On second thought: yes", "Sorry"]
        assert turns[0] == turns[1] != turns[2] == turns[3]
        assert late == (410, {"status": "gone"})


async def test_any_replica_takes_the_answer_and_whoever_is_left_sends_it(tmp_path):
    server = postgres.launch()
    try:
        (tmp_path / "other").mkdir()
        database = {"store__url": server.database()}
        async with open_stage(tmp_path, **SETTINGS, **database) as stage:
            shared = {k: v for k, v in stage.service.settings.items() if k != "server.port"}
            other = Service(tmp_path / "other", shared, start=forked)
            mia = stage.person()
            question = await asked(stage, mia, "Does it matter whom you ask?")
            await other.start()
            try:
                await stage.service.kill()
                first = await post(stage, question, {"reply": "Not at all."}, service=other)
                await stage.until_answered(mia)
                again = await post(stage, question, {"reply": "Not at all."}, service=other)

                assert first == (200, {"status": "accepted"})
                assert again == (200, {"status": "repeated"})
                assert stage.answers(mia) == ["Not at all."]
                assert len(stage.agent.asked) == 1
            finally:
                await other.stop()
    finally:
        postgres.discard(server)
