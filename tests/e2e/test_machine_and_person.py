"""People are told that a machine answers, ask for a person, and begin anew."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from aiohttp import web

from instagram_simulator import Fault, FaultKind
from qa.support import postgres
from qa.support.agent import sends
from qa.support.service import WITHIN
from qa.support.serving import serving
from tests.support.stage import open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINE = "Our assistant answers here; it is a machine."
ANN, ANEW = "Ann will be with you", "Let us begin anew"
PAUSE = 2  # seconds


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store_url(request):
    """The settings that choose the store."""
    if request.param == "sqlite":
        yield {}
        return
    server = postgres.launch()
    yield {"store__url": server.database()}
    postgres.discard(server)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(store_url):
    """An endpoint of the operator's, and what it is told."""
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await told.put(await request.json())
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    async with serving(app) as url:
        yield url, told


async def told_of(desk: tuple[str, asyncio.Queue[dict[str, str]]], contact: str) -> dict[str, str]:
    """Return the next notification about *contact*, without what differs from run to run."""
    async with asyncio.timeout(WITHIN):
        while (told := await desk[1].get()).get("contact", "") != contact:
            pass
    return {name: it for name, it in told.items() if name in ("event", "reason", "by", "what")}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_stage(store_url, desk, tmp_path_factory):
    settings = {
        "notify__url": desk[0],
        "notify__secret": "stage-notify-secret",
        "conversation__disclosure": LINE,
        "conversation__takeover_pause": str(PAUSE),
        "conversation__lease": "5",
        "conversation__handoff_words": '["human"]',
        "conversation__handoff_reply": ANN,
        "conversation__reset": "/reset",
        "conversation__reset_reply": ANEW,
    }
    async with open_stage(tmp_path_factory.mktemp("stage"), **settings, **store_url) as stage:
        yield stage


async def test_the_line_goes_first_once_though_the_service_is_killed_before_it_is_sent(stage):
    mia, ben = stage.person(), stage.person()
    stage.meta.fail(Fault(FaultKind.WINDOW_CLOSED, times=1))
    stage.meta.phones.say(mia, "Hello?")
    await stage.service.until_logged(
        lambda line: line["event"] == "answer.parked" and line["contact"] == mia
    )
    stage.meta.phones.say(ben, "And me?")  # by the time he is answered, that is noted
    await stage.until_answered(ben, 2)

    await stage.service.kill()
    await stage.restart()
    stage.meta.phones.say(mia, "And again")
    await stage.until_answered(mia, 3)

    assert stage.answers(mia) == [LINE, "You said: Hello?", "You said: And again"]


async def test_the_line_comes_again_when_the_bot_returns_after_a_person(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Hello?")
    await stage.until_answered(mia, 2)

    await stage.answer_by_hand(mia, "Ann here, I take over")
    await asyncio.sleep(PAUSE)  # nothing tells that it is over
    stage.meta.phones.say(mia, "Bot, are you back?")
    await stage.until_answered(mia, 4)

    said = [LINE, "You said: Hello?", LINE, "You said: Bot, are you back?"]
    assert stage.answers(mia) == said


async def test_whoever_asks_for_a_person_is_left_to_one_until_the_pause_is_over(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Human")
    await stage.until_answered(mia, 2)
    stage.meta.phones.say(mia, "Are you there?")
    await stage.service.until_logged(
        lambda line: line["event"] == "turn.skipped" and line["contact"] == mia
    )

    await asyncio.sleep(PAUSE)  # nothing tells that it is over
    stage.meta.phones.say(mia, "Then the bot again")
    await stage.until_answered(mia, 4)

    assert stage.answers(mia) == [LINE, ANN, LINE, "You said: Then the bot again"]
    assert [question.text for question in stage.agent.asked] == ["Then the bot again"]


async def test_a_new_start_is_another_session_for_the_agent(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "My name is Mia")
    await stage.until_answered(mia, 2)

    stage.meta.phones.say(mia, "/reset")
    await stage.until_answered(mia, 3)
    stage.meta.phones.say(mia, "Who am I?")
    await stage.until_answered(mia, 4)

    assert stage.answers(mia)[2:] == [ANEW, "You said: Who am I?"]
    assert len({question.body["session"] for question in stage.agent.asked}) == 2


async def test_the_operators_endpoint_is_told_whom_to_see_to(stage, desk):
    mia, ben, cleo = stage.person(), stage.person(), stage.person()

    stage.meta.phones.say(mia, "human")
    wanted = await told_of(desk, mia)
    stage.meta.phones.say(ben, "Hello?")
    await stage.until_answered(ben, 2)
    await stage.answer_by_hand(ben, "Hello Ben, this is Ann")
    taken_over = await told_of(desk, ben)
    stage.agent.will(sends(400, "no such field"))
    stage.meta.phones.say(cleo, "Can you help me?")
    dead = await told_of(desk, cleo)

    assert wanted == {"event": "handoff", "reason": "the person asks for a person"}
    reason = "a person answers"
    assert taken_over == {"event": "taken_over", "by": "person", "reason": reason}
    assert dead == {"event": "dead_letter", "what": "turn", "reason": "agent answered 400"}


async def test_the_operators_endpoint_is_told_that_an_account_has_stopped(stage, desk):
    """The last test of all: the account rests for half a minute."""
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.TOKEN_EXPIRED, times=1))

    stage.meta.phones.say(mia, "Hello?")

    stopped = await told_of(desk, "")
    assert stopped["event"] == "account_stopped"
    assert "190" in stopped["reason"]
